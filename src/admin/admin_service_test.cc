// SPDX-License-Identifier: Apache-2.0
#include "admin/admin_service.h"

#include <gmock/gmock.h>

#include "net/listener.h"
#include "tests/support/http_house.h"

namespace admin {
namespace {

using protocols::http::Reply;
using testing::HasSubstr;

// A lane in a condition that a test cannot bring about within memory.
template <storage::LaneCondition kCondition>
class LaneIn final : public engine::FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  storage::LaneCondition condition() const override { return kCondition; }
};

class LaneInUse final : public engine::FaultyLane {
 public:
  using FaultyLane::FaultyLane;
  storage::LogUsage usage() const override {
    return {.bytes = 11,
            .segments = 12,
            .dead_bytes = 13,
            .trimmed_by_age = 14,
            .trimmed_by_bytes = 15,
            .trimmed_by_total = 16};
  }
};

// The admin listener of one simulated loop.
class Office final {
 public:
  explicit Office(engine::Stage::Wrap wrap)
      : stage_({.wrap = wrap}),
        connections_(stage_.loop()),
        service_({stage_.engine(), settings_}, "1.2.3", [](io::Loop&, auto done) { done({LoopSnapshot{}}); }),
        at_({.family = io::Endpoint::Family::V4, .port = 8081, .address = {127, 0, 0, 1}, .path = {}}),
        listener_(net::Listener::open(connections_, stage_.world.network().listen(at_).value(), [this] {
                    return service_.open();
                  }).value()) {}
  ~Office() {
    listener_.reset();
    connections_.close_all();
    stage_.loop().turn(io::Loop::Wait::No);
  }

  Reply get(const std::string& target) {
    net::Peer peer(stage_.world, at_);
    peer.send(protocols::http::request("GET", target, {{"Connection", "close"}}));
    EXPECT_TRUE(peer.until_end()) << target;
    return protocols::http::take_reply(peer.received);
  }

 private:
  engine::Stage stage_;
  net::Connections connections_;
  protocols::SurfaceSettings settings_;
  AdminService service_;
  io::Endpoint at_;
  std::unique_ptr<net::Listener> listener_;
};

Office writable() { return Office(nullptr); }
Office full() { return Office(engine::wrap<LaneIn<storage::LaneCondition::Full>>); }
Office read_only() { return Office(engine::wrap<LaneIn<storage::LaneCondition::ReadOnly>>); }

TEST(AdminService, is_ready_while_publishers_are_served) {
  const Reply reply = writable().get("/readyz");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "ok\n");
}

TEST(AdminService, is_not_ready_when_the_disk_is_full_and_says_what_publishers_get) {
  Office office = full();
  const Reply reply = office.get("/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("Content-Type"), "application/problem+json");
  EXPECT_THAT(reply.body, HasSubstr("urn:tidewire:problem:no-space"));
  EXPECT_THAT(reply.body, HasSubstr("507"));
  EXPECT_EQ(office.get("/healthz").status, 200) << "a restart would not help";
}

TEST(AdminService, is_not_ready_after_a_failed_sync_and_asks_for_a_restart) {
  const Reply reply = read_only().get("/readyz");
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr("urn:tidewire:problem:sync-failed"));
  EXPECT_THAT(reply.body, HasSubstr("restart"));
}

TEST(AdminService, metrics_name_the_one_condition_of_the_lane) {
  const auto page = [](Office office) { return office.get("/metrics").body; };
  EXPECT_THAT(page(writable()), HasSubstr("\ntidewire_lane_condition{condition=\"writable\"} 1\n"));
  EXPECT_THAT(page(full()), HasSubstr("\ntidewire_lane_condition{condition=\"full\"} 1\n"));
  EXPECT_THAT(page(full()), HasSubstr("\ntidewire_lane_condition{condition=\"writable\"} 0\n"));
  EXPECT_THAT(page(read_only()), HasSubstr("\ntidewire_lane_condition{condition=\"read-only\"} 1\n"));
}

TEST(AdminService, metrics_say_what_the_log_takes_and_why_events_went) {
  const std::string page = Office(engine::wrap<LaneInUse>).get("/metrics").body;
  EXPECT_THAT(page, HasSubstr("# TYPE tidewire_log_bytes gauge\ntidewire_log_bytes 11\n"));
  EXPECT_THAT(page, HasSubstr("\ntidewire_log_segments 12\n"));
  EXPECT_THAT(page, HasSubstr("\ntidewire_log_bytes_dead_but_held 13\n"));
  EXPECT_THAT(page, HasSubstr("# TYPE tidewire_events_trimmed_total counter\n"
                              "tidewire_events_trimmed_total{reason=\"age\"} 14\n"
                              "tidewire_events_trimmed_total{reason=\"bytes\"} 15\n"
                              "tidewire_events_trimmed_total{reason=\"total\"} 16\n"));
}

}  // namespace
}  // namespace admin
