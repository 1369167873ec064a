// SPDX-License-Identifier: Apache-2.0
#include "storage/log/extent_reader.h"

#include <algorithm>
#include <memory>
#include <ranges>

#include "storage/log/record_scan.h"

namespace storage {

namespace {

// What is left of a piece that holds little of what was asked for is copied, so that the rest can go.
constexpr std::size_t kWorthKeepingOneIn = 4;

class Reader {
 public:
  Reader(base::Bytes bytes, const ExtentReading& reading) : bytes_(bytes), reading_(reading), seen_(reading.before) {}

  void run() {
    RecordScan scan(bytes_, reading_.seed);
    while (!damage_ && !ended_) {
      const auto record = scan.next();
      suspicious_ = suspicious_ || scan.has_skipped();
      if (!record) break;
      if (record->kind == RecordKind::Batch) take(BatchRecord(*record));
    }
    if (suspicious_ && !damage_ && !ended_) judge_gap(reading_.last + 1);
  }

  std::vector<Entry> entries() && { return std::move(entries_); }
  const std::optional<DamagedRange>& damage() const { return damage_; }

 private:
  void take(const BatchRecord& batch) {
    const Sequence first = batch.first_sequence();
    if (suspicious_) judge_gap(first);
    suspicious_ = false;
    if (damage_) return;
    ended_ = first > reading_.readable_through;
    if (ended_) return;
    seen_ = std::max(seen_, batch.last_sequence());
    const bool wanted =
        batch.last_sequence() > reading_.after && std::ranges::binary_search(reading_.topics, batch.topic());
    if (wanted && holds_address(batch)) entries_.push_back(batch.entry());
  }

  bool holds_address(const BatchRecord& batch) const {
    const auto is_wanted = [&](std::uint32_t event) {
      return std::ranges::binary_search(reading_.addresses, batch.address_hash(event));
    };
    return reading_.addresses.empty() || std::ranges::any_of(std::views::iota(0u, batch.events()), is_wanted);
  }

  // Unreadable bytes lie between seen_ and the event `next`.
  void judge_gap(Sequence next) {
    const DamagedRange gap{seen_ + 1, next - 1};
    const bool known = gap.first > reading_.readable_through;
    if (gap.first <= gap.last && gap.last > reading_.after && !known) damage_ = gap;
  }

  base::Bytes bytes_;
  const ExtentReading& reading_;
  Sequence seen_;
  bool suspicious_ = false;
  bool ended_ = false;
  std::vector<Entry> entries_;
  std::optional<DamagedRange> damage_;
};

std::shared_ptr<Block> compact(const std::vector<Entry>& entries, std::size_t bytes) {
  auto block = std::make_shared<Block>();
  block->bytes.reserve(bytes);
  for (Entry entry : entries) {
    const std::size_t at = block->bytes.size();
    block->bytes += entry.batch;
    entry.batch = base::Bytes(block->bytes).substr(at);
    block->entries.push_back(entry);
  }
  return block;
}

BlockPtr block_of(std::string bytes, std::vector<Entry> entries) {
  if (entries.empty()) return nullptr;
  std::size_t wanted = 0;
  for (const Entry& entry : entries) wanted += entry.batch.size();
  if (wanted * kWorthKeepingOneIn < bytes.size()) return compact(entries, wanted);
  auto block = std::make_shared<Block>();
  const char* before = bytes.data();
  block->bytes = std::move(bytes);
  block->entries = std::move(entries);
  for (Entry& entry : block->entries) {
    const auto at = static_cast<std::size_t>(entry.batch.data() - before);
    entry.batch = base::Bytes(block->bytes).substr(at, entry.batch.size());
  }
  return block;
}

}  // namespace

ExtentEvents read_extents(std::string bytes, const ExtentReading& reading) {
  Reader reader(bytes, reading);
  reader.run();
  const std::optional<DamagedRange> damage = reader.damage();
  return {block_of(std::move(bytes), std::move(reader).entries()), damage};
}

}  // namespace storage
