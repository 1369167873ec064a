// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_script.h"

#include <fmt/format.h>

#include "tests/sim/lane_story.h"

namespace lane_sim {
storage::Limits LaneScript::limits() {
  storage::Limits limits = tiny_limits();
  limits.segment_bytes_first = 16 << 10;
  limits.segment_bytes_max = 32 << 10;
  limits.group_bytes_max = 4 << 10;
  limits.request_bytes_max = 8 << 10;
  limits.fill_ahead_bytes = 8 << 10;
  return limits;
}

LaneScript::LaneScript(std::uint64_t seed)
    : choices_(seed), world_({.seed = seed, .stall_one_in = 0}), model_(world_.world().clock, limits()) {}

bool LaneScript::play() { return play_life(24) && play_life(6); }

void LaneScript::allow() {
  if (!allows_trouble_) return;
  using Trouble = LaneModel::Trouble;
  for (const Trouble trouble : {Trouble::Space, Trouble::Sync, Trouble::Reading}) model_.allow(trouble);
}

bool LaneScript::play_life(int requests) {
  if (!open()) return false;
  allow();
  // Something fails somewhere, so what a reader does not see here may be there.
  if (!life_->declare(topics()) || !life_->read_everything()) return false;
  if (!allows_trouble_) model_.settled();
  if (!publish_some(requests)) return false;
  world_.run_for(5 * sim::kSecondNs / 2);
  if (!publish_some(2) || !life_->stop()) return false;
  kill();
  return wrong().empty();
}

bool LaneScript::publish_some(int requests) {
  const std::vector<std::string> names = {"kept", "short", "small"};
  for (int i = 0; i < requests; ++i) {
    std::vector<ContentNumber> events;
    for (std::size_t k = 0; k <= static_cast<std::size_t>(i) % 4; ++k) {
      const std::string& topic = names[(static_cast<std::size_t>(i) + k) % names.size()];
      if (!model_.id_of(topic)) return wrong().empty() && files().has_power();
      events.push_back(
          model_.invent(topic, i % 5 == 4 ? 900 : 60, k == 1 ? std::optional(choices_.next()) : std::nullopt));
    }
    if (!life_->publish(std::move(events))) return false;
  }
  return true;
}

bool LaneScript::open(LaneModel::Epoch epoch) {
  life_ = std::make_unique<LaneLife>(world_, directory(), limits(), 1, model_, choices_);
  const auto opened = life_->open(epoch);
  if (!opened && files().has_power() && !allows_trouble_)
    model_.blame(fmt::format("opening failed: {} ({})", opened.error().text, opened.error().sys_errno));
  return opened.has_value();
}

bool LaneScript::settle() {
  if (!life_->declare(topics()) || !life_->read_everything()) return false;
  model_.settled();
  return wrong().empty();
}

bool LaneScript::start(LaneModel::Epoch epoch) { return open(epoch) && settle(); }

void LaneScript::audit(LaneModel::Epoch epoch) {
  allows_trouble_ = false;
  if (!start(epoch)) return model_.blame("the audit did not come to its end");
  std::vector<ContentNumber> events;
  for (const auto& topic : topics()) events.push_back(model_.invent(topic.identity, 40, std::nullopt));
  const auto reply = life_->publish(events);
  if (!reply || reply->status != storage::AppendStatus::Durable) return model_.blame("nothing can be published");
  (void)life_->stop();
  kill();
}

void LaneScript::kill() {
  files().kill();
  life_.reset();
}

void LaneScript::crash(sim::Loss loss) {
  files().crash(loss);
  life_.reset();
}

}  // namespace lane_sim
