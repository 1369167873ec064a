// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where one topic is in one segment: a part for each extent that holds it, in order.
//
// All parts but the newest are delta-coded (docs/formats/log.md, "Index"): about 6 bytes for each, and a skip point of
// 32 bytes for every 32 of them, so that a search by sequence decodes no more than 32. An empty list takes about 140
// bytes. Belongs to one thread. A Walk is valid until the next change.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/block.h"
#include "storage/log/little_endian.h"

namespace storage {

// What one topic has in one extent.
struct TopicPart {
  std::size_t extent = 0;
  std::uint32_t events = 0;
  std::uint64_t bytes = 0;  // of its batches
  Sequence last_sequence = 0;
  std::int64_t first_offset = 0;  // the topic's

  bool operator==(const TopicPart&) const = default;
};

class TopicParts final {
  // Before a part: what its code is relative to, and what all parts before it come to.
  struct Place {
    std::uint32_t code_at = 0;
    std::uint32_t extent = 0;  // the first one that the part can be in
    Sequence last_sequence = 0;
    std::int64_t next_offset = 0;
    std::uint64_t bytes = 0;
  };

 public:
  static constexpr std::size_t kPartsPerSkip = 32;

  // The parts that hold an event behind the position. Beginning is a binary search, a step is O(1).
  class Walk final {
   public:
    Walk(const TopicParts&, Sequence after);

    bool done() const { return left_ == 0; }
    const TopicPart& part() const { return part_; }  // not when done()
    std::uint64_t bytes_before() const;              // of all parts before this one; not when done()
    void advance();                                  // not when done()
    std::size_t looked_at() const { return looked_at_; }

   private:
    void look();

    const TopicParts* parts_;
    std::size_t left_;  // from part_ on
    std::size_t looked_at_ = 0;
    Place next_;  // behind part_, unless that is the newest one
    TopicPart part_;
  };

  // More events behind all others: of the newest part's extent, then it grows, or of a later one.
  void add(const TopicPart&);

  std::size_t size() const { return size_; }
  std::uint64_t bytes() const { return end_.bytes + newest_.bytes; }
  const TopicPart& newest() const { return newest_; }  // all zero if there is none
  std::uint64_t bytes_behind(Sequence) const;          // of the parts that hold an event behind the position
  std::size_t memory_bytes() const;

  // For the footer. decode takes what encode appended; Errc::BadInput if that is not whole or not ascending.
  void encode(std::string& out) const;
  static base::Result<TopicParts> decode(LittleEndianReader&);

 private:
  static void append_part(std::string& code, Place&, const TopicPart&);
  static base::Result<TopicPart> take_part(base::Bytes code, Place&);
  void code_newest();

  std::string code_;          // all but the newest part
  std::vector<Place> skips_;  // before each part whose index is a multiple of kPartsPerSkip, but the first
  Place end_;                 // behind the code
  TopicPart newest_;
  std::size_t size_ = 0;
};

}  // namespace storage
