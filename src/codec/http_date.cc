// SPDX-License-Identifier: Apache-2.0
#include "codec/http_date.h"

#include <algorithm>
#include <chrono>

namespace codec {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::int64_t kUnixSecondsMin = -62'167'219'200;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kUnixSecondsMax = 253'402'300'799;  // 9999-12-31T23:59:59Z
constexpr base::Bytes kDays = "SunMonTueWedThuFriSat";
constexpr base::Bytes kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

void append_number(std::string& out, unsigned value, unsigned digits) {
  char text[4];
  for (unsigned i = digits; i > 0; --i, value /= 10) text[i - 1] = static_cast<char>('0' + value % 10);
  out.append(text, digits);
}

// The digits at a place, or a number that is out of every range.
unsigned number_at(base::Bytes text, std::size_t at, std::size_t digits) {
  unsigned value = 0;
  for (const char c : text.substr(at, digits)) {
    if (c < '0' || c > '9') return 0xffff;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

}  // namespace

void append_http_date(std::string& out, std::int64_t unix_seconds) {
  const std::chrono::sys_seconds time(std::chrono::seconds(std::clamp(unix_seconds, kUnixSecondsMin, kUnixSecondsMax)));
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const auto second_of_day = static_cast<unsigned>((time - day).count());
  out.append(kDays.substr(3 * std::chrono::weekday(day).c_encoding(), 3));
  out += ", ";
  append_number(out, static_cast<unsigned>(date.day()), 2);
  out += ' ';
  out.append(kMonths.substr(3 * (static_cast<unsigned>(date.month()) - 1), 3));
  out += ' ';
  append_number(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += ' ';
  append_number(out, second_of_day / 3600, 2);
  out += ':';
  append_number(out, second_of_day / 60 % 60, 2);
  out += ':';
  append_number(out, second_of_day % 60, 2);
  out += " GMT";
}

base::Result<std::int64_t> parse_http_date(base::Bytes text) {
  const auto malformed = base::fail(base::Errc::BadInput, "a date is not an HTTP date");
  if (text.size() != kHttpDateChars) return malformed;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == base::Bytes::npos || month % 3 != 0) return malformed;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(number_at(text, 12, 4))),
                                         std::chrono::month(static_cast<unsigned>(month / 3) + 1),
                                         std::chrono::day(number_at(text, 5, 2))};
  const unsigned hour = number_at(text, 17, 2);
  const unsigned minute = number_at(text, 20, 2);
  const unsigned second = number_at(text, 23, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return malformed;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t seconds = days * kDaySeconds + hour * 3600 + minute * 60 + second;
  // Writing it again compares the punctuation and the day of the week at once; a leap second is not written again.
  std::string again;
  append_http_date(again, seconds - (second == 60 ? 1 : 0));
  if (second == 60) again.replace(23, 2, "60");
  if (again != text) return malformed;
  return seconds;
}

}  // namespace codec
