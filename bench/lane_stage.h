// SPDX-License-Identifier: Apache-2.0
#pragma once
// A durable lane in a process of its own, for the measurements that leave the network out: the real worlds, the lane's
// loop and one client's loop, each on its thread.
//
// Thread: made and destroyed by main. Events are published and read on client().
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/real_world.h"
#include "storage/log/file_lane.h"

namespace bench {

class LaneStage final {
 public:
  // Opens the lane, starts both threads and names the topics: topic i gets retentions[i].
  static base::Result<std::unique_ptr<LaneStage>> open(const std::string& directory, const storage::Limits&,
                                                       const std::vector<storage::Retention>& retentions);
  ~LaneStage();  // stops the lane cleanly
  LaneStage(const LaneStage&) = delete;
  LaneStage& operator=(const LaneStage&) = delete;

  storage::Lane& lane() { return *lane_; }
  io::Loop& client() { return client_loop_; }
  storage::TopicId topic(std::size_t i) const { return topics_[i]; }

  // Runs `task` on the client's loop and waits until somebody calls finish(), on that loop.
  void run(io::Task task);
  void finish();

  // An event of about `bytes` in the log, as the engine encodes one: a key, some headers, a payload.
  storage::NewEvent event(std::size_t topic, std::uint64_t address, std::size_t bytes) const;

 private:
  LaneStage();
  base::Result<void> start(const std::string& directory, const storage::Limits&,
                           const std::vector<storage::Retention>&);

  io::RealWorld real_;
  io::Loop lane_loop_;
  io::Loop client_loop_;
  std::unique_ptr<storage::FileLane> lane_;
  std::vector<storage::TopicId> topics_;
  struct Signal;
  std::unique_ptr<Signal> finished_;
};

// What `measure` returns. The folder must be new, or it is Errc::BadInput; it is removed with all that is in it.
base::Result<void> in_new_folder(const std::string& folder, const std::function<base::Result<void>()>& measure);

// Bytes of all segments and other files of a lane's directory; 0 if there is none.
std::uint64_t directory_bytes(const std::string& directory);
std::vector<std::string> segment_paths(const std::string& directory);  // oldest first

// Of an option that is given as a whole number; Errc::BadInput otherwise.
base::Result<std::uint64_t> parse_count(std::string_view);

std::uint64_t percentile(std::vector<std::uint64_t>& values, unsigned percent);  // sorts; 0 of none

}  // namespace bench
