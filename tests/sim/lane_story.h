// SPDX-License-Identifier: Apache-2.0
#pragma once
// All that happens to one lane from one seed: lives of random traffic, each with something that goes wrong in it, at
// its end, in the recovery after it, or with the files between two lives. The judge watches all of it.
//
// Limits are tiny, so that a few hundred events fill many segments. One thread.
#include <memory>
#include <string>
#include <vector>

#include "tests/sim/lane_faults.h"
#include "tests/sim/lane_life.h"
#include "tests/sim/lane_model.h"

namespace lane_sim {

// The limits of such a lane: segments of some tens of kilobytes.
storage::Limits tiny_limits();

class LaneStory final {
 public:
  // Without lookups a seed tells the story that it told before there were any.
  enum class Lookups : std::uint8_t { No, Yes };
  explicit LaneStory(std::uint64_t seed, Lookups = Lookups::No);

  std::string tell();                                  // what is wrong with the lane; empty: nothing
  const std::string& diary() const { return diary_; }  // what happened, a line each
  std::size_t events() const { return model_.contents().size(); }

 private:
  enum class Ending : std::uint8_t { Stop, StopAmidTraffic, Kill, PowerLoss, PowerCut };
  static constexpr std::uint64_t kEndings = 5;

  void draw_topics();
  void note(const std::string& line);
  bool goes_on() const { return model_.wrong().empty() && !is_refused_; }
  void round();
  bool enter();
  bool enter_once();
  void disturb_recovery();

  void live();
  Traffic draw_traffic();
  void disturb();
  void run_out_of_space();
  void let_time_pass();
  void step_wall_clock();
  void end(Ending);
  void go_down();

  void damage_files();
  void copy_directory();

  sim::Choices choices_;
  sim::SimWorld world_;
  LaneFaults faults_;
  const Lookups lookups_;
  const storage::Limits limits_;
  const std::size_t loops_;
  LaneModel model_;
  std::string directory_ = "/lane";
  int copies_ = 0;
  int damages_ = 0;
  bool is_refused_ = false;                        // by a lane in which nothing can be read any more
  std::vector<storage::TopicDeclaration> topics_;  // those that are declared, then those that will be
  std::size_t declared_ = 0;
  LaneModel::Epoch epoch_ = LaneModel::Epoch::Same;  // what the next start must have
  bool is_calm_ = true;                              // nothing was disturbed in this life
  std::unique_ptr<LaneLife> life_;
  std::string diary_;
};

}  // namespace lane_sim
