// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <utility>

namespace server {

std::expected<std::unique_ptr<Server>, StartFailure> Server::open(io::World world, const Settings& settings,
                                                                  unsigned threads,
                                                                  std::unique_ptr<engine::Topics> topics) {
  std::unique_ptr<Server> server(new Server(world, settings, std::move(topics)));
  if (auto failure = server->plan_listeners()) return std::unexpected(std::move(*failure));
  if (auto failure = server->open_log()) return std::unexpected(std::move(*failure));
  server->make_workers(threads);
  if (auto failure = server->bind()) return std::unexpected(std::move(*failure));
  return server;
}

Server::Server(io::World world, const Settings& settings, std::unique_ptr<engine::Topics> topics)
    : world_(world), settings_(settings), topics_(std::move(topics)), lane_loop_(world, "lane") {}

std::optional<StartFailure> Server::open_log() {
  auto opened = open_lane(world_, lane_loop_, settings_);
  if (!opened) return cannot_open_log(opened.error(), settings_.data.value_or(""));
  lane_ = std::move(*opened);
  return std::nullopt;
}

void Server::make_workers(unsigned threads) {
  for (unsigned i = 0; i < threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(world_, "loop-" + std::to_string(i), *lane_.lane, *topics_,
                                                std::string(kVersion),
                                                [this](io::Loop& from, auto done) { collect(from, std::move(done)); }));
  }
  std::vector<engine::Engine*> engines;
  for (const auto& worker : workers_) engines.push_back(&worker->engine());
  for (const auto& worker : workers_) worker->engine().join(engines);
}

// What one worker's last turn tells another still finds it.
Server::~Server() {
  for (const auto& worker : workers_) worker->finish();
}

void Server::plan(ListenerRole role, const io::Endpoint& endpoint) {
  protocols::SurfaceSettings surface;
  surface.side = role == ListenerRole::Application ? engine::Side::Application : engine::Side::Counterpart;
  surface.is_loopback = endpoint.is_loopback();
  surface.hosts = settings_.hosts;
  surface.origins = settings_.origins;
  surface.same_origin_is_enough = role == ListenerRole::Public;
  if (role == ListenerRole::Public) surface.static_root = settings_.static_root;
  surface.event_bytes_max = settings_.event_bytes_max;
  plans_.push_back({role, endpoint, std::move(surface)});
}

std::optional<StartFailure> Server::plan_listeners() {
  const std::pair<ListenerRole, std::optional<io::Endpoint>> wanted[] = {
      {ListenerRole::Public, settings_.listen},
      {ListenerRole::Application, settings_.app_listen},
      {ListenerRole::Admin, settings_.admin}};
  for (const auto& [role, endpoint] : wanted) {
    if (!endpoint) continue;
    const auto reserved = world_.network.reserve(*endpoint);
    if (!reserved) return cannot_listen(reserved.error(), endpoint->to_string());
    plan(role, *reserved);
  }
  for (ListenerPlan& plan : plans_)
    for (const ListenerPlan& other : plans_)
      if (plan.role != other.role && plan.role != ListenerRole::Admin && other.role != ListenerRole::Admin)
        plan.surface.other_listener = other.endpoint.to_string();
  return std::nullopt;
}

std::optional<StartFailure> Server::bind() {
  for (const ListenerPlan& plan : plans_) {
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      // A path has one socket; a port has one for each loop.
      if (i > 0 && plan.endpoint.family == io::Endpoint::Family::Unix) break;
      const auto socket = world_.network.listen(plan.endpoint);
      if (!socket) return cannot_listen(socket.error(), plan.endpoint.to_string());
      workers_[i]->add_listener(plan, *socket);
    }
  }
  return std::nullopt;
}

void Server::start(io::Loop& control, Started started) {
  control_ = &control;
  started_ = std::move(started);
  world_.threads.start(lane_loop_);
  for (const auto& worker : workers_) world_.threads.start(worker->loop());
  lane_.lane->declare(control, topics_->declarations(settings_.retention),
                      [this](const std::vector<storage::TopicId>& topics) { on_topics(topics); });
}

// Nothing has asked for a topic yet, and what the workers do from now on they were told by message.
void Server::on_topics(const std::vector<storage::TopicId>& topics) {
  if (stopping_) return;
  if (topics.size() != topics_->channels().size()) {
    return std::exchange(started_, {})(cannot_declare(condition(), settings_.data.value_or("")));
  }
  topics_->set_topics(topics);
  opening_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->loop().post([this, &worker = *worker] {
      const auto opened = worker.open_listeners();
      CHECK(opened.has_value(), "a socket that listens cannot be watched");
      control_->post([this] {
        if (--opening_ == 0 && !stopping_) std::exchange(started_, {})(std::nullopt);
      });
    });
  }
}

void Server::stop(io::Task stopped) {
  stopping_ = true;
  stopped_ = std::move(stopped);
  draining_ = workers_.size();
  for (const auto& worker : workers_) {
    worker->loop().post([this, &worker = *worker] {
      worker.drain(kDrainTimeoutNs, [this] { control_->post([this] { on_worker_drained(); }); });
    });
  }
}

void Server::on_worker_drained() {
  if (--draining_ > 0) return;
  lane_loop_.post([this] { lane_.lane->stop([this] { control_->post([this] { stop_loops(); }); }); });
}

void Server::stop_loops() {
  for (const auto& worker : workers_) worker->loop().stop();
  lane_loop_.stop();
  std::exchange(stopped_, {})();
}

void Server::join() {
  for (const auto& worker : workers_) world_.threads.join(worker->loop());
  world_.threads.join(lane_loop_);
}

void Server::collect(io::Loop& from, std::move_only_function<void(std::vector<admin::LoopSnapshot>)> done) {
  struct Gathering {
    std::vector<admin::LoopSnapshot> snapshots;
    std::size_t missing;
    std::move_only_function<void(std::vector<admin::LoopSnapshot>)> done;
  };
  const auto gathering =
      std::make_shared<Gathering>(std::vector<admin::LoopSnapshot>(workers_.size()), workers_.size(), std::move(done));
  for (std::size_t i = 0; i < workers_.size(); ++i) {
    workers_[i]->loop().post([&worker = *workers_[i], &from, gathering, i] {
      from.post([gathering, i, snapshot = worker.snapshot()]() mutable {
        gathering->snapshots[i] = std::move(snapshot);
        if (--gathering->missing == 0) gathering->done(std::move(gathering->snapshots));
      });
    });
  }
}

}  // namespace server
