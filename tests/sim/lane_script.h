// SPDX-License-Identifier: Apache-2.0
#pragma once
// A small life of a lane, the same every time, for tests that let something go wrong at each step of it in turn: a
// start, declarations, some dozens of requests that fill a few segments, trimming, an idle second, a clean stop; and a
// second start of the same kind. One thread.
#include <memory>
#include <string>

#include "tests/sim/lane_life.h"
#include "tests/sim/lane_model.h"

namespace lane_sim {

class LaneScript final {
 public:
  explicit LaneScript(std::uint64_t seed = 1);
  static storage::Limits limits();

  // Both lives. False: it did not come to the end, because the power went or a start failed.
  bool play();
  // What is there now is judged, in a life of its own that must come to its end: a start, everything is read, one
  // event of each topic is published, a clean stop.
  void audit(LaneModel::Epoch = LaneModel::Epoch::Same);
  // The start of audit() alone, which may be cut off.
  bool start(LaneModel::Epoch = LaneModel::Epoch::Same);

  void kill();
  void crash(sim::Loss);  // also where the power went before

  void allow_any_trouble() { allows_trouble_ = true; }  // in play()

  sim::SimWorld& world() { return world_; }
  sim::SimFiles& files() { return world_.files(); }
  LaneModel& model() { return model_; }
  LaneLife& life() { return *life_; }
  sim::Choices& choices() { return choices_; }
  const std::string& wrong() const { return model_.wrong(); }
  std::string directory() const { return "/lane"; }
  const std::vector<storage::TopicDeclaration>& topics() const { return topics_; }
  void declares_later(storage::TopicDeclaration topic) { topics_.push_back(std::move(topic)); }  // at the next start

  bool open(LaneModel::Epoch = LaneModel::Epoch::Same);  // without reading
  bool settle();
  bool publish_some(int requests);

 private:
  bool play_life(int requests);
  void allow();

  sim::Choices choices_;
  sim::SimWorld world_;
  LaneModel model_;
  bool allows_trouble_ = false;
  std::vector<storage::TopicDeclaration> topics_ = {
      {"kept", {}}, {"short", {.age_ns = 2 * sim::kSecondNs}}, {"small", {.bytes = 2'000}}};
  std::unique_ptr<LaneLife> life_;
};

}  // namespace lane_sim
