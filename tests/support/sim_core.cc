// SPDX-License-Identifier: Apache-2.0
#include "tests/support/sim_core.h"

#include <cstring>

namespace sim {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

std::uint64_t scramble(std::uint64_t z) {
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace

std::uint64_t Choices::next() {
  state_ += 0x9e3779b97f4a7c15;
  return scramble(state_);
}

void Trace::mix(std::uint64_t value) { hash_ = scramble((hash_ ^ value) + 0x9e3779b97f4a7c15); }

void Trace::note(std::uint64_t now_ns, const char* what, base::Bytes who, std::uint64_t a, std::uint64_t b) {
  mix(now_ns);
  note_bytes(what);
  note_bytes(who);
  mix(a);
  mix(b);
  if (!wants_text_) return;
  text_.append(std::to_string(now_ns)).append(" ").append(what).append(" ").append(who);
  text_.append(" ").append(std::to_string(a)).append(" ").append(std::to_string(b)).append("\n");
}

void Trace::note_bytes(base::Bytes bytes) {
  mix(bytes.size());
  while (!bytes.empty()) {
    std::uint64_t word = 0;
    const std::size_t size = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), size);
    mix(word);
    bytes.remove_prefix(size);
  }
}

std::int64_t SimClock::wall_ms() { return core_.wall_offset_ms + static_cast<std::int64_t>(core_.now_ns / kNsPerMs); }

void SimRandom::fill(std::span<std::uint8_t> into) {
  for (std::uint8_t& byte : into) byte = static_cast<std::uint8_t>(stream_.next());
}

}  // namespace sim
