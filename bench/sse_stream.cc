// SPDX-License-Identifier: Apache-2.0
#include "sse_stream.h"

#include <charconv>
#include <cstring>

namespace bench {

namespace {

constexpr std::string_view kEventLine = "data: {\"n\":";
constexpr std::string_view kPayloadBegin = "{\"n\":";
constexpr std::uint8_t kOtherLine = UINT8_MAX;
constexpr std::size_t kChunkBytesMax = 16 * 1024 * 1024;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void EventCounter::feed(std::string_view bytes) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  while (at != end) {
    if (matched_ == 0 && *at == '\n') ++blocks_;
    while (matched_ < kEventLine.size() && at != end && *at == kEventLine[matched_]) ++at, ++matched_;
    if (matched_ == kEventLine.size()) ++events_;
    if (at == end && matched_ < kEventLine.size()) return;
    matched_ = kOtherLine;
    const void* line_end = std::memchr(at, '\n', static_cast<std::size_t>(end - at));
    if (line_end == nullptr) return;
    at = static_cast<const char*>(line_end) + 1;
    matched_ = 0;
  }
}

bool StreamDecoder::fail(const char* why) {
  if (fault_ == nullptr) fault_ = why;
  return false;
}

bool StreamDecoder::feed(std::string_view bytes) {
  if (fault_ != nullptr) return false;
  if (coding_ == Coding::Identity) return feed_text(bytes);
  while (!bytes.empty()) {
    if (at_ != At::Chunk) {
      if (!feed_framing(bytes.front())) return false;
      bytes.remove_prefix(1);
      continue;
    }
    const std::string_view text = bytes.substr(0, chunk_left_);
    if (!feed_text(text)) return false;
    bytes.remove_prefix(text.size());
    chunk_left_ -= text.size();
    if (chunk_left_ == 0) at_ = At::ChunkReturn;
  }
  return true;
}

// RFC 9112 section 7.1: chunk = chunk-size CRLF chunk-data CRLF. No extensions are expected here.
bool StreamDecoder::feed_framing(char byte) {
  switch (at_) {
    case At::Size: {
      if (byte == '\r') {
        at_ = At::SizeLineFeed;
        return true;
      }
      const int digit = hex_digit(byte);
      if (digit < 0 || chunk_left_ > kChunkBytesMax) return fail("bad chunk size");
      chunk_left_ = chunk_left_ * 16 + static_cast<std::size_t>(digit);
      return true;
    }
    case At::SizeLineFeed:
      if (byte != '\n') return fail("bad chunk size line");
      if (chunk_left_ == 0) return fail("the stream ended");
      at_ = At::Chunk;
      return true;
    case At::ChunkReturn: at_ = At::ChunkLineFeed; return byte == '\r' || fail("a chunk is longer than its size");
    case At::ChunkLineFeed: at_ = At::Size; return byte == '\n' || fail("a chunk is longer than its size");
    case At::Chunk: break;
  }
  return fail("not framing");
}

bool StreamDecoder::feed_text(std::string_view text) {
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    line_.append(text.substr(0, end));
    if (!on_line(line_)) return false;
    line_.clear();
    text.remove_prefix(end + 1);
  }
  line_.append(text);
  return true;
}

bool StreamDecoder::on_line(std::string_view line) {
  if (line.empty()) return on_event();
  const auto colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == line.npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") name_ = value;
  if (field == "data") data_ += value;
  return true;
}

bool StreamDecoder::on_event() {
  if (name_.starts_with("tidewire.") && name_ != "tidewire.resumed")
    return fail("the server reset or closed the stream");
  if (name_.empty() || name_ == "tick") {
    const std::string_view data = data_;
    std::uint32_t number = 0;
    if (data.starts_with(kPayloadBegin)) {
      std::from_chars(data.data() + kPayloadBegin.size(), data.data() + data.size(), number);
      numbers_.push_back(number);
    } else if (!data.empty()) {
      return fail("an event has another payload");
    }
  }
  name_.clear();
  data_.clear();
  return true;
}

}  // namespace bench
