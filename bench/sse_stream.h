// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two readers of a server-sent event stream, fed with whatever pieces arrive: a cheap one that counts, for every
// subscriber, and a whole one that decodes, for a sample of them. Neither does I/O.
//
// Source: WHATWG HTML section 9.2.6 (interpreting an event stream), RFC 9112 section 7.1 (chunked).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// Counts the blocks of a stream (an empty line ends one) and those of them that carry a `{"n":` payload. It takes no
// notice of chunks, which is right as long as no chunk ends inside a line; the sample's decoder would find that.
class EventCounter final {
 public:
  void feed(std::string_view bytes);
  std::uint32_t events() const { return events_; }
  std::uint32_t blocks() const { return blocks_; }

 private:
  std::uint32_t events_ = 0;
  std::uint32_t blocks_ = 0;
  std::uint8_t matched_ = 0;  // bytes of kEventLine that this line has begun with, or kOtherLine
};

// Decodes a body, chunked or not, into the numbers of its events.
class StreamDecoder final {
 public:
  enum class Coding : unsigned char { Identity, Chunked };

  explicit StreamDecoder(Coding coding) : coding_(coding) {}

  // False once the bytes cannot be such a stream, or the server reset or closed it; fault() says which.
  bool feed(std::string_view bytes);

  // Event numbers in order of arrival, since the beginning.
  const std::vector<std::uint32_t>& numbers() const { return numbers_; }
  const char* fault() const { return fault_; }

 private:
  enum class At : unsigned char { Size, SizeLineFeed, Chunk, ChunkReturn, ChunkLineFeed };

  bool feed_framing(char byte);
  bool feed_text(std::string_view text);
  bool on_line(std::string_view line);
  bool on_event();
  bool fail(const char* why);

  Coding coding_;
  At at_ = At::Size;
  std::size_t chunk_left_ = 0;
  std::string line_;
  std::string name_;
  std::string data_;
  std::vector<std::uint32_t> numbers_;
  const char* fault_ = nullptr;
};

}  // namespace bench
