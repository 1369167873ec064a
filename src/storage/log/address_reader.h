// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which extents of a segment hold an address, wherever its index is: in memory, in a footer, or nowhere.
//
// Of the segments that this start has begun the index is in memory until their footer is written. Of a sealed one the
// trailer and the directory are read once (16 KiB, kept for the kAddressDirectoriesMax that were asked for last), and
// then one bucket for each address, buckets that lie close together at once. So ten million addresses in sealed
// segments cost no memory. A segment without either is scanned when it is first asked for, and what was found stays in
// memory until it has a footer or goes: that is the newest one after a start that recovered events into it, and those
// that get no footer because of damage. Extents with damage in them then may hold any address, and say so.
//
// Thread: the lane's loop. Lives until its last turn.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "storage/log/footer.h"
#include "storage/log/log.h"

namespace storage {

inline constexpr std::size_t kAddressDirectoriesMax = 256;   // kept in memory
inline constexpr unsigned kAddressReadAttempts = 3;          // then what is read counts as damaged
inline constexpr std::size_t kAddressReadBytes = 64u << 10;  // of buckets at once, or one larger bucket
inline constexpr std::size_t kAddressGapBytes = 4u << 10;    // that are read for nothing rather than read twice

struct AddressHit {
  std::uint64_t hash;
  std::uint32_t extent;
};

struct AddressAnswer {
  enum class Outcome : std::uint8_t { Found, Stopped } outcome = Outcome::Found;
  std::vector<AddressHit> hits = {};       // by hash, and then ascending
  std::vector<std::uint32_t> unsure = {};  // ascending: these may hold any address
  std::uint64_t bytes_read = 0;

  std::vector<std::uint32_t> extents() const;  // that may hold any of the addresses: ascending, each once
};

class AddressReader final {
 public:
  using Done = std::move_only_function<void(AddressAnswer)>;
  enum class Want : std::uint8_t { All, Newest };  // extents of each address

  AddressReader(io::Loop&, Log&);
  ~AddressReader();
  AddressReader(const AddressReader&) = delete;
  AddressReader& operator=(const AddressReader&) = delete;

  // `hashes` ascend. The caller keeps the segment with Log::begin_read until `done`, which may run within the call.
  void find(Segment&, std::vector<std::uint64_t> hashes, Want, Done);

  // Which extents hold the newest event in the segment of any address: nobody else has to be looked at to find what is
  // newest. Kept with the directory, a bit for each extent; null where there is no footer. As for find().
  using Marks = std::shared_ptr<const std::vector<bool>>;
  using MarksDone = std::move_only_function<void(Marks, std::uint64_t bytes_read)>;
  void mark_newest(Segment&, MarksDone);

  void stop() { stopping_ = true; }  // a scan under way ends with its next step
  std::size_t memory_bytes() const;

 private:
  struct Directory;
  struct Search;
  struct Marking;
  struct Scanned;
  using DirectoryPtr = std::shared_ptr<Directory>;
  using DirectoryDone = std::move_only_function<void(DirectoryPtr, std::uint64_t bytes_read)>;
  using SearchPtr = std::shared_ptr<Search>;

  using BytesDone = std::move_only_function<void(base::Result<io::FileReply>)>;
  void read(Segment&, std::uint64_t offset, std::uint64_t bytes, BytesDone, unsigned attempts = kAddressReadAttempts);
  void with_directory(Segment&, DirectoryDone);
  void read_directory(Segment&, const FooterTrailer&, DirectoryDone);
  void keep(const Segment&, const DirectoryPtr&);
  void read_buckets(SearchPtr);
  void on_buckets(SearchPtr, std::size_t end, std::uint64_t from, const base::Result<io::FileReply>&);
  void mark_on(std::shared_ptr<Marking>);
  void leave_unmarked(Marking&);

  void scan_for(SearchPtr);
  void scan_on(Segment&);
  void on_scanned(Segment&, std::uint64_t offset, const base::Result<io::FileReply>&);
  bool answer_waiting(Segment&);
  void forget_scans();

  io::Loop& loop_;
  Log& log_;
  std::map<std::uint64_t, DirectoryPtr> directories_;  // by the segment's id; null: its footer is of no use
  std::map<std::uint64_t, Scanned> scanned_;           // likewise
  std::uint64_t uses_ = 0;
  bool stopping_ = false;
};

// The first extents of the list (ascending) with an event behind the position: as many as lie side by side and fit, at
// least one; as SegmentIndex::find. None: no event behind the position is in any of them.
std::optional<ExtentRange> first_of_extents(const SegmentIndex&, std::span<const std::uint32_t> extents, Sequence after,
                                            std::size_t bytes_max);
// How many extents begin at or before the position: the first ones.
std::size_t extents_up_to(const SegmentIndex&, Sequence position);
// The last event of the extents [.., end).
Sequence last_in(const SegmentIndex&, std::size_t end);

}  // namespace storage
