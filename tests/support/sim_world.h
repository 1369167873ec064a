// SPDX-License-Identifier: Apache-2.0
#pragma once
// A whole world in one thread from one seed: clock, network, files, threads and randomness, and the scheduler that
// decides what happens next. Two runs of one seed make the same trace.
//
//   sim::SimWorld world({.seed = 7});
//   world.files().put("/contract.yaml", text);
//   io::Loop server(world.world(), "server");       // loops are built as usual, any number of them
//   world.world().threads.start(server);            // from here on the scheduler runs its turns
//   server.post([&] { ... listen ... });
//   EXPECT_TRUE(world.run_until([&] { return client.finished(); }, 10 * sim::kSecondNs));
//   server.stop();
//   world.world().threads.join(server);             // steps until it has stopped; then destroy it
//
// A step is one of: a turn of a loop that has something to do, the move of one post from its sender's outbox to the
// receiver's inbox, the delivery of some bytes, the completion of a file operation. When nothing is possible, time
// moves on to the next timer or delivery. Before the first turn and between steps the test may do as it likes; what
// it posts then arrives at once.
//
// A loop is never run() here. Everything that is built on the world must be destroyed before it.
#include <functional>
#include <string>

#include "io/world.h"
#include "tests/support/sim_core.h"
#include "tests/support/sim_files.h"
#include "tests/support/sim_network.h"
#include "tests/support/sim_threads.h"

namespace sim {

inline constexpr std::uint64_t kMsNs = 1'000'000;
inline constexpr std::uint64_t kSecondNs = 1'000'000'000;

class SimWorld final {
 public:
  struct Options {
    std::uint64_t seed = 0;
    Trace::Text trace_text = Trace::Text::No;
    std::int64_t wall_ms = 1'700'000'000'000;  // Unix time at the beginning
    std::uint64_t stall_one_in = 500;          // steps before which the machine stands still for a while; 0: never
    std::uint64_t stall_ns_max = 20 * kMsNs;
    SimNetwork::Options network = {};
    SimFiles::Options files = {};
  };

  explicit SimWorld(Options);
  SimWorld(const SimWorld&) = delete;
  SimWorld& operator=(const SimWorld&) = delete;

  io::World world();

  bool step();  // false: nothing will ever happen again
  // Steps until `done` (true) or until so much virtual time has passed (false), which is at once when nothing can
  // happen any more.
  bool run_until(const std::function<bool()>& done, std::uint64_t limit_ns);
  void run_for(std::uint64_t span_ns);  // virtual time

  SimNetwork& network() { return network_; }
  SimFiles& files() { return files_; }
  SimThreads& threads() { return threads_; }
  const Trace& trace() const { return core_.trace; }
  std::uint64_t now_ns() const { return core_.now_ns; }
  void step_wall_clock(std::int64_t by_ms) { core_.wall_offset_ms += by_ms; }
  std::uint64_t steps() const { return steps_; }

 private:
  static constexpr std::size_t kKinds = 4;

  bool step_before(std::uint64_t limit_ns);  // false also when time would have to pass the limit
  bool move_time(std::uint64_t limit_ns);
  void take(std::size_t kind, std::size_t index);

  Options options_;
  Core core_;
  SimClock clock_;
  SimRandom random_;
  SimNetwork network_;
  SimThreads threads_;
  SimFiles files_;
  SimFileSystem file_system_;
  std::uint64_t weights_[kKinds];  // drawn for each seed, so that some worlds have slow disks and others slow loops
  std::uint64_t steps_ = 0;
};

}  // namespace sim
