// SPDX-License-Identifier: Apache-2.0
// One reader that catches up over HTTP: reads an event stream as fast as it comes until a given cursor has arrived.
//
//   stream_drain --url 'http://127.0.0.1:8080/items/0?after=earliest' --until CURSOR
//
// Looks for nothing else, so that the reader is not what is measured. Prints the bytes and how long they took.
#include <getopt.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
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

constexpr std::size_t kReadBytes = 1 << 20;
constexpr int kPatienceMs = 20'000;

Result<void> await(int socket, short what) {
  pollfd waiting{socket, what, 0};
  if (::poll(&waiting, 1, kPatienceMs) != 1) return fail(Errc::TimedOut, "nothing more comes");
  return {};
}

Result<void> drain(const Url& url, const std::string& until) {
  const int socket = TRY(start_connect(url));
  TRY(await(socket, POLLOUT));
  if (const int reason = connect_outcome(socket); reason != 0) return fail(Errc::System, "cannot connect", reason);
  TRY(send_whole(socket, "GET " + url.path + " HTTP/1.1\r\nHost: " + url.host + ":" + std::to_string(url.port) +
                             "\r\nAccept: text/event-stream\r\n\r\n"));
  const std::string id = "id: " + until;
  const std::int64_t begin_ns = now_ns();
  std::vector<char> buffer(kReadBytes + id.size());  // what comes stands behind the end of what came before
  std::size_t kept = 0;
  std::uint64_t bytes = 0;
  for (bool arrived = false; !arrived;) {
    const ssize_t got = ::recv(socket, buffer.data() + kept, kReadBytes, 0);
    if (got == 0) return fail(Errc::Closed, "the server ended the stream");
    if (got < 0 && errno != EAGAIN) return fail(Errc::System, "cannot read", errno);
    if (got < 0) {
      TRY(await(socket, POLLIN));
      continue;
    }
    bytes += static_cast<std::size_t>(got);
    const std::size_t there = kept + static_cast<std::size_t>(got);
    arrived = ::memmem(buffer.data(), there, id.data(), id.size()) != nullptr;
    kept = std::min(there, id.size() - 1);
    std::memmove(buffer.data(), buffer.data() + there - kept, kept);
  }
  std::printf("{\"bytes\":%llu,\"seconds\":%.6f}\n", static_cast<unsigned long long>(bytes),
              static_cast<double>(now_ns() - begin_ns) / 1e9);
  return {};
}

Result<void> run(int argc, char** argv) {
  static const option kOptions[] = {
      {"url", required_argument, nullptr, 'u'}, {"until", required_argument, nullptr, 'c'}, {nullptr, 0, nullptr, 0}};
  std::string url;
  std::string until;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    if (key == '?') return fail(Errc::BadInput, "unknown option");
    (key == 'u' ? url : until) = optarg;
  }
  if (until.empty()) return fail(Errc::BadInput, "--until is missing");
  return drain(TRY(parse_url(url)), until);
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::run(argc, argv);
  if (outcome) return 0;
  return bench::report("stream_drain", outcome.error());
}
