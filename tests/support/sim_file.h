// SPDX-License-Identifier: Apache-2.0
#pragma once
// One file of a simulated disk: its bytes as programs see them (the page cache), the bytes on the disk, and what was
// changed since the last successful sync, in order.
//
// Writes and syncs cost what they copy. Versions of pages are worked out from the order of the writes, and only when a
// loss asks for them.
//
// Invariant: without unsynced changes the two contents are equal, unless a sync failed.
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tests/support/sim_loss.h"

namespace sim {

class SimFile final {
 public:
  SimFile() = default;
  explicit SimFile(base::Bytes content) { replace(std::string(content)); }

  const std::string& content() const { return content_; }
  const std::string& durable() const { return durable_; }
  // Other bytes, in the cache and on the disk.
  void replace(std::string content);

  void write(std::uint64_t stamp, std::uint64_t offset, base::Bytes);
  void allocate(std::uint64_t stamp, std::uint64_t offset, std::uint64_t size);
  void truncate(std::uint64_t stamp, std::uint64_t size);
  void sync();

  // Space, in pages: what the file has, and what a range lacks. A hole has none until it is written or allocated.
  std::uint64_t blocks() const { return blocks_; }
  std::uint64_t blocks_missing(std::uint64_t offset, std::uint64_t size) const;
  // How many bytes of a range come before the first page that would need more than so many new blocks.
  std::uint64_t bytes_within(std::uint64_t blocks, std::uint64_t offset, std::uint64_t size) const;

  // What the plan of a loss needs to know before.
  void collect_stamps(std::vector<std::uint64_t>& into) const;
  std::size_t dirty_pages() const;
  // The power goes: what the plan keeps is durable, and that is all there is.
  void lose(LossPlan&);
  // A sync fails: what the plan keeps is durable, the cache stays, and nothing is dirty any more.
  void fail_sync(LossPlan&);

 private:
  enum class What : std::uint8_t { Write, Cut, Grow };
  struct Change {
    std::uint64_t stamp;
    What what;
    std::uint64_t offset;      // Cut, Grow: the new size
    std::uint64_t size;        // Write: its bytes. Cut: the size before
    std::uint64_t at;          // Write: where its bytes are in written_
    std::uint64_t size_after;  // of the file
  };
  struct Touch {
    std::uint64_t page;
    std::size_t change;
    auto operator<=>(const Touch&) const = default;
  };
  struct StalePage {
    std::uint64_t page;
    std::string cached;
  };
  struct Kept;

  void take_space(std::uint64_t offset, std::uint64_t size);
  void count_blocks();
  std::vector<Touch> touches() const;
  Kept keep(LossPlan&);
  Kept keep_cuts(LossPlan&);
  bool is_behind_lost_cut(std::uint64_t start, std::size_t change, const Kept&) const;
  void keep_page(LossPlan&, std::span<const Touch>, Kept&);
  void build_page(std::span<const Touch>, const LossPlan::Sectors&, Kept&);
  std::uint64_t size_after_loss(LossPlan&, const Kept&) const;
  void keep_space(LossPlan&, const Kept&);
  void forget_changes();
  void note_stale(std::uint64_t page);

  std::string content_;
  std::string durable_;
  std::vector<Change> changes_;
  std::string written_;              // the bytes of all unsynced writes
  std::vector<std::uint8_t> space_;  // of each page: 1 if it has a block
  std::vector<std::uint8_t> durable_space_;
  std::uint64_t blocks_ = 0;
  bool space_changed_ = false;
  bool diverged_ = false;         // a sync failed, and cache and disk may still differ
  std::vector<StalePage> stale_;  // where they do, though the page is clean
};

}  // namespace sim
