// SPDX-License-Identifier: Apache-2.0
#include "codec/rfc3339.h"

#include <algorithm>
#include <chrono>
#include <optional>

namespace codec {

using base::Bytes;
using base::Result;

namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kUnixMsMin = -62'167'219'200'000;  // 0000-01-01T00:00:00.000Z
constexpr std::int64_t kUnixMsMax = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z
constexpr int kFractionDigitsMax = 9;

std::unexpected<base::Error> malformed() { return base::fail(base::Errc::BadInput, "a time is not RFC 3339"); }

// Takes exactly `digits` decimal digits from the front.
std::optional<int> take_number(Bytes& in, std::size_t digits) {
  if (in.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (in[i] < '0' || in[i] > '9') return std::nullopt;
    value = value * 10 + (in[i] - '0');
  }
  in.remove_prefix(digits);
  return value;
}

bool take_one_of(Bytes& in, Bytes characters) {
  if (in.empty() || !characters.contains(in[0])) return false;
  in.remove_prefix(1);
  return true;
}

// full-date; days since 1970-01-01.
std::optional<std::int64_t> take_date(Bytes& in) {
  const auto year = take_number(in, 4);
  if (!year || !take_one_of(in, "-")) return std::nullopt;
  const auto month = take_number(in, 2);
  if (!month || !take_one_of(in, "-")) return std::nullopt;
  const auto day = take_number(in, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

// "hh:mm" as minutes.
std::optional<int> take_hour_and_minute(Bytes& in) {
  const auto hour = take_number(in, 2);
  if (!hour || *hour > 23 || !take_one_of(in, ":")) return std::nullopt;
  const auto minute = take_number(in, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return *hour * 60 + *minute;
}

// "." and digits, or nothing.
std::optional<std::int32_t> take_fraction(Bytes& in) {
  if (!take_one_of(in, ".")) return 0;
  std::int32_t nanoseconds = 0;
  int digits = 0;
  for (; !in.empty() && in[0] >= '0' && in[0] <= '9'; in.remove_prefix(1), ++digits) {
    if (digits < kFractionDigitsMax) nanoseconds = nanoseconds * 10 + (in[0] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (; digits < kFractionDigitsMax; ++digits) nanoseconds *= 10;
  return nanoseconds;
}

// "Z" or a numeric offset, in minutes.
std::optional<int> take_offset(Bytes& in) {
  if (take_one_of(in, "Zz")) return 0;
  const bool negative = in.starts_with('-');
  if (!take_one_of(in, "+-")) return std::nullopt;
  const auto minutes = take_hour_and_minute(in);
  if (!minutes) return std::nullopt;
  return negative ? -*minutes : *minutes;
}

// Is this moment, midnight included, the first of a month?
bool begins_a_month(std::int64_t unix_seconds) {
  if (unix_seconds % kDaySeconds != 0) return false;
  const std::chrono::sys_days day(std::chrono::days(unix_seconds / kDaySeconds));
  return std::chrono::year_month_day(day).day() == std::chrono::day(1);
}

void append_number(std::string& out, unsigned value, unsigned digits) {
  char text[4];
  for (unsigned i = digits; i > 0; --i, value /= 10) text[i - 1] = static_cast<char>('0' + value % 10);
  out.append(text, digits);
}

}  // namespace

Result<UnixTime> parse_rfc3339(Bytes in) {
  const auto days = take_date(in);
  if (!days || !take_one_of(in, "Tt")) return malformed();
  const auto minutes = take_hour_and_minute(in);
  if (!minutes || !take_one_of(in, ":")) return malformed();
  const auto second = take_number(in, 2);
  if (!second || *second > 60) return malformed();
  const auto fraction = take_fraction(in);
  if (!fraction) return malformed();
  const auto offset = take_offset(in);
  if (!offset || !in.empty()) return malformed();
  const std::int64_t seconds = *days * kDaySeconds + (*minutes - *offset) * 60 + *second;
  if (*second == 60 && !begins_a_month(seconds)) return malformed();
  return UnixTime{seconds, *fraction};
}

void append_rfc3339(std::string& out, std::int64_t unix_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time(
      std::chrono::milliseconds(std::clamp(unix_ms, kUnixMsMin, kUnixMsMax)));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto ms_of_day = static_cast<unsigned>((time - day).count());
  append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += '-';
  append_number(out, static_cast<unsigned>(date.month()), 2);
  out += '-';
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append_number(out, ms_of_day / 3'600'000, 2);
  out += ':';
  append_number(out, ms_of_day / 60'000 % 60, 2);
  out += ':';
  append_number(out, ms_of_day / 1000 % 60, 2);
  out += '.';
  append_number(out, ms_of_day % 1000, 3);
  out += 'Z';
}

}  // namespace codec
