// SPDX-License-Identifier: Apache-2.0
#pragma once
// The whole program behind its command line: one lane, N workers, and the order of their start and end.
//
// Start: listening sockets are bound (so a taken address is an error at once), loops start, the lane names the topics,
// listeners open. End: listeners close, everybody says goodbye, the lane commits what it took, loops stop.
//
// Thread: open(), join() and the destructor on one thread outside of the server's loops; start() and stop() on the
// control loop, where their callbacks arrive too.
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "server/settings.h"
#include "server/worker.h"
#include "storage/memory_lane.h"

namespace server {

inline constexpr std::uint64_t kDrainTimeoutNs = 10'000'000'000;
inline constexpr std::string_view kVersion = TIDEWIRE_VERSION;

class Server final {
 public:
  // Errc::System with errno if an address cannot be had: `failed` is then which.
  static base::Result<std::unique_ptr<Server>> open(io::World, const Settings&, unsigned threads,
                                                    std::unique_ptr<engine::Topics>, std::string& failed);
  ~Server();

  void start(io::Loop& control, io::Task ready);
  void stop(io::Task stopped);
  void join();  // after `stopped`

  const std::vector<ListenerPlan>& listeners() const { return plans_; }
  const engine::Topics& topics() const { return *topics_; }

 private:
  Server(io::World, unsigned threads, std::unique_ptr<engine::Topics>);

  base::Result<void> bind(const Settings&, std::string& failed);
  void plan(ListenerRole, const io::Endpoint&, const Settings&);
  void on_topics(const std::vector<storage::TopicId>&);
  void on_worker_drained();
  void stop_loops();
  void collect(io::Loop& from, std::move_only_function<void(std::vector<admin::LoopSnapshot>)> done);

  io::World world_;
  std::unique_ptr<engine::Topics> topics_;
  io::Loop lane_loop_;
  storage::MemoryLane lane_;
  std::vector<ListenerPlan> plans_;
  std::vector<std::unique_ptr<Worker>> workers_;
  io::Loop* control_ = nullptr;
  io::Task ready_;
  io::Task stopped_;
  std::size_t opening_ = 0;   // workers that have not opened their listeners yet
  std::size_t draining_ = 0;  // workers that have not drained yet
  bool stopping_ = false;
};

}  // namespace server
