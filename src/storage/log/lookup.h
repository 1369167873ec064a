// SPDX-License-Identifier: Apache-2.0
#pragma once
// Answers Lane::locate and Lane::newest_per_address from the indexes of the segments, and reads only the extents that
// the indexes cannot speak for.
//
// Each lookup is a state machine on the lane's loop, one small step after the other: a file operation, a search in an
// index. Extents are taken apart on the loop that asked, as reads are. Nothing is kept from one request to the next but
// what AddressReader keeps. A lookup takes a segment anew at each step, so that retention and rewriting go on; what was
// trimmed since it began may or may not have been found, so a reply says what is complete when it is made. What came
// since then counts for nothing: every reply is as of its `end`.
//
// Thread: the lane's loop; `done` is called on the loop `from`. Lives until the last turn of both.
#include <cstddef>
#include <functional>
#include <ranges>
#include <string>

#include "storage/log/address_reader.h"
#include "storage/log/log.h"
#include "storage/topic_table.h"

namespace storage {

inline constexpr unsigned kLookupReadAttempts = 3;        // of one extent, before it counts as unreadable
inline constexpr std::size_t kLookupStepsMax = 1'024;     // extents passed over by the index in one turn
inline constexpr std::size_t kNewestCandidatesMax = 512;  // addresses that are looked up together
inline constexpr std::size_t kNewestKnownMax = 65'536;    // addresses remembered within one request

// What every lookup works with.
struct LookupStage {
  io::Loop& loop;
  Log& log;
  const TopicTable& topics;
  AddressReader& addresses;
  const std::size_t bytes_max;  // of one request, but for its last step; then it is Partial
  std::size_t under_way = 0;
  bool stopping = false;

  Sequence complete_after(const std::vector<TopicId>&) const;
  // Those with an event: only the newest can be without.
  std::ranges::subrange<Segments::const_iterator> segments() const;
  // The extents [first, end) of a segment, which is kept until `done`. No bytes: they cannot be read.
  void read(Segment&, std::size_t first, std::size_t end, std::move_only_function<void(std::string)> done,
            unsigned attempts = kLookupReadAttempts);
};

class Lookup final {
 public:
  Lookup(io::Loop& loop, Log& log, const TopicTable& topics, AddressReader& addresses, const Limits& limits)
      : stage_{loop, log, topics, addresses, limits.lookup_bytes_max} {}
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;

  void locate(io::Loop& from, LocateRequest, Sequence durable, Lane::LocateDone);
  void newest_per_address(io::Loop& from, NewestRequest, Sequence durable, Lane::NewestDone);

  void stop() { stage_.stopping = true; }  // what is under way ends with its next step
  std::size_t under_way() const { return stage_.under_way; }

 private:
  void locate_time(io::Loop& from, std::int64_t wall_ms, LocateReply, Lane::LocateDone);

  LookupStage stage_;
};

}  // namespace storage
