// SPDX-License-Identifier: Apache-2.0
#pragma once
// N server-sent event streams of one address, read by one thread. Every stream's events are counted; a sample, spread
// evenly, is decoded whole and timed.
//
// Connections are opened a few at a time, so that no accept queue overflows; a connection counts as open when its
// response head and the first block of its stream have arrived.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sockets.h"
#include "sse_stream.h"

namespace bench {

class Subscribers final {
 public:
  struct Sample {
    std::size_t subscriber;
    StreamDecoder decoder;
    std::vector<std::int64_t> received_at_ns;  // one for each of decoder.numbers()
  };

  // Events of subscriber i come back with the tag `first_tag` + i.
  Subscribers(int epoll, std::uint64_t first_tag, Url url);

  // Opens more until there are `count`, `samples` of them decoded; on_ready() carries on with it.
  base::Result<void> grow_to(std::size_t count, std::size_t samples);
  base::Result<void> on_ready(std::size_t i, std::uint32_t events);

  bool all_open() const { return open_ == wanted_; }
  std::size_t open_count() const { return open_; }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t bytes() const { return bytes_; }
  std::size_t closed() const { return closed_; }      // streams that ended after they were open
  std::uint32_t retried() const { return retried_; }  // connections that had to be opened again
  std::size_t short_of(std::uint32_t events) const;   // subscribers that have another number of events
  const std::vector<Sample>& samples() const { return samples_; }

 private:
  enum class State : unsigned char { Connecting, Opening, Streaming, Closed };

  struct Stream {
    int socket = -1;
    State state = State::Connecting;
    EventCounter counter;
    std::int32_t sample = -1;           // its place in samples_
    std::unique_ptr<std::string> head;  // while Opening
  };

  base::Result<void> open_more();
  base::Result<void> connect(std::size_t i);
  base::Result<void> on_connected(std::size_t i);
  base::Result<void> on_lost(std::size_t i);
  base::Result<void> on_bytes(std::size_t i, std::string_view bytes);
  base::Result<void> on_head(std::size_t i);
  void sample(std::size_t i, std::string_view head);
  void on_body(Stream& stream, std::string_view bytes);

  int epoll_;
  std::uint64_t first_tag_;
  Url url_;
  std::string request_;
  std::vector<char> buffer_;
  std::vector<Stream> streams_;  // of all that were begun
  std::vector<Sample> samples_;
  std::size_t wanted_ = 0;
  std::size_t sample_every_ = 0;
  std::size_t open_ = 0;
  std::size_t closed_ = 0;
  std::uint32_t retried_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace bench
