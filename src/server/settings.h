// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything that decides how the program serves: from the command line, over tidewire.yaml, over the defaults here.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/topics.h"
#include "io/endpoint.h"

namespace server {

inline constexpr unsigned kThreadsMax = 256;
inline constexpr std::uint64_t kEventBytesMaxMost = 16 << 20;

io::Endpoint loopback(std::uint16_t port);

struct Settings {
  std::vector<std::string> contracts;
  std::vector<std::string> clients;  // contracts of client applications
  std::optional<io::Endpoint> listen = loopback(8080);
  std::optional<io::Endpoint> app_listen = loopback(8082);
  std::optional<io::Endpoint> admin = loopback(8081);
  unsigned threads = 0;  // 0: one for each processor
  bool ignore_servers = false;
  std::vector<std::string> hosts;
  std::vector<std::string> origins;
  std::string static_root;
  bool access_open = false;              // listeners beyond loopback
  bool access_unenforced_allow = false;  // contracts that declare security, which is not enforced yet
  std::uint64_t event_bytes_max = 1 << 20;
};

}  // namespace server
