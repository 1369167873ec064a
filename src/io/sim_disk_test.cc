// SPDX-License-Identifier: Apache-2.0
// What a loss of power leaves of files and names that were not synced: what must be, what may be, and that each of it
// happens. A simulated disk that is too kind proves nothing about a log.
#include "tests/support/sim_disk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/file_stage.h"
#include "tests/support/sim_world.h"

namespace io {
namespace {

using sim::kPageBytes;
using sim::kSectorBytes;
using sim::Loss;

constexpr std::size_t kPages = 8;
constexpr Loss kEveryLoss[] = {Loss::KeepsNothing, Loss::KeepsEverything, Loss::KeepsSome, Loss::KeepsFirst,
                               Loss::KeepsLast,    Loss::LosesOne,        Loss::KeepsOne};
static_assert(std::size(kEveryLoss) == sim::kLosses);

struct Stage {
  explicit Stage(std::uint64_t seed) : world({.seed = seed}) {}
  sim::SimWorld world;
  sim::SimFiles& files = world.files();
  sim::FileStage now{world.world().file_system};
};

std::string page(char letter) { return std::string(kPageBytes, letter); }
std::string pages(char letter) { return std::string(kPages * kPageBytes, letter); }

// One letter for each page of a file whose pages are of one letter each; '?' for a torn one.
std::string letters(const std::string& content) {
  std::string found;
  for (std::size_t at = 0; at < content.size(); at += kPageBytes) {
    const std::string one = content.substr(at, kPageBytes);
    found += one.find_first_not_of(one[0]) == std::string::npos ? one[0] : '?';
  }
  return found;
}

// Eight pages, each written in its turn over a synced 'a', and then the power goes.
std::string after_writes(std::uint64_t seed, Loss loss) {
  Stage stage(seed);
  stage.files.put("/x", pages('a'));
  const FileHandle handle = stage.now.open("/x");
  for (std::size_t i = 0; i < kPages; ++i) stage.now.write(handle, i * kPageBytes, page(static_cast<char>('1' + i)));
  stage.files.crash(loss);
  EXPECT_EQ(stage.files.get("/x"), stage.files.durable("/x"));
  return letters(stage.files.get("/x").value());
}

TEST(SimDisk, nothing_or_everything_is_kept) {
  EXPECT_EQ(after_writes(1, Loss::KeepsNothing), "aaaaaaaa");
  EXPECT_EQ(after_writes(1, Loss::KeepsEverything), "12345678");
}

TEST(SimDisk, the_first_writes_are_kept_up_to_any_of_them) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 300; ++seed) found.insert(after_writes(seed, Loss::KeepsFirst));
  std::set<std::string> expected;
  const std::string all = "12345678";
  for (std::size_t cut = 0; cut < kPages; ++cut) {
    expected.insert(all.substr(0, cut) + '?' + std::string(kPages - cut - 1, 'a'));
  }
  EXPECT_TRUE(std::ranges::includes(found, expected)) << "the write in the middle is torn";
  for (const std::string& one : found) {
    const std::size_t cut = one.find('?');
    EXPECT_TRUE(cut == std::string::npos || expected.contains(one)) << one;
  }
}

TEST(SimDisk, the_last_writes_are_kept_from_any_of_them) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 300; ++seed) found.insert(after_writes(seed, Loss::KeepsLast));
  std::set<std::string> expected;
  const std::string all = "12345678";
  for (std::size_t cut = 1; cut <= kPages; ++cut) expected.insert(std::string(cut, 'a') + all.substr(cut));
  EXPECT_EQ(found, expected);
}

TEST(SimDisk, one_page_is_lost_or_kept_whichever_it_is) {
  std::set<std::size_t> lost;
  std::set<std::size_t> kept;
  std::set<char> torn;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const std::string without = after_writes(seed, Loss::LosesOne);
    const std::string only = after_writes(seed, Loss::KeepsOne);
    std::size_t differ = 0;
    for (std::size_t i = 0; i < kPages; ++i) {
      if (without[i] != "12345678"[i]) {
        ++differ;
        lost.insert(i);
        torn.insert(without[i]);
      }
      if (only[i] != 'a') kept.insert(i);
    }
    EXPECT_LE(differ, 1) << without;
    EXPECT_GE(std::ranges::count(only, 'a'), 7) << only;
  }
  EXPECT_EQ(torn, (std::set<char>{'a', '?'}));
  EXPECT_EQ(lost.size(), kPages);
  EXPECT_EQ(kept.size(), kPages);
}

TEST(SimDisk, a_page_shows_any_version_since_the_last_sync_and_may_be_torn_between_them) {
  std::map<char, int> whole;
  int torn = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Stage stage(seed);
    stage.files.put("/x", pages('-'));
    const FileHandle handle = stage.now.open("/x");
    for (const char version : {'a', 'b', 'c', 'd'}) {
      stage.now.write(handle, 0, pages(version));
      if (version == 'a') stage.now.sync(handle);
    }
    stage.files.crash(Loss::KeepsSome);
    const std::string content = stage.files.get("/x").value();
    for (std::size_t at = 0; at < content.size(); at += kSectorBytes) {
      const std::string sector = content.substr(at, kSectorBytes);
      ASSERT_EQ(sector, std::string(kSectorBytes, sector[0])) << "a sector is never torn";
      ASSERT_NE(sector[0], '-') << "what was synced is not lost";
    }
    for (const char letter : letters(content)) {
      ++whole[letter];
      torn += letter == '?' ? 1 : 0;
    }
  }
  EXPECT_GT(torn, 0);
  for (const char version : {'a', 'b', 'c', 'd'}) EXPECT_GT(whole[version], 0) << version;
}

TEST(SimDisk, a_file_that_grew_has_any_size_and_holes_where_pages_are_missing) {
  std::set<std::size_t> sizes;
  bool has_hole = false;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Stage stage(seed);
    stage.files.put("/x", "synced");
    const FileHandle handle = stage.now.open("/x");
    for (std::size_t i = 0; i < 10; ++i) stage.now.write(handle, 6 + i * 3'000, std::string(3'000, 'x'));
    stage.files.crash(Loss::KeepsSome);
    const std::string content = stage.files.get("/x").value();
    ASSERT_GE(content.size(), 6);
    ASSERT_LE(content.size(), 30'006);
    EXPECT_EQ(content.substr(0, 6), "synced");
    EXPECT_EQ(content.find_first_not_of(std::string("x\0", 2), 6), std::string::npos);
    EXPECT_EQ(stage.now.status("/x").size, content.size());
    has_hole = has_hole || content.find(std::string("\0x", 2)) != std::string::npos;
    sizes.insert(content.size());
  }
  EXPECT_GT(sizes.size(), 10);
  EXPECT_TRUE(sizes.contains(6));
  EXPECT_TRUE(sizes.contains(30'006));
  EXPECT_TRUE(has_hole);
}

// Any operations, any loss: every sector of what is left is what the file once was since the last sync, and a file of
// which everything was synced is as it was.
TEST(SimDisk, no_loss_invents_bytes_or_takes_synced_ones) {
  int lossless = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    Stage stage(seed);
    sim::Choices choices(seed * 7 + 1);
    const FileHandle handle = stage.now.open("/x");
    stage.now.sync_directory("/");
    std::vector<std::string> was = {""};
    bool failed = false;
    for (std::uint64_t step = 0, steps = choices.below(14); step < steps; ++step) {
      const std::uint64_t at = choices.below(6 * kPageBytes);
      const std::uint64_t size = 1 + choices.below(choices.one_in(2) ? 300 : 3 * kPageBytes);
      switch (choices.below(8)) {
        case 0: stage.now.truncate(handle, at); break;
        case 1: stage.now.allocate(handle, at, size); break;
        case 2: {
          stage.now.sync(handle);
          if (!failed) was.erase(was.begin(), was.end() - 1);
          continue;
        }
        case 3: {
          if (!choices.one_in(3)) continue;
          failed = true;
          stage.files.fail_kind(FileRequest::Kind::Sync, 1, {base::Errc::System, "the disk is broken", EIO});
          (void)stage.now.run({.kind = FileRequest::Kind::Sync, .handle = handle});
          continue;
        }
        default: stage.now.write(handle, at, std::string(size, static_cast<char>('a' + step)));
      }
      was.push_back(stage.files.get("/x").value());
    }
    stage.files.crash(stage.files.any_loss());
    const std::string found = stage.files.get("/x").value();
    if (was.size() == 1) {
      ++lossless;
      ASSERT_EQ(found, was.front()) << "seed " << seed;
    }
    const auto [shortest, longest] = std::ranges::minmax(was, {}, &std::string::size);
    ASSERT_GE(found.size(), shortest.size()) << "seed " << seed;
    ASSERT_LE(found.size(), longest.size()) << "seed " << seed;
    for (std::size_t at = 0; at < found.size(); at += kSectorBytes) {
      const std::string sector = found.substr(at, kSectorBytes);
      const bool known = std::ranges::any_of(was, [&](const std::string& once) {
        std::string then = at < once.size() ? once.substr(at, kSectorBytes) : "";
        then.resize(sector.size());
        if (then == sector) return true;
        // What was an end once may have zeros behind it, whatever was there.
        return std::ranges::any_of(was, [&](const std::string& cut) {
          if (cut.size() <= at || cut.size() >= at + sector.size()) return false;
          return sector == then.substr(0, cut.size() - at) + std::string(sector.size() - (cut.size() - at), '\0');
        });
      });
      ASSERT_TRUE(known) << "seed " << seed << " at " << at;
    }
  }
  EXPECT_GT(lossless, 100);
}

TEST(SimDisk, what_a_truncation_cut_off_is_all_there_or_gone) {
  std::set<std::string> found;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Stage stage(seed);
    stage.files.put("/x", pages('a'));
    const FileHandle handle = stage.now.open("/x");
    stage.now.truncate(handle, 2 * kPageBytes);
    stage.files.crash(stage.files.any_loss());
    found.insert(letters(stage.files.get("/x").value()));
  }
  EXPECT_EQ(found, (std::set<std::string>{"aa", "aaaaaaaa"}));
}

TEST(SimDisk, behind_a_truncation_that_was_kept_there_are_zeros_if_anything) {
  int grown = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    Stage stage(seed);
    stage.files.put("/x", "aaaa");
    const FileHandle handle = stage.now.open("/x");
    stage.now.write(handle, 0, page('b'));
    stage.now.truncate(handle, 2);
    const bool grows = seed % 2 == 0;
    if (grows) stage.now.write(handle, 3 * kPageBytes, page('c'));
    const Loss loss = stage.files.any_loss();
    stage.files.crash(loss);
    const std::string found = stage.files.get("/x").value();
    if (!grows && (loss == Loss::KeepsEverything || loss == Loss::LosesOne)) {
      ASSERT_EQ(found.size(), 2);
    }
    if (found.size() <= kPageBytes) continue;
    ++grown;
    const std::string behind = found.substr(2, 3 * kPageBytes - 2);
    ASSERT_EQ(behind.find_first_not_of('\0'), std::string::npos) << "seed " << seed;
  }
  EXPECT_GT(grown, 100);
}

TEST(SimDisk, a_name_that_was_not_synced_is_there_or_not) {
  std::set<std::vector<std::string>> found;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Stage stage(seed);
    stage.files.put("/d/old", "old");
    stage.now.put("/d/new", "new");
    stage.now.remove("/d/old");
    stage.files.crash(Loss::KeepsSome);
    for (const std::string& path : stage.files.paths()) {
      EXPECT_EQ(stage.files.get(path), path.substr(3)) << "the bytes were synced, whatever became of the name";
    }
    found.insert(stage.files.paths());
  }
  EXPECT_EQ(found, (std::set<std::vector<std::string>>{{}, {"/d/new"}, {"/d/old"}, {"/d/new", "/d/old"}}));
}

TEST(SimDisk, a_rename_replaces_at_once_or_not_at_all) {
  std::set<std::pair<std::optional<std::string>, std::optional<std::string>>> found;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Stage stage(seed);
    stage.files.put("/a", "old");
    stage.files.put("/a.tmp", "new");
    stage.now.rename("/a.tmp", "/a");
    stage.now.put("/a.tmp", "next");  // under the name that the rename has left
    stage.files.crash(stage.files.any_loss());
    found.insert({stage.files.get("/a"), stage.files.get("/a.tmp")});
  }
  EXPECT_EQ(found, (std::set<std::pair<std::optional<std::string>, std::optional<std::string>>>{
                       {"old", "new"}, {"new", std::nullopt}, {"new", "next"}}));
}

TEST(SimDisk, a_rename_between_directories_is_durable_with_either) {
  for (const char* synced : {"/a", "/b"}) {
    Stage stage(0);
    stage.files.put("/a/x", "x");
    stage.files.put("/b/y", "y");
    stage.now.rename("/a/x", "/b/x");
    stage.now.sync_directory(synced);
    stage.files.crash(Loss::KeepsNothing);
    EXPECT_EQ(stage.files.paths(), (std::vector<std::string>{"/b/x", "/b/y"})) << synced;
  }
}

TEST(SimDisk, a_directory_is_not_gone_before_what_was_moved_out_of_it) {
  for (const bool synced : {true, false}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Stage stage(seed);
      stage.files.put("/a/d/x", "x");
      stage.files.put("/b/y", "y");
      stage.now.rename("/a/d/x", "/b/x");
      stage.now.remove("/a/d");
      if (synced) stage.now.sync_directory("/a");
      stage.files.crash(synced ? Loss::KeepsNothing : stage.files.any_loss());
      EXPECT_NE(stage.files.get("/a/d/x").has_value(), stage.files.get("/b/x").has_value()) << seed;
    }
  }
}

TEST(SimDisk, a_directory_that_was_not_synced_takes_what_is_in_it_along) {
  Stage stage(0);
  stage.now.make_directory("/d");
  stage.now.put("/d/x", "x");
  stage.now.sync_directory("/d");
  stage.files.crash(Loss::KeepsNothing);
  EXPECT_TRUE(stage.now.list("/").empty());
}

// Each file is called by the name it was made with, so that it is known again.
TEST(SimDisk, no_loss_doubles_a_file_or_loses_a_durable_one) {
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    Stage stage(seed);
    sim::Choices choices(seed * 7 + 1);
    stage.files.put("/a/0", "0");
    stage.files.put("/b/1", "1");
    std::set<std::string> safe = {"0", "1"};  // durable, and never removed or replaced since
    const auto paths = [&stage] { return stage.files.paths(); };
    int made = 2;
    for (std::uint64_t step = 0, steps = choices.below(16); step < steps; ++step) {
      const std::string directory = choices.one_in(2) ? "/a" : "/b";
      const std::string name = directory + "/" + std::to_string(choices.below(4));
      const std::string old = paths().empty() ? "" : paths()[choices.below(paths().size())];
      switch (choices.below(4)) {
        case 0:
          if (!stage.files.get(name)) stage.now.put(name, std::to_string(made++));
          break;
        case 1:
          if (old.empty() || old == name) break;
          safe.erase(stage.files.get(name).value_or(""));
          stage.now.rename(old, name);
          break;
        case 2:
          if (old.empty() || !choices.one_in(3)) break;
          safe.erase(stage.files.get(old).value());
          stage.now.remove(old);
          break;
        default:
          stage.now.sync_directory(directory);
          for (const std::string& path : paths()) {
            if (path.starts_with(directory)) safe.insert(stage.files.get(path).value());
          }
      }
    }
    const std::vector<std::string> before = paths();
    const Loss loss = stage.files.any_loss();
    stage.files.crash(loss);
    std::set<std::string> found;
    for (const std::string& path : paths()) {
      EXPECT_TRUE(found.insert(stage.files.get(path).value()).second) << "seed " << seed << ": twice";
    }
    EXPECT_TRUE(std::ranges::includes(found, safe)) << "seed " << seed << ": a durable file has no name";
    if (loss == Loss::KeepsEverything) {
      EXPECT_EQ(paths(), before) << "seed " << seed;
    }
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

enum class Care : std::uint8_t { Full, NoSync, NoRename };

// Replaces a file as it is done, or as it is not; false: the power went.
bool replace(Stage& stage, Care care) {
  using Kind = FileRequest::Kind;
  const std::string path = care == Care::NoRename ? "/d/state" : "/d/state.tmp";
  const auto opened = stage.now.run({.kind = Kind::Open, .path = path, .mode = OpenMode::Create});
  if (!opened) return false;
  const std::string fresh = pages('n');
  if (!stage.now.run({.kind = Kind::WriteAt, .handle = opened->handle, .data = fresh})) return false;
  if (care != Care::NoSync && !stage.now.run({.kind = Kind::Sync, .handle = opened->handle})) return false;
  if (care != Care::NoRename && !stage.now.run({.kind = Kind::Rename, .path = path, .to = "/d/state"})) return false;
  return stage.now.run({.kind = Kind::SyncDirectory, .path = "/d"}).has_value();
}

// How many of many runs, cut at every operation, end with neither the old state nor the new one.
int broken_states(Care care) {
  int broken = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    for (std::uint64_t call = 1; call <= 6; ++call) {
      Stage stage(seed);
      stage.files.put("/d/state", pages('o'));
      stage.files.cut_power_at_call(call);
      const bool done = replace(stage, care);
      EXPECT_EQ(done, stage.files.has_power());
      stage.files.crash(stage.files.any_loss());
      const auto found = stage.files.get("/d/state");
      const bool is_old = found == pages('o') && !done;
      broken += is_old || found == pages('n') ? 0 : 1;
    }
  }
  return broken;
}

TEST(SimDisk, a_careful_program_survives_and_careless_ones_are_noticed) {
  EXPECT_EQ(broken_states(Care::Full), 0);
  EXPECT_GT(broken_states(Care::NoSync), 0);
  EXPECT_GT(broken_states(Care::NoRename), 0);
}

}  // namespace
}  // namespace io
