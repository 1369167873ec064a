// SPDX-License-Identifier: Apache-2.0
// What every file system answers: the same operations, now, on this machine's and on the simulated one.
#include "io/files.h"

#include <errno.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/real_files.h"
#include "tests/support/file_stage.h"
#include "tests/support/sim_world.h"

namespace io {
namespace {

namespace fs = std::filesystem;
using base::Errc;
using base::Result;
using Kind = FileRequest::Kind;

enum class Which : std::uint8_t { Real, Simulated };

class FilesTest : public testing::TestWithParam<Which> {
 protected:
  FilesTest() {
    if (sim_) {
      stage_.make_directory(directory_);
      return;
    }
    directory_ = fs::temp_directory_path() / "tw_files_XXXXXX";
    CHECK(mkdtemp(directory_.data()) != nullptr, "a test needs a directory");
  }
  ~FilesTest() override {
    if (!sim_) fs::remove_all(directory_);
  }

  FileSystem& files() { return sim_ ? sim_->world().file_system : real_; }
  Result<FileReply> run(const FileRequest& request) { return stage_.run(request); }
  int error_of(const FileRequest& request) { return stage_.error_of(request); }
  std::string path(const std::string& name) const { return directory_ + '/' + name; }
  FileHandle open(const std::string& name, OpenMode mode) { return stage_.open(path(name), mode); }
  void close(FileHandle handle) { stage_.close(handle); }
  void put(const std::string& name, const std::string& content) { stage_.put(path(name), content); }
  std::string content(const std::string& name) { return files().read_file(path(name), 1'000'000).value(); }

 private:
  static std::unique_ptr<sim::SimWorld> simulated() {
    if (GetParam() == Which::Real) return nullptr;
    return std::make_unique<sim::SimWorld>(sim::SimWorld::Options{});
  }

  std::string directory_ = "/data";
  std::unique_ptr<sim::SimWorld> sim_ = simulated();
  RealFileSystem real_;
  sim::FileStage stage_{sim_ ? sim_->world().file_system : real_};
};

TEST_P(FilesTest, a_file_is_made_written_synced_renamed_listed_and_removed) {
  ASSERT_TRUE(run({.kind = Kind::MakeDirectory, .path = path("d")}));
  EXPECT_EQ(error_of({.kind = Kind::MakeDirectory, .path = path("d")}), EEXIST);
  const FileHandle handle = open("d/a", OpenMode::CreateNew);
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .offset = 3, .data = "defgh"}));
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .offset = 0, .data = "abc"}));
  ASSERT_TRUE(run({.kind = Kind::Sync, .handle = handle}));
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 2, .size = 3})->data, "cde");
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 6, .size = 30})->data, "gh");
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .offset = 60, .size = 30})->data, "");
  put("d/b", "replaced");
  ASSERT_TRUE(run({.kind = Kind::Rename, .path = path("d/a"), .to = path("d/b")}));
  EXPECT_EQ(content("d/b"), "abcdefgh");
  ASSERT_TRUE(run({.kind = Kind::SyncDirectory, .path = path("d")}));
  EXPECT_EQ(run({.kind = Kind::List, .path = path("d")})->names, std::vector<std::string>{"b"});
  EXPECT_EQ(error_of({.kind = Kind::Remove, .path = path("d")}), ENOTEMPTY);
  ASSERT_TRUE(run({.kind = Kind::Remove, .path = path("d/b")}));
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = handle, .size = 3})->data, "abc") << "open, though without a name";
  close(handle);
  EXPECT_EQ(error_of({.kind = Kind::Sync, .handle = handle}), EBADF);
  ASSERT_TRUE(run({.kind = Kind::Remove, .path = path("d")}));
  EXPECT_EQ(run({.kind = Kind::List, .path = path("d")}).error().code, Errc::NotFound);
}

TEST_P(FilesTest, what_is_not_there_is_not_found) {
  for (const FileRequest& request : std::vector<FileRequest>{
           {.kind = Kind::Open, .path = path("no")},
           {.kind = Kind::Open, .path = path("no/a"), .mode = OpenMode::Create},
           {.kind = Kind::Rename, .path = path("no"), .to = path("b")},
           {.kind = Kind::Rename, .path = path("here"), .to = path("no/b")},
           {.kind = Kind::Remove, .path = path("no")},
           {.kind = Kind::MakeDirectory, .path = path("no/d")},
           {.kind = Kind::SyncDirectory, .path = path("no")},
           {.kind = Kind::List, .path = path("no")},
           {.kind = Kind::Status, .path = path("no")},
           {.kind = Kind::Space, .path = path("no")},
       }) {
    put("here", "");
    const auto reply = run(request);
    ASSERT_FALSE(reply) << static_cast<int>(request.kind);
    EXPECT_EQ(reply.error().code, Errc::NotFound) << static_cast<int>(request.kind);
    EXPECT_EQ(reply.error().sys_errno, ENOENT) << static_cast<int>(request.kind);
  }
}

TEST_P(FilesTest, the_mode_of_an_open_decides_what_may_be_there_and_what_may_be_done) {
  EXPECT_EQ(error_of({.kind = Kind::Open, .path = path("a"), .mode = OpenMode::ExistingRead}), ENOENT);
  const FileHandle fresh = open("a", OpenMode::CreateNew);
  EXPECT_EQ(error_of({.kind = Kind::Open, .path = path("a"), .mode = OpenMode::CreateNew}), EEXIST);
  const FileHandle again = open("a", OpenMode::Create);
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = again, .data = "abc"}));
  const FileHandle reader = open("a", OpenMode::ExistingRead);
  EXPECT_EQ(run({.kind = Kind::ReadAt, .handle = reader, .size = 9})->data, "abc");
  EXPECT_TRUE(run({.kind = Kind::Sync, .handle = reader}));
  EXPECT_EQ(error_of({.kind = Kind::WriteAt, .handle = reader, .data = "x"}), EBADF);
  EXPECT_EQ(error_of({.kind = Kind::Allocate, .handle = reader, .size = 10}), EBADF);
  EXPECT_EQ(error_of({.kind = Kind::Truncate, .handle = reader, .size = 1}), EINVAL);
  EXPECT_EQ(content("a"), "abc");
  for (const FileHandle handle : {fresh, again, reader}) close(handle);
  ASSERT_TRUE(run({.kind = Kind::MakeDirectory, .path = path("d")}));
  EXPECT_EQ(error_of({.kind = Kind::Open, .path = path("d")}), EISDIR);
}

TEST_P(FilesTest, allocated_space_reads_as_zeros_and_leaves_what_was_there) {
  const FileHandle handle = open("reserve", OpenMode::CreateNew);
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .data = "head"}));
  ASSERT_TRUE(run({.kind = Kind::Allocate, .handle = handle, .offset = 0, .size = 100'000}));
  EXPECT_EQ(content("reserve"), "head" + std::string(99'996, '\0'));
  ASSERT_TRUE(run({.kind = Kind::Allocate, .handle = handle, .offset = 100, .size = 100}));
  EXPECT_EQ(content("reserve").size(), 100'000) << "space within a file does not shorten it";
  EXPECT_EQ(error_of({.kind = Kind::Allocate, .handle = handle, .size = 0}), EINVAL);
  close(handle);
}

TEST_P(FilesTest, a_truncated_file_is_so_long_and_grows_with_zeros) {
  put("file", "0123456789");
  const FileHandle handle = open("file", OpenMode::Existing);
  ASSERT_TRUE(run({.kind = Kind::Truncate, .handle = handle, .size = 4}));
  EXPECT_EQ(content("file"), "0123");
  ASSERT_TRUE(run({.kind = Kind::Truncate, .handle = handle, .size = 6}));
  EXPECT_EQ(content("file"), std::string("0123\0\0", 6));
  ASSERT_TRUE(run({.kind = Kind::WriteAt, .handle = handle, .offset = 8, .data = "x"}));
  EXPECT_EQ(content("file"), std::string("0123\0\0\0\0x", 9));
  close(handle);
}

TEST_P(FilesTest, a_lock_refuses_every_other_handle_until_it_is_closed) {
  const FileHandle holder = open("lock", OpenMode::Create);
  const FileHandle other = open("lock", OpenMode::Existing);
  ASSERT_TRUE(run({.kind = Kind::Lock, .handle = holder}));
  EXPECT_TRUE(run({.kind = Kind::Lock, .handle = holder})) << "whoever has it has it";
  const auto refused = run({.kind = Kind::Lock, .handle = other});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::System);
  EXPECT_EQ(refused.error().sys_errno, EWOULDBLOCK);
  EXPECT_TRUE(run({.kind = Kind::WriteAt, .handle = other, .data = "a lock stops only locks"}));
  close(holder);
  EXPECT_TRUE(run({.kind = Kind::Lock, .handle = other}));
  close(other);
}

TEST_P(FilesTest, the_status_names_a_file_whatever_it_is_called) {
  put("a", "12345678");
  put("b", "12345678");
  const FileStatus a = run({.kind = Kind::Status, .path = path("a")})->status;
  const FileStatus b = run({.kind = Kind::Status, .path = path("b")})->status;
  EXPECT_EQ(a.size, 8);
  EXPECT_NE(a.inode, 0);
  EXPECT_NE(a.inode, b.inode);
  ASSERT_TRUE(run({.kind = Kind::Rename, .path = path("a"), .to = path("b")}));
  const FileStatus moved = run({.kind = Kind::Status, .path = path("b")})->status;
  EXPECT_EQ(std::pair(moved.inode, moved.birth_ns), std::pair(a.inode, a.birth_ns));
  EXPECT_TRUE(run({.kind = Kind::Status, .path = path("")})) << "a directory has one too";
}

TEST_P(FilesTest, a_file_system_tells_its_space) {
  const FileSpace space = run({.kind = Kind::Space, .path = path("")})->space;
  EXPECT_GT(space.total_bytes, 0);
  EXPECT_GT(space.free_bytes, 0);
  EXPECT_LE(space.free_bytes, space.total_bytes);
}

std::string name_of(const testing::TestParamInfo<Which>& which) {
  return which.param == Which::Real ? "Real" : "Simulated";
}

INSTANTIATE_TEST_SUITE_P(Every, FilesTest, testing::Values(Which::Real, Which::Simulated), name_of);

}  // namespace
}  // namespace io
