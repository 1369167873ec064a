// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which extents of a segment hold events of an address, by the keyed hash of it. Rebuildable, never the truth, and
// whoever reads by it compares the address itself: two addresses may have one hash.
//
// Hashes are spread over 4,096 buckets by their top bits. Of the segment that is being written, AddressIndex holds all
// of them in memory. A sealed segment has them in its footer (docs/formats/log.md, "Addresses") and costs no memory: a
// lookup reads the directory (16 KiB, which may be kept) and one bucket, a few KiB.
//
// Memory: at most 16 bytes for each pair of an address and an extent that holds it, and 250 KiB. For a segment of 256
// MiB with an address of its own for every event of 150 bytes that is 27 MiB. Thread: the lane's loop; AddressBucket
// and what reads a directory are pure.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "storage/log/format.h"

namespace storage {

inline constexpr unsigned kAddressBucketBits = 12;
inline constexpr std::size_t kAddressBuckets = std::size_t{1} << kAddressBucketBits;
inline constexpr std::size_t kAddressDirectoryBytes = kAddressBuckets * sizeof(std::uint32_t);

constexpr std::size_t address_bucket(std::uint64_t hash) { return hash >> (64 - kAddressBucketBits); }

class AddressIndex final {
 public:
  // An event of the address lies in the extent. Extents ascend from call to call; the same pair again changes nothing.
  void add(std::uint64_t hash, std::uint32_t extent);

  std::vector<std::uint32_t> extents_of(std::uint64_t hash) const;  // ascending
  std::optional<std::uint32_t> newest_extent_of(std::uint64_t hash) const;

  std::size_t size() const { return size_; }  // pairs
  std::size_t memory_bytes() const;

  // For the footer: appends one bucket; nothing, if it is empty.
  void encode_bucket(std::size_t bucket, Seed, std::string& out) const;

 private:
  // 12 bytes, without the padding that a 64-bit member would bring.
  struct Pair {
    std::uint32_t hash_low;
    std::uint32_t hash_high;
    std::uint32_t extent;

    std::uint64_t hash() const { return std::uint64_t{hash_high} << 32 | hash_low; }
  };
  using Bucket = std::vector<Pair>;  // in order of the calls, so extents ascend

  const Bucket& bucket_of(std::uint64_t hash) const { return buckets_[address_bucket(hash)]; }

  std::vector<Bucket> buckets_ = std::vector<Bucket>(kAddressBuckets);
  std::size_t size_ = 0;
};

// Where a bucket is in the section `addresses` of a footer.
struct AddressBucketRef {
  std::uint64_t offset = 0;
  std::size_t bytes = 0;  // 0: it is empty
};

// The directory has for each bucket where it ends.
std::string encode_address_directory(std::span<const std::uint32_t, kAddressBuckets> ends);
// The checksum of `directory` must have been compared. Errc::BadInput if it is none of a section of `section_bytes`.
base::Result<AddressBucketRef> find_address_bucket(base::Bytes directory, std::uint64_t section_bytes,
                                                   std::uint64_t hash);

// A bucket of a sealed segment. Borrows the bytes.
class AddressBucket final {
 public:
  // Errc::BadInput if it is not whole, is another bucket, or names an extent that is not one of `extents`.
  static base::Result<AddressBucket> decode(base::Bytes, std::size_t bucket, Seed, std::size_t extents);

  std::vector<std::uint32_t> extents_of(std::uint64_t hash) const;  // ascending; the hash must belong to this bucket
  std::optional<std::uint32_t> newest_extent_of(std::uint64_t hash) const;
  void mark_newest(std::vector<bool>& extents) const;  // those that are the newest one of any of its addresses

 private:
  explicit AddressBucket(base::Bytes code) : code_(code) {}

  base::Bytes code_;  // verified
};

}  // namespace storage
