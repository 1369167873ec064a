// SPDX-License-Identifier: Apache-2.0
#pragma once
// The few socket calls that both measuring programs need. bench/ stands outside the floors: it calls the system itself,
// so that what measures the server shares no code with it.
//
// Every socket has TCP_NODELAY and does not block. Errors carry errno.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace bench {

struct Url {
  std::string host;  // an IPv4 address in dotted form
  std::uint16_t port = 0;
  std::string path;  // begins with '/'
};

// http://ADDRESS:PORT/PATH; Errc::BadInput for anything else.
base::Result<Url> parse_url(std::string_view);

// A whole decimal number no larger than `max`.
base::Result<std::uint32_t> parse_number(std::string_view, std::uint32_t max);

// Begins to connect; the socket becomes writable when it is connected or has failed.
base::Result<int> start_connect(const Url&);

// 0, or the errno with which a started connect failed.
int connect_outcome(int socket);

// Listens on 127.0.0.1; port 0 lets the kernel choose.
base::Result<int> listen_on_loopback(std::uint16_t port);
std::uint16_t local_port(int socket);

// -1 when nobody waits.
int accept_next(int listener);

// Writes all of it or fails: what is written here fits a socket buffer, so a full one is a fault of the measurement.
base::Result<void> send_whole(int socket, std::string_view);

// Registers for reading (level-triggered); the tag comes back with the event.
base::Result<void> watch(int epoll, int socket, std::uint32_t events, std::uint64_t tag);
base::Result<void> rewatch(int epoll, int socket, std::uint32_t events, std::uint64_t tag);

std::int64_t now_ns();

}  // namespace bench
