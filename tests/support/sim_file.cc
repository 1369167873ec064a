// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace sim {
namespace {

using Page = std::array<char, kPageBytes>;

std::uint64_t pages_of(std::uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

// The page as it would be read, with zeros behind the end.
Page page_of(const std::string& content, std::uint64_t page) {
  Page bytes = {};
  const std::uint64_t start = page * kPageBytes;
  if (start < content.size()) {
    std::memcpy(bytes.data(), content.data() + start, std::min(kPageBytes, content.size() - start));
  }
  return bytes;
}

// The page that holds byte `from` and those up to the one before `end`, as far as `source` goes.
void copy_pages(std::string& into, const std::string& source, std::uint64_t from, std::uint64_t end) {
  const std::uint64_t start = from / kPageBytes * kPageBytes;
  const std::uint64_t stop = std::min<std::uint64_t>(pages_of(end) * kPageBytes, source.size());
  if (start < stop) std::memcpy(into.data() + start, source.data() + start, stop - start);
}

}  // namespace

// What a loss has decided so far.
struct SimFile::Kept {
  std::size_t cuts_kept_end = 0;            // behind the last truncation that was kept
  std::size_t cuts_lost_begin;              // at the first one that was lost
  std::uint64_t size = 0;                   // of the file, without its new pages
  std::uint64_t end = 0;                    // of the new pages
  std::vector<std::uint64_t> touched = {};  // pages, ascending
  std::vector<std::uint64_t> renewed = {};  // those of which anything new is there
};

void SimFile::replace(std::string content) {
  forget_changes();
  stale_.clear();
  diverged_ = false;
  content_ = durable_ = std::move(content);
  space_.assign(pages_of(content_.size()), 1);
  durable_space_ = space_;
  count_blocks();
}

void SimFile::write(std::uint64_t stamp, std::uint64_t offset, base::Bytes bytes) {
  if (bytes.empty()) return;
  if (offset + bytes.size() > content_.size()) content_.resize(offset + bytes.size());
  std::memcpy(content_.data() + offset, bytes.data(), bytes.size());
  take_space(offset, bytes.size());
  changes_.push_back({stamp, What::Write, offset, bytes.size(), written_.size(), content_.size()});
  written_.append(bytes);
}

void SimFile::allocate(std::uint64_t stamp, std::uint64_t offset, std::uint64_t size) {
  if (offset + size > content_.size()) content_.resize(offset + size);
  take_space(offset, size);
  changes_.push_back({stamp, What::Grow, content_.size(), 0, 0, content_.size()});
}

void SimFile::truncate(std::uint64_t stamp, std::uint64_t size) {
  const std::uint64_t before = content_.size();
  content_.resize(size);
  const What what = size < before ? What::Cut : What::Grow;
  changes_.push_back({stamp, what, size, before, 0, size});
  if (space_.size() <= pages_of(size)) return;
  space_.resize(pages_of(size));
  space_changed_ = true;
  count_blocks();
}

void SimFile::sync() {
  if (changes_.empty()) return;
  for (const Change& change : changes_) {
    if (change.what == What::Cut && change.offset < durable_.size()) durable_.resize(change.offset);
  }
  durable_.resize(content_.size());
  for (const Change& change : changes_) {
    if (change.what == What::Write) copy_pages(durable_, content_, change.offset, change.offset + change.size);
  }
  if (space_changed_) durable_space_ = space_;
  forget_changes();
  if (!diverged_) return;
  std::vector<StalePage> before = std::move(stale_);
  stale_.clear();
  for (const StalePage& stale : before) note_stale(stale.page);
  diverged_ = !stale_.empty();
}

void SimFile::take_space(std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t end = pages_of(offset + size);
  if (space_.size() < end) space_.resize(end);
  for (std::uint64_t page = offset / kPageBytes; page < end; ++page) {
    if (space_[page] != 0) continue;
    space_[page] = 1;
    ++blocks_;
    space_changed_ = true;
  }
}

void SimFile::count_blocks() { blocks_ = static_cast<std::uint64_t>(std::ranges::count(space_, 1)); }

std::uint64_t SimFile::blocks_missing(std::uint64_t offset, std::uint64_t size) const {
  std::uint64_t missing = 0;
  for (std::uint64_t page = offset / kPageBytes; page < pages_of(offset + size); ++page) {
    if (page >= space_.size() || space_[page] == 0) ++missing;
  }
  return missing;
}

std::uint64_t SimFile::bytes_within(std::uint64_t blocks, std::uint64_t offset, std::uint64_t size) const {
  for (std::uint64_t page = offset / kPageBytes; page < pages_of(offset + size); ++page) {
    if (page < space_.size() && space_[page] != 0) continue;
    if (blocks == 0) return std::max(page * kPageBytes, offset) - offset;
    --blocks;
  }
  return size;
}

void SimFile::collect_stamps(std::vector<std::uint64_t>& into) const {
  for (const Change& change : changes_) into.push_back(change.stamp);
}

std::size_t SimFile::dirty_pages() const {
  const auto all = touches();
  std::size_t pages = 0;
  for (std::size_t i = 0; i < all.size(); ++i) pages += i == 0 || all[i].page != all[i - 1].page ? 1 : 0;
  return pages;
}

void SimFile::lose(LossPlan& plan) {
  if (changes_.empty() && !diverged_) return;
  const Kept kept = keep(plan);
  if (diverged_ || kept.cuts_kept_end > 0 || kept.cuts_lost_begin < changes_.size()) {
    content_ = durable_;
  } else {
    content_.resize(durable_.size());
    for (const std::uint64_t page : kept.touched) {
      copy_pages(content_, durable_, page * kPageBytes, (page + 1) * kPageBytes);
    }
  }
  space_ = durable_space_;
  count_blocks();
  forget_changes();
  stale_.clear();
  diverged_ = false;
}

void SimFile::fail_sync(LossPlan& plan) {
  if (changes_.empty()) return;
  const Kept kept = keep(plan);
  forget_changes();
  for (const std::uint64_t page : kept.touched) {
    std::erase_if(stale_, [page](const StalePage& stale) { return stale.page == page; });
    note_stale(page);
  }
  diverged_ = true;
}

void SimFile::note_stale(std::uint64_t page) {
  const Page cached = page_of(content_, page);
  if (cached != page_of(durable_, page)) stale_.push_back({page, std::string(cached.data(), cached.size())});
}

void SimFile::forget_changes() {
  changes_.clear();
  written_.clear();
  space_changed_ = false;
}

// Each page with each change that concerns it, in order.
std::vector<SimFile::Touch> SimFile::touches() const {
  std::vector<Touch> all;
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const Change& change = changes_[i];
    if (change.what == What::Grow) continue;
    const std::uint64_t end = change.what == What::Write ? change.offset + change.size : change.size;
    for (std::uint64_t page = change.offset / kPageBytes; page < pages_of(end); ++page) all.push_back({page, i});
  }
  std::ranges::sort(all);
  return all;
}

// Brings durable_ to what the plan keeps.
SimFile::Kept SimFile::keep(LossPlan& plan) {
  Kept kept = keep_cuts(plan);
  const auto all = touches();
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i + 1;
    while (end < all.size() && all[end].page == all[i].page) ++end;
    keep_page(plan, std::span(all).subspan(i, end - i), kept);
    i = end;
  }
  durable_.resize(size_after_loss(plan, kept));
  keep_space(plan, kept);
  return kept;
}

// A file system keeps truncations in order, and nothing that came after one without it.
SimFile::Kept SimFile::keep_cuts(LossPlan& plan) {
  Kept kept{.cuts_lost_begin = changes_.size(), .size = durable_.size()};
  std::vector<std::uint64_t> stamps;
  for (const Change& change : changes_) {
    if (change.what == What::Cut) stamps.push_back(change.stamp);
  }
  std::size_t left = plan.truncations(stamps);
  for (std::size_t i = 0; i < changes_.size(); ++i) {
    const Change& change = changes_[i];
    if (change.what != What::Cut) continue;
    if (left == 0) {
      kept.cuts_lost_begin = i;
      break;
    }
    --left;
    kept.cuts_kept_end = i + 1;
    kept.size = change.offset;
    if (change.offset < durable_.size()) durable_.resize(change.offset);
    std::erase_if(stale_, [&](const StalePage& stale) { return stale.page * kPageBytes >= change.offset; });
    durable_space_.resize(std::min<std::size_t>(durable_space_.size(), pages_of(change.offset)));
  }
  return kept;
}

// What was cut off, and what came there afterwards, needs the truncation.
bool SimFile::is_behind_lost_cut(std::uint64_t start, std::size_t change, const Kept& kept) const {
  for (std::size_t i = kept.cuts_lost_begin; i <= change && i < changes_.size(); ++i) {
    if (changes_[i].what == What::Cut && changes_[i].offset <= start) return true;
  }
  return false;
}

void SimFile::keep_page(LossPlan& plan, std::span<const Touch> touches, Kept& kept) {
  const std::uint64_t start = touches.front().page * kPageBytes;
  kept.touched.push_back(touches.front().page);
  std::vector<std::uint64_t> stamps;
  std::size_t begin = 0;
  std::size_t end = 0;
  for (; end < touches.size(); ++end) {
    const Change& change = changes_[touches[end].change];
    if (is_behind_lost_cut(start, touches[end].change, kept)) break;
    if (change.what == What::Cut && change.offset <= start) {
      begin = end + 1;
      stamps.clear();
    } else {
      stamps.push_back(change.stamp);
    }
  }
  if (stamps.empty()) return;
  const LossPlan::Sectors sectors = plan.page(stamps);
  if (std::ranges::max(sectors) == 0) return;
  kept.renewed.push_back(touches.front().page);
  if (durable_.size() < start + kPageBytes) durable_.resize(start + kPageBytes);
  build_page(touches.subspan(begin, end - begin), sectors, kept);
}

// Repeats what happened to the page in the cache, and takes each sector when it is as chosen.
void SimFile::build_page(std::span<const Touch> touches, const LossPlan::Sectors& sectors, Kept& kept) {
  const std::uint64_t start = touches.front().page * kPageBytes;
  Page cached = page_of(durable_, touches.front().page);
  const auto stale = std::ranges::find(stale_, touches.front().page, &StalePage::page);
  if (stale != stale_.end()) std::ranges::copy(stale->cached, cached.begin());
  char* const disk = durable_.data() + start;
  for (std::uint32_t version = 1; version <= touches.size(); ++version) {
    const Touch& touch = touches[version - 1];
    const Change& change = changes_[touch.change];
    const std::uint64_t from = std::max(change.offset, start) - start;
    if (change.what == What::Cut) {
      std::fill(cached.begin() + static_cast<std::ptrdiff_t>(from), cached.end(), '\0');
    } else {
      const std::uint64_t to = std::min(change.offset + change.size, start + kPageBytes) - start;
      const char* const source = written_.data() + change.at + (start + from - change.offset);
      std::memcpy(cached.data() + from, source, to - from);
    }
    for (std::size_t i = 0; i < sectors.size(); ++i) {
      const std::size_t sector = i * kSectorBytes;
      if (sectors[i] == version) std::memcpy(disk + sector, cached.data() + sector, kSectorBytes);
    }
    // What a kept truncation cut off never comes back, whichever sectors are older than it.
    if (change.what == What::Cut && touch.change < kept.cuts_kept_end) std::fill(disk + from, disk + kPageBytes, '\0');
    const bool decides_size = touch.change >= kept.cuts_kept_end && touch.change < kept.cuts_lost_begin;
    if (decides_size && std::ranges::find(sectors, version) != sectors.end()) {
      kept.end = std::max(kept.end, std::min(change.size_after, start + kPageBytes));
    }
  }
}

std::uint64_t SimFile::size_after_loss(LossPlan& plan, const Kept& kept) const {
  const std::uint64_t lower = std::max(kept.size, kept.end);
  std::uint64_t upper = lower;
  for (std::size_t i = kept.cuts_kept_end; i < kept.cuts_lost_begin; ++i) {
    if (plan.may_grow(changes_[i].stamp)) upper = std::max(upper, changes_[i].size_after);
  }
  return plan.size_between(lower, upper);
}

void SimFile::keep_space(LossPlan& plan, const Kept& kept) {
  const bool keeps_unwritten = plan.keeps_space();
  durable_space_.resize(pages_of(durable_.size()));
  for (const std::uint64_t page : kept.renewed) {
    if (page < durable_space_.size()) durable_space_[page] = 1;
  }
  if (!keeps_unwritten) return;
  for (std::size_t page = 0; page < std::min(durable_space_.size(), space_.size()); ++page) {
    durable_space_[page] |= space_[page];
  }
}

}  // namespace sim
