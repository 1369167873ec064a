// SPDX-License-Identifier: Apache-2.0
#pragma once
// One life of a lane in a simulated world: a process that opens the directory, serves publishers, followers and readers
// on loops of their own, and ends, well or badly. Everything that happens is told to the judge.
//
// Destroying it is the end of the process: nothing more runs. Whoever wants to lose power or kill it does that to the
// world's files first. One thread; the world, the judge and the choices must outlive it.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/loop.h"
#include "storage/log/file_lane.h"
#include "tests/sim/lane_model.h"
#include "tests/support/sim_world.h"

namespace lane_sim {

// What clients do: each loop has some chains of actions, one after the other, until all actions are used up.
struct Traffic {
  int actions = 40;
  std::uint64_t chains = 2;
  std::uint64_t reads_percent = 30;
  std::uint64_t lookups_percent = 0;
  std::uint64_t id_percent = 30;  // events that have an id; a third of them repeat an earlier one
  std::size_t large_bytes = 6'000;
  std::vector<storage::TopicDeclaration> new_topics = {};  // declared on the way
};

class LaneLife final {
 public:
  LaneLife(sim::SimWorld&, std::string directory, const storage::Limits&, std::size_t loops, LaneModel&, sim::Choices&);
  ~LaneLife();
  LaneLife(const LaneLife&) = delete;
  LaneLife& operator=(const LaneLife&) = delete;

  // Recovery. An error is for the caller to judge.
  base::Result<void> open(LaneModel::Epoch = LaneModel::Epoch::Same);

  // Each runs the world until it is done; false: the power is gone, or something is wrong.
  bool declare(const std::vector<storage::TopicDeclaration>&);
  bool read_everything();  // every topic that has an id, from its beginning: then the model is settled()
  bool live(const Traffic&);
  bool live_for(const Traffic&, std::uint64_t steps);  // true also if they were over before all was answered
  bool stop();                                         // true also in the middle of traffic, which is then refused

  // One request or read, and its answer. None as above.
  std::optional<storage::AppendReply> publish(std::vector<ContentNumber>);
  std::optional<storage::ReadReply> read(const std::vector<std::string>& topics, std::optional<Sequence> after);

  const storage::FileLane& lane() const { return *lane_; }

 private:
  struct Client {
    Client(io::World world, std::size_t number) : index(number), loop(world, "client") {}
    std::size_t index;
    io::Loop loop;
    std::vector<TopicId> scan_topics = {};  // it walks through the log, from the beginning to the end, again and again
    std::optional<Sequence> scan_after = {};
  };

  bool wait(const std::function<bool()>& done);
  void begin(const Traffic&);
  void act(Client&);
  void act_soon(Client&);

  void publish_something(Client&);
  std::vector<storage::NewEvent> encode(const std::vector<ContentNumber>&) const;
  ContentNumber choose_content();
  std::optional<ContentNumber> choose_repeat(bool& conflicts);
  std::optional<std::string> choose_topic();
  void submit(Client&, std::vector<ContentNumber>, std::function<void(const storage::AppendReply&)>);

  void read_something(Client&);
  std::vector<TopicId> choose_topics();
  std::vector<std::uint64_t> choose_addresses();
  std::optional<Sequence> choose_position();
  void look_something_up(Client&);
  void locate(Client&, storage::LocateRequest);
  void find_newest(Client&, storage::NewestRequest);
  void ask(Client&, storage::ReadRequest, std::function<void(const storage::ReadReply&)>);
  void scan(Client&, const storage::ReadReply&);
  void read_on(TopicId, std::optional<Sequence> after, int replies_left);

  void declare_something(Client&);

  sim::SimWorld& world_;
  const std::string directory_;
  const storage::Limits limits_;
  LaneModel& model_;
  sim::Choices& choices_;
  Traffic traffic_;
  int actions_left_ = 0;
  std::size_t under_way_ = 0;  // chains, and topics that are read to their end
  std::vector<storage::TopicDeclaration> undeclared_;
  io::Loop lane_loop_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::unique_ptr<storage::FileLane> lane_;  // dies before the loops
};

}  // namespace lane_sim
