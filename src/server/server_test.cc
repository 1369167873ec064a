// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "contract/load_testing.h"
#include "server/exit_code.h"
#include "tests/support/sim_world.h"

namespace server {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kPatienceNs = 60 * sim::kSecondNs;
constexpr std::size_t kChannels = 300;  // their declaration takes more than what is left of a page

std::unique_ptr<engine::Topics> many_topics() {
  std::string contract = "asyncapi: 3.0.0\ninfo: {title: Many, version: 1.0.0}\nchannels:\n";
  std::string operations = "operations:\n";
  for (std::size_t i = 0; i < kChannels; ++i) {
    const std::string n = std::to_string(i);
    contract += "  c" + n + ": {address: channel-" + n + ", messages: {m: {}}}\n";
    operations += "  o" + n + ": {action: send, channel: {$ref: '#/channels/c" + n + "'}}\n";
  }
  auto built =
      engine::Topics::build({{std::make_shared<const contract::Contract>(contract::loaded(contract + operations)),
                              engine::Role::Application}},
                            engine::ServerSelection::AsTheContractSays);
  return std::move(built.topics);
}

// One program on a machine whose disk a test can break; nothing else listens there.
class Machine final {
 public:
  explicit Machine(std::uint64_t seed = 1) : world({.seed = seed}), control_(world.world(), "control") {
    settings_.admin = std::nullopt;
    world.world().threads.start(control_);
  }

  // Why there is no server.
  std::optional<StartFailure> open() {
    auto opened = Server::open(world.world(), settings_, 1, many_topics());
    if (!opened) return opened.error();
    server_ = std::move(*opened);
    return std::nullopt;
  }
  std::optional<StartFailure> start() {
    bool told = false;
    std::optional<StartFailure> failure;
    control_.post([&] {
      server_->start(control_, [&](std::optional<StartFailure> what) {
        failure = std::move(what);
        told = true;
      });
    });
    EXPECT_TRUE(world.run_until([&] { return told; }, kPatienceNs)) << "a start comes to an end";
    return failure;
  }
  void stop() {
    bool stopped = false;
    control_.post([&] { server_->stop([&] { stopped = true; }); });
    EXPECT_TRUE(world.run_until([&] { return stopped; }, kPatienceNs)) << "whatever has happened, it can be stopped";
    server_->join();
    server_.reset();
  }
  Server& server() { return *server_; }

  sim::SimWorld world;

 private:
  Settings settings_;
  io::Loop control_;
  std::unique_ptr<Server> server_;
};

TEST(Server, keeps_its_log_in_the_directory_of_its_settings) {
  Machine machine;
  ASSERT_FALSE(machine.open());
  EXPECT_FALSE(machine.start());
  machine.stop();
  EXPECT_TRUE(machine.world.files().get("tidewire-data/lock"));
  ASSERT_FALSE(machine.open()) << "the lock is free again";
  EXPECT_FALSE(machine.start());
  machine.stop();
}

TEST(Server, ends_its_start_when_the_log_has_no_room_for_the_channels) {
  Machine machine;
  ASSERT_FALSE(machine.open());
  machine.world.files().set_free_bytes(0);
  const auto failure = machine.start();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->exit_code, kExitInputOutput);
  EXPECT_THAT(failure->sentence, HasSubstr("no room for the log in tidewire-data"));
  EXPECT_EQ(machine.server().condition(), storage::LaneCondition::Full);
  machine.stop();
}

TEST(Server, ends_its_start_when_the_channels_cannot_be_synced) {
  Machine machine;
  ASSERT_FALSE(machine.open());
  machine.world.files().fail_kind(io::FileRequest::Kind::Sync, 1, {base::Errc::System, "a sync failed", EIO});
  const auto failure = machine.start();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->exit_code, kExitInputOutput);
  EXPECT_THAT(failure->sentence, HasSubstr("a sync failed"));
  machine.stop();
}

// And none of them hangs, or leaves behind what the next start cannot read.
TEST(Server, each_file_operation_of_a_start_may_fail_with_a_sentence) {
  for (const int sys_errno : {EIO, ENOSPC, EACCES}) {
    bool has_failed = true;
    for (std::uint64_t call = 1; has_failed; ++call) {
      ASSERT_LT(call, 1'000u);
      Machine machine(call);
      ASSERT_FALSE(machine.open());
      EXPECT_FALSE(machine.start());
      machine.stop();
      const std::uint64_t before = machine.world.files().calls();
      machine.world.files().fail_call(call, {base::Errc::System, "a call failed", sys_errno});
      auto failure = machine.open();
      if (!failure) {
        failure = machine.start();
        has_failed = machine.world.files().calls() - before >= call;
        machine.stop();
      }
      if (failure) {
        EXPECT_EQ(failure->exit_code, kExitInputOutput) << "call " << call << ": " << failure->sentence;
        EXPECT_THAT(failure->sentence, HasSubstr("tidewire-data"));
      }
      const auto left_behind = machine.open();
      ASSERT_FALSE(left_behind) << "after call " << call << ": " << left_behind->sentence;
      EXPECT_FALSE(machine.start());
      machine.stop();
    }
  }
}

}  // namespace
}  // namespace server
