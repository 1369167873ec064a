// SPDX-License-Identifier: Apache-2.0
#include "storage/log/topic_parts.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/varint.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

// The first number of a part's code: extents passed over, and what its other numbers need not say.
constexpr std::uint64_t kOneEvent = 1;   // no number of events follows
constexpr std::uint64_t kFollowsOn = 2;  // its first offset is the next one behind the part before
constexpr unsigned kFlagBits = 2;
constexpr std::uint64_t kExtentsMax = std::numeric_limits<std::uint32_t>::max();

// Offsets of a damaged list may wrap; unsigned arithmetic makes that harmless.
std::int64_t plus(std::int64_t a, std::uint64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + b);
}
std::int64_t minus(std::int64_t a, std::int64_t b) { return plus(a, ~static_cast<std::uint64_t>(b) + 1); }

}  // namespace

void TopicParts::append_part(std::string& code, Place& at, const TopicPart& part) {
  const std::int64_t gap = minus(part.first_offset, at.next_offset);
  const std::uint64_t flags = (part.events == 1 ? kOneEvent : 0) | (gap == 0 ? kFollowsOn : 0);
  base::append_uvarint(code, (part.extent - at.extent) << kFlagBits | flags);
  if (part.events != 1) base::append_uvarint(code, part.events);
  base::append_uvarint(code, part.bytes);
  base::append_uvarint(code, part.last_sequence - at.last_sequence);
  if (gap != 0) base::append_varint(code, gap);
  at = {static_cast<std::uint32_t>(code.size()), static_cast<std::uint32_t>(part.extent + 1), part.last_sequence,
        plus(part.first_offset, part.events), at.bytes + part.bytes};
}

Result<TopicPart> TopicParts::take_part(Bytes code, Place& at) {
  Bytes rest = code.substr(at.code_at);
  const std::uint64_t head = TRY(base::take_uvarint(rest));
  const std::uint64_t events = (head & kOneEvent) != 0 ? 1 : TRY(base::take_uvarint(rest));
  TopicPart part;
  part.extent = at.extent + (head >> kFlagBits);
  part.events = static_cast<std::uint32_t>(events);
  part.bytes = TRY(base::take_uvarint(rest));
  part.last_sequence = at.last_sequence + TRY(base::take_uvarint(rest));
  part.first_offset = at.next_offset;
  if ((head & kFollowsOn) == 0) {
    part.first_offset = plus(part.first_offset, static_cast<std::uint64_t>(TRY(base::take_varint(rest))));
  }
  if (part.extent >= kExtentsMax || events == 0 || events != part.events || part.last_sequence <= at.last_sequence) {
    return fail(Errc::BadInput, "a list of a topic's parts does not ascend");
  }
  at = {static_cast<std::uint32_t>(code.size() - rest.size()), static_cast<std::uint32_t>(part.extent + 1),
        part.last_sequence, plus(part.first_offset, part.events), at.bytes + part.bytes};
  return part;
}

void TopicParts::add(const TopicPart& part) {
  CHECK(part.events > 0 && part.last_sequence > newest_.last_sequence, "events of a segment are out of order");
  if (size_ > 0 && part.extent == newest_.extent) {
    newest_.events += part.events;
    newest_.bytes += part.bytes;
    newest_.last_sequence = part.last_sequence;
    return;
  }
  CHECK(size_ == 0 || part.extent > newest_.extent, "extents of a segment are out of order");
  CHECK(part.extent < kExtentsMax, "a segment has too many extents");
  if (size_ > 0) code_newest();
  newest_ = part;
  ++size_;
}

void TopicParts::code_newest() {
  append_part(code_, end_, newest_);
  CHECK(code_.size() < std::numeric_limits<std::uint32_t>::max(), "the list of a topic's parts is too long");
  if (size_ % kPartsPerSkip == 0) skips_.push_back(end_);
}

std::uint64_t TopicParts::bytes_behind(Sequence position) const {
  const Walk walk(*this, position);
  return walk.done() ? 0 : bytes() - walk.bytes_before();
}

std::size_t TopicParts::memory_bytes() const {
  return sizeof *this + code_.capacity() + skips_.capacity() * sizeof(Place);
}

void TopicParts::encode(std::string& out) const {
  const std::size_t at = out.size();
  append_le(out, static_cast<std::uint32_t>(size_));
  append_le<std::uint32_t>(out, 0);
  out += code_;
  if (size_ > 0) {
    std::string code;
    Place end = end_;
    append_part(code, end, newest_);
    out += code;
  }
  store_le(out.data() + at + sizeof(std::uint32_t), static_cast<std::uint32_t>(out.size() - at - 8));
}

Result<TopicParts> TopicParts::decode(LittleEndianReader& in) {
  const auto size = in.take<std::uint32_t>();
  const auto code_bytes = in.take<std::uint32_t>();
  const Bytes code = in.take_bytes(code_bytes);
  if (!in.ok()) return fail(Errc::BadInput, "a list of a topic's parts ends early");
  TopicParts parts;
  for (Place at; at.code_at < code.size(); ++parts.size_) {
    if (parts.size_ > 0 && parts.size_ % kPartsPerSkip == 0) parts.skips_.push_back(at);
    parts.end_ = at;
    parts.newest_ = TRY(take_part(code, at));
  }
  if (parts.size_ != size) return fail(Errc::BadInput, "a list of a topic's parts has another length");
  parts.code_ = code.substr(0, parts.end_.code_at);
  parts.skips_.shrink_to_fit();
  return parts;
}

TopicParts::Walk::Walk(const TopicParts& parts, Sequence after) : parts_(&parts), left_(parts.size_) {
  if (parts.newest_.last_sequence <= after) left_ = 0;
  if (left_ == 0) return;
  const auto skip = std::ranges::upper_bound(parts.skips_, after, {}, &Place::last_sequence);
  if (skip != parts.skips_.begin()) {
    next_ = *std::prev(skip);
    left_ -= kPartsPerSkip * static_cast<std::size_t>(skip - parts.skips_.begin());
  }
  for (look(); part_.last_sequence <= after; look()) --left_;
}

void TopicParts::Walk::advance() {
  if (--left_ > 0) look();
}

// Reads the part that left_ counts from.
void TopicParts::Walk::look() {
  ++looked_at_;
  if (left_ == 1) {
    part_ = parts_->newest_;
    return;
  }
  const auto part = take_part(parts_->code_, next_);
  CHECK(part.has_value(), "the list of a topic's parts cannot be read");
  part_ = *part;
}

std::uint64_t TopicParts::Walk::bytes_before() const { return left_ == 1 ? next_.bytes : next_.bytes - part_.bytes; }

}  // namespace storage
