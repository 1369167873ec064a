// SPDX-License-Identifier: Apache-2.0
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <ctime>

namespace bench {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int kAcceptQueueMax = 4096;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_without_delay(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Result<void> control(int epoll, int operation, int socket, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  if (::epoll_ctl(epoll, operation, socket, &event) < 0) return fail(Errc::System, "epoll_ctl failed", errno);
  return {};
}

}  // namespace

Result<std::uint32_t> parse_number(std::string_view text, std::uint32_t max) {
  std::uint32_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value > max)
    return fail(Errc::BadInput, "not a number in range");
  return value;
}

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) return fail(Errc::BadInput, "an address begins with http://");
  text.remove_prefix(kScheme.size());
  const auto slash = text.find('/');
  const auto colon = text.find(':');
  if (slash == text.npos || colon == text.npos || colon > slash)
    return fail(Errc::BadInput, "an address is http://ADDRESS:PORT/PATH");
  const auto port = TRY(parse_number(text.substr(colon + 1, slash - colon - 1), UINT16_MAX));
  return Url{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(port), std::string(text.substr(slash))};
}

Result<int> start_connect(const Url& url) {
  sockaddr_in address = loopback(url.port);
  if (::inet_pton(AF_INET, url.host.c_str(), &address.sin_addr) != 1)
    return fail(Errc::BadInput, "the host must be an IPv4 address");
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(Errc::System, "no socket", errno);
  send_without_delay(socket);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 && errno != EINPROGRESS) {
    const int reason = errno;
    ::close(socket);
    return fail(Errc::System, "cannot connect", reason);
  }
  return socket;
}

int connect_outcome(int socket) {
  int outcome = 0;
  socklen_t size = sizeof outcome;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &outcome, &size) < 0 ? errno : outcome;
}

Result<int> listen_on_loopback(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) return fail(Errc::System, "no socket", errno);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
    return fail(Errc::System, "cannot bind", errno);
  if (::listen(listener, kAcceptQueueMax) < 0) return fail(Errc::System, "cannot listen", errno);
  return listener;
}

std::uint16_t local_port(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

int accept_next(int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket >= 0) send_without_delay(socket);
  return socket;
}

Result<void> send_whole(int socket, std::string_view bytes) {
  const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0) return fail(Errc::System, "cannot send", errno);
  if (static_cast<std::size_t>(sent) != bytes.size()) return fail(Errc::Overload, "the socket buffer is full");
  return {};
}

Result<void> watch(int epoll, int socket, std::uint32_t events, std::uint64_t tag) {
  return control(epoll, EPOLL_CTL_ADD, socket, events, tag);
}

Result<void> rewatch(int epoll, int socket, std::uint32_t events, std::uint64_t tag) {
  return control(epoll, EPOLL_CTL_MOD, socket, events, tag);
}

std::int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace bench
