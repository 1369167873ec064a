// SPDX-License-Identifier: Apache-2.0
#include "net/output_queue.h"

#include <utility>

#include "base/result.h"

namespace net {

OutputPool::~OutputPool() {
  while (idle_ != nullptr) delete std::exchange(idle_, idle_->next);
}

OutputLink* OutputPool::take(FramePtr frame) {
  if (idle_ == nullptr) return new OutputLink{std::move(frame)};
  OutputLink* link = std::exchange(idle_, idle_->next);
  --idle_links_;
  link->frame = std::move(frame);
  link->next = nullptr;
  return link;
}

void OutputPool::give_back(OutputLink* link) {
  if (idle_links_ == kIdleLinksMax) {
    delete link;
    return;
  }
  link->frame = {};
  link->next = std::exchange(idle_, link);
  ++idle_links_;
}

void OutputQueue::push(OutputPool& pool, FramePtr frame) {
  const std::size_t size = frame->bytes().size();
  if (size == 0) return;
  OutputLink* link = pool.take(std::move(frame));
  (last_ == nullptr ? first_ : last_->next) = link;
  last_ = link;
  bytes_ += size;
}

std::size_t OutputQueue::slices(std::span<io::Slice> into) const {
  std::size_t count = 0;
  std::size_t skip = first_sent_bytes_;
  for (const OutputLink* link = first_; link != nullptr && count < into.size(); link = link->next) {
    const base::Bytes bytes = link->frame->bytes().substr(skip);
    into[count++] = {bytes.data(), bytes.size()};
    skip = 0;
  }
  return count;
}

void OutputQueue::consume(OutputPool& pool, std::size_t sent_bytes) {
  CHECK(sent_bytes <= bytes_, "more was sent than was queued");
  bytes_ -= sent_bytes;
  while (sent_bytes > 0) {
    const std::size_t left = first_->frame->bytes().size() - first_sent_bytes_;
    if (sent_bytes < left) {
      first_sent_bytes_ += sent_bytes;
      return;
    }
    sent_bytes -= left;
    pop(pool);
  }
}

void OutputQueue::clear(OutputPool& pool) {
  while (first_ != nullptr) pop(pool);
  bytes_ = 0;
}

void OutputQueue::pop(OutputPool& pool) {
  OutputLink* link = std::exchange(first_, first_->next);
  if (first_ == nullptr) last_ = nullptr;
  first_sent_bytes_ = 0;
  pool.give_back(link);
}

}  // namespace net
