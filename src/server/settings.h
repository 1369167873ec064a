// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything that decides how the program serves: from the command line, over tidewire.yaml, over the defaults here.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/topics.h"
#include "io/endpoint.h"
#include "storage/lane.h"
#include "storage/limits.h"

namespace server {

inline constexpr unsigned kThreadsMax = 256;
inline constexpr std::uint64_t kEventBytesMaxMost = 16 << 20;
// Of the settings under `storage`.
inline constexpr std::uint64_t kSegmentBytesMin = 1 << 20;
inline constexpr std::uint64_t kSegmentBytesMost = 1 << 30;
inline constexpr std::uint64_t kEventsPerSegmentMin = 4;  // of the largest size, or segments would stay half empty
inline constexpr std::uint64_t kLogBytesMin = 64 << 20;
inline constexpr std::uint64_t kAgeNsMin = 1'000'000'000;
inline constexpr std::uint64_t kDedupEntriesMin = 1'000;
inline constexpr std::uint64_t kDedupEntriesMost = 100'000'000;

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
  std::optional<std::string> data = "tidewire-data";  // the directory of the log; none: memory only
  storage::Retention retention;                       // where a contract is silent
  storage::Limits storage;
};

}  // namespace server
