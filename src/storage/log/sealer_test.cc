// SPDX-License-Identifier: Apache-2.0
#include "storage/log/sealer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "storage/log/footer.h"
#include "tests/support/retention_stage.h"

namespace storage {
namespace {

constexpr base::Error kNoSpace{base::Errc::System, "injected", ENOSPC};
constexpr base::Error kIoError{base::Errc::System, "injected", EIO};

class SealerTest : public RetentionTest {
 protected:
  using Kind = sim::SimFiles::Kind;

  // Time between a publish and the footer, for what the disk does meanwhile.
  SealerTest() : RetentionTest(limits()) {}
  static Limits limits() {
    Limits limits = small_limits();
    limits.retention_period_ns = 3 * sim::kSecondNs;
    return limits;
  }

  // The trailer of a file that seems to have a footer.
  static base::Result<FooterTrailer> trailer_of(const std::string& file) {
    const auto header = parse_segment_start(file);
    if (!header || file.size() < kFooterTrailerBytes) return base::fail(base::Errc::BadInput, "no segment");
    return parse_footer_trailer(base::Bytes(file).substr(file.size() - kFooterTrailerBytes), *header, file.size());
  }
  bool has_footer(const std::string& path) const { return trailer_of(*world_.files().get(path)).has_value(); }
  // Two segments, the older one just sealed and without its footer.
  std::string publish_a_segment() {
    const TopicId topic = declare("a", for_ever());
    while (segments() < 2) publish_bytes(topic, 2'000);
    const std::string path = segment_paths().front();
    EXPECT_FALSE(has_footer(path));
    return path;
  }
};

TEST_F(SealerTest, a_sealed_segment_gets_its_footer_soon) {
  const std::string path = publish_a_segment();
  pass(4 * sim::kSecondNs);
  EXPECT_TRUE(has_footer(path));
}

TEST_F(SealerTest, a_footer_that_the_disk_refused_is_tried_again_later) {
  for (const base::Error& error : {kNoSpace, kIoError}) {
    for (const Kind kind : {Kind::WriteAt, Kind::Sync}) {
      const std::string path = publish_a_segment();
      pass(2 * sim::kSecondNs);  // the newest group is proven, and nobody else writes
      world_.files().fail_kind(kind, 1, error);
      pass(5 * sim::kSecondNs);
      EXPECT_FALSE(has_footer(path)) << "the refusal was not met";
      pass(10 * sim::kSecondNs);
      EXPECT_TRUE(has_footer(path)) << "refused: " << static_cast<int>(kind) << ", errno " << error.sys_errno;
      stop();
      for (const std::string& name : world_.files().paths()) world_.files().remove_file(name);
      start();
    }
  }
}

TEST_F(SealerTest, a_segment_that_could_not_be_read_is_read_again_later) {
  const std::string path = publish_a_segment();
  kill();
  start();
  EXPECT_FALSE(has_footer(path));
  world_.files().fail_kind(Kind::ReadAt, 1, kIoError);
  pass(5 * sim::kSecondNs);
  EXPECT_FALSE(has_footer(path));
  pass(15 * sim::kSecondNs);
  EXPECT_TRUE(has_footer(path));
}

TEST_F(SealerTest, a_damaged_segment_is_read_once_and_left_alone) {
  const std::string path = publish_a_segment();
  kill();
  start();
  world_.files().flip_bit(path, 12'000, 3);
  pass(5 * sim::kSecondNs);
  const std::uint64_t reads = world_.files().calls(Kind::ReadAt);
  pass(10 * kMinuteNs);
  EXPECT_EQ(world_.files().calls(Kind::ReadAt), reads);
  EXPECT_FALSE(has_footer(path));
}

// What a power loss leaves of a footer is none, or a whole one.
class PowerLoss : public SealerTest, public testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Kinds, PowerLoss, testing::Range(0, static_cast<int>(sim::kLosses)));

TEST_P(PowerLoss, leaves_no_trailer_over_sections_that_are_torn) {
  int whole = 0;
  for (int round = 0; round < 25; ++round) {
    const std::string path = publish_a_segment();
    ASSERT_TRUE(world_.run_until([&] { return has_footer(path); }, kPatienceNs));
    run_->lane_loop.stop();
    run_->loop.stop();
    end();
    world_.files().crash(static_cast<sim::Loss>(GetParam()));
    const std::string file = world_.files().get(path).value_or("");
    if (const auto trailer = trailer_of(file)) {
      ++whole;
      const Seed seed = parse_segment_start(file)->seed();
      for (const FooterSection& section : {trailer->index, trailer->repeats, trailer->addresses, trailer->directory}) {
        EXPECT_TRUE(check_footer_section(base::Bytes(file).substr(section.offset, section.bytes), section, seed))
            << "round " << round << ", section at " << section.offset;
      }
    }
    for (const std::string& name : world_.files().paths()) world_.files().remove_file(name);
    start();
  }
  if (GetParam() == static_cast<int>(sim::Loss::KeepsEverything)) {
    EXPECT_EQ(whole, 25);
  }
}

}  // namespace
}  // namespace storage
