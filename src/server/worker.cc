// SPDX-License-Identifier: Apache-2.0
#include "server/worker.h"

#include <utility>

namespace server {

namespace {
constexpr std::uint64_t kDrainTickNs = 10'000'000;
}

std::string_view name(ListenerRole role) {
  switch (role) {
    case ListenerRole::Public: return "public";
    case ListenerRole::Application: return "application";
    case ListenerRole::Admin: return "admin";
  }
  return "unknown";
}

Worker::Worker(io::World world, std::string name, storage::Lane& lane, const engine::Topics& topics,
               const std::string& version, admin::Collect collect)
    : loop_(world, std::move(name)),
      connections_(loop_),
      engine_(loop_, lane, topics),
      version_(version),
      collect_(std::move(collect)),
      forms_(make_stream_forms()),
      drain_timer_([](void* self) { static_cast<Worker*>(self)->on_drain_tick(); }, this) {}

Worker::~Worker() = default;

void Worker::finish() {
  for (auto& listening : listeners_) {
    listening->listener.reset();
    if (listening->handle != io::kNoHandle) loop_.network().close(std::exchange(listening->handle, io::kNoHandle));
  }
  connections_.close_all();
  loop_.turn(io::Loop::Wait::No);
}

void Worker::add_listener(const ListenerPlan& plan, io::Handle handle) {
  auto listening = std::make_unique<Listening>();
  listening->handle = handle;
  const protocols::Surface surface{engine_, plan.surface};
  if (plan.role == ListenerRole::Admin) {
    auto service = std::make_unique<admin::AdminService>(surface, version_, collect_);
    listening->protocols.push_back({"admin", protocols::http::match, std::move(service)});
  } else {
    listening->protocols = offer_protocols(surface, forms_);
  }
  listeners_.push_back(std::move(listening));
}

base::Result<void> Worker::open_listeners() {
  for (auto& listening : listeners_) {
    if (listening->handle == io::kNoHandle) continue;  // the worker has finished before it began
    listening->listener =
        TRY(net::Listener::open(connections_, std::exchange(listening->handle, io::kNoHandle),
                                [&protocols = listening->protocols] { return protocols::detect(protocols); }));
  }
  return {};
}

void Worker::drain(std::uint64_t timeout_ns, io::Task drained) {
  drained_ = std::move(drained);
  drain_deadline_ns_ = loop_.now_ns() + timeout_ns;
  for (auto& listening : listeners_) listening->listener.reset();
  connections_.shut_down();
  on_drain_tick();
}

void Worker::on_drain_tick() {
  if (connections_.open() > 0 && loop_.now_ns() < drain_deadline_ns_)
    return loop_.set_timer(drain_timer_, kDrainTickNs);
  connections_.close_all();
  std::exchange(drained_, {})();
}

admin::LoopSnapshot Worker::snapshot() const {
  return {loop_.name(), connections_.counters(), engine_.counters(), connections_.open(), engine_.subscriptions()};
}

}  // namespace server
