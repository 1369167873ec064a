// SPDX-License-Identifier: Apache-2.0
// The client of all fan-out and idle rows: N subscribers and one publisher in one thread, whoever the server is.
//
//   sse_client --url U --publish-url P --subscribers 9000 --burst 1 --bursts-per-second 5 --seconds 6
//   sse_client --url U --idle 1000,15000
//
// It prints one JSON object a line. With --gates it waits for a line on standard input behind each of them, so that the
// script beside it can read the server's CPU clock while nothing moves: a fan-out run prints {"phase":"begin"} when all
// are connected and warm, and {"phase":"end",...} when the last event has reached the last subscriber. Exit codes: 0,
// 1 if an event was lost, repeated or out of order, 64 usage, 70 if the run could not be made.
#include <getopt.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "program.h"
#include "publisher.h"
#include "sockets.h"
#include "subscribers.h"
#include "verdict.h"

namespace bench {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kOpenTimeoutNs = 120 * kNsPerSecond;
constexpr std::int64_t kStopTimeoutNs = 100 * kNsPerMs;
constexpr std::uint32_t kWarmUpBursts = 3;
constexpr int kEventsPerTurnMax = 512;
constexpr std::uint64_t kStdinTag = 0;
constexpr std::uint64_t kPublisherTag = 1;
constexpr std::uint64_t kSubscriberTag = 1'000'000;

enum class Gates : unsigned char { Open, Stdin };

struct Options {
  std::string url;
  std::string publish_url;
  std::uint32_t subscribers = 100;
  std::uint32_t samples = 16;
  std::uint32_t burst = 1;
  std::uint32_t bursts_per_second = 5;
  std::uint32_t seconds = 6;
  std::uint32_t payload_bytes = 128;
  std::uint32_t patience_seconds = 20;  // without any delivery, until missing ones count as lost
  Publisher::How how = Publisher::How::Connections;
  std::vector<std::uint32_t> idle;  // how many subscribers to hold, step by step
  std::uint32_t hold_pid = 0;       // stopped while a burst is written, so that it finds the whole burst at once
  Gates gates = Gates::Open;
};

// Stops a process for as long as this lives; of pid 0, nothing.
class Hold final {
 public:
  explicit Hold(std::uint32_t pid) : pid_(static_cast<pid_t>(pid)) {
    if (pid_ == 0 || ::kill(pid_, SIGSTOP) != 0) return;
    const std::int64_t deadline_ns = now_ns() + kStopTimeoutNs;
    while (!is_stopped() && now_ns() < deadline_ns) {
    }
  }
  ~Hold() {
    if (pid_ != 0) ::kill(pid_, SIGCONT);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

 private:
  // The state is the letter behind the name in parentheses.
  bool is_stopped() const {
    std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
    std::string text;
    std::getline(file, text);
    const auto name_end = text.rfind(')');
    return name_end != text.npos && text.compare(name_end, 3, ") T") == 0;
  }

  pid_t pid_;
};

class Client final {
 public:
  explicit Client(const Options& options) : options_(options) {}

  Result<void> open();
  Result<void> hold_idle();
  Result<Faults> fan_out();

 private:
  Result<void> turn(std::int64_t until_ns);
  Result<void> subscribe(std::size_t count, std::size_t samples);
  Result<void> warm_up();
  Result<void> publish_for(std::uint32_t bursts);
  Result<void> publish_burst();
  Result<void> drain();
  Result<void> gate();
  bool is_drained() const;
  Faults judge() const;
  void report(std::uint32_t first_event, std::uint64_t bytes_before, double seconds, const Faults&) const;

  Options options_;
  int epoll_ = -1;
  std::unique_ptr<Subscribers> subscribers_;
  std::unique_ptr<Publisher> publisher_;
  std::vector<std::int64_t> sent_at_ns_ = {0};  // by event number; numbers begin with 1
  std::uint32_t late_bursts_ = 0;  // went out while an answer or a delivery of the burst before was missing
  std::uint32_t lines_ = 0;        // read from standard input
};

Result<void> Client::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(Errc::System, "no epoll", errno);
  if (options_.gates == Gates::Stdin) TRY(watch(epoll_, STDIN_FILENO, EPOLLIN, kStdinTag));
  subscribers_ = std::make_unique<Subscribers>(epoll_, kSubscriberTag, TRY(parse_url(options_.url)));
  return {};
}

// One wait, no longer than until `until_ns`, and everything that it brought.
Result<void> Client::turn(std::int64_t until_ns) {
  epoll_event events[kEventsPerTurnMax];
  const std::int64_t wait_ns = std::max<std::int64_t>(0, until_ns - now_ns());
  const int wait_ms = static_cast<int>((wait_ns + kNsPerMs - 1) / kNsPerMs);
  const int ready = ::epoll_wait(epoll_, events, kEventsPerTurnMax, wait_ms);
  if (ready < 0 && errno != EINTR) return fail(Errc::System, "epoll_wait failed", errno);
  for (int i = 0; i < ready; ++i) {
    const std::uint64_t tag = events[i].data.u64;
    if (tag >= kSubscriberTag) {
      TRY(subscribers_->on_ready(tag - kSubscriberTag, events[i].events));
    } else if (tag >= kPublisherTag) {
      TRY(publisher_->on_readable(tag - kPublisherTag));
    } else {
      char line[256];
      if (::read(STDIN_FILENO, line, sizeof line) <= 0) return fail(Errc::Closed, "standard input ended");
      ++lines_;
    }
  }
  return {};
}

Result<void> Client::gate() {
  std::fflush(stdout);
  if (options_.gates == Gates::Open) return {};
  for (const std::uint32_t before = lines_; lines_ == before;) TRY(turn(now_ns() + kNsPerSecond));
  return {};
}

Result<void> Client::subscribe(std::size_t count, std::size_t samples) {
  const std::int64_t deadline_ns = now_ns() + kOpenTimeoutNs;
  TRY(subscribers_->grow_to(count, samples));
  while (!subscribers_->all_open()) {
    TRY(turn(deadline_ns));
    if (now_ns() >= deadline_ns) return fail(Errc::TimedOut, "not all subscribers were let in");
  }
  return {};
}

Result<void> Client::hold_idle() {
  for (const std::uint32_t count : options_.idle) {
    TRY(subscribe(count, 0));
    std::printf("{\"phase\":\"idle\",\"subscribers\":%zu,\"retried\":%u,\"closed\":%zu}\n", subscribers_->open_count(),
                subscribers_->retried(), subscribers_->closed());
    TRY(gate());
    if (subscribers_->closed() != 0) return fail(Errc::Closed, "the server ended an idle stream");
  }
  return {};
}

Result<void> Client::publish_burst() {
  if (!is_drained()) ++late_bursts_;
  const auto first = static_cast<std::uint32_t>(sent_at_ns_.size());
  sent_at_ns_.resize(sent_at_ns_.size() + options_.burst, now_ns());
  const Hold hold(options_.hold_pid);
  return publisher_->publish(first);
}

bool Client::is_drained() const {
  const std::uint64_t events = sent_at_ns_.size() - 1;
  return publisher_->waiting() == 0 && subscribers_->deliveries() >= events * options_.subscribers;
}

// Until everything has arrived; a run that stops moving ends too, and is judged as it is.
Result<void> Client::drain() {
  std::uint64_t seen = subscribers_->deliveries();
  const std::int64_t patience_ns = options_.patience_seconds * kNsPerSecond;
  std::int64_t deadline_ns = now_ns() + patience_ns;
  while (!is_drained() && now_ns() < deadline_ns) {
    TRY(turn(deadline_ns));
    if (subscribers_->deliveries() == seen) continue;
    seen = subscribers_->deliveries();
    deadline_ns = now_ns() + patience_ns;
  }
  return {};
}

Result<void> Client::warm_up() {
  for (std::uint32_t i = 0; i < kWarmUpBursts; ++i) {
    TRY(publish_burst());
    TRY(drain());
  }
  return {};
}

Result<void> Client::publish_for(std::uint32_t bursts) {
  const std::int64_t begin_ns = now_ns();
  for (std::uint32_t i = 0; i < bursts; ++i) {
    const std::int64_t due_ns = begin_ns + kNsPerSecond * i / options_.bursts_per_second;
    while (now_ns() < due_ns) TRY(turn(due_ns));
    TRY(publish_burst());
  }
  const std::int64_t end_ns = begin_ns + kNsPerSecond * bursts / options_.bursts_per_second;
  while (now_ns() < end_ns) TRY(turn(end_ns));
  return drain();
}

Result<Faults> Client::fan_out() {
  publisher_ = std::make_unique<Publisher>(
      Publisher::Plan{TRY(parse_url(options_.publish_url)), options_.how, options_.burst, options_.payload_bytes});
  TRY(publisher_->open(epoll_, kPublisherTag));
  TRY(subscribe(options_.subscribers, options_.samples));
  TRY(warm_up());
  late_bursts_ = 0;
  std::printf("{\"phase\":\"begin\",\"subscribers\":%u}\n", options_.subscribers);
  TRY(gate());

  const auto first_event = static_cast<std::uint32_t>(sent_at_ns_.size());
  const std::uint64_t bytes_before = subscribers_->bytes();
  const std::int64_t begin_ns = now_ns();
  TRY(publish_for(options_.seconds * options_.bursts_per_second));
  const double seconds = static_cast<double>(now_ns() - begin_ns) / kNsPerSecond;
  Faults faults = judge();
  report(first_event, bytes_before, seconds, faults);
  TRY(gate());
  return faults;
}

Faults Client::judge() const {
  const auto events = static_cast<std::uint32_t>(sent_at_ns_.size() - 1);
  const bool shared_links = options_.how != Publisher::How::Connections || options_.burst == 1;
  Faults faults;
  faults.short_subscribers = subscribers_->short_of(events);
  faults.closed = subscribers_->closed();
  faults.refused = publisher_->refused();
  faults.unanswered = publisher_->waiting();
  judge_order(subscribers_->samples(), events, options_.burst, shared_links ? Order::Exact : Order::PerConnection,
              faults);
  if (faults.refused != 0) std::fprintf(stderr, "%s\n", publisher_->first_refusal().c_str());
  if (!faults.first.empty()) std::fprintf(stderr, "sse_client: %s\n", faults.first.c_str());
  return faults;
}

void Client::report(std::uint32_t first_event, std::uint64_t bytes_before, double seconds, const Faults& faults) const {
  const std::uint64_t events = sent_at_ns_.size() - first_event;
  const std::uint64_t deliveries = events * options_.subscribers;
  const std::uint64_t bytes = subscribers_->bytes() - bytes_before;
  const Latency late = latency(subscribers_->samples(), first_event, sent_at_ns_);
  std::printf("{\"phase\":\"end\",\"subscribers\":%u,\"events\":%llu,\"deliveries\":%llu,\"bytes\":%llu,",  //
              options_.subscribers, static_cast<unsigned long long>(events),
              static_cast<unsigned long long>(deliveries), static_cast<unsigned long long>(bytes));
  std::printf("\"bytes_per_delivery\":%.3f,\"seconds\":%.3f,\"late_bursts\":%u,\"retried\":%u,",
              static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(1, deliveries)), seconds,
              late_bursts_, subscribers_->retried());
  std::printf("\"latency_ms\":{\"p50\":%.3f,\"p99\":%.3f,\"max\":%.3f},", late.p50_ms, late.p99_ms, late.max_ms);
  std::printf(
      "\"faults\":{\"short\":%zu,\"disordered\":%zu,\"closed\":%zu,\"refused\":%u,\"unanswered\":%u},\"ok\":%s}\n",
      faults.short_subscribers, faults.disordered, faults.closed, faults.refused, faults.unanswered,
      faults.none() ? "true" : "false");
}

Result<Publisher::How> parse_how(std::string_view text) {
  if (text == "connections") return Publisher::How::Connections;
  if (text == "pipeline") return Publisher::How::Pipeline;
  if (text == "batch") return Publisher::How::Batch;
  return fail(Errc::BadInput, "--burst-by is connections, pipeline or batch");
}

Result<std::vector<std::uint32_t>> parse_steps(std::string_view text) {
  std::vector<std::uint32_t> steps;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    steps.push_back(TRY(parse_number(text.substr(0, comma), 1'000'000)));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return steps;
}

Result<void> set_option(Options& options, int key, std::string_view value) {
  switch (key) {
    case 'u': options.url = value; break;
    case 'p': options.publish_url = value; break;
    case 'n': options.subscribers = TRY(parse_number(value, 1'000'000)); break;
    case 'm': options.samples = TRY(parse_number(value, 1'000)); break;
    case 'b': options.burst = std::max(1u, TRY(parse_number(value, 100))); break;
    case 'r': options.bursts_per_second = std::max(1u, TRY(parse_number(value, 10'000))); break;
    case 's': options.seconds = std::max(1u, TRY(parse_number(value, 3'600))); break;
    case 'y': options.payload_bytes = TRY(parse_number(value, 65'536)); break;
    case 'w': options.patience_seconds = TRY(parse_number(value, 3'600)); break;
    case 'h': options.how = TRY(parse_how(value)); break;
    case 'i': options.idle = TRY(parse_steps(value)); break;
    case 'k': options.hold_pid = TRY(parse_number(value, INT32_MAX)); break;
    case 'g': options.gates = Gates::Stdin; break;
    default: return fail(Errc::BadInput, "unknown option");
  }
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"url", required_argument, nullptr, 'u'},
                                    {"publish-url", required_argument, nullptr, 'p'},
                                    {"subscribers", required_argument, nullptr, 'n'},
                                    {"samples", required_argument, nullptr, 'm'},
                                    {"burst", required_argument, nullptr, 'b'},
                                    {"burst-by", required_argument, nullptr, 'h'},
                                    {"bursts-per-second", required_argument, nullptr, 'r'},
                                    {"seconds", required_argument, nullptr, 's'},
                                    {"payload-bytes", required_argument, nullptr, 'y'},
                                    {"patience-seconds", required_argument, nullptr, 'w'},
                                    {"idle", required_argument, nullptr, 'i'},
                                    {"hold-pid", required_argument, nullptr, 'k'},
                                    {"gates", no_argument, nullptr, 'g'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;)
    TRY(set_option(options, key, optarg != nullptr ? optarg : ""));
  if (options.url.empty()) return fail(Errc::BadInput, "--url is missing");
  if (options.idle.empty() && options.publish_url.empty()) return fail(Errc::BadInput, "--publish-url is missing");
  return options;
}

Result<int> run(int argc, char** argv) {
  const Options options = TRY(parse_options(argc, argv));
  Client client(options);
  TRY(client.open());
  if (options.idle.empty()) return TRY(client.fan_out()).none() ? 0 : 1;
  TRY(client.hold_idle());
  return 0;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::run(argc, argv);
  if (outcome) return *outcome;
  return bench::report("sse_client", outcome.error());
}
