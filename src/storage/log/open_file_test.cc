// SPDX-License-Identifier: Apache-2.0
#include "storage/log/open_file.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <utility>

#include "tests/support/sim_world.h"

namespace storage {
namespace {

class OpenFileTest : public testing::Test {
 protected:
  OpenFileTest() { world.files().put("/d/file", std::string(10'000, 'x')); }

  int error_of_reading(io::FileHandle handle) {
    const auto read = world.world().file_system.carry_out({.kind = io::FileRequest::Kind::ReadAt, .handle = handle});
    return read ? 0 : read.error().sys_errno;
  }

  sim::SimWorld world{{.seed = 1}};
  Directory directory{world.world().file_system, "/d"};
};

TEST_F(OpenFileTest, closes_its_handle_when_it_goes) {
  io::FileHandle handle = -1;
  {
    OpenFile file = directory.open("file", io::OpenMode::Existing).value();
    OpenFile moved = std::move(file);
    EXPECT_FALSE(file.is_open());  // NOLINT(bugprone-use-after-move): that is what is tested
    EXPECT_TRUE(moved.is_open());
    OpenFile other = directory.open("file", io::OpenMode::Existing).value();
    other = std::move(moved);
    EXPECT_EQ(other.read(9'999, 10).value(), "x");
    OpenFile released = directory.open("file", io::OpenMode::Existing).value();
    handle = released.release();
  }
  EXPECT_EQ(error_of_reading(handle), 0);
  for (io::FileHandle each = 1'000; each < 1'010; ++each) {
    EXPECT_EQ(error_of_reading(each), each == handle ? 0 : EBADF);
  }
}

TEST_F(OpenFileTest, writes_what_a_crash_keeps_once_it_is_synced) {
  OpenFile file = directory.open("new", io::OpenMode::CreateNew).value();
  ASSERT_TRUE(file.write(2, "abc"));
  ASSERT_TRUE(file.truncate(4));
  ASSERT_TRUE(file.sync());
  ASSERT_TRUE(directory.sync());
  file.release();
  world.files().crash(sim::Loss::KeepsNothing);
  EXPECT_EQ(world.files().get("/d/new"), std::string("\0\0ab", 4));
}

TEST_F(OpenFileTest, reads_zeros_where_a_sector_cannot_be_read) {
  const OpenFile file = directory.open("file", io::OpenMode::ExistingRead).value();
  using Kind = sim::SimFiles::Kind;
  for (const std::uint64_t call : {1u, 3u}) {  // the whole range, then its second sector
    world.files().fail_kind(Kind::ReadAt, call, {base::Errc::System, "rotten", EIO});
  }
  std::uint64_t unreadable = 0;
  const std::string read = file.read_around_rot(4'000, 20'000, unreadable).value();
  EXPECT_EQ(read, std::string(96, 'x') + std::string(4'096, '\0') + std::string(10'000 - 8'192, 'x'));
  EXPECT_EQ(unreadable, 4'096u);
}

TEST_F(OpenFileTest, makes_a_directory_that_a_crash_keeps) {
  const Directory made(world.world().file_system, "/d/lane/");
  ASSERT_TRUE(made.make());
  ASSERT_TRUE(made.make());
  world.files().crash(sim::Loss::KeepsNothing);
  EXPECT_TRUE(Directory(world.world().file_system, "/d/lane").names());
  EXPECT_EQ(Directory(world.world().file_system, "/no/lane").make().error().sys_errno, ENOENT);
}

TEST_F(OpenFileTest, names_renames_and_removes) {
  ASSERT_TRUE(directory.rename("file", "other"));
  EXPECT_EQ(directory.names().value(), std::vector<std::string>{"other"});
  EXPECT_EQ(directory.status("other").value().size, 10'000u);
  ASSERT_TRUE(directory.remove("other"));
  EXPECT_EQ(directory.open("other", io::OpenMode::Existing).error().code, base::Errc::NotFound);
}

}  // namespace
}  // namespace storage
