// SPDX-License-Identifier: Apache-2.0
#include "server/commands/serve.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/log.h"
#include "codec/rfc3339.h"
#include "io/real_world.h"
#include "io/signals.h"
#include "server/contracts.h"
#include "server/exit_code.h"
#include "server/server.h"

namespace server {

namespace {

constexpr std::uint64_t kWatchPeriodNs = 1'000'000'000;
constexpr std::uint64_t kSpaceWarningPeriodNs = 60'000'000'000;

base::Log make_log(io::Stdio& stdio, io::Clock& clock) {
  const bool person = stdio.is_terminal(io::Stdio::Stream::Error);
  return {person ? base::LogForm::Text : base::LogForm::JsonLines, base::LogLevel::Info,
          // A log that cannot be written is no reason to stop serving.
          [&stdio](std::string_view line) { (void)stdio.write(io::Stdio::Stream::Error, line); },
          [&clock](std::string& out) { codec::append_rfc3339(out, clock.wall_ms()); }};
}

void complain(io::Stdio& stdio, const std::string& sentence) {
  (void)stdio.write(io::Stdio::Stream::Error, "tidewire: " + sentence + "\n");
}

void print(io::Stdio& stdio, const std::vector<contract::Finding>& findings) {
  for (const contract::Finding& finding : findings)
    (void)stdio.write(io::Stdio::Stream::Error, contract::to_text(finding) + "\n");
}

// Contracts, united and allowed; or the exit code, with the reasons printed.
std::expected<std::unique_ptr<engine::Topics>, int> topics_of(const Settings& settings, io::FileSystem& files,
                                                              io::Stdio& stdio, LoadedContracts& loaded) {
  loaded = load_contracts(files, settings);
  print(stdio, loaded.findings);
  if (loaded.unreadable) return std::unexpected(kExitInputOutput);
  if (contract::has_errors(loaded.findings)) return std::unexpected(kExitConfiguration);
  const auto selection =
      settings.ignore_servers ? engine::ServerSelection::IgnoreServers : engine::ServerSelection::AsTheContractSays;
  auto built = engine::Topics::build(loaded.contracts, selection);
  print(stdio, built.findings);
  if (!built.topics) return std::unexpected(kExitConfiguration);
  if (built.topics->channels().empty()) {
    complain(stdio,
             "nothing to serve: no channel of these contracts is reachable over HTTP; --ignore-servers serves "
             "every channel with an address over HTTP at `/`");
    return std::unexpected(kExitConfiguration);
  }
  const std::vector<std::string> refused = refusals(loaded.contracts, settings);
  for (const std::string& sentence : refused) complain(stdio, sentence);
  if (!refused.empty()) return std::unexpected(kExitConfiguration);
  return std::move(built.topics);
}

void announce(const base::Log& log, const storage::RecoveryFinding& finding) {
  using Kind = storage::RecoveryFinding::Kind;
  const bool grave =
      finding.kind == Kind::TornTail || finding.kind == Kind::Damage || finding.kind == Kind::EpochChanged;
  grave ? log.warning(finding.sentence) : log.info(finding.sentence);
}

// What an operator must know at once.
void announce(const base::Log& log, storage::LaneCondition condition) {
  switch (condition) {
    case storage::LaneCondition::Writable: return log.info("the log has room again: publishing goes on");
    case storage::LaneCondition::Full:
      return log.error(
          "disk full, or `storage.bytes_max` reached with young events: publishing gets 507, reading goes on");
    case storage::LaneCondition::ReadOnly:
      return log.error(
          "a sync of the log failed: publishing gets 503 until a restart, reading goes on; check the disk");
  }
}

void announce(const base::Log& log, const Server& server, const LoadedContracts& loaded, const Settings& settings) {
  for (const engine::ContractInRole& described : loaded.contracts) {
    log.info("serving", {{"contract", described.contract->file},
                         {"title", described.contract->info.title},
                         {"version", described.contract->info.version},
                         {"channels", static_cast<std::uint64_t>(described.contract->channels.size())}});
  }
  std::string paths;
  for (const engine::Mount& mount : server.topics().mounts())
    paths += (paths.empty() ? "" : " ") + mount.pathname + "/";
  for (const ListenerPlan& plan : server.listeners()) {
    const bool is_path = plan.endpoint.family == io::Endpoint::Family::Unix;
    std::string url = (is_path ? "" : "http://") + plan.endpoint.to_string();
    if (plan.role == ListenerRole::Admin) {
      log.info("listening", {{"role", name(plan.role)}, {"url", url += is_path ? "" : "/metrics"}});
    } else {
      log.info("listening", {{"role", name(plan.role)}, {"url", url}, {"channels_under", paths}});
    }
    if (!plan.surface.static_root.empty() && !is_path)
      log.info("static files", {{"url", url + "/"}, {"folder", plan.surface.static_root}});
  }
  if (!settings.data) log.warning("memory only: nothing survives a restart");
  log.warning("payload schemas are not enforced yet: JSON must be well-formed, and that is all");
  if (settings.access_open) log.warning("listeners are open to other machines without access control (access.open)");
  if (settings.access_unenforced_allow)
    log.warning("security that the contracts declare is not enforced (access.unenforced)");
}

class Serving {
 public:
  Serving(io::World world, const Settings& settings, const LoadedContracts& loaded, Server& server, io::Stdio& stdio)
      : control_(world, "control"),
        log_(make_log(stdio, world.clock)),
        settings_(settings),
        loaded_(loaded),
        server_(server),
        signals_(control_, [this](io::StopSignals::Signal signal) { on_signal(signal); }),
        watch_timer_([](void* self) { static_cast<Serving*>(self)->watch(); }, this) {}

  int run() {
    if (settings_.data) log_.info("log", {{"directory", *settings_.data}});
    for (const storage::RecoveryFinding& finding : server_.findings()) announce(log_, finding);
    server_.start(control_, [this](const std::optional<StartFailure>& failure) { on_started(failure); });
    control_.run();
    server_.join();
    log_.info("stopped");
    return exit_code_;
  }

 private:
  void on_started(const std::optional<StartFailure>& failure) {
    if (!failure) {
      announce(log_, server_, loaded_, settings_);
      return watch();
    }
    log_.error(failure->sentence);
    exit_code_ = failure->exit_code;
    stop();
  }

  // A lane tells its condition only to those who ask.
  void watch() {
    if (const storage::LaneCondition now = server_.condition(); std::exchange(condition_, now) != now) {
      announce(log_, now);
    }
    watch_space();
    control_.set_timer(watch_timer_, kWatchPeriodNs);
  }

  // What goes for want of space goes before its channel's retention would have it.
  void watch_space() {
    const std::uint64_t trimmed = server_.log_usage().trimmed_by_total, now = control_.now_ns();
    if (trimmed == trimmed_by_total_ || now < next_space_warning_ns_) return;
    log_.warning("`storage.bytes_max` is reached: the oldest events of all channels go before their retention is over",
                 {{"events", trimmed - std::exchange(trimmed_by_total_, trimmed)}});
    next_space_warning_ns_ = now + kSpaceWarningPeriodNs;
  }

  void on_signal(io::StopSignals::Signal signal) {
    if (signal == io::StopSignals::Signal::Hangup) {
      return log_.warning("reload is not in this version: restart to serve a changed contract");
    }
    if (stopping_) {
      log_.warning("second signal: stopping at once");
      io::leave_at_once(kExitFinding);
    }
    log_.info("stopping: clients are told to come back");
    stop();
  }

  void stop() {
    stopping_ = true;
    watch_timer_.cancel();
    server_.stop([this] { control_.stop(); });
  }

  io::Loop control_;
  base::Log log_;
  const Settings& settings_;
  const LoadedContracts& loaded_;
  Server& server_;
  io::StopSignals signals_;
  io::Timer watch_timer_;
  storage::LaneCondition condition_ = storage::LaneCondition::Writable;
  std::uint64_t trimmed_by_total_ = 0;  // as the last warning has it
  std::uint64_t next_space_warning_ns_ = 0;
  int exit_code_ = kExitOk;
  bool stopping_ = false;
};

}  // namespace

int run_serve(const Settings& settings, io::Stdio& stdio) {
  io::RealWorld real;
  LoadedContracts loaded;
  auto topics = topics_of(settings, real.world().file_system, stdio, loaded);
  if (!topics) return topics.error();
  const unsigned threads = settings.threads != 0 ? settings.threads : std::min(real.processors(), kThreadsMax);
  auto server = Server::open(real.world(), settings, threads, std::move(*topics));
  if (!server) {
    complain(stdio, server.error().sentence);
    return server.error().exit_code;
  }
  return Serving(real.world(), settings, loaded, **server, stdio).run();
}

}  // namespace server
