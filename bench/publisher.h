// SPDX-License-Identifier: Apache-2.0
#pragma once
// Publishes bursts of numbered events over keep-alive HTTP/1.1 connections and reads the answers.
//
// How the events of a burst reach the server decides whether they share a turn of its loop, so it is explicit:
//   Connections  one POST each, over as many connections, written back to back
//   Pipeline     one POST each, all in one write on one connection
//   Batch        one POST of a CloudEvents batch, on one connection: one commit group by definition
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sockets.h"

namespace bench {

class Publisher final {
 public:
  enum class How : unsigned char { Connections, Pipeline, Batch };

  struct Plan {
    Url url;
    How how = How::Connections;
    std::uint32_t burst_events = 1;
    std::uint32_t payload_bytes = 128;
  };

  explicit Publisher(Plan plan) : plan_(std::move(plan)) {}

  // Connects and registers with `epoll`; event i comes back with the tag `first_tag` + i.
  base::Result<void> open(int epoll, std::uint64_t first_tag);

  // Sends events first .. first + burst_events - 1.
  base::Result<void> publish(std::uint32_t first);

  // Reads answers of connection i.
  base::Result<void> on_readable(std::size_t i);

  std::uint32_t waiting() const { return requests_ - answers_; }  // requests without an answer
  std::uint32_t refused() const { return refused_; }              // answers other than 2xx
  const std::string& first_refusal() const { return first_refusal_; }

 private:
  struct Link {
    int socket = -1;
    std::string received;
  };

  std::string payload(std::uint32_t number) const;
  std::string request(std::string_view content_type, std::string_view body) const;
  std::string batch(std::uint32_t first) const;
  void take_answers(std::string& received);

  Plan plan_;
  std::vector<Link> links_;
  std::uint32_t requests_ = 0;
  std::uint32_t answers_ = 0;
  std::uint32_t refused_ = 0;
  std::string first_refusal_;
};

}  // namespace bench
