// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/log/tools/verify.h"
#include "tests/support/lane_directory.h"
#include "tests/support/rewritten_segment.h"

namespace storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kCopy[] = "/data/copy";

// Does something else before its n-th operation, as a server does beside a backup.
class BusyFileSystem final : public io::FileSystem {
 public:
  BusyFileSystem(io::FileSystem& real, std::uint64_t call, std::function<void()> act)
      : real_(real), left_(call), act_(std::move(act)) {}

  base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
    return real_.read_file(path, bytes_max);
  }
  base::Result<io::FileReply> carry_out(const io::FileRequest& request) override {
    if (left_ == 1) act_();
    left_ -= left_ > 0 ? 1 : 0;
    return real_.carry_out(request);
  }
  bool has_acted() const { return left_ == 0; }

 private:
  io::FileSystem& real_;
  std::uint64_t left_;
  std::function<void()> act_;
};

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    lane.must_start();
    lane.declare("likes/*");
    lane.declare("orders");
    epoch = lane.state().identity.epoch;
  }

  base::Result<Backup> back_up_with(io::FileSystem& file_system, const std::string& to = kCopy) {
    return back_up(file_system, lane.path(), to, [](std::uint64_t, std::uint64_t) {}, failed);
  }
  base::Result<Backup> back_up_lane(const std::string& to = kCopy) {
    return back_up_with(world.world().file_system, to);
  }

  // Starts the copy and returns its events; it must be sound, and another history.
  Events open_copy(const std::string& path = kCopy) {
    {
      const auto opened = open_stopped_lane(world.world().file_system, path);
      EXPECT_TRUE(opened) << opened.error().text;
      EXPECT_TRUE(verify(*opened, [](std::uint64_t, std::uint64_t) {})->is_sound());
    }
    TestLane copy(world, path);
    copy.must_start();
    EXPECT_NE(copy.state().identity.epoch, epoch);
    EXPECT_EQ(copy.findings(RecoveryFinding::Kind::Damage), 0u) << copy.all_findings();
    EXPECT_EQ(copy.findings(RecoveryFinding::Kind::TornTail), 0u) << copy.all_findings();
    return copy.events();
  }
  void remove_first_segment() {
    std::vector<ManifestEntry> manifest = lane.state().manifest;
    const std::string name = segment_name(manifest.front().number);
    lane.control(RecordKind::Trim,
                 encode_trims({{1, manifest.front().last_sequence}, {2, manifest.front().last_sequence}}));
    manifest.erase(manifest.begin());
    lane.control(RecordKind::Segments, encode_manifest(manifest));
    lane.stage().remove(lane.path() + "/" + name);
  }
  void remove_copy() {
    for (const std::string& path : files.paths()) {
      if (path.starts_with(std::string(kCopy) + "/")) files.remove_file(path);
    }
  }

  sim::SimWorld world{{.seed = 3}};
  sim::SimFiles& files = world.files();
  TestLane lane{world};
  std::uint64_t epoch = 0;
  BackupSide failed = BackupSide::Source;
};

TEST_F(BackupTest, of_a_stopped_lane_has_every_event) {
  lane.publish(1, 3);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(2, 2);
  lane.rotate();
  lane.publish(1, 1);
  const CommitRecord last = lane.groups.back().commit;
  lane.close();
  const auto backup = back_up_lane();
  ASSERT_TRUE(backup) << backup.error().text;
  EXPECT_EQ(backup->segments, 3u);
  EXPECT_EQ(backup->epoch, epoch);
  EXPECT_EQ(backup->last.number, last.number);
  EXPECT_EQ(backup->end, 6u);
  EXPECT_EQ(open_copy(), lane.written);
}

TEST_F(BackupTest, of_a_lane_in_use_ends_with_the_last_whole_group) {
  lane.publish(1, 3);
  const WrittenGroup& whole = lane.groups.back();
  const Events before = lane.written;
  // The first half of the next group is on its way to the disk, and zeros are filled in ahead.
  const auto newest = OpenFile::open(world.world().file_system, whole.path, io::OpenMode::Existing);
  ASSERT_TRUE(newest);
  const std::string group = files.get(whole.path)->substr(whole.offset, whole.bytes / 2);
  ASSERT_TRUE(newest->write(whole.offset + whole.bytes, group));
  ASSERT_TRUE(newest->write(whole.offset + 3 * whole.bytes, std::string(5'000, '\0')));
  const auto backup = back_up_lane();
  ASSERT_TRUE(backup) << backup.error().text;
  EXPECT_EQ(files.get(std::string(kCopy) + whole.path.substr(lane.path().size()))->size(), whole.offset + whole.bytes);
  EXPECT_EQ(open_copy(), before);
  EXPECT_TRUE(lane.findings().empty());
}

TEST_F(BackupTest, leaves_the_source_as_it_is) {
  lane.publish(1, 3);
  lane.stop();
  std::map<std::string, std::string> before;
  for (const std::string& path : files.paths()) before[path] = *files.get(path);
  ASSERT_TRUE(back_up_lane());
  for (const auto& [path, content] : before) EXPECT_EQ(files.get(path), content) << path;
}

TEST_F(BackupTest, is_one_consistent_lane_whatever_the_server_does_meanwhile) {
  using Act = std::function<void()>;
  const std::pair<const char*, Act> acts[] = {
      {"publishes", [&] { lane.publish(1, 2); }},
      {"rotates", [&] { lane.rotate(TestLane::Footer::Yes); }},
      {"rotates and publishes", [&] { lane.rotate(), lane.publish(2, 3); }},
      {"removes", [&] { remove_first_segment(); }},
      {"rewrites", [&] { rewrite_segment(world, lane, lane.state().manifest.back().number); }},
      {"rotates and removes", [&] { lane.publish(1), lane.rotate(), remove_first_segment(), lane.publish(1); }},
  };
  for (const auto& [what, act] : acts) {
    for (std::uint64_t call = 1;; ++call) {
      for (int i = 0; i < 3; ++i) {
        lane.publish(1, 2);
        lane.publish(2, 1);
        lane.rotate(TestLane::Footer::Yes);
      }
      lane.publish(1, 1);
      const Events before = lane.written;
      const LaneState state = lane.state();
      BusyFileSystem busy(world.world().file_system, call, act);
      const auto backup = back_up_with(busy);
      ASSERT_TRUE(backup) << what << " before call " << call << ": " << backup.error().text;
      EXPECT_EQ(open_stopped_lane(world.world().file_system, kCopy)->survey.last.number, backup->last.number);
      const Events copied = open_copy();
      ASSERT_FALSE(copied.empty());
      EXPECT_EQ(copied.rbegin()->first, backup->end);
      for (const auto& [sequence, value] : copied) ASSERT_EQ(lane.written.at(sequence), value);
      for (const auto& [sequence, value] : before) {
        const bool may_be_trimmed = sequence <= state.manifest.front().last_sequence;
        EXPECT_TRUE(may_be_trimmed || copied.contains(sequence)) << what << " before call " << call << ": " << sequence;
      }
      remove_copy();
      while (lane.state().manifest.size() > 2) remove_first_segment();
      if (!busy.has_acted()) break;
    }
  }
}

TEST_F(BackupTest, of_a_lane_that_never_stands_still_gives_up) {
  for (int i = 0; i < 40; ++i) lane.publish(1), lane.rotate(TestLane::Footer::Yes);
  // Removes a segment at each listing, so that it is gone before it is opened.
  class Restless final : public io::FileSystem {
   public:
    Restless(io::FileSystem& real, std::function<void()> act) : real_(real), act_(std::move(act)) {}
    base::Result<std::string> read_file(const std::string& path, std::uint64_t bytes_max) override {
      return real_.read_file(path, bytes_max);
    }
    base::Result<io::FileReply> carry_out(const io::FileRequest& request) override {
      auto reply = real_.carry_out(request);
      if (request.kind == io::FileRequest::Kind::List) act_();
      return reply;
    }

   private:
    io::FileSystem& real_;
    std::function<void()> act_;
  } restless(world.world().file_system, [&] { remove_first_segment(); });
  const auto backup = back_up_with(restless);
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().code, base::Errc::Again);
  EXPECT_EQ(failed, BackupSide::Source);
}

TEST_F(BackupTest, leaves_out_a_footer_that_is_being_written) {
  lane.publish(1, 3);
  const std::string path = lane.newest_path();
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(1, 1);
  const std::string whole = *files.get(path);
  // Seen before it was there, copied in part while it came.
  files.truncate_file(path, whole.size() - kFooterTrailerBytes);
  const auto handle = OpenFile::open(world.world().file_system, path, io::OpenMode::Existing);
  ASSERT_TRUE(handle);
  ASSERT_TRUE(handle->write(whole.size() - 1, std::string(1, '\0')));
  bool is_written = false;
  const auto backup = back_up(
      world.world().file_system, lane.path(), kCopy,
      [&](std::uint64_t, std::uint64_t) {
        // The newest is copied first.
        if (std::exchange(is_written, true)) return;
        std::string half = whole;
        half[whole.size() - kFooterTrailerBytes - 1] ^= 1;
        ASSERT_TRUE(handle->write(0, half));
      },
      failed);
  ASSERT_TRUE(backup);
  EXPECT_EQ(open_copy(), lane.written);
}

TEST_F(BackupTest, keeps_damage_as_it_is_and_says_so) {
  lane.publish(1, 2);
  const WrittenGroup hit = lane.publish(2, 3);
  lane.publish(1, 1);
  lane.rotate();
  lane.publish(1, 1);
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 1);
  const auto backup = back_up_lane();
  ASSERT_TRUE(backup);
  EXPECT_THAT(backup->damage, ElementsAre(DamagedRange{3, 5}));
  TestLane copy(world, kCopy);
  copy.must_start();
  EXPECT_EQ(copy.events(), TestLane::without(lane.written, 3, 5));
}

TEST_F(BackupTest, never_overwrites) {
  lane.publish(1);
  files.put("/data/copy/precious", "x");
  const auto backup = back_up_lane();
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().code, base::Errc::Conflict);
  EXPECT_EQ(failed, BackupSide::Target);
  EXPECT_EQ(lane.stage().list(kCopy), std::vector<std::string>{"precious"});
}

TEST_F(BackupTest, says_which_side_an_error_is_about) {
  EXPECT_EQ(back_up_lane("/no/where").error().code, base::Errc::NotFound);
  EXPECT_EQ(failed, BackupSide::Target);
  const auto nothing = back_up(world.world().file_system, "/data/nothing", kCopy, nullptr, failed);
  EXPECT_EQ(nothing.error().code, base::Errc::NotFound);
  EXPECT_EQ(failed, BackupSide::Source);
  EXPECT_FALSE(lane.stage().run({.kind = io::FileRequest::Kind::Status, .path = kCopy})) << "nothing was made";
}

TEST_F(BackupTest, without_room_leaves_nothing_behind) {
  lane.publish(1, 3, {}, 100'000);
  lane.close();
  files.set_free_bytes(50'000);
  const auto backup = back_up_lane();
  ASSERT_FALSE(backup);
  EXPECT_EQ(backup.error().sys_errno, ENOSPC);
  EXPECT_EQ(failed, BackupSide::Target);
  EXPECT_THAT(lane.stage().list(kCopy), IsEmpty());
}

TEST_F(BackupTest, cut_off_anywhere_is_no_lane_or_all_of_it_and_on_the_disk_once_it_is_reported) {
  lane.publish(1, 3);
  lane.rotate(TestLane::Footer::Yes);
  lane.publish(2, 2);
  lane.rotate();
  lane.publish(1, 1);
  lane.stop();
  bool is_done = false;
  for (std::uint64_t call = 1; !is_done; ++call) {
    const std::string to = "/data/copy" + std::to_string(call);
    files.cut_power_at_call(call);
    const auto backup = back_up_lane(to);
    is_done = files.has_power();
    files.crash(backup ? sim::Loss::KeepsNothing : files.any_loss());
    if (!backup && !files.get(to + "/lock")) {
      const bool has_segments =
          std::ranges::any_of(files.paths(), [&](const std::string& path) { return path.starts_with(to + "/0"); });
      TestLane copy(world, to);
      EXPECT_EQ(copy.start().has_value(), !has_segments) << "cut at call " << call;
      continue;
    }
    EXPECT_EQ(open_copy(to), lane.written) << "cut at call " << call;
  }
}

}  // namespace
}  // namespace storage
