// SPDX-License-Identifier: Apache-2.0
#include "storage/log/address_index.h"

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

#include "base/crc32c.h"
#include "base/varint.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::uint64_t kHashMask = ~std::uint64_t{0} >> kAddressBucketBits;  // what a bucket does not say already

// The first number of an address in a bucket: how far its hash is behind the one before it, and this flag.
constexpr std::uint64_t kSeveralExtents = 1;  // their number follows
constexpr unsigned kFlagBits = 1;

// A bucket at another place than its own is damaged.
std::uint32_t bucket_seed(std::size_t bucket, Seed seed) {
  char number[sizeof(std::uint32_t)];
  store_le(number, static_cast<std::uint32_t>(bucket));
  return base::crc32c({number, sizeof number}, seed.value());
}

// One address of a bucket after the other.
class Addresses {
 public:
  explicit Addresses(Bytes code) : code_(code) {}

  bool done() const { return code_.empty() && extents_left_ == 0; }
  // Only when the extents of the one before were all taken.
  Result<std::uint64_t> take_hash() {
    const std::uint64_t head = TRY(base::take_uvarint(code_));
    extents_left_ = (head & kSeveralExtents) != 0 ? TRY(base::take_uvarint(code_)) : 1;
    hash_ += head >> kFlagBits;
    extent_ = 0;
    return hash_;
  }
  std::uint64_t extents_left() const { return extents_left_; }
  Result<std::uint64_t> take_extent() {
    --extents_left_;
    extent_ += TRY(base::take_uvarint(code_));
    return extent_;
  }

 private:
  Bytes code_;
  std::uint64_t hash_ = 0;
  std::uint64_t extent_ = 0;
  std::uint64_t extents_left_ = 0;
};

Result<void> check_extents(Addresses& addresses, std::size_t extents) {
  if (addresses.extents_left() == 0) return fail(Errc::BadInput, "an address of a bucket has no extent");
  for (std::uint64_t next_min = 0; addresses.extents_left() > 0;) {
    const std::uint64_t extent = TRY(addresses.take_extent());
    if (extent < next_min || extent >= extents) return fail(Errc::BadInput, "a bucket names an impossible extent");
    next_min = extent + 1;
  }
  return {};
}

Result<void> check_code(Bytes code, std::size_t extents) {
  Addresses addresses(code);
  for (std::uint64_t next_min = 0; !addresses.done();) {
    const std::uint64_t hash = TRY(addresses.take_hash());
    if (hash < next_min || hash > kHashMask) return fail(Errc::BadInput, "the addresses of a bucket do not ascend");
    TRY(check_extents(addresses, extents));
    next_min = hash + 1;
  }
  return {};
}

// Of code that was verified.
template <class Each>
void each_extent_of(Bytes code, std::uint64_t hash, const Each& each) {
  const std::uint64_t wanted = hash & kHashMask;
  for (Addresses addresses(code); !addresses.done();) {
    const std::uint64_t found = *addresses.take_hash();
    if (found > wanted) return;
    while (addresses.extents_left() > 0) {
      const auto extent = static_cast<std::uint32_t>(*addresses.take_extent());
      if (found == wanted) each(extent);
    }
  }
}

}  // namespace

void AddressIndex::add(std::uint64_t hash, std::uint32_t extent) {
  Bucket& bucket = buckets_[address_bucket(hash)];
  // What lies in the same extent is at the end, and rarely more than one or two.
  for (const Pair& pair : std::views::reverse(bucket)) {
    if (pair.extent != extent) break;
    if (pair.hash() == hash) return;
  }
  CHECK(bucket.empty() || bucket.back().extent <= extent, "the extents of addresses are out of order");
  // Doubling would cost up to twice what is there.
  if (bucket.size() == bucket.capacity()) bucket.reserve(bucket.size() + std::max<std::size_t>(2, bucket.size() / 5));
  bucket.push_back({static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32), extent});
  ++size_;
}

std::vector<std::uint32_t> AddressIndex::extents_of(std::uint64_t hash) const {
  std::vector<std::uint32_t> extents;
  for (const Pair& pair : bucket_of(hash)) {
    if (pair.hash() == hash) extents.push_back(pair.extent);
  }
  return extents;
}

std::optional<std::uint32_t> AddressIndex::newest_extent_of(std::uint64_t hash) const {
  for (const Pair& pair : std::views::reverse(bucket_of(hash))) {
    if (pair.hash() == hash) return pair.extent;
  }
  return std::nullopt;
}

std::size_t AddressIndex::memory_bytes() const {
  std::size_t bytes = sizeof *this + buckets_.capacity() * sizeof(Bucket);
  for (const Bucket& bucket : buckets_) bytes += bucket.capacity() * sizeof(Pair);
  return bytes;
}

void AddressIndex::encode_bucket(std::size_t bucket, Seed seed, std::string& out) const {
  Bucket pairs = buckets_[bucket];
  if (pairs.empty()) return;
  std::ranges::sort(pairs, {}, [](const Pair& pair) { return std::pair(pair.hash(), pair.extent); });
  const std::size_t at = out.size();
  append_le<std::uint32_t>(out, 0);
  std::uint64_t previous_hash = 0;
  for (auto first = pairs.begin(); first != pairs.end();) {
    const std::uint64_t hash = first->hash() & kHashMask;
    const auto end = std::ranges::upper_bound(first, pairs.end(), first->hash(), {}, &Pair::hash);
    const auto extents = static_cast<std::uint64_t>(end - first);
    base::append_uvarint(out, (hash - previous_hash) << kFlagBits | (extents > 1 ? kSeveralExtents : 0));
    if (extents > 1) base::append_uvarint(out, extents);
    for (std::uint32_t previous = 0; first != end; ++first) {
      base::append_uvarint(out, first->extent - previous);
      previous = first->extent;
    }
    previous_hash = hash;
  }
  const Bytes code = Bytes(out).substr(at + sizeof(std::uint32_t));
  store_le(out.data() + at, base::crc32c(code, bucket_seed(bucket, seed)));
}

std::string encode_address_directory(std::span<const std::uint32_t, kAddressBuckets> ends) {
  std::string directory;
  directory.reserve(kAddressDirectoryBytes);
  for (const std::uint32_t end : ends) append_le(directory, end);
  return directory;
}

Result<AddressBucketRef> find_address_bucket(Bytes directory, std::uint64_t section_bytes, std::uint64_t hash) {
  if (directory.size() != kAddressDirectoryBytes) return fail(Errc::BadInput, "a directory of addresses is not whole");
  const std::size_t bucket = address_bucket(hash);
  const auto end_of = [directory](std::size_t i) {
    return load_le<std::uint32_t>(directory.data() + i * sizeof(std::uint32_t));
  };
  const std::uint32_t begin = bucket > 0 ? end_of(bucket - 1) : 0;
  const std::uint32_t end = end_of(bucket);
  if (begin > end || end > section_bytes) return fail(Errc::BadInput, "a directory of addresses does not ascend");
  return AddressBucketRef{begin, end - begin};
}

Result<AddressBucket> AddressBucket::decode(Bytes bytes, std::size_t bucket, Seed seed, std::size_t extents) {
  if (bytes.empty()) return AddressBucket({});
  if (bytes.size() <= sizeof(std::uint32_t)) return fail(Errc::BadInput, "a bucket of addresses ends early");
  const Bytes code = bytes.substr(sizeof(std::uint32_t));
  if (load_le<std::uint32_t>(bytes.data()) != base::crc32c(code, bucket_seed(bucket, seed))) {
    return fail(Errc::BadInput, "the checksum of a bucket of addresses does not fit");
  }
  TRY(check_code(code, extents));
  return AddressBucket(code);
}

std::vector<std::uint32_t> AddressBucket::extents_of(std::uint64_t hash) const {
  std::vector<std::uint32_t> extents;
  each_extent_of(code_, hash, [&extents](std::uint32_t extent) { extents.push_back(extent); });
  return extents;
}

std::optional<std::uint32_t> AddressBucket::newest_extent_of(std::uint64_t hash) const {
  std::optional<std::uint32_t> newest;
  each_extent_of(code_, hash, [&newest](std::uint32_t extent) { newest = extent; });
  return newest;
}

void AddressBucket::mark_newest(std::vector<bool>& extents) const {
  for (Addresses addresses(code_); !addresses.done();) {
    (void)*addresses.take_hash();
    std::uint64_t newest = 0;
    while (addresses.extents_left() > 0) newest = *addresses.take_extent();
    extents[newest] = true;
  }
}

}  // namespace storage
