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
    const OwnedDescriptor root(open(directory_.c_str(), O_PATH | O_DIRECTORY));
    const auto walked = open_by_components(root.get(), name);
    ASSERT_FALSE(walked) << name;
    EXPECT_EQ(walked.error().code, Errc::NotFound) << name;
  }
  directory_ = directory_.parent_path();
  const OwnedDescriptor root(open(directory_.c_str(), O_PATH | O_DIRECTORY));
  const auto walked = open_by_components(root.get(), "root/in.txt");
  ASSERT_TRUE(walked);
  close(*walked);
}

TEST_F(RealFilesTest, a_file_is_made_written_synced_renamed_listed_and_removed) {
  ASSERT_TRUE(run({.kind = Kind::MakeDirectory, .path = path("data")}));
  EXPECT_EQ(run({.kind = Kind::Open, .path = path("data/a")}).error().code, Errc::NotFound);
  const auto opened = run({.kind = Kind::Open, .path = path("data/a"), .create = true});
  ASSERT_TRUE(opened);
  const FileHandle handle = opened->handle;
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .offset = 3, .data = "defgh"}));
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .offset = 0, .data = "abc"}));
  ASSERT_TRUE(run({.kind = Kind::Sync, .handle = handle}));
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 2, .size = 3})->data, "cde");
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 6, .size = 30})->data, "gh");
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 60, .size = 30})->data, "");
  ASSERT_TRUE(run({.kind = Kind::Close, .handle = handle}));
  put("data/b", "");
  ASSERT_TRUE(run({.kind = Kind::Rename, .path = path("data/a"), .to = path("data/c")}));
  ASSERT_TRUE(run({.kind = Kind::SyncDirectory, .path = path("data")}));
  EXPECT_EQ(run({.kind = Kind::List, .path = path("data")})->names, (std::vector<std::string>{"b", "c"}));
  ASSERT_TRUE(run({.kind = Kind::Remove, .path = path("data/b")}));
  EXPECT_EQ(run({.kind = Kind::Remove, .path = path("data/b")}).error().code, Errc::NotFound);
  EXPECT_EQ(run({.kind = Kind::Sync, .handle = handle}).error().sys_errno, EBADF);
}

TEST_F(RealFilesTest, operations_of_one_handle_complete_in_the_order_of_their_submission) {
  const FileHandle handle = run({.kind = Kind::Open, .path = path("log"), .create = true})->handle;
  std::vector<int> order;
  for (int i = 0; i < 300; ++i) {
    FileRequest request{.kind = i % 10 == 9 ? Kind::Sync : Kind::WriteAt, .handle = handle, .data = std::to_string(i)};
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
