// SPDX-License-Identifier: Apache-2.0
#pragma once
// A simulated connection: two ends and a pipe in each direction. One thread.
#include <algorithm>
#include <cstdint>
#include <string>

#include "io/network.h"

namespace sim {

// One direction. Bytes are written at the end, arrive in steps and are read from the beginning:
//   read | arrived, not read | in flight |
//        ^head_              ^arrived_   ^bytes_.size()
struct Pipe {
  std::size_t capacity = 0;
  bool fin_sent = false;
  bool fin_arrived = false;
  bool reset_sent = false;
  bool travelling = false;    // a step that delivers from this pipe is under way
  bool writer_waits = false;  // a write found too little room

  std::size_t readable() const { return arrived_ - head_; }
  std::size_t in_flight() const { return bytes_.size() - arrived_; }
  std::size_t room() const { return capacity - (bytes_.size() - head_); }
  // As in a kernel, little room is not worth an event.
  bool writable() const { return room() * 3 >= capacity; }

  void write(base::Bytes bytes) { bytes_.append(bytes); }
  void arrive(std::size_t size) { arrived_ += size; }
  std::size_t read(std::span<char> into) {
    const std::size_t size = std::min(into.size(), readable());
    std::copy_n(bytes_.data() + head_, size, into.data());
    head_ += size;
    if (head_ == bytes_.size() || head_ > capacity) {
      bytes_.erase(0, head_);
      arrived_ -= head_;
      head_ = 0;
    }
    return size;
  }
  void lose_in_flight(std::size_t kept) { bytes_.resize(arrived_ + kept); }
  void drop_all() {
    bytes_.clear();
    head_ = arrived_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t head_ = 0;
  std::size_t arrived_ = 0;
};

struct End {
  io::Handle handle = io::kNoHandle;  // also while it waits to be accepted
  bool open = true;
  bool reset = false;
};

struct Connection {
  enum class State : std::uint8_t { Connecting, Refused, Open };

  std::uint64_t number = 0;  // in order of creation
  std::size_t place = 0;     // in the network's list
  State state = State::Connecting;
  io::Endpoint from;
  io::Endpoint to;
  End end[2];    // 0 connected, 1 accepted
  Pipe pipe[2];  // [side] carries what that side writes
  int travels = 0;
};

}  // namespace sim
