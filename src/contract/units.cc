// SPDX-License-Identifier: Apache-2.0
#include "contract/units.h"

#include <array>
#include <charconv>
#include <limits>

namespace contract {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr const char* kDurationText = "a duration is written like 2s, 15m, 12h, 7d or P7D";
constexpr const char* kSizeText = "a size is written like 64KiB, 10GiB or as plain bytes";

constexpr std::int64_t kSecondMs = 1'000;
constexpr std::int64_t kMinuteMs = 60 * kSecondMs;
constexpr std::int64_t kHourMs = 60 * kMinuteMs;
constexpr std::int64_t kDayMs = 24 * kHourMs;

// Takes the decimal digits at the front of `text`.
Result<std::uint64_t> take_number(std::string_view& text, const char* otherwise) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return fail(Errc::TooLarge, "the number is too large");
  if (error != std::errc()) return fail(Errc::BadInput, otherwise);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

Result<std::uint64_t> times(std::uint64_t value, std::uint64_t factor, std::uint64_t max) {
  if (value > max / factor) return fail(Errc::TooLarge, "the number is too large");
  return value * factor;
}

Result<std::int64_t> times_ms(std::uint64_t value, std::int64_t unit_ms) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() - 1);
  const std::uint64_t ms = TRY(times(value, static_cast<std::uint64_t>(unit_ms), kMax));
  return static_cast<std::int64_t>(ms);
}

Result<std::int64_t> sum_ms(std::int64_t a, std::int64_t b) {
  if (a > std::numeric_limits<std::int64_t>::max() - 1 - b) return fail(Errc::TooLarge, "the number is too large");
  return a + b;
}

// The digits after the point of ISO 8601 seconds, in ms; what is finer than a millisecond is cut off.
Result<std::int64_t> take_fraction_ms(std::string_view& text) {
  if (text.empty() || (text[0] != '.' && text[0] != ',')) return 0;
  text.remove_prefix(1);
  std::int64_t ms = 0;
  std::int64_t weight = 100;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    ms += weight * (text[digits] - '0');
    weight /= 10;
    ++digits;
  }
  if (digits == 0 || digits == text.size() || text[digits] != 'S') return fail(Errc::BadInput, kDurationText);
  text.remove_prefix(digits);
  return ms;
}

struct IsoUnit {
  char letter;
  bool in_time;  // behind the T
  std::int64_t ms;
};
// In the order in which they may follow each other.
constexpr std::array<IsoUnit, 5> kIsoUnits{{{'W', false, 7 * kDayMs},
                                            {'D', false, kDayMs},
                                            {'H', true, kHourMs},
                                            {'M', true, kMinuteMs},
                                            {'S', true, kSecondMs}}};

// `text` is what follows the P of ISO 8601 section 4.4.3.2.
Result<std::int64_t> parse_iso_ms(std::string_view text) {
  std::int64_t total = 0;
  bool in_time = false;
  bool any = false;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    if (!in_time && text[0] == 'T') {
      in_time = true;
      any = false;  // a T asks for a part behind it
      text.remove_prefix(1);
      continue;
    }
    const std::uint64_t value = TRY(take_number(text, kDurationText));
    const std::int64_t fraction_ms = TRY(take_fraction_ms(text));
    if (text.empty()) return fail(Errc::BadInput, kDurationText);
    while (next_unit < kIsoUnits.size() &&
           (kIsoUnits[next_unit].letter != text[0] || kIsoUnits[next_unit].in_time != in_time)) {
      ++next_unit;
    }
    if (next_unit == kIsoUnits.size()) return fail(Errc::BadInput, kDurationText);
    const std::int64_t whole_ms = TRY(times_ms(value, kIsoUnits[next_unit].ms));
    const std::int64_t part_ms = TRY(sum_ms(whole_ms, fraction_ms));
    total = TRY(sum_ms(total, part_ms));
    ++next_unit;
    any = true;
    text.remove_prefix(1);
  }
  if (!any) return fail(Errc::BadInput, kDurationText);
  return total;
}

}  // namespace

Result<std::int64_t> parse_duration_ms(std::string_view text) {
  if (!text.empty() && text[0] == 'P') return parse_iso_ms(text.substr(1));
  const std::uint64_t value = TRY(take_number(text, kDurationText));
  if (text == "ms") return times_ms(value, 1);
  if (text == "s") return times_ms(value, kSecondMs);
  if (text == "m") return times_ms(value, kMinuteMs);
  if (text == "h") return times_ms(value, kHourMs);
  if (text == "d") return times_ms(value, kDayMs);
  return fail(Errc::BadInput, kDurationText);
}

Result<std::uint64_t> parse_size_bytes(std::string_view text) {
  const std::uint64_t value = TRY(take_number(text, kSizeText));
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max() - 1;
  if (text.empty() || text == "B") return times(value, 1, kMax);
  if (text == "KiB") return times(value, 1ull << 10, kMax);
  if (text == "MiB") return times(value, 1ull << 20, kMax);
  if (text == "GiB") return times(value, 1ull << 30, kMax);
  if (text == "TiB") return times(value, 1ull << 40, kMax);
  return fail(Errc::BadInput, kSizeText);
}

}  // namespace contract
