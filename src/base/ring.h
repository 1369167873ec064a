// SPDX-License-Identifier: Apache-2.0
#pragma once
// An intrusive ring of links; a link on its own is the head of an empty one. Unlinking needs no head and is O(1).
//
// A link that is destroyed while linked leaves a hole: owners unlink first. Thread: whoever owns the ring.

namespace base {

struct RingLink {
  RingLink* next = this;
  RingLink* previous = this;

  RingLink() = default;
  RingLink(const RingLink&) = delete;
  RingLink& operator=(const RingLink&) = delete;

  bool alone() const { return next == this; }
  void unlink() {
    next->previous = previous;
    previous->next = next;
    next = previous = this;
  }
  void push_back(RingLink& link) {
    link.previous = previous;
    link.next = this;
    previous->next = &link;
    previous = &link;
  }
  // Everything in the other ring moves to the end of this one.
  void take_all(RingLink& other) {
    if (other.alone()) return;
    other.next->previous = previous;
    previous->next = other.next;
    other.previous->next = this;
    previous = other.previous;
    other.next = other.previous = &other;
  }
};

}  // namespace base
