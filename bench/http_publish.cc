// SPDX-License-Identifier: Apache-2.0
// Publishes over N keep-alive HTTP/1.1 connections, one event outstanding on each, as fast as the answers come.
//
//   http_publish --url http://127.0.0.1:8080/items/{} --connections 256 --seconds 5
//
// `{}` in the path stands for the number of an address, 0 to --addresses less 1: in order (--visit each) or at random.
// Events of the warm-up count in nothing. With --gates it waits for a line on standard input behind each object that it
// prints, {"phase":"begin"} and {"phase":"end",...}, so that the script beside it can read clocks while nothing moves.
// Exit codes: 0, 1 if a publish was refused, 64 usage, 70 if the run could not be made.
#include <getopt.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "program.h"
#include "sockets.h"

namespace bench {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr int kConnectTimeoutMs = 10'000;
constexpr int kAnswerTimeoutMs = 60'000;
constexpr int kEventsPerTurnMax = 512;
constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kPlace = "{}";

struct Options {
  std::string url;
  std::uint32_t connections = 256;
  std::uint32_t seconds = 5;
  std::uint32_t events = 0;  // instead of seconds
  std::uint32_t warm_up_events = 0;
  std::uint32_t payload_bytes = 1024;
  std::uint32_t addresses = 1;
  bool at_random = true;
  bool with_ids = false;
  bool with_gates = false;
};

struct Link {
  int socket = -1;
  std::int64_t sent_at_ns = 0;
  std::string received;
};

class Load final {
 public:
  explicit Load(const Options& options) : options_(options) {}

  Result<void> open();
  Result<void> run();
  std::uint64_t refused() const { return refused_; }

 private:
  Result<void> publish_until(std::uint64_t events, std::int64_t deadline_ns);
  Result<void> publish(Link&);
  Result<void> on_readable(Link&);
  Result<void> gate() const;
  std::string request();
  void report(std::int64_t took_ns);

  Options options_;
  Url url_;
  int epoll_ = -1;
  std::vector<Link> links_;
  std::vector<std::size_t> idle_;  // links without an event on its way
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::mt19937_64 random_{20240611};
  std::uint64_t numbered_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<std::uint32_t> waited_us_;
};

Result<void> Load::open() {
  url_ = TRY(parse_url(options_.url));
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(Errc::System, "no epoll", errno);
  for (std::size_t i = 0; i < options_.connections; ++i) {
    const int socket = TRY(start_connect(url_));
    pollfd waiting{socket, POLLOUT, 0};
    if (::poll(&waiting, 1, kConnectTimeoutMs) != 1) return fail(Errc::TimedOut, "the server does not answer");
    if (const int reason = connect_outcome(socket); reason != 0) return fail(Errc::System, "cannot connect", reason);
    TRY(watch(epoll_, socket, EPOLLIN | EPOLLRDHUP, i));
    links_.push_back({socket, 0, {}});
    idle_.push_back(i);
  }
  return {};
}

Result<void> Load::run() {
  TRY(publish_until(options_.warm_up_events, INT64_MAX));
  std::printf("{\"phase\":\"begin\"}\n");
  TRY(gate());
  waited_us_.clear();
  const std::int64_t begin_ns = now_ns();
  if (options_.events != 0)
    TRY(publish_until(options_.events, INT64_MAX));
  else
    TRY(publish_until(UINT64_MAX, begin_ns + options_.seconds * kNsPerSecond));
  report(now_ns() - begin_ns);
  return gate();
}

// Returns when every event that it sent is answered.
Result<void> Load::publish_until(std::uint64_t events, std::int64_t deadline_ns) {
  sent_ = answered_ = 0;
  epoll_event ready[kEventsPerTurnMax];
  for (;;) {
    const bool goes_on = now_ns() < deadline_ns;
    while (goes_on && sent_ < events && !idle_.empty()) {
      TRY(publish(links_[idle_.back()]));
      idle_.pop_back();
    }
    if (answered_ == sent_) return {};
    const int count = ::epoll_wait(epoll_, ready, kEventsPerTurnMax, kAnswerTimeoutMs);
    if (count == 0) return fail(Errc::TimedOut, "a publish is not answered");
    if (count < 0 && errno != EINTR) return fail(Errc::System, "epoll_wait failed", errno);
    for (int i = 0; i < count; ++i) TRY(on_readable(links_[ready[i].data.u64]));
  }
}

std::string Load::request() {
  const std::uint64_t number = ++numbered_;
  std::string path = url_.path;
  if (const auto at = path.find(kPlace); at != path.npos) {
    const std::uint64_t address = (options_.at_random ? random_() : number) % options_.addresses;
    path.replace(at, kPlace.size(), std::to_string(address));
  }
  std::string body = "{\"n\":" + std::to_string(number) + ",\"pad\":\"";
  constexpr std::string_view kBodyEnd = "\"}";
  if (body.size() + kBodyEnd.size() < options_.payload_bytes)
    body.resize(options_.payload_bytes - kBodyEnd.size(), 'x');
  body += kBodyEnd;
  std::string text = "POST " + path + " HTTP/1.1\r\nHost: " + url_.host + ":" + std::to_string(url_.port);
  if (options_.with_ids) text.append("\r\nIdempotency-Key: ").append(std::to_string(number));
  text.append("\r\nContent-Type: application/json\r\nContent-Length: ").append(std::to_string(body.size()));
  return text.append(kHeadEnd).append(body);
}

Result<void> Load::publish(Link& link) {
  ++sent_;
  const std::string text = request();
  link.sent_at_ns = now_ns();
  return send_whole(link.socket, text);
}

Result<void> Load::on_readable(Link& link) {
  const ssize_t got = ::recv(link.socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return {};
  if (got <= 0) return fail(Errc::Closed, "the server closed a connection", got < 0 ? errno : 0);
  link.received.append(buffer_.data(), static_cast<std::size_t>(got));
  const auto head_end = link.received.find(kHeadEnd);
  if (head_end == link.received.npos) return {};
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const auto at = link.received.find(kLength);
  const std::size_t length = at < head_end ? std::strtoul(link.received.c_str() + at + kLength.size(), nullptr, 10) : 0;
  if (link.received.size() < head_end + kHeadEnd.size() + length) return {};
  if (!link.received.starts_with("HTTP/1.1 201") && ++refused_ == 1)
    std::fprintf(stderr, "%s\n", link.received.c_str());
  ++answered_;
  waited_us_.push_back(static_cast<std::uint32_t>((now_ns() - link.sent_at_ns) / 1000));
  link.received.clear();
  idle_.push_back(static_cast<std::size_t>(&link - links_.data()));
  return {};
}

void Load::report(std::int64_t took_ns) {
  std::ranges::sort(waited_us_);
  const auto at = [&](std::size_t percent) {
    return waited_us_.empty() ? 0u : waited_us_[(waited_us_.size() - 1) * percent / 100];
  };
  std::printf(
      "{\"phase\":\"end\",\"acknowledged\":%llu,\"refused\":%llu,\"seconds\":%.6f,\"per_second\":%.1f,"
      "\"wait_us\":{\"p50\":%u,\"p99\":%u}}\n",
      static_cast<unsigned long long>(answered_), static_cast<unsigned long long>(refused_),
      static_cast<double>(took_ns) / kNsPerSecond,
      static_cast<double>(answered_) * kNsPerSecond / static_cast<double>(took_ns), at(50), at(99));
}

Result<void> Load::gate() const {
  std::fflush(stdout);
  char line[256];
  if (options_.with_gates && ::read(STDIN_FILENO, line, sizeof line) <= 0)
    return fail(Errc::Closed, "standard input ended");
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"url", required_argument, nullptr, 'u'},
                                    {"connections", required_argument, nullptr, 'c'},
                                    {"seconds", required_argument, nullptr, 's'},
                                    {"events", required_argument, nullptr, 'e'},
                                    {"warm-up", required_argument, nullptr, 'w'},
                                    {"payload-bytes", required_argument, nullptr, 'y'},
                                    {"addresses", required_argument, nullptr, 'a'},
                                    {"visit", required_argument, nullptr, 'v'},
                                    {"ids", no_argument, nullptr, 'i'},
                                    {"gates", no_argument, nullptr, 'g'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'u': options.url = value; break;
      case 'c': options.connections = TRY(parse_number(value, 60'000)); break;
      case 's': options.seconds = TRY(parse_number(value, 3'600)); break;
      case 'e': options.events = TRY(parse_number(value, UINT32_MAX)); break;
      case 'w': options.warm_up_events = TRY(parse_number(value, UINT32_MAX)); break;
      case 'y': options.payload_bytes = TRY(parse_number(value, 1 << 20)); break;
      case 'a': options.addresses = std::max(1u, TRY(parse_number(value, UINT32_MAX))); break;
      case 'v':
        if (value != "each" && value != "random") return fail(Errc::BadInput, "--visit is each or random");
        options.at_random = value == "random";
        break;
      case 'i': options.with_ids = true; break;
      case 'g': options.with_gates = true; break;
      default: return fail(Errc::BadInput, "unknown option");
    }
  }
  if (options.url.empty()) return fail(Errc::BadInput, "--url is missing");
  return options;
}

Result<int> publish_all(int argc, char** argv) {
  Load load(TRY(parse_options(argc, argv)));
  TRY(load.open());
  TRY(load.run());
  return load.refused() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::publish_all(argc, argv);
  if (outcome) return *outcome;
  return bench::report("http_publish", outcome.error());
}
