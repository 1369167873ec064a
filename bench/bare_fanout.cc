// SPDX-License-Identifier: Apache-2.0
// The baseline of the fan-out rows: one thread, one epoll, and for every event a bare loop of send() over all
// subscribers. It does what no server can do without, and nothing else: no topics, log, cursors, queues or limits.
//
// It is driven by the same client as Tidewire: GET subscribes, POST publishes. Each payload {"n":...} found in a body
// is one event; its frame has exactly --frame-bytes bytes, and is built once. --coalesce one: one send per event and
// subscriber. --coalesce turn: one send per subscriber of all events that came in one turn of the loop.
//
// Prints {"subscribe_port":P,"publish_port":Q} and serves until it is killed. It trusts its client.
#include <getopt.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "program.h"
#include "sockets.h"

namespace bench {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kEventsPerTurnMax = 512;
constexpr std::size_t kChunkOverheadBytes = 2 + 2 + 2;  // two hexadecimal digits, CRLF, CRLF
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kPayloadBegin = "{\"n\":";

constexpr std::string_view kStreamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store, no-transform\r\n"
    "Transfer-Encoding: chunked\r\n\r\n"
    "25\r\nid: 0000000000000000000000000000000\n\n\r\n";
constexpr std::string_view kCreated =
    "HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

enum class Coalesce : unsigned char { One, Turn };

struct Options {
  std::uint32_t frame_bytes = 190;
  std::uint32_t payload_bytes = 128;
  std::uint32_t ports[2] = {0, 0};  // of subscribers and of the publisher; 0: the kernel chooses
  std::uint32_t lose = 0;           // a canary: this event (counted from 1) is not sent to the last subscriber
  Coalesce coalesce = Coalesce::One;
};

// One chunk that carries one event; the id is as long as it must be for the frame to have `frame_bytes`.
Result<std::string> build_frame(std::string_view payload, std::size_t frame_bytes) {
  std::string before = "event: tick\nid: ";
  std::string after = "\ndata: ";
  after.append(payload).append("\n\n");
  std::size_t overhead = kChunkOverheadBytes;
  if (frame_bytes > 0xff + overhead) ++overhead;  // a third digit
  const std::size_t fixed = overhead + before.size() + after.size();
  if (frame_bytes < fixed || frame_bytes > 0xfff + overhead)
    return fail(Errc::Invalid, "no frame has that many bytes with this payload");
  const std::string body = before + std::string(frame_bytes - fixed, '0') + after;
  char size[8];
  std::snprintf(size, sizeof size, "%0*zx\r\n", static_cast<int>(overhead - 4), body.size());
  return size + body + "\r\n";
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\nContent-Length: ";
  const auto at = head.find(kName);
  return at == head.npos ? 0 : std::strtoul(head.data() + at + kName.size(), nullptr, 10);
}

class BareFanout final {
 public:
  explicit BareFanout(const Options& options) : options_(options), buffer_(kReadBytes) {}

  Result<void> open();
  Result<void> turn();

 private:
  enum Port : std::uint64_t { kSubscribePort, kPublishPort, kConnections };

  Result<void> accept_all(int listener);
  Result<void> on_readable(int socket);
  Result<void> on_requests(int socket, std::string& pending);
  Result<void> on_publish(int socket, std::string_view body);
  Result<void> fan_out(std::string_view bytes);
  void drop(int socket);

  Options options_;
  int epoll_ = -1;
  int listeners_[2] = {-1, -1};
  std::vector<char> buffer_;
  std::vector<int> subscribers_;
  std::unordered_map<int, std::string> pending_;  // of sockets that have not subscribed: bytes without a whole request
  std::vector<std::string> frames_;               // of the events of this turn
  std::uint32_t events_ = 0;
};

Result<void> BareFanout::open() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return fail(Errc::System, "no epoll", errno);
  for (const auto port : {kSubscribePort, kPublishPort}) {
    listeners_[port] = TRY(listen_on_loopback(static_cast<std::uint16_t>(options_.ports[port])));
    TRY(watch(epoll_, listeners_[port], EPOLLIN, port));
  }
  std::printf("{\"subscribe_port\":%d,\"publish_port\":%d}\n", local_port(listeners_[kSubscribePort]),
              local_port(listeners_[kPublishPort]));
  std::fflush(stdout);
  return {};
}

Result<void> BareFanout::turn() {
  epoll_event events[kEventsPerTurnMax];
  const int ready = ::epoll_wait(epoll_, events, kEventsPerTurnMax, -1);
  if (ready < 0 && errno != EINTR) return fail(Errc::System, "epoll_wait failed", errno);
  for (int i = 0; i < ready; ++i) {
    const std::uint64_t tag = events[i].data.u64;
    if (tag < kConnections)
      TRY(accept_all(listeners_[tag]));
    else
      TRY(on_readable(static_cast<int>(tag - kConnections)));
  }
  if (options_.coalesce == Coalesce::Turn && frames_.size() > 1) {
    for (std::size_t i = 1; i < frames_.size(); ++i) frames_[0] += frames_[i];
    frames_.resize(1);
  }
  for (const std::string& frame : frames_) TRY(fan_out(frame));
  frames_.clear();
  return {};
}

Result<void> BareFanout::accept_all(int listener) {
  for (int socket = accept_next(listener); socket >= 0; socket = accept_next(listener)) {
    TRY(watch(epoll_, socket, EPOLLIN | EPOLLRDHUP, kConnections + static_cast<std::uint64_t>(socket)));
    pending_[socket];
  }
  return {};
}

Result<void> BareFanout::on_readable(int socket) {
  const ssize_t got = ::recv(socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && errno == EAGAIN) return {};
  if (got <= 0) {
    drop(socket);
    return {};
  }
  const auto found = pending_.find(socket);
  if (found == pending_.end()) return {};  // a subscriber has nothing more to say
  found->second.append(buffer_.data(), static_cast<std::size_t>(got));
  return on_requests(socket, found->second);
}

Result<void> BareFanout::on_requests(int socket, std::string& pending) {
  for (;;) {
    const auto head_end = pending.find(kHeadEnd);
    if (head_end == pending.npos) return {};
    const std::string_view head = std::string_view(pending).substr(0, head_end + 2);
    if (head.starts_with("GET ")) {
      pending_.erase(socket);
      subscribers_.push_back(socket);
      return send_whole(socket, kStreamHead);
    }
    const std::size_t body_begin = head_end + kHeadEnd.size();
    const std::size_t body_bytes = content_length(head);
    if (pending.size() < body_begin + body_bytes) return {};
    TRY(on_publish(socket, std::string_view(pending).substr(body_begin, body_bytes)));
    pending.erase(0, body_begin + body_bytes);
  }
}

Result<void> BareFanout::on_publish(int socket, std::string_view body) {
  for (auto at = body.find(kPayloadBegin); at != body.npos; at = body.find(kPayloadBegin, at + 1))
    frames_.push_back(TRY(build_frame(body.substr(at, options_.payload_bytes), options_.frame_bytes)));
  return send_whole(socket, kCreated);
}

Result<void> BareFanout::fan_out(std::string_view bytes) {
  ++events_;
  const std::size_t spared = events_ == options_.lose ? 1 : 0;
  const std::size_t count = subscribers_.size();
  for (std::size_t i = 0; i + spared < count; ++i) TRY(send_whole(subscribers_[i], bytes));
  return {};
}

void BareFanout::drop(int socket) {
  pending_.erase(socket);
  std::erase(subscribers_, socket);
  ::close(socket);
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"frame-bytes", required_argument, nullptr, 'f'},
                                    {"payload-bytes", required_argument, nullptr, 'p'},
                                    {"coalesce", required_argument, nullptr, 'c'},
                                    {"subscribe-port", required_argument, nullptr, 's'},
                                    {"publish-port", required_argument, nullptr, 'q'},
                                    {"lose", required_argument, nullptr, 'l'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'f': options.frame_bytes = TRY(parse_number(value, 0xfff)); break;
      case 'p': options.payload_bytes = TRY(parse_number(value, 0xfff)); break;
      case 's': options.ports[0] = TRY(parse_number(value, UINT16_MAX)); break;
      case 'q': options.ports[1] = TRY(parse_number(value, UINT16_MAX)); break;
      case 'l': options.lose = TRY(parse_number(value, UINT32_MAX)); break;
      case 'c':
        if (value != "one" && value != "turn") return fail(Errc::BadInput, "--coalesce is one or turn");
        options.coalesce = value == "one" ? Coalesce::One : Coalesce::Turn;
        break;
      default: return fail(Errc::BadInput, "unknown option");
    }
  }
  return options;
}

Result<void> serve(int argc, char** argv) {
  BareFanout server(TRY(parse_options(argc, argv)));
  TRY(server.open());
  for (;;) TRY(server.turn());
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::serve(argc, argv);
  if (outcome) return 0;
  return bench::report("bare_fanout", outcome.error());
}
