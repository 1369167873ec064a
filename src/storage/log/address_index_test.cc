// SPDX-License-Identifier: Apache-2.0
#include "storage/log/address_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace storage {
namespace {

const Seed kSeed(99);
constexpr std::size_t kExtents = 4'096;

using Model = std::map<std::uint64_t, std::set<std::uint32_t>>;

// Addresses that are everywhere, and others that come once; some of one bucket.
Model fill(AddressIndex& index, unsigned seed, std::size_t events) {
  std::mt19937_64 random(seed);
  std::vector<std::uint64_t> busy(50);
  for (std::uint64_t& hash : busy) hash = random() % 2 == 0 ? random() : random() >> kAddressBucketBits;
  Model model;
  for (std::size_t i = 0; i < events; ++i) {
    const std::uint64_t hash = random() % 3 == 0 ? random() : busy[random() % busy.size()];
    const auto extent = static_cast<std::uint32_t>(i * kExtents / events);
    index.add(hash, extent);
    model[hash].insert(extent);
  }
  return model;
}

std::vector<std::uint32_t> list_of(const std::set<std::uint32_t>& extents) { return {extents.begin(), extents.end()}; }

std::string encoded(const AddressIndex& index, std::size_t bucket) {
  std::string bytes;
  index.encode_bucket(bucket, kSeed, bytes);
  return bytes;
}

TEST(AddressIndex, names_the_extents_of_each_address_once_and_no_others) {
  AddressIndex index;
  const Model model = fill(index, 1, 100'000);
  std::size_t pairs = 0;
  for (const auto& [hash, extents] : model) {
    ASSERT_EQ(index.extents_of(hash), list_of(extents));
    ASSERT_EQ(index.newest_extent_of(hash), *extents.rbegin());
    ASSERT_TRUE(index.extents_of(hash + 1).empty());
    ASSERT_EQ(index.newest_extent_of(hash + 1), std::nullopt);
    pairs += extents.size();
  }
  EXPECT_EQ(index.size(), pairs);
}

TEST(AddressIndex, takes_at_most_16_bytes_for_each_address_of_an_extent_and_250_KiB) {
  AddressIndex index;
  EXPECT_LE(index.memory_bytes(), 100u << 10);
  std::mt19937_64 random(1);
  for (std::uint32_t i = 0; i < 2'000'000; ++i) {
    index.add(random(), i / 500);
    const bool is_measured = i < 10'000 ? i % 1'000 == 0 : i % 100'000 == 0;
    if (is_measured) {
      EXPECT_LE(index.memory_bytes(), 16 * index.size() + (250u << 10));
    }
  }
  EXPECT_EQ(index.size(), 2'000'000u);
}

TEST(AddressBucket, a_sealed_bucket_answers_as_the_open_one_does) {
  AddressIndex index;
  const Model model = fill(index, 2, 100'000);
  std::size_t bytes = 0;
  for (const auto& [hash, extents] : model) {
    const std::string bucket = encoded(index, address_bucket(hash));
    const auto view = AddressBucket::decode(bucket, address_bucket(hash), kSeed, kExtents);
    ASSERT_TRUE(view.has_value());
    ASSERT_EQ(view->extents_of(hash), list_of(extents));
    ASSERT_EQ(view->newest_extent_of(hash), *extents.rbegin());
    const std::uint64_t absent = hash ^ 1;
    ASSERT_EQ(view->extents_of(absent), index.extents_of(absent));
    ASSERT_EQ(view->newest_extent_of(absent), std::nullopt);
  }
  for (std::size_t bucket = 0; bucket < kAddressBuckets; ++bucket) bytes += encoded(index, bucket).size();
  EXPECT_LE(bytes, index.size() * 7);
}

TEST(AddressBucket, an_empty_one_has_no_bytes_and_no_addresses) {
  EXPECT_EQ(encoded(AddressIndex(), 5), "");
  const auto view = AddressBucket::decode("", 5, kSeed, kExtents);
  ASSERT_TRUE(view.has_value());
  EXPECT_TRUE(view->extents_of(std::uint64_t{5} << 52).empty());
}

TEST(AddressBucket, whatever_is_wrong_with_one_is_noticed) {
  AddressIndex index;
  for (std::uint32_t i = 0; i < 50; ++i) {
    index.add(std::uint64_t{7} << 52 | 0x1'0000'0001 * (i % 7), i);
  }
  const std::string bytes = encoded(index, 7);
  ASSERT_TRUE(AddressBucket::decode(bytes, 7, kSeed, 50).has_value());
  EXPECT_FALSE(AddressBucket::decode(bytes, 8, kSeed, 50).has_value());
  EXPECT_FALSE(AddressBucket::decode(bytes, 7, Seed(98), 50).has_value());
  EXPECT_FALSE(AddressBucket::decode(bytes, 7, kSeed, 49).has_value());
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(AddressBucket::decode(base::Bytes(bytes).substr(0, size), 7, kSeed, 50).has_value());
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    EXPECT_FALSE(AddressBucket::decode(damaged, 7, kSeed, 50).has_value());
  }
}

TEST(AddressDirectory, says_where_the_bucket_of_an_address_is) {
  std::array<std::uint32_t, kAddressBuckets> ends = {};
  for (std::size_t i = 0; i < ends.size(); ++i) ends[i] = static_cast<std::uint32_t>(i < 3 ? 0 : 10 * i);
  const std::string directory = encode_address_directory(ends);
  const auto ref = [&](std::uint64_t bucket) {
    const auto found = find_address_bucket(directory, ends.back(), bucket << 52 | 12'345).value();
    return std::pair(found.offset, found.bytes);
  };
  EXPECT_EQ(ref(0), (std::pair<std::uint64_t, std::size_t>{0, 0}));
  EXPECT_EQ(ref(3), (std::pair<std::uint64_t, std::size_t>{0, 30}));
  EXPECT_EQ(ref(4'095), (std::pair<std::uint64_t, std::size_t>{40'940, 10}));
}

TEST(AddressDirectory, one_that_points_outside_of_its_section_is_refused) {
  std::array<std::uint32_t, kAddressBuckets> ends = {};
  ends.fill(100);
  ends[5] = 101;
  const std::string directory = encode_address_directory(ends);
  const auto find = [&](base::Bytes bytes, std::uint64_t bucket) {
    return find_address_bucket(bytes, 100, bucket << 52).has_value();
  };
  EXPECT_TRUE(find(directory, 4));
  EXPECT_FALSE(find(directory, 5));
  EXPECT_FALSE(find(directory, 6));
  EXPECT_FALSE(find(base::Bytes(directory).substr(1), 4));
}

}  // namespace
}  // namespace storage
