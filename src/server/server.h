// SPDX-License-Identifier: Apache-2.0
#pragma once
// The whole program behind its command line: one lane, N workers, and the order of their start and end.
//
// Start: addresses are tried (a taken one is an error before the log is touched), the lane is opened, sockets are
// bound, loops start, the lane names the topics, listeners open. End: listeners close, everybody says goodbye, the lane
// commits what it took, loops stop.
//
// Thread: open(), join() and the destructor on one thread outside of the server's loops; start() and stop() on the
// control loop, where their callbacks arrive too.
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/open_lane.h"
#include "server/settings.h"
#include "server/start_failure.h"
#include "server/worker.h"

namespace server {

inline constexpr std::uint64_t kDrainTimeoutNs = 10'000'000'000;
inline constexpr std::string_view kVersion = TIDEWIRE_VERSION;

class Server final {
 public:
  // Whether everybody is served now; if not, the server still wants to be stopped.
  using Started = std::move_only_function<void(std::optional<StartFailure>)>;

  static std::expected<std::unique_ptr<Server>, StartFailure> open(io::World, const Settings&, unsigned threads,
                                                                   std::unique_ptr<engine::Topics>);
  ~Server();

  void start(io::Loop& control, Started);
  void stop(io::Task stopped);
  void join();  // after `stopped`

  const std::vector<ListenerPlan>& listeners() const { return plans_; }
  const engine::Topics& topics() const { return *topics_; }
  const std::vector<storage::RecoveryFinding>& findings() const { return lane_.findings; }
  storage::LaneCondition condition() const { return lane_.lane->condition(); }
  storage::LogUsage log_usage() const { return lane_.lane->usage(); }

 private:
  Server(io::World, const Settings&, std::unique_ptr<engine::Topics>);

  std::optional<StartFailure> plan_listeners();
  void plan(ListenerRole, const io::Endpoint&);
  std::optional<StartFailure> open_log();
  void make_workers(unsigned threads);
  std::optional<StartFailure> bind();
  void on_topics(const std::vector<storage::TopicId>&);
  void on_worker_drained();
  void stop_loops();
  void collect(io::Loop& from, std::move_only_function<void(std::vector<admin::LoopSnapshot>)> done);

  io::World world_;
  const Settings settings_;
  std::unique_ptr<engine::Topics> topics_;
  io::Loop lane_loop_;
  OpenedLane lane_;
  std::vector<ListenerPlan> plans_;
  std::vector<std::unique_ptr<Worker>> workers_;
  io::Loop* control_ = nullptr;
  Started started_;
  io::Task stopped_;
  std::size_t opening_ = 0;   // workers that have not opened their listeners yet
  std::size_t draining_ = 0;  // workers that have not drained yet
  bool stopping_ = false;
};

}  // namespace server
