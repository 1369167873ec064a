// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the parts of one simulated world share: its choices, its time and its trace. One thread.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "io/clock.h"
#include "io/random.h"

namespace sim {

// SplitMix64 (Steele, Lea, Flood 2014): one word of state, and every seed is a good one.
class Choices final {
 public:
  explicit Choices(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::uint64_t below(std::uint64_t bound) { return bound < 2 ? 0 : next() % bound; }
  bool one_in(std::uint64_t n) { return n != 0 && below(n) == 0; }  // never for 0

 private:
  std::uint64_t state_;
};

// What happened, as a rolling hash and, if asked for, as one line for each step.
class Trace final {
 public:
  enum class Text : std::uint8_t { No, Yes };
  explicit Trace(Text text) : wants_text_(text == Text::Yes) {}

  // `what` is a literal that names the kind; the numbers say which one and how much.
  void note(std::uint64_t now_ns, const char* what, base::Bytes who, std::uint64_t a = 0, std::uint64_t b = 0);
  void note_bytes(base::Bytes);  // content that left a program: part of the hash only

  std::uint64_t hash() const { return hash_; }
  const std::string& text() const { return text_; }

 private:
  void mix(std::uint64_t value);

  bool wants_text_;
  std::uint64_t hash_ = 0;
  std::string text_;
};

struct Core {
  Choices choices;
  Trace trace;
  std::uint64_t now_ns;
  std::int64_t wall_offset_ms;  // Unix time at now_ns = 0; step it to step the wall clock
};

class SimClock final : public io::Clock {
 public:
  explicit SimClock(Core& core) : core_(core) {}
  std::uint64_t monotonic_ns() override { return core_.now_ns; }
  std::int64_t wall_ms() override;

 private:
  Core& core_;
};

class SimRandom final : public io::Random {
 public:
  explicit SimRandom(std::uint64_t seed) : stream_(seed) {}
  void fill(std::span<std::uint8_t>) override;

 private:
  Choices stream_;
};

}  // namespace sim
