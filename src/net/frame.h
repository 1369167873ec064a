// SPDX-License-Identifier: Apache-2.0
#pragma once
// Encoded bytes that any number of connections of one loop may send. Immutable once shared.
//
// Thread: a frame never leaves its loop, so its count is a plain integer.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/bytes.h"

namespace net {

class FramePtr;

class Frame final {
 public:
  base::Bytes bytes() const { return bytes_; }

 private:
  friend class FramePtr;
  Frame(std::string bytes, std::size_t* account) : bytes_(std::move(bytes)), account_(account) {
    if (account_ != nullptr) *account_ += bytes_.size();
  }
  ~Frame() {
    if (account_ != nullptr) *account_ -= bytes_.size();
  }
  std::string bytes_;
  std::size_t* account_;
  std::uint32_t owners_ = 0;
};

class FramePtr final {
 public:
  FramePtr() = default;
  // While it lives its bytes are counted in `account`, which outlives it.
  static FramePtr make(std::string bytes, std::size_t* account = nullptr) {
    return FramePtr(new Frame(std::move(bytes), account));
  }
  FramePtr(const FramePtr& other) : FramePtr(other.frame_) {}
  FramePtr(FramePtr&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  FramePtr& operator=(FramePtr other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~FramePtr() {
    if (frame_ != nullptr && --frame_->owners_ == 0) delete frame_;
  }

  explicit operator bool() const { return frame_ != nullptr; }
  const Frame* operator->() const { return frame_; }

 private:
  explicit FramePtr(Frame* frame) : frame_(frame) {
    if (frame_ != nullptr) ++frame_->owners_;
  }
  Frame* frame_ = nullptr;
};

}  // namespace net
