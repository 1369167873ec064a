// SPDX-License-Identifier: Apache-2.0
#include "storage/log/address_reader.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "storage/log/lookup_extent.h"

namespace storage {

using Kind = io::FileRequest::Kind;

struct AddressReader::Directory {
  std::string bytes;
  FooterSection addresses;
  std::uint64_t used = 0;
  Marks newest = nullptr;  // once it was asked for
};

struct AddressReader::Search {
  Segment& segment;
  std::vector<std::uint64_t> hashes;
  Want want;
  Done done;
  AddressAnswer answer = {};
  DirectoryPtr directory = nullptr;
  std::size_t next = 0;           // of hashes
  std::uint64_t scan_target = 0;  // offset in the segment

  void add(std::uint64_t hash, const std::vector<std::uint32_t>& extents) {
    for (const std::uint32_t extent : extents) answer.hits.push_back({hash, extent});
  }
  void add(std::uint64_t hash, std::optional<std::uint32_t> extent) {
    if (extent) answer.hits.push_back({hash, *extent});
  }
  // In an index of either kind.
  template <class Index>
  void look_up(const Index& index, std::uint64_t hash) {
    if (want == Want::All) return add(hash, index.extents_of(hash));
    add(hash, index.newest_extent_of(hash));
  }
  void finish() { std::exchange(done, nullptr)(std::move(answer)); }
};

struct AddressReader::Scanned {
  AddressIndex index;
  std::vector<std::uint32_t> damaged;  // extents
  std::size_t extent = 0;              // the one that `end` lies in
  std::uint64_t end = 0;               // offset up to which it was scanned
  bool scanning = false;
  std::vector<SearchPtr> waiting = {};
};

std::vector<std::uint32_t> AddressAnswer::extents() const {
  std::vector<std::uint32_t> all = unsure;
  for (const AddressHit& hit : hits) all.push_back(hit.extent);
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

AddressReader::AddressReader(io::Loop& loop, Log& log) : loop_(loop), log_(log) {}
AddressReader::~AddressReader() = default;

void AddressReader::find(Segment& segment, std::vector<std::uint64_t> hashes, Want want, Done done) {
  auto search = std::make_shared<Search>(segment, std::move(hashes), want, std::move(done));
  if (segment.addresses != nullptr) {
    for (const std::uint64_t hash : search->hashes) search->look_up(*segment.addresses, hash);
    return search->finish();
  }
  with_directory(segment, [this, search](DirectoryPtr directory, std::uint64_t bytes_read) {
    search->answer.bytes_read += bytes_read;
    if (directory == nullptr) return scan_for(search);
    search->directory = std::move(directory);
    read_buckets(search);
  });
}

// A disk may refuse once and not again.
void AddressReader::read(Segment& segment, std::uint64_t offset, std::uint64_t bytes, BytesDone done,
                         unsigned attempts) {
  loop_.files().submit(loop_, {.kind = Kind::ReadAt, .handle = segment.handle, .offset = offset, .size = bytes},
                       [this, &segment, offset, bytes, attempts, done = std::move(done)](auto reply) mutable {
                         if (reply || attempts == 1) return done(std::move(reply));
                         read(segment, offset, bytes, std::move(done), attempts - 1);
                       });
}

// --- in a footer

// Null: the segment has no footer that is of use.
void AddressReader::with_directory(Segment& segment, DirectoryDone done) {
  const auto found = directories_.find(segment.header.id);
  if (segment.footer != OpenSegment::Footer::Whole) return done(nullptr, 0);
  if (found != directories_.end()) {
    if (found->second != nullptr) found->second->used = ++uses_;
    return done(found->second, 0);
  }
  const std::uint64_t file_bytes = segment.file_bytes;
  auto on_trailer = [this, &segment, file_bytes,
                     done = std::move(done)](const base::Result<io::FileReply>& bytes) mutable {
    const auto trailer = bytes ? parse_footer_trailer(bytes->data, segment.header, file_bytes)
                               : base::Result<FooterTrailer>(std::unexpected(bytes.error()));
    if (!trailer) {
      keep(segment, nullptr);
      return done(nullptr, kFooterTrailerBytes);
    }
    read_directory(segment, *trailer, std::move(done));
  };
  read(segment, file_bytes - kFooterTrailerBytes, kFooterTrailerBytes, std::move(on_trailer));
}

void AddressReader::read_directory(Segment& segment, const FooterTrailer& trailer, DirectoryDone done) {
  read(segment, trailer.directory.offset, trailer.directory.bytes,
       [this, &segment, trailer, done = std::move(done)](base::Result<io::FileReply> bytes) mutable {
         DirectoryPtr directory;
         if (bytes && check_footer_section(bytes->data, trailer.directory, segment.header.seed())) {
           directory = std::make_shared<Directory>(std::move(bytes->data), trailer.addresses);
         }
         keep(segment, directory);
         done(directory, kFooterTrailerBytes + kAddressDirectoryBytes);
       });
}

void AddressReader::keep(const Segment& segment, const DirectoryPtr& directory) {
  if (directory != nullptr) directory->used = ++uses_;
  directories_[segment.header.id] = directory;
  if (directories_.size() <= kAddressDirectoriesMax) return;
  // One that is of no use costs nothing, but it goes first all the same: then the footer is looked at again.
  const auto used = [](const auto& each) { return each.second != nullptr ? each.second->used : 0; };
  directories_.erase(std::ranges::min_element(directories_, {}, used));
}

// The buckets of the next addresses, as far as they lie close together.
void AddressReader::read_buckets(SearchPtr search) {
  const Directory& directory = *search->directory;
  const auto bucket_at = [&](std::size_t i) {
    return find_address_bucket(directory.bytes, directory.addresses.bytes, search->hashes[i]);
  };
  std::uint64_t begin = 0, end = 0;
  std::size_t next = search->next;
  for (; next < search->hashes.size(); ++next) {
    const auto bucket = bucket_at(next);
    if (!bucket) return scan_for(std::move(search));
    if (bucket->bytes == 0) continue;
    if (end == 0) begin = bucket->offset;
    const bool is_near = bucket->offset <= end + kAddressGapBytes;
    const bool is_too_much = bucket->offset + bucket->bytes - begin > kAddressReadBytes;
    if (end > 0 && (!is_near || is_too_much)) break;
    end = bucket->offset + bucket->bytes;
  }
  if (end == 0) return search->finish();
  search->answer.bytes_read += end - begin;
  read(search->segment, directory.addresses.offset + begin, end - begin,
       [this, search, next, begin](const auto& bytes) { on_buckets(search, next, begin, bytes); });
}

void AddressReader::on_buckets(SearchPtr search, std::size_t end, std::uint64_t from,
                               const base::Result<io::FileReply>& read) {
  const Segment& segment = search->segment;
  const Directory& directory = *search->directory;
  const base::Bytes bytes = read ? base::Bytes(read->data) : base::Bytes();
  for (; search->next < end; ++search->next) {
    const std::uint64_t hash = search->hashes[search->next];
    const AddressBucketRef ref = *find_address_bucket(directory.bytes, directory.addresses.bytes, hash);
    if (ref.bytes == 0) continue;
    const bool is_there = ref.offset - from <= bytes.size() && ref.bytes <= bytes.size() - (ref.offset - from);
    const auto bucket =
        AddressBucket::decode(is_there ? bytes.substr(ref.offset - from, ref.bytes) : base::Bytes("?"),
                              address_bucket(hash), segment.header.seed(), segment.index.extents().size());
    if (!bucket) {
      keep(segment, nullptr);
      return scan_for(std::move(search));
    }
    search->look_up(*bucket, hash);
  }
  read_buckets(std::move(search));
}

// --- without an index

void AddressReader::scan_for(SearchPtr search) {
  forget_scans();
  Segment& segment = search->segment;
  search->answer.hits.clear();
  search->scan_target = segment.index.empty() ? 0 : segment.index.extents().back().end_offset;
  Scanned& scanned = scanned_[segment.header.id];
  scanned.waiting.push_back(std::move(search));
  if (!scanned.scanning) scan_on(segment);
}

// Segments that went, or have a footer by now.
void AddressReader::forget_scans() {
  std::erase_if(scanned_, [this](const auto& scan) {
    if (scan.second.scanning || !scan.second.waiting.empty()) return false;
    return std::ranges::none_of(log_.segments(), [&](const auto& segment) {
      if (segment->header.id != scan.first) return false;
      const auto directory = directories_.find(scan.first);
      const bool is_of_no_use = directory != directories_.end() && directory->second == nullptr;
      return segment->footer != OpenSegment::Footer::Whole || is_of_no_use;
    });
  });
}

void AddressReader::scan_on(Segment& segment) {
  if (!answer_waiting(segment)) return;
  Scanned& scanned = scanned_[segment.header.id];
  scanned.scanning = true;
  const std::vector<Extent>& extents = segment.index.extents();
  while (scanned.end >= extents[scanned.extent].end_offset) ++scanned.extent;
  const Extent& extent = extents[scanned.extent];
  const std::uint64_t from = std::max(scanned.end, extent.offset);
  read(segment, from, extent.end_offset - from,
       [this, &segment, end = extent.end_offset](const auto& bytes) { on_scanned(segment, end, bytes); });
}

void AddressReader::on_scanned(Segment& segment, std::uint64_t end, const base::Result<io::FileReply>& read) {
  Scanned& scanned = scanned_[segment.header.id];
  scanned.scanning = false;
  const auto extent = static_cast<std::uint32_t>(scanned.extent);
  const auto add = [&](const BatchRecord& batch) {
    for (std::uint32_t i = 0; i < batch.events(); ++i) scanned.index.add(batch.address_hash(i), extent);
    return Walking::On;
  };
  const bool is_whole = read && walk_batches(read->data, segment.header.seed(), add) == Walked::Whole;
  if (!is_whole && (scanned.damaged.empty() || scanned.damaged.back() != extent)) scanned.damaged.push_back(extent);
  for (const SearchPtr& search : scanned.waiting) search->answer.bytes_read += read ? read->data.size() : 0;
  scanned.end = end;
  scan_on(segment);
}

// Whether some still wait, and the segment is still there.
bool AddressReader::answer_waiting(Segment& segment) {
  Scanned& scanned = scanned_[segment.header.id];
  const auto is_ready = [&](const SearchPtr& search) { return stopping_ || search->scan_target <= scanned.end; };
  const auto first_ready = std::partition(scanned.waiting.begin(), scanned.waiting.end(), std::not_fn(is_ready));
  std::vector<SearchPtr> ready(first_ready, scanned.waiting.end());
  scanned.waiting.erase(first_ready, scanned.waiting.end());
  for (const SearchPtr& search : ready) {
    if (stopping_) search->answer.outcome = AddressAnswer::Outcome::Stopped;
    for (const std::uint64_t hash : search->hashes) search->look_up(scanned.index, hash);
    search->answer.unsure = scanned.damaged;
  }
  const bool go_on = !scanned.waiting.empty();
  if (go_on) scanned.scanning = true;  // who asks again in an answer waits for it
  for (const SearchPtr& search : ready) search->finish();
  return go_on;
}

// --- marks

struct AddressReader::Marking {
  Segment& segment;
  DirectoryPtr directory;
  MarksDone done;
  std::size_t bucket = 0;  // the next one
  std::uint64_t bytes_read = 0;
  std::vector<bool> marks = std::vector<bool>(segment.index.extents().size());

  base::Result<AddressBucketRef> bucket_ref(std::size_t of) const {
    return find_address_bucket(directory->bytes, directory->addresses.bytes,
                               static_cast<std::uint64_t>(of) << (64 - kAddressBucketBits));
  }
  // The buckets from `first` on, of the bytes that begin at this offset of their section. False: they are damaged.
  bool take(std::size_t first, std::uint64_t offset, base::Bytes bytes) {
    for (std::size_t i = first; i < bucket; ++i) {
      const AddressBucketRef ref = *bucket_ref(i);
      if (ref.bytes == 0) continue;
      if (ref.offset - offset + ref.bytes > bytes.size()) return false;
      const auto each = AddressBucket::decode(bytes.substr(ref.offset - offset, ref.bytes), i, segment.header.seed(),
                                              segment.index.extents().size());
      if (!each) return false;
      each->mark_newest(marks);
    }
    return true;
  }
};

void AddressReader::mark_newest(Segment& segment, MarksDone done) {
  if (segment.addresses != nullptr) return done(nullptr, 0);
  with_directory(segment, [this, &segment, done = std::move(done)](DirectoryPtr directory, std::uint64_t read) mutable {
    if (directory == nullptr || directory->newest != nullptr) {
      return done(directory != nullptr ? directory->newest : nullptr, read);
    }
    auto marking = std::make_shared<Marking>(segment, std::move(directory), std::move(done));
    marking->bytes_read = read;
    mark_on(std::move(marking));
  });
}

// A few buckets at once.
void AddressReader::mark_on(std::shared_ptr<Marking> marking) {
  const std::size_t first = marking->bucket;
  std::uint64_t begin = 0, end = 0;
  for (; marking->bucket < kAddressBuckets; ++marking->bucket) {
    const auto ref = marking->bucket_ref(marking->bucket);
    if (!ref) return leave_unmarked(*marking);
    if (ref->bytes == 0) continue;
    if (end == 0) begin = ref->offset;
    if (end > 0 && ref->offset + ref->bytes - begin > kAddressReadBytes) break;
    end = ref->offset + ref->bytes;
  }
  if (end == 0) {
    marking->directory->newest = std::make_shared<const std::vector<bool>>(std::move(marking->marks));
    return marking->done(marking->directory->newest, marking->bytes_read);
  }
  read(marking->segment, marking->directory->addresses.offset + begin, end - begin,
       [this, marking, first, begin](const base::Result<io::FileReply>& bytes) {
         marking->bytes_read += bytes ? bytes->data.size() : 0;
         if (stopping_) return marking->done(nullptr, marking->bytes_read);
         if (!bytes || !marking->take(first, begin, bytes->data)) return leave_unmarked(*marking);
         mark_on(marking);
       });
}

// The footer is damaged: it is of no use any more.
void AddressReader::leave_unmarked(Marking& marking) {
  keep(marking.segment, nullptr);
  marking.done(nullptr, marking.bytes_read);
}

std::size_t AddressReader::memory_bytes() const {
  std::size_t bytes = sizeof *this;
  for (const auto& [id, directory] : directories_) {
    if (directory == nullptr) continue;
    bytes += sizeof *directory + directory->bytes.size();
    if (directory->newest != nullptr) bytes += directory->newest->size() / 8;
  }
  for (const auto& [id, scanned] : scanned_) bytes += scanned.index.memory_bytes();
  return bytes;
}

// --- extents

std::size_t extents_up_to(const SegmentIndex& index, Sequence position) {
  const std::vector<Extent>& extents = index.extents();
  return static_cast<std::size_t>(std::ranges::upper_bound(extents, position, {}, &Extent::first_sequence) -
                                  extents.begin());
}

Sequence last_in(const SegmentIndex& index, std::size_t end) {
  return end < index.extents().size() ? index.extents()[end].first_sequence - 1 : index.last_sequence();
}

std::optional<ExtentRange> first_of_extents(const SegmentIndex& index, std::span<const std::uint32_t> extents,
                                            Sequence after, std::size_t bytes_max) {
  const auto is_before = [&](std::uint32_t extent) { return last_in(index, extent + 1) <= after; };
  auto at = std::ranges::partition_point(extents, is_before);
  if (at == extents.end()) return std::nullopt;
  const std::vector<Extent>& all = index.extents();
  ExtentRange range{*at, *at + 1, all[*at].offset, all[*at].end_offset, index.last_sequence()};
  for (++at; at != extents.end() && *at == range.end; ++at) {
    if (all[*at].end_offset - range.begin_offset > bytes_max) break;
    range.end_offset = all[*at].end_offset;
    ++range.end;
  }
  if (at != extents.end()) range.covered = all[*at].first_sequence - 1;
  return range;
}

}  // namespace storage
