// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_story.h"

#include <errno.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "tests/sim/lane_damage.h"

namespace lane_sim {

using Epoch = LaneModel::Epoch;
using Trouble = LaneModel::Trouble;

namespace {

constexpr std::uint64_t kStoryStream = 0x73746f7279;  // so that the world's choices are not the story's
constexpr int kStartsMax = 12;
constexpr int kErrors[] = {EIO, ENOSPC, EDQUOT};
constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kWallSteps[] = {kMinuteMs, 30 * kMinuteMs, 180 * kMinuteMs, 2 * 1'440 * kMinuteMs,
                                       3 * 365 * 1'440 * kMinuteMs};
constexpr std::uint64_t kPlentyBytes = std::uint64_t{1} << 32;

storage::Limits draw_limits(sim::Choices& choices, LaneStory::Lookups lookups) {
  storage::Limits limits = tiny_limits();
  limits.group_bytes_max = 1'000 + choices.below(8'000);
  limits.segment_bytes_first = std::size_t{16 << 10} << choices.below(3);
  limits.memory_bytes_max = choices.below(64 << 10);
  limits.fill_ahead_bytes = std::size_t{4 << 10} << choices.below(3);
  if (choices.one_in(6)) limits.segment_age_ns = 20 * sim::kSecondNs;
  if (choices.one_in(6)) limits.follower_waiting_bytes_max = 3'000;
  if (choices.one_in(6)) {
    limits.bytes_max = (64 + choices.below(256)) << 10;
    limits.protect_age_ns = choices.below(10) * sim::kSecondNs;
  }
  if (choices.one_in(8)) limits.repeat_entries_max = 20 + choices.below(40);
  if (lookups == LaneStory::Lookups::Yes && choices.one_in(2)) limits.lookup_bytes_max = choices.below(96 << 10);
  return limits;
}

}  // namespace

storage::Limits tiny_limits() {
  storage::Limits limits;
  limits.queue_bytes_max = 1 << 20;
  limits.group_bytes_max = 6 << 10;
  limits.request_bytes_max = 16 << 10;
  limits.memory_bytes_max = 24 << 10;
  limits.segment_bytes_first = 32 << 10;
  limits.segment_bytes_max = 128 << 10;
  limits.fill_ahead_bytes = 12 << 10;
  limits.fill_step_bytes = 4 << 10;
  return limits;
}

LaneStory::LaneStory(std::uint64_t seed, Lookups lookups)
    : choices_(seed ^ kStoryStream),
      world_({.seed = seed}),
      faults_(world_.files()),
      lookups_(lookups),
      limits_(draw_limits(choices_, lookups)),
      loops_(1 + choices_.below(2)),
      model_(world_.world().clock, limits_) {
  draw_topics();
}

void LaneStory::draw_topics() {
  for (std::uint64_t i = 0, count = 2 + choices_.below(4); i < count; ++i) {
    storage::Retention retention;
    switch (choices_.below(4)) {
      case 0: retention.age_ns = (2 + choices_.below(30)) * sim::kSecondNs; break;
      case 1: retention.bytes = 1'500 + choices_.below(10'000); break;
      default: break;
    }
    topics_.push_back({"topic/" + std::to_string(i), retention});
  }
  declared_ = 1 + choices_.below(topics_.size());
}

void LaneStory::note(const std::string& line) {
  diary_ +=
      fmt::format("  {} s, call {}: {}\n", static_cast<double>(world_.now_ns()) / 1e9, world_.files().calls(), line);
}

std::string LaneStory::tell() {
  const std::uint64_t rounds = 2 + choices_.below(4);
  for (std::uint64_t i = 0; i < rounds && goes_on(); ++i) round();
  // Nothing is wrong any more, and nothing changes.
  for (int i = 0; i < 2 && goes_on(); ++i) {
    if (enter()) end(Ending::Stop);
  }
  return model_.wrong();
}

void LaneStory::round() {
  if (!enter()) return;
  live();
  if (!model_.wrong().empty()) return;
  const auto ending = static_cast<Ending>(choices_.below(kEndings));
  const bool is_calm = is_calm_;
  end(ending);
  if (!model_.wrong().empty()) return;
  if (choices_.one_in(5)) step_wall_clock();
  if (ending != Ending::Stop || !is_calm) return;
  if (choices_.one_in(3))
    damage_files();
  else if (choices_.one_in(5))
    copy_directory();
}

// --- starting

// However often it takes; the last starts are not disturbed.
bool LaneStory::enter() {
  for (int start = 0; start < kStartsMax && model_.wrong().empty() && !is_refused_; ++start) {
    if (start < kStartsMax - 2 && choices_.one_in(2)) disturb_recovery();
    if (enter_once()) return true;
    if (model_.wrong().empty()) go_down();
  }
  if (model_.wrong().empty() && !is_refused_) model_.blame("the lane does not start");
  return false;
}

bool LaneStory::enter_once() {
  const bool was_disturbed = !is_calm_;
  life_ = std::make_unique<LaneLife>(world_, directory_, limits_, loops_, model_, choices_);
  const auto opened = life_->open(epoch_);
  if (!opened) {
    note(fmt::format("opening fails: {} ({})", opened.error().text, opened.error().sys_errno));
    // What was damaged several times may leave nothing to begin with.
    is_refused_ = opened.error().code == base::Errc::BadInput && epoch_ == Epoch::New && damages_ > 1;
    if (!was_disturbed && !is_refused_)
      model_.blame(fmt::format("opening failed: {} ({})", opened.error().text, opened.error().sys_errno));
    return false;
  }
  note(fmt::format("opened {}, durable to {}", directory_, life_->lane().durable()));
  for (const auto& finding : life_->lane().findings()) note("found: " + finding.sentence);
  epoch_ = Epoch::Same;
  // What fails from here on keeps readers from seeing everything.
  const bool is_settling = !faults_.is_armed();
  if (!is_settling) {
    for (const Trouble trouble : {Trouble::Space, Trouble::Sync, Trouble::Reading}) model_.allow(trouble);
  }
  if (limits_.bytes_max > 0) model_.allow(Trouble::Space);
  if (limits_.repeat_entries_max < storage::kRepeatEntriesMax) model_.allow(Trouble::Repeats);
  if (!life_->declare({topics_.begin(), topics_.begin() + static_cast<std::ptrdiff_t>(declared_)})) return false;
  if (!life_->read_everything() || !is_settling) return false;
  model_.settled();
  return model_.wrong().empty();
}

void LaneStory::disturb_recovery() {
  is_calm_ = false;
  const std::uint64_t way = choices_.below(7);
  note(fmt::format("the start is disturbed in way {}", way));
  switch (way) {
    case 0: faults_.fail_call(1 + choices_.below(60), kErrors[choices_.below(3)]); break;
    case 1: faults_.fail_kind(LaneFaults::Kind::ReadAt, 1 + choices_.below(8), EIO); break;
    case 2: faults_.fail_kind(LaneFaults::Kind::Sync, 1 + choices_.below(8), EIO); break;
    case 3: faults_.fail_kind(LaneFaults::Kind::SyncDirectory, 1 + choices_.below(3), EIO); break;
    default: world_.files().cut_power_at_call(1 + choices_.below(80)); break;
  }
}

// --- living

void LaneStory::live() {
  if (choices_.one_in(6)) step_wall_clock();
  disturb();
  if (choices_.one_in(8)) run_out_of_space();
  if (!model_.wrong().empty() || !world_.files().has_power()) return;
  if (life_->live(draw_traffic()) && choices_.one_in(2)) let_time_pass();
}

Traffic LaneStory::draw_traffic() {
  Traffic traffic;
  traffic.actions = static_cast<int>(5 + choices_.below(50));
  traffic.chains = 1 + choices_.below(4);
  traffic.reads_percent = 10 + choices_.below(50);
  traffic.id_percent = choices_.below(60);
  traffic.large_bytes = 4'000;
  if (lookups_ == Lookups::Yes) traffic.lookups_percent = choices_.below(40);
  if (declared_ < topics_.size() && choices_.one_in(3)) {
    traffic.new_topics.push_back(topics_[declared_]);
    ++declared_;
  }
  return traffic;
}

void LaneStory::disturb() {
  if (choices_.one_in(2)) return;
  is_calm_ = false;
  const std::uint64_t way = choices_.below(5);
  note(fmt::format("traffic is disturbed in way {}", way));
  switch (way) {
    case 0: faults_.fail_call(1 + choices_.below(150), kErrors[choices_.below(3)]); break;
    case 1: faults_.fail_kind(LaneFaults::Kind::Sync, 1 + choices_.below(20), kErrors[choices_.below(3)]); break;
    case 2: faults_.fail_kind(LaneFaults::Kind::WriteAt, 1 + choices_.below(40), kErrors[choices_.below(3)]); break;
    case 3: faults_.fail_kind(LaneFaults::Kind::SyncDirectory, 1 + choices_.below(4), EIO); break;
    default:
      faults_.fail_kind(LaneFaults::Kind::ReadAt, 1 + choices_.below(20), EIO);
      model_.allow(Trouble::Reading);
      return;
  }
  for (const Trouble trouble : {Trouble::Space, Trouble::Sync, Trouble::Reading}) model_.allow(trouble);
}

void LaneStory::run_out_of_space() {
  model_.allow(Trouble::Space);
  note("the disk is nearly full");
  world_.files().set_free_bytes(choices_.below(24) * 4'096, choices_.one_in(2) ? ENOSPC : EDQUOT);
  const bool is_over = !life_->live(draw_traffic());
  world_.files().set_free_bytes(kPlentyBytes);
  if (is_over || faults_.is_armed() || !is_calm_ || limits_.bytes_max > 0) return;
  world_.run_for(5 * sim::kSecondNs);
  model_.forbid(Trouble::Space);
}

void LaneStory::let_time_pass() {
  const std::uint64_t seconds = choices_.one_in(12) ? 100 + choices_.below(600) : choices_.below(8);
  note(fmt::format("{} s pass", seconds));
  world_.run_for(seconds * sim::kSecondNs + choices_.below(sim::kSecondNs));
}

void LaneStory::step_wall_clock() {
  const std::int64_t size = kWallSteps[choices_.below(std::size(kWallSteps))];
  const std::int64_t step = choices_.one_in(2) ? size : -size;
  note(fmt::format("the wall clock steps by {} min", step / kMinuteMs));
  world_.step_wall_clock(step);
  model_.stepped_wall_clock();
}

// --- ending

void LaneStory::end(Ending ending) {
  if (world_.files().has_power()) {
    switch (ending) {
      case Ending::Stop: (void)life_->stop(); break;
      case Ending::StopAmidTraffic:
        if (life_->live_for(draw_traffic(), choices_.below(400))) (void)life_->stop();
        break;
      case Ending::Kill:
      case Ending::PowerLoss: (void)life_->live_for(draw_traffic(), choices_.below(600)); break;
      case Ending::PowerCut:
        world_.files().cut_power_at_call(1 + choices_.below(100));
        (void)life_->live(draw_traffic());
        break;
    }
  }
  if (!model_.wrong().empty()) return;
  const bool keeps_power = world_.files().has_power() && ending != Ending::PowerLoss && ending != Ending::PowerCut;
  note(fmt::format("ends in way {}, {}", static_cast<int>(ending), keeps_power ? "killed" : "power lost"));
  if (keeps_power)
    world_.files().kill();
  else
    world_.files().crash(world_.files().any_loss());
  life_.reset();
  faults_.disarm();
  is_calm_ = true;
}

// From a start that came to nothing.
void LaneStory::go_down() {
  note("the start came to nothing");
  if (world_.files().has_power() && choices_.one_in(2))
    world_.files().kill();
  else
    world_.files().crash(world_.files().any_loss());
  life_.reset();
  faults_.disarm();
  is_calm_ = true;
}

// --- between two lives

void LaneStory::damage_files() {
  const auto kind = static_cast<Damage>(choices_.below(kDamages));
  note(fmt::format("damage of kind {}", static_cast<int>(kind)));
  ++damages_;
  epoch_ = damage(world_.files(), directory_, kind, model_, choices_);
}

// The copy is another history from here on, and the original goes on as if nothing had been. The story goes on with
// one of them.
void LaneStory::copy_directory() {
  const std::string original = directory_;
  const LaneModel before = model_;
  directory_ = fmt::format("/copy{}", ++copies_);
  world_.files().copy_directory(original, directory_);
  note("copied to " + directory_);
  epoch_ = Epoch::New;
  if (choices_.one_in(2)) return;
  if (!enter()) return;
  live();
  if (model_.wrong().empty()) end(Ending::Stop);
  if (!model_.wrong().empty()) return;
  directory_ = original;
  model_ = before;
  model_.stepped_wall_clock();
}

}  // namespace lane_sim
