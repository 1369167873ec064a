// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_loss.h"

#include <algorithm>

namespace sim {
namespace {

constexpr std::uint64_t kTornOneIn = 4;

LossPlan::Sectors all(std::size_t version) {
  LossPlan::Sectors sectors;
  sectors.fill(static_cast<std::uint32_t>(version));
  return sectors;
}

}  // namespace

LossPlan::LossPlan(Loss loss, Choices& choices, std::span<const std::uint64_t> stamps, std::size_t parts)
    : loss_(loss), choices_(choices), keep_eighths_(1 + choices.below(7)), chosen_part_(choices.below(parts)) {
  if (!stamps.empty()) cut_ = stamps[choices.below(stamps.size())];
}

LossPlan::Sectors LossPlan::page(std::span<const std::uint64_t> stamps) {
  const std::size_t writes = stamps.size();
  const auto newest = static_cast<std::uint32_t>(writes);
  const bool chosen = next_part_++ == chosen_part_;
  switch (loss_) {
    case Loss::KeepsNothing: return all(0);
    case Loss::KeepsEverything: return all(writes);
    case Loss::KeepsSome: return choices_.below(8) < keep_eighths_ ? kept_page(writes) : all(0);
    case Loss::KeepsFirst: {
      const auto kept = static_cast<std::uint32_t>(std::ranges::upper_bound(stamps, cut_) - stamps.begin());
      return kept > 0 && stamps[kept - 1] == cut_ ? torn(kept - 1, kept) : all(kept);
    }
    case Loss::KeepsLast: return stamps.back() > cut_ ? all(writes) : all(0);
    case Loss::LosesOne: {
      if (!chosen) return all(writes);
      const std::uint32_t older = some_version(writes) - 1;
      return choices_.one_in(kTornOneIn) ? torn(older, newest) : all(older);
    }
    case Loss::KeepsOne: return chosen ? kept_page(writes) : all(0);
  }
  return all(0);
}

bool LossPlan::keeps_name(std::uint64_t stamp) {
  const bool chosen = next_part_++ == chosen_part_;
  switch (loss_) {
    case Loss::KeepsNothing: return false;
    case Loss::KeepsEverything: return true;
    case Loss::KeepsSome: return choices_.below(8) < keep_eighths_;
    case Loss::KeepsFirst: return stamp <= cut_;
    case Loss::KeepsLast: return stamp > cut_;
    case Loss::LosesOne: return !chosen;
    case Loss::KeepsOne: return chosen;
  }
  return false;
}

std::size_t LossPlan::truncations(std::span<const std::uint64_t> stamps) {
  if (stamps.empty()) return 0;
  switch (loss_) {
    case Loss::KeepsNothing:
    case Loss::KeepsOne: return 0;
    case Loss::KeepsEverything:
    case Loss::LosesOne: return stamps.size();
    case Loss::KeepsSome: return choices_.below(stamps.size() + 1);
    case Loss::KeepsFirst: return static_cast<std::size_t>(std::ranges::upper_bound(stamps, cut_) - stamps.begin());
    case Loss::KeepsLast: return stamps.back() > cut_ ? stamps.size() : 0;
  }
  return 0;
}

bool LossPlan::may_grow(std::uint64_t stamp) const {
  if (loss_ == Loss::KeepsFirst) return stamp <= cut_;
  return loss_ != Loss::KeepsNothing && loss_ != Loss::KeepsOne;
}

std::uint64_t LossPlan::size_between(std::uint64_t lower, std::uint64_t upper) {
  if (upper <= lower) return lower;
  if (loss_ == Loss::KeepsEverything) return upper;
  switch (choices_.below(3)) {
    case 0: return lower;
    case 1: return upper;
    default: {
      const std::uint64_t within = lower + choices_.below(upper - lower);
      return std::max(lower, within / kPageBytes * kPageBytes);
    }
  }
}

bool LossPlan::keeps_space() {
  if (loss_ == Loss::KeepsNothing) return false;
  return loss_ == Loss::KeepsEverything || choices_.one_in(2);
}

// From 1 up to all of the writes, most often all.
std::uint32_t LossPlan::some_version(std::size_t writes) {
  return static_cast<std::uint32_t>(choices_.one_in(2) ? writes : 1 + choices_.below(writes));
}

LossPlan::Sectors LossPlan::kept_page(std::size_t writes) {
  if (choices_.one_in(kTornOneIn)) return torn(0, static_cast<std::uint32_t>(writes));
  return all(some_version(writes));
}

LossPlan::Sectors LossPlan::torn(std::uint32_t lower, std::uint32_t upper) {
  Sectors sectors;
  for (std::uint32_t& sector : sectors) {
    sector = lower + static_cast<std::uint32_t>(choices_.below(std::uint64_t{upper} - lower + 1));
  }
  return sectors;
}

}  // namespace sim
