// SPDX-License-Identifier: Apache-2.0
#include "storage/log/footer.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "storage/log/segment_testing.h"

namespace storage {
namespace {

// A sealed segment whose groups are nothing but room.
class Sealed {
 public:
  explicit Sealed(TestSegment segment) : segment_(std::move(segment)) { segment_.feed(index_, addresses_, repeats_); }

  FooterWriter writer() const {
    return FooterWriter({segment_.header(), segment_.last_commit(), index_, repeats_, addresses_});
  }
  std::string footer(std::size_t bytes_max = kAll) const {
    FooterWriter of = writer();
    std::string footer;
    for (std::string piece = of.next(bytes_max); !piece.empty(); piece = of.next(bytes_max)) {
      EXPECT_LE(piece.size(), bytes_max);
      footer += piece;
    }
    return footer;
  }
  std::string file() const { return std::string(segment_.end_offset(), 'g') + footer(); }

  const TestSegment& segment() const { return segment_; }
  const SegmentIndex& index() const { return index_; }
  const AddressIndex& addresses() const { return addresses_; }

  static constexpr std::size_t kAll = 1u << 30;

 private:
  TestSegment segment_;
  SegmentIndex index_;
  AddressIndex addresses_;
  SegmentRepeats repeats_;
};

base::Result<FooterTrailer> trailer_of(base::Bytes file, const SegmentHeader& header) {
  const std::size_t bytes = std::min(file.size(), kFooterTrailerBytes);
  return parse_footer_trailer(file.substr(file.size() - bytes), header, file.size());
}

base::Bytes bytes_of(base::Bytes file, const FooterSection& section) {
  return file.substr(section.offset, section.bytes);
}

// The extents of an address, by its bucket alone.
base::Result<std::vector<std::uint32_t>> extents_of(base::Bytes file, const FooterTrailer& trailer, Seed seed,
                                                    std::size_t extents, std::uint64_t hash) {
  const base::Bytes directory = bytes_of(file, trailer.directory);
  TRY(check_footer_section(directory, trailer.directory, seed));
  const AddressBucketRef ref = TRY(find_address_bucket(directory, trailer.addresses.bytes, hash));
  const base::Bytes bytes = file.substr(trailer.addresses.offset + ref.offset, ref.bytes);
  const AddressBucket bucket = TRY(AddressBucket::decode(bytes, address_bucket(hash), seed, extents));
  return bucket.extents_of(hash);
}

// Everything that a footer holds, or an error.
base::Result<void> read_all(base::Bytes file, const SegmentHeader& header, const std::set<std::uint64_t>& hashes) {
  const FooterTrailer trailer = TRY(trailer_of(file, header));
  const SegmentIndex index = TRY(read_footer_index(bytes_of(file, trailer.index), trailer, header.seed()));
  TRY(read_footer_repeats(bytes_of(file, trailer.repeats), trailer, header.seed(), 0));
  for (const std::uint64_t hash : hashes) {
    TRY(extents_of(file, trailer, header.seed(), index.extents().size(), hash));
  }
  return {};
}

std::set<std::uint64_t> hashes_of(const TestSegment& segment) {
  std::set<std::uint64_t> hashes;
  for (const WrittenBatch& batch : segment.batches()) hashes.insert(batch.addresses.begin(), batch.addresses.end());
  return hashes;
}

TEST(Footer, brings_back_everything_that_a_scan_would_find) {
  const Sealed sealed(random_segment(1, 800));
  const TestSegment& segment = sealed.segment();
  const std::string file = sealed.file();
  const Seed seed = segment.header().seed();
  const FooterTrailer trailer = trailer_of(file, segment.header()).value();
  EXPECT_EQ(trailer.last_commit, segment.last_commit().number);
  EXPECT_EQ(trailer.last_commit_crc, segment.last_commit().crc);
  EXPECT_EQ(trailer.groups_end, segment.end_offset());
  const SegmentIndex index = read_footer_index(bytes_of(file, trailer.index), trailer, seed).value();
  EXPECT_EQ(index.encode(), sealed.index().encode());
  EXPECT_EQ(read_footer_repeats(bytes_of(file, trailer.repeats), trailer, seed, 0).value(), segment.repeats());
  EXPECT_TRUE(check_footer_section(bytes_of(file, trailer.addresses), trailer.addresses, seed).has_value());
  for (const std::uint64_t hash : hashes_of(segment)) {
    for (const std::uint64_t asked : {hash, hash + 1}) {
      EXPECT_EQ(extents_of(file, trailer, seed, index.extents().size(), asked).value(),
                sealed.addresses().extents_of(asked));
    }
  }
}

TEST(Footer, is_the_same_in_pieces_of_any_size) {
  const Sealed sealed(random_segment(2, 300));
  const std::string whole = sealed.footer();
  for (const std::size_t bytes_max : {1u, 7u, 4'096u, 65'536u, 300'000u}) EXPECT_EQ(sealed.footer(bytes_max), whole);
  FooterWriter writer = sealed.writer();
  writer.next(Sealed::kAll);
  EXPECT_EQ(writer.next(1), "");
  EXPECT_EQ(writer.next(1), "");
}

TEST(Footer, a_segment_without_events_has_one_too) {
  TestSegment segment;
  segment.write_control(100);
  const Sealed sealed(std::move(segment));
  EXPECT_TRUE(read_all(sealed.file(), sealed.segment().header(), {1, ~std::uint64_t{0}}).has_value());
}

TEST(Footer, of_another_segment_or_another_life_is_refused) {
  const Sealed sealed(random_segment(3, 20));
  const std::string file = sealed.file();
  SegmentHeader other = sealed.segment().header();
  ASSERT_TRUE(trailer_of(file, other).has_value());
  ++other.number;
  EXPECT_FALSE(trailer_of(file, other).has_value());
  --other.number;
  ++other.id;
  EXPECT_FALSE(trailer_of(file, other).has_value());
}

TEST(Footer, with_anything_behind_or_a_hole_before_it_is_refused) {
  const Sealed sealed(random_segment(4, 20));
  const SegmentHeader& header = sealed.segment().header();
  EXPECT_FALSE(trailer_of(sealed.file() + std::string(8, '\0'), header).has_value());
  EXPECT_FALSE(trailer_of(std::string(8, 'g') + sealed.file(), header).has_value());
  EXPECT_FALSE(trailer_of(sealed.file().substr(8), header).has_value());
}

TEST(Footer, cut_anywhere_is_refused) {
  const Sealed sealed(random_segment(5, 20));
  const std::string file = sealed.file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    const auto trailer = trailer_of(base::Bytes(file).substr(0, size), sealed.segment().header());
    ASSERT_FALSE(trailer.has_value()) << size;
    ASSERT_EQ(trailer.error().code, base::Errc::BadInput);
  }
}

TEST(Footer, every_damaged_byte_is_noticed) {
  const Sealed sealed(random_segment(6, 20));
  const std::set<std::uint64_t> hashes = hashes_of(sealed.segment());
  std::string file = sealed.file();
  ASSERT_TRUE(read_all(file, sealed.segment().header(), hashes).has_value());
  for (std::size_t at = sealed.segment().end_offset(); at < file.size(); ++at) {
    for (const int bits : {0x01, 0x80}) {
      file[at] = static_cast<char>(file[at] ^ bits);
      const auto all = read_all(file, sealed.segment().header(), hashes);
      ASSERT_FALSE(all.has_value()) << at;
      ASSERT_EQ(all.error().code, base::Errc::BadInput);
      file[at] = static_cast<char>(file[at] ^ bits);
    }
  }
}

TEST(Footer, takes_a_small_part_of_a_segment) {
  TestSegment segment;
  std::mt19937_64 random(1);
  // 16 MiB: 20,000 addresses in turn, groups of 20 events with an id each.
  while (segment.end_offset() < (16u << 20)) {
    TestBatch batch{.topic = 1, .addresses = {}, .value_bytes = 400};
    for (std::uint32_t i = 0; i < 20; ++i) {
      batch.addresses.push_back((1 + random() % 20'000) * 0x9e37'79b9'7f4a'7c15);
      batch.repeats.push_back({i, {random(), random()}, random()});
    }
    segment.write({batch});
  }
  const Sealed sealed(std::move(segment));
  const std::string file = sealed.file();
  const FooterTrailer trailer = trailer_of(file, sealed.segment().header()).value();
  EXPECT_LE(trailer.index.bytes, 50 * sealed.segment().extents());
  EXPECT_EQ(trailer.repeats.bytes, 40 * sealed.segment().repeats().size());
  EXPECT_LE(trailer.addresses.bytes, 6 * sealed.addresses().size());
  EXPECT_LE(file.size() - sealed.segment().end_offset(), sealed.segment().end_offset() / 8);
}

}  // namespace
}  // namespace storage
