// SPDX-License-Identifier: Apache-2.0
#pragma once
// What one listener offers on one loop: the engine, seen from one side, under the rules of that listener.
//
// Settings are immutable and shared by all loops. Thread of a Surface: its engine's loop.
#include <cstdint>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace protocols {

inline constexpr std::size_t kLoopOutputBytesMax = 256 << 20;  // answers of a loop that wait for slow readers

struct SurfaceSettings {
  engine::Side side = engine::Side::Counterpart;
  bool is_loopback = true;            // of the listener: only then is Host held to loopback names
  std::vector<std::string> hosts;     // further names that Host may have: `name` or `name:port`
  std::vector<std::string> origins;   // foreign origins that may use this listener: `https://app.example`
  bool same_origin_is_enough = true;  // false: any Origin must be listed
  std::string static_root;            // a folder of static files; empty: none
  std::uint64_t event_bytes_max = 1 << 20;
  std::size_t loop_output_bytes_max = kLoopOutputBytesMax;
  std::string other_listener;  // where the other side is served: for a 405; empty: nowhere
};

struct Surface {
  engine::Engine& engine;
  const SurfaceSettings& settings;
};

}  // namespace protocols
