// SPDX-License-Identifier: Apache-2.0
#include "io/real_files.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/loop.h"
#include "io/owned_descriptor.h"
#include "io/real_beneath.h"
#include "io/real_world.h"

namespace io {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Result;
using Kind = FileRequest::Kind;

class RealFilesTest : public testing::Test {
 protected:
  RealFilesTest() {
    std::string name = fs::temp_directory_path() / "tw_files_XXXXXX";
    CHECK(mkdtemp(name.data()) != nullptr, "a test needs a directory");
    directory_ = name;
  }
  ~RealFilesTest() override { fs::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ / name; }
  void put(const std::string& name, const std::string& content) {
    fs::create_directories(fs::path(path(name)).parent_path());
    std::ofstream(path(name)) << content;
  }
  Result<FileReply> run(FileRequest request) {
    std::optional<Result<FileReply>> reply;
    world_.files.submit(loop_, std::move(request), [&](Result<FileReply> r) { reply = std::move(r); });
    while (!reply) loop_.turn(Loop::Wait::UntilReady);
    return *std::move(reply);
  }
  Result<FileReply> beneath(const std::string& name, std::uint64_t size = 100) {
    return run({.kind = Kind::ReadBeneath, .root = directory_, .path = name, .size = size});
  }

  FileHandle open(const std::string& name, OpenMode mode) {
    const auto opened = run({.kind = Kind::Open, .path = path(name), .mode = mode});
    EXPECT_TRUE(opened);
    return opened ? opened->handle : -1;
  }
  void close(FileHandle handle) { EXPECT_TRUE(run({.kind = Kind::Close, .handle = handle})); }

  fs::path directory_;
  RealWorld real_;
  World world_ = real_.world();
  Loop loop_{world_, "test"};
};

TEST_F(RealFilesTest, reads_a_file_beneath_its_root_with_its_time) {
  put("site/index.html", "hello");
  const auto reply = beneath("site/index.html", 5);
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->data, "hello");
  EXPECT_NEAR(static_cast<double>(reply->modified_ms), static_cast<double>(world_.clock.wall_ms()), 60'000);
  EXPECT_EQ(beneath("site/index.html", 4).error().code, Errc::TooLarge);
}

TEST_F(RealFilesTest, nothing_outside_of_the_root_can_be_read) {
  put("root/in.txt", "in");
  put("out.txt", "out");
  fs::create_symlink(path("out.txt"), path("root/link"));
  fs::create_symlink("in.txt", path("root/inner"));
  fs::create_directory_symlink(directory_, path("root/up"));
  ASSERT_EQ(mkfifo(path("root/pipe").c_str(), 0600), 0);
  directory_ /= "root";
  EXPECT_EQ(beneath("in.txt")->data, "in");
  for (const char* name : {"../out.txt", "/etc/passwd", "link", "inner", "up/out.txt", "pipe", ".", "", "./in.txt",
                           "in.txt/", "a/../in.txt", "missing", "in.txt/below"}) {
    const auto reply = beneath(name);
    ASSERT_FALSE(reply) << name;
    EXPECT_EQ(reply.error().code, Errc::NotFound) << name;
    // The walk for systems without openat2 judges the same.
    const OwnedDescriptor root(::open(directory_.c_str(), O_PATH | O_DIRECTORY));
    const auto walked = open_by_components(root.get(), name);
    ASSERT_FALSE(walked) << name;
    EXPECT_EQ(walked.error().code, Errc::NotFound) << name;
  }
  directory_ = directory_.parent_path();
  const OwnedDescriptor root(::open(directory_.c_str(), O_PATH | O_DIRECTORY));
  const auto walked = open_by_components(root.get(), "root/in.txt");
  ASSERT_TRUE(walked);
  ::close(*walked);
}

TEST_F(RealFilesTest, operations_of_one_handle_complete_in_the_order_of_their_submission) {
  const FileHandle handle = run({.kind = Kind::Open, .path = path("log"), .mode = OpenMode::Create})->handle;
  std::vector<int> order;
  for (int i = 0; i < 300; ++i) {
    const auto text = std::make_shared<const std::string>(std::to_string(i));
    const Kind kind = i % 10 == 9 ? Kind::Sync : Kind::WriteAt;
    FileRequest request{.kind = kind, .handle = handle, .data = *text, .keep = text};
    if (i % 3 == 0) request.completion = Completion::WithNext;
    world_.files.submit(loop_, std::move(request), [&order, i](Result<FileReply> reply) {
      ASSERT_TRUE(reply);
      order.push_back(i);
    });
  }
  while (order.size() < 300) loop_.turn(Loop::Wait::UntilReady);
  EXPECT_TRUE(std::ranges::is_sorted(order));
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .size = 10})->data, "298");
  ASSERT_TRUE(run({.kind = Kind::Close, .handle = handle}));
}

TEST_F(RealFilesTest, an_operation_whose_next_one_is_there_is_told_with_it_and_otherwise_by_itself) {
  const FileHandle handle = open("log", OpenMode::Create);
  std::vector<std::uint64_t> told_in_turn;
  std::uint64_t turn = 0;
  const auto submit = [&](Kind kind, Completion completion) {
    world_.files.submit(loop_, {.kind = kind, .handle = handle, .data = "event", .completion = completion},
                        [&](const Result<FileReply>& reply) {
                          ASSERT_TRUE(reply);
                          told_in_turn.push_back(turn);
                        });
  };
  const auto turn_until_told = [&](std::size_t count) {
    for (; told_in_turn.size() < count; ++turn) loop_.turn(Loop::Wait::UntilReady);
  };
  submit(Kind::Sync, Completion::Alone);  // keeps the thread busy while the next two are submitted
  submit(Kind::WriteAt, Completion::WithNext);
  submit(Kind::Sync, Completion::Alone);
  turn_until_told(3);
  EXPECT_EQ(told_in_turn[1], told_in_turn[2]);
  submit(Kind::WriteAt, Completion::WithNext);
  turn_until_told(4);
  close(handle);
}

TEST_F(RealFilesTest, a_new_file_is_private_and_allocated_space_is_on_the_disk) {
  const FileHandle handle = open("reserve", OpenMode::CreateNew);
  ASSERT_TRUE(run({.kind = Kind::Allocate, .handle = handle, .offset = 0, .size = 100'000}));
  struct stat found{};
  ASSERT_EQ(fstat(handle, &found), 0);
  EXPECT_EQ(found.st_size, 100'000);
  EXPECT_GE(found.st_blocks * 512, 100'000);
  EXPECT_EQ(found.st_mode & 07777, 0600);
  close(handle);
}

TEST_F(RealFilesTest, the_status_names_a_file_but_not_its_copy) {
  put("data/lock", "12345678");
  const FileStatus original = run({.kind = Kind::Status, .path = path("data/lock")})->status;
  EXPECT_EQ(original.size, 8);
  EXPECT_NE(original.inode, 0);
  fs::copy(path("data"), path("copy"));
  const FileStatus copy = run({.kind = Kind::Status, .path = path("copy/lock")})->status;
  EXPECT_NE(std::pair(copy.inode, copy.birth_ns), std::pair(original.inode, original.birth_ns));
  ASSERT_TRUE(run({.kind = Kind::Rename, .path = path("data"), .to = path("moved")}));
  const FileStatus moved = run({.kind = Kind::Status, .path = path("moved/lock")})->status;
  EXPECT_EQ(std::pair(moved.inode, moved.birth_ns), std::pair(original.inode, original.birth_ns));
  if (original.birth_ns != 0) {
    const double now_ms = static_cast<double>(world_.clock.wall_ms());
    EXPECT_NEAR(static_cast<double>(original.birth_ns) / 1e6, now_ms, 60'000);
  }
  EXPECT_EQ(run({.kind = Kind::Status, .path = path("data/lock")}).error().code, Errc::NotFound);
}

TEST_F(RealFilesTest, a_full_disk_is_told_by_its_errno) {
  const auto full = run({.kind = Kind::Open, .path = "/dev/full"});
  ASSERT_TRUE(full);
  EXPECT_EQ(run({.kind = Kind::WriteAt, .handle = full->handle, .data = "x"}).error().sys_errno, ENOSPC);
  close(full->handle);
}

TEST_F(RealFilesTest, a_read_waits_for_no_write_and_neither_does_a_write_wait_for_background_work) {
  const FileHandle handle = open("log", OpenMode::Create);
  const std::string megabyte(1'000'000, 'x');
  const FileRequest read{.kind = Kind::ReadAt, .handle = handle, .size = 1};
  const FileRequest write{.kind = Kind::WriteAt, .handle = handle, .data = "x"};
  for (const Urgency urgency : {Urgency::Foreground, Urgency::Background}) {
    const FileRequest quick = urgency == Urgency::Foreground ? read : write;
    ASSERT_TRUE(run(quick));
    int slow_left = 60;
    int left_at_quick = -1;
    const auto count_down = [&](const Result<FileReply>& reply) {
      EXPECT_TRUE(reply);
      --slow_left;
    };
    for (int i = 0; i < 30; ++i) {
      FileRequest slow{.kind = Kind::WriteAt, .handle = handle, .data = megabyte, .urgency = urgency};
      world_.files.submit(loop_, std::move(slow), count_down);
      world_.files.submit(loop_, {.kind = Kind::Sync, .handle = handle, .urgency = urgency}, count_down);
    }
    world_.files.submit(loop_, quick, [&](const auto&) { left_at_quick = slow_left; });
    while (slow_left > 0 || left_at_quick < 0) loop_.turn(Loop::Wait::UntilReady);
    EXPECT_GT(left_at_quick, 0);
  }
  close(handle);
}

TEST_F(RealFilesTest, the_bytes_of_a_write_are_kept_until_its_completion) {
  const FileHandle handle = open("log", OpenMode::Create);
  auto bytes = std::make_shared<const std::string>("kept");
  const std::weak_ptr<const std::string> watched = bytes;
  bool completed = false;
  FileRequest request{.kind = Kind::WriteAt, .handle = handle, .data = *bytes, .keep = std::move(bytes)};
  world_.files.submit(loop_, std::move(request), [&](const auto&) {
    completed = true;
    EXPECT_FALSE(watched.expired());
  });
  while (!completed) loop_.turn(Loop::Wait::UntilReady);
  EXPECT_TRUE(watched.expired());
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .size = 9})->data, "kept");
  close(handle);
}

TEST_F(RealFilesTest, the_file_system_carries_out_every_operation_at_once) {
  FileSystem& now = world_.file_system;
  ASSERT_TRUE(now.carry_out({.kind = Kind::MakeDirectory, .path = path("d")}));
  const auto opened = now.carry_out({.kind = Kind::Open, .path = path("d/a"), .mode = OpenMode::CreateNew});
  ASSERT_TRUE(opened);
  ASSERT_TRUE(now.carry_out({.kind = Kind::WriteAt, .handle = opened->handle, .data = "now"}));
  ASSERT_TRUE(now.carry_out({.kind = Kind::Sync, .handle = opened->handle}));
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = opened->handle, .size = 9})->data, "now") << "a handle for both";
  ASSERT_TRUE(now.carry_out({.kind = Kind::Close, .handle = opened->handle}));
  EXPECT_EQ(now.carry_out({.kind = Kind::List, .path = path("d")})->names, std::vector<std::string>{"a"});
  EXPECT_EQ(now.carry_out({.kind = Kind::Remove, .path = path("b")}).error().code, Errc::NotFound);
}

TEST_F(RealFilesTest, a_loop_may_end_while_its_operations_are_under_way) {
  put("file", std::string(4'000'000, 'x'));  // large enough to be under way when its loop ends
  auto owned = std::make_shared<int>(0);
  for (int round = 0; round < 20; ++round) {
    int completed = 0;
    Loop short_lived(world_, "short");
    for (int i = 0; i < 10; ++i) {
      FileRequest request{.kind = Kind::ReadBeneath, .root = directory_, .path = "file", .size = 4'000'000};
      world_.files.submit(short_lived, std::move(request), [&completed, owned](auto) { ++completed; });
    }
    while (completed == 0) short_lived.turn(Loop::Wait::UntilReady);  // the next one has begun
  }
  EXPECT_EQ(owned.use_count(), 1) << "dropped completions are destroyed";
}

TEST_F(RealFilesTest, the_file_system_reads_files_and_streams_up_to_a_bound) {
  put("contract.yaml", std::string(100'000, 'y'));
  FileSystem& file_system = world_.file_system;
  EXPECT_EQ(file_system.read_file(path("contract.yaml"), 100'000).value().size(), 100'000);
  EXPECT_EQ(file_system.read_file(path("contract.yaml"), 99'999).error().code, Errc::TooLarge);
  EXPECT_EQ(file_system.read_file(path("missing"), 1).error().code, Errc::NotFound);
  EXPECT_EQ(file_system.read_file(directory_, 1).error().sys_errno, EISDIR);
  EXPECT_EQ(file_system.read_file("/dev/null", 1).value(), "");
  EXPECT_EQ(file_system.read_file("/dev/zero", 1'000).error().code, Errc::TooLarge);
}

}  // namespace
}  // namespace io
