// SPDX-License-Identifier: Apache-2.0
// How files of the simulated world are scheduled, and how they fail: one operation, the power, the process, the space,
// the bits. What a loss of power leaves on the disk is in sim_disk_test.cc.
#include "tests/support/sim_files.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "io/loop.h"
#include "tests/support/file_stage.h"
#include "tests/support/sim_world.h"

namespace io {
namespace {

using base::Errc;
using base::Result;
using sim::kPageBytes;
using sim::kSecondNs;
using sim::Loss;
using sim::SimWorld;
using Kind = FileRequest::Kind;

constexpr base::Error kBroken{Errc::System, "the disk is broken", EIO};

class SimFilesTest : public testing::Test {
 protected:
  explicit SimFilesTest(std::uint64_t seed = 0) : world({.seed = seed}) { world.threads().start(loop); }

  Result<FileReply> run(FileRequest request) {
    std::optional<Result<FileReply>> reply;
    world.files().submit(loop, std::move(request), [&](Result<FileReply> r) { reply = std::move(r); });
    EXPECT_FALSE(reply) << "nothing completes at once";
    EXPECT_TRUE(world.run_until([&] { return reply.has_value(); }, kSecondNs));
    return *std::move(reply);
  }

  SimWorld world;
  sim::SimFiles& files = world.files();
  Loop loop{world.world(), "owner"};
  sim::FileStage now{world.world().file_system};
};

TEST_F(SimFilesTest, whole_files_are_read_beneath_a_root) {
  files.put("/data/a", "abcdef");
  EXPECT_EQ(run({.kind = Kind::ReadBeneath, .root = "/data", .path = "a", .size = 6})->data, "abcdef");
  EXPECT_EQ(run({.kind = Kind::ReadBeneath, .root = "/data", .path = "a", .size = 5}).error().code, Errc::TooLarge);
  EXPECT_EQ(run({.kind = Kind::ReadBeneath, .root = "/data", .path = "../data/a", .size = 9}).error().code,
            Errc::NotFound);
  EXPECT_EQ(world.world().file_system.read_file("/data/a", 100).value(), "abcdef");
}

TEST_F(SimFilesTest, the_nth_call_fails_and_does_nothing) {
  world.files().put("/x", "old");
  const FileHandle handle = run({.kind = Kind::Open, .path = "/x"})->handle;
  world.files().fail_call(2, {Errc::System, "cannot write a file", ENOSPC});
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .data = "1"}));
  EXPECT_EQ(run({.kind = Kind::WriteAt, .handle = handle, .data = "2"}).error().sys_errno, ENOSPC);
  EXPECT_EQ(world.files().get("/x"), "1ld");
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .data = "3"}));
}

TEST_F(SimFilesTest, handles_and_names_keep_their_order_and_reads_overtake) {
  world.files().put("/x", "");
  const FileHandle handle = run({.kind = Kind::Open, .path = "/x"})->handle;
  std::vector<int> writes;
  std::vector<int> names;
  std::vector<int> reads;
  std::vector<int> all;
  for (int i = 0; i < 50; ++i) {
    const auto note_in = [&all, i](std::vector<int>& into) {
      return [&all, &into, i](auto) {
        into.push_back(i);
        all.push_back(i);
      };
    };
    world.files().submit(loop, {.kind = i % 2 == 0 ? Kind::WriteAt : Kind::Sync, .handle = handle}, note_in(writes));
    world.files().submit(loop, {.kind = Kind::List, .path = "/"}, note_in(names));
    world.files().submit(loop, {.kind = Kind::ReadAt, .handle = handle, .size = 1}, note_in(reads));
  }
  ASSERT_TRUE(world.run_until([&] { return all.size() == 150; }, kSecondNs));
  EXPECT_TRUE(std::is_sorted(writes.begin(), writes.end()));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_FALSE(std::is_sorted(reads.begin(), reads.end()));
  EXPECT_FALSE(std::is_sorted(all.begin(), all.end()));
}

TEST(SimFiles, a_loop_may_end_while_its_operations_are_under_way) {
  SimWorld world({});
  auto owned = std::make_shared<int>(0);
  int completed = 0;
  for (int steps = 0; steps < 4; ++steps) {
    Loop loop(world.world(), "short");
    world.threads().start(loop);
    for (int i = 0; i < 5; ++i) {
      world.files().submit(loop, {.kind = Kind::List, .path = "/"}, [&completed, owned](auto) { ++completed; });
    }
    for (int i = 0; i < steps; ++i) world.step();
  }
  while (world.step()) {
  }
  EXPECT_LT(completed, 20);
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(SimFilesTest, a_handle_is_not_closed_under_a_read) {
  files.put("/x", "abc");
  const FileHandle handle = now.open("/x");
  files.submit(loop, {.kind = Kind::ReadAt, .handle = handle, .size = 1}, [](const auto&) {});
  EXPECT_DEATH(files.submit(loop, {.kind = Kind::Close, .handle = handle}, [](const auto&) {}), "waits for its reads");
}

TEST_F(SimFilesTest, background_work_keeps_its_own_order_and_the_foreground_does_not_wait_for_it) {
  files.put("/x", "");
  const FileHandle handle = now.open("/x");
  std::vector<int> all;
  std::vector<int> background;
  for (int i = 0; i < 50; ++i) {
    files.submit(loop, {.kind = Kind::Sync, .handle = handle, .urgency = Urgency::Background}, [&, i](const auto&) {
      background.push_back(i);
      all.push_back(i);
    });
    files.submit(loop, {.kind = Kind::Sync, .handle = handle}, [&, i](const auto&) { all.push_back(i); });
  }
  const FileRequest close{.kind = Kind::Close, .handle = handle, .urgency = Urgency::Background};
  EXPECT_DEATH(files.submit(loop, close, [](const auto&) {}), "other urgency");
  ASSERT_TRUE(world.run_until([&] { return all.size() == 100; }, kSecondNs));
  EXPECT_TRUE(std::ranges::is_sorted(background));
  EXPECT_FALSE(std::ranges::is_sorted(all));
  EXPECT_TRUE(run(close));
}

TEST_F(SimFilesTest, operations_at_once_and_submitted_ones_are_counted_together) {
  const FileHandle handle = now.open("/x");
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .data = "1"}));
  now.write(handle, 0, "2");
  EXPECT_EQ(files.calls(), 3);
  EXPECT_EQ(files.calls(Kind::WriteAt), 2);
  files.fail_call(2, kBroken);
  ASSERT_TRUE(run({.kind = Kind::List, .path = "/"}));
  EXPECT_EQ(now.error_of({.kind = Kind::List, .path = "/"}), EIO);
  EXPECT_EQ(now.error_of({.kind = Kind::List, .path = "/"}), 0);
}

TEST_F(SimFilesTest, the_nth_call_of_one_kind_fails) {
  const FileHandle handle = now.open("/x");
  files.fail_kind(Kind::Sync, 2, kBroken);
  now.sync(handle);
  now.write(handle, 0, "1");
  EXPECT_EQ(run({.kind = Kind::Sync, .handle = handle}).error().sys_errno, EIO);
  now.sync(handle);
}

TEST_F(SimFilesTest, a_failing_close_closes) {
  const FileHandle handle = now.open("/x");
  files.fail_kind(Kind::Close, 1, kBroken);
  EXPECT_EQ(now.error_of({.kind = Kind::Close, .handle = handle}), EIO);
  EXPECT_EQ(now.error_of({.kind = Kind::Close, .handle = handle}), EBADF);
}

TEST(SimFiles, a_failing_write_may_have_written_some_of_its_bytes) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    world.files().put("/x", "----");
    const FileHandle handle = now.open("/x");
    world.files().fail_kind(Kind::WriteAt, 1, kBroken);
    EXPECT_EQ(now.error_of({.kind = Kind::WriteAt, .handle = handle, .data = "new"}), EIO);
    found.insert(world.files().get("/x").value());
  }
  EXPECT_EQ(found, (std::set<std::string>{"----", "n---", "ne--"}));
}

// After EIO the page cache holds what the disk does not, and nobody will ever write it.
TEST(SimFiles, a_sync_after_a_failed_one_succeeds_and_writes_nothing) {
  int kept = 0;
  int lost = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    const std::string before(3 * kPageBytes, 'a');
    const std::string after(3 * kPageBytes, 'b');
    world.files().put("/x", before);
    const FileHandle handle = now.open("/x");
    now.write(handle, 0, after);
    world.files().fail_kind(Kind::Sync, 1, kBroken);
    EXPECT_EQ(now.error_of({.kind = Kind::Sync, .handle = handle}), EIO);
    now.sync(handle);
    EXPECT_EQ(world.files().get("/x"), after);
    world.files().kill();
    EXPECT_EQ(world.files().get("/x"), after) << "the next process still sees it";
    world.files().crash(Loss::KeepsEverything);
    kept += world.files().get("/x") == after ? 1 : 0;
    lost += world.files().get("/x") == before ? 1 : 0;
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(lost, 0);
  EXPECT_LT(kept + lost, 100) << "sometimes a part of it was written";
}

TEST(SimFiles, a_page_that_is_written_again_after_a_failed_sync_is_synced_whole) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    world.files().put("/x", std::string(2 * kPageBytes, 'a'));
    const FileHandle handle = now.open("/x");
    now.write(handle, 0, std::string(kPageBytes, 'b'));
    world.files().fail_kind(Kind::Sync, 1, kBroken);
    EXPECT_EQ(now.error_of({.kind = Kind::Sync, .handle = handle}), EIO);
    now.write(handle, 10, "c");
    now.sync(handle);
    world.files().crash(Loss::KeepsNothing);
    std::string expected = std::string(kPageBytes, 'b') + std::string(kPageBytes, 'a');
    expected[10] = 'c';
    EXPECT_EQ(world.files().get("/x"), expected) << seed;
  }
}

TEST_F(SimFilesTest, without_power_everything_fails_and_nothing_changes) {
  files.put("/d/x", "old");
  const FileHandle handle = now.open("/d/x");
  files.cut_power_at_call(2);
  now.write(handle, 0, "1");
  EXPECT_TRUE(files.has_power());
  EXPECT_EQ(now.error_of({.kind = Kind::WriteAt, .handle = handle, .data = "2"}), EIO);
  EXPECT_FALSE(files.has_power());
  for (const FileRequest& request : std::vector<FileRequest>{{.kind = Kind::Sync, .handle = handle},
                                                             {.kind = Kind::Close, .handle = handle},
                                                             {.kind = Kind::Remove, .path = "/d/x"},
                                                             {.kind = Kind::List, .path = "/d"}}) {
    EXPECT_EQ(now.error_of(request), EIO);
    EXPECT_EQ(run(request).error().sys_errno, EIO);
  }
  EXPECT_EQ(world.world().file_system.read_file("/d/x", 10).error().sys_errno, EIO);
  files.crash(Loss::KeepsEverything);
  EXPECT_TRUE(files.has_power());
  EXPECT_EQ(files.get("/d/x"), "1ld");
  EXPECT_EQ(now.list("/d"), std::vector<std::string>{"x"});
}

TEST_F(SimFilesTest, a_dead_process_holds_no_lock_and_no_handle_and_leaves_what_it_wrote) {
  files.put("/lock", "");
  const FileHandle handle = now.open("/lock");
  now.must({.kind = Kind::Lock, .handle = handle});
  now.write(handle, 0, "cached");
  now.put("/unnamed", "x");
  files.kill();
  EXPECT_EQ(now.error_of({.kind = Kind::Sync, .handle = handle}), EBADF);
  now.open("/unnamed");  // has the number that the lock's handle had
  now.must({.kind = Kind::Lock, .handle = now.open("/lock")});
  EXPECT_EQ(files.get("/lock"), "cached");
  EXPECT_EQ(files.durable("/lock"), "");
  files.crash(Loss::KeepsNothing);
  EXPECT_EQ(files.get("/lock"), "");
  EXPECT_EQ(files.paths(), std::vector<std::string>{"/lock"}) << "the other one's name was never synced";
  now.must({.kind = Kind::Lock, .handle = now.open("/lock")});
}

TEST(SimFiles, of_the_operations_under_way_a_dead_process_has_carried_out_the_first_ones) {
  std::set<std::string> found;
  int completions = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    world.files().put("/x", "------");
    const FileHandle handle = now.open("/x");
    Loop loop(world.world(), "owner");
    world.threads().start(loop);
    for (const std::uint64_t at : {0, 2, 4}) {
      world.files().submit(loop, {.kind = Kind::WriteAt, .handle = handle, .offset = at, .data = "ab"},
                           [&](const auto&) { ++completions; });
    }
    world.files().kill();
    world.run_for(kSecondNs);
    found.insert(world.files().get("/x").value());
  }
  EXPECT_EQ(completions, 0);
  EXPECT_EQ(found, (std::set<std::string>{"------", "a-----", "ab----", "aba---", "abab--", "ababa-", "ababab"}));
}

TEST(SimFiles, nothing_that_was_under_way_has_begun_when_nothing_is_kept) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    world.files().put("/x", "old");
    const FileHandle handle = now.open("/x");
    Loop loop(world.world(), "owner");
    world.files().submit(loop, {.kind = Kind::WriteAt, .handle = handle, .data = "new"}, [](const auto&) {});
    world.files().submit(loop, {.kind = Kind::Sync, .handle = handle}, [](const auto&) {});
    world.files().crash(Loss::KeepsNothing);
    EXPECT_EQ(world.files().get("/x"), "old");
  }
}

TEST_F(SimFilesTest, space_is_taken_by_what_is_first_written_or_allocated_and_given_back) {
  files.put("/x", std::string(kPageBytes, 'x'));
  const std::uint64_t all = 100 * kPageBytes;
  files.set_free_bytes(all, ENOSPC);
  const FileHandle handle = now.open("/x");
  now.write(handle, 10, "over what is there");
  EXPECT_EQ(now.free_bytes(), all);
  now.write(handle, 9 * kPageBytes, "behind a hole");
  EXPECT_EQ(now.free_bytes(), all - kPageBytes);
  now.write(handle, 2 * kPageBytes - 1, "into the hole, on two pages");
  EXPECT_EQ(now.free_bytes(), all - 3 * kPageBytes);
  now.allocate(handle, 0, 20 * kPageBytes);
  EXPECT_EQ(now.free_bytes(), all - 19 * kPageBytes);
  now.write(handle, 19 * kPageBytes, std::string(kPageBytes, 'y'));
  EXPECT_EQ(now.free_bytes(), all - 19 * kPageBytes) << "it was allocated";
  now.truncate(handle, 5 * kPageBytes + 1);
  EXPECT_EQ(now.free_bytes(), all - 5 * kPageBytes);
  now.remove("/x");
  EXPECT_EQ(now.free_bytes(), all - 5 * kPageBytes) << "still open";
  now.close(handle);
  EXPECT_EQ(now.free_bytes(), all + kPageBytes);
  now.put("/a", std::string(3 * kPageBytes, 'a'));
  now.put("/b", "b");
  now.rename("/b", "/a");
  EXPECT_EQ(now.free_bytes(), all);
}

TEST_F(SimFilesTest, a_full_disk_refuses_what_needs_space_and_nothing_else) {
  files.put("/x", std::string(kPageBytes, 'x'));
  const FileHandle handle = now.open("/x");
  files.set_free_bytes(2 * kPageBytes, EDQUOT);
  EXPECT_EQ(now.error_of({.kind = Kind::Allocate, .handle = handle, .size = 4 * kPageBytes}), EDQUOT);
  files.set_free_bytes(0);
  EXPECT_EQ(now.free_bytes(), 0);
  EXPECT_EQ(now.error_of({.kind = Kind::Allocate, .handle = handle, .size = 8 * kPageBytes}), ENOSPC);
  now.write(handle, 0, "over what is there");
  now.sync(handle);
  const FileHandle other = now.open("/names cost nothing here");
  EXPECT_EQ(now.error_of({.kind = Kind::WriteAt, .handle = other, .data = "1"}), ENOSPC);
  EXPECT_EQ(files.get("/names cost nothing here"), "");
  now.truncate(handle, 0);
  now.write(other, 0, "1");
}

TEST(SimFiles, a_write_that_finds_the_disk_full_may_be_partly_there) {
  std::set<std::size_t> pages;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    const FileHandle handle = now.open("/x");
    world.files().set_free_bytes(2 * kPageBytes);
    const std::string bytes(4 * kPageBytes, 'x');
    EXPECT_EQ(now.error_of({.kind = Kind::WriteAt, .handle = handle, .data = bytes}), ENOSPC);
    const std::size_t size = world.files().get("/x")->size();
    EXPECT_LE(size, 2 * kPageBytes);
    EXPECT_EQ(now.free_bytes(), 2 * kPageBytes - (size + kPageBytes - 1) / kPageBytes * kPageBytes);
    pages.insert((size + kPageBytes - 1) / kPageBytes);
  }
  EXPECT_GT(pages.size(), 1);
}

TEST_F(SimFilesTest, a_loss_gives_space_back_and_takes_it) {
  files.put("/old", std::string(3 * kPageBytes, 'x'));
  files.put("/kept", "");
  files.set_free_bytes(10 * kPageBytes);
  now.remove("/old");
  now.allocate(now.open("/new"), 0, 5 * kPageBytes);
  now.allocate(now.open("/kept"), 0, 2 * kPageBytes);
  EXPECT_EQ(now.free_bytes(), 6 * kPageBytes);
  files.crash(Loss::KeepsNothing);
  EXPECT_EQ(now.free_bytes(), 10 * kPageBytes) << "/old is back, /new never was, /kept is empty";
  now.allocate(now.open("/kept"), 0, 2 * kPageBytes);
  files.crash(Loss::KeepsEverything);
  EXPECT_EQ(now.free_bytes(), 8 * kPageBytes);
}

TEST_F(SimFilesTest, bits_rot_on_the_disk_and_in_the_cache) {
  files.put("/x", "abcdef");
  files.flip_bit("/x", 1, 0);
  EXPECT_EQ(files.get("/x"), "accdef");
  files.zero_range("/x", 2, 2);
  files.truncate_file("/x", 5);
  EXPECT_EQ(files.get("/x"), std::string("ac\0\0e", 5));
  files.crash(Loss::KeepsNothing);
  EXPECT_EQ(files.get("/x"), std::string("ac\0\0e", 5));
  files.put("/y", "other");
  const FileStatus before = now.status("/y");
  files.swap_contents("/x", "/y");
  EXPECT_EQ(files.get("/x"), "other");
  EXPECT_EQ(now.status("/y").inode, before.inode) << "the bytes moved, the files did not";
  files.remove_file("/x");
  files.crash(Loss::KeepsNothing);
  EXPECT_EQ(files.paths(), std::vector<std::string>{"/y"});
}

TEST_F(SimFilesTest, a_copied_directory_has_the_same_bytes_in_other_files) {
  files.put("/data/lock", "12345678");
  files.put("/data/deep/a", "a");
  const FileStatus original = now.status("/data/lock");
  world.run_for(kSecondNs);
  files.copy_directory("/data", "/copy");
  files.crash(Loss::KeepsNothing);
  EXPECT_EQ(files.paths(), (std::vector<std::string>{"/copy/deep/a", "/copy/lock", "/data/deep/a", "/data/lock"}));
  EXPECT_EQ(files.get("/copy/lock"), "12345678");
  const FileStatus copy = now.status("/copy/lock");
  EXPECT_NE(copy.inode, original.inode);
  EXPECT_GT(copy.birth_ns, original.birth_ns);
  EXPECT_EQ(now.status("/data/lock").inode, original.inode);
}

TEST_F(SimFilesTest, an_inode_number_is_never_used_again) {
  std::set<std::uint64_t> inodes;
  for (int i = 0; i < 20; ++i) {
    now.put("/x", "x");
    EXPECT_TRUE(inodes.insert(now.status("/x").inode).second);
    if (i % 2 == 0) {
      now.remove("/x");
    } else {
      files.crash(Loss::KeepsNothing);
    }
  }
}

TEST(SimFiles, one_seed_loses_the_same_again) {
  const auto run = [](std::uint64_t seed) {
    SimWorld world({.seed = seed});
    sim::FileStage now(world.world().file_system);
    const FileHandle handle = now.open("/x");
    for (int i = 0; i < 20; ++i) now.write(handle, 3'000U * static_cast<unsigned>(i), std::string(5'000, 'a'));
    now.put("/y", "y");
    world.files().crash(world.files().any_loss());
    return std::pair(world.files().get("/x"), world.files().get("/y"));
  };
  std::set<std::pair<std::optional<std::string>, std::optional<std::string>>> found;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(run(seed), run(seed));
    found.insert(run(seed));
  }
  EXPECT_GT(found.size(), 10);
}

}  // namespace
}  // namespace io
