// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one connection still has to send: a chain of frames, and how much of the first is gone already.
//
// The links come from a pool that belongs to the loop, so a connection with nothing to send owns no memory here.
// Invariant: bytes() is the sum of the frames minus what has been sent. Thread: one loop.
#include <cstddef>
#include <span>
#include <vector>

#include "io/network.h"
#include "net/frame.h"

namespace net {

struct OutputLink {
  FramePtr frame;
  OutputLink* next = nullptr;
};

class OutputPool final {
 public:
  ~OutputPool();
  OutputLink* take(FramePtr);
  void give_back(OutputLink*);

 private:
  static constexpr std::size_t kIdleLinksMax = 65536;  // beyond it links go back to the allocator
  OutputLink* idle_ = nullptr;
  std::size_t idle_links_ = 0;
};

class OutputQueue final {
 public:
  void push(OutputPool&, FramePtr);
  // Describes the first bytes to send, in as many slices as fit. Returns how many slices were filled.
  std::size_t slices(std::span<io::Slice> into) const;
  void consume(OutputPool&, std::size_t sent_bytes);
  void clear(OutputPool&);

  std::size_t bytes() const { return bytes_; }
  bool empty() const { return first_ == nullptr; }

 private:
  void pop(OutputPool&);

  OutputLink* first_ = nullptr;
  OutputLink* last_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t first_sent_bytes_ = 0;
};

}  // namespace net
