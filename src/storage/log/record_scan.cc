// SPDX-License-Identifier: Apache-2.0
#include "storage/log/record_scan.h"

#include "base/crc32c.h"
#include "storage/log/little_endian.h"

namespace storage {

namespace {

constexpr std::size_t kCrcBegin = 4;  // of a record
constexpr std::size_t kStep = 8;
constexpr std::uint32_t kPolynomialReflected = 0x82f63b78;
constexpr std::uint32_t kOne = 0x80000000;  // x^0: the reflected order has it at the highest bit

constexpr std::uint32_t times_x(std::uint32_t value) {
  return (value >> 1) ^ ((value & 1) != 0 ? kPolynomialReflected : 0);
}

constexpr std::uint32_t product(std::uint32_t a, std::uint32_t b) {
  std::uint32_t sum = 0;
  for (std::uint32_t bit = kOne; bit != 0; bit >>= 1, b = times_x(b)) sum ^= (a & bit) != 0 ? b : 0;
  return sum;
}

constexpr std::uint32_t step_power() {
  std::uint32_t power = kOne;
  for (std::size_t bit = 0; bit < 8 * kStep; ++bit) power = times_x(power);
  return power;
}

}  // namespace

// A checksum is the register inverted, before and after.
RangeCrcs::RangeCrcs(base::Bytes bytes) : bytes_(bytes) {
  const std::size_t steps = bytes.size() < kCrcBegin ? 0 : (bytes.size() - kCrcBegin) / kStep;
  before_.reserve(steps + 1);
  powers_.reserve(steps + 1);
  before_.push_back(0);
  powers_.push_back(kOne);
  for (std::size_t i = 0; i < steps; ++i) {
    before_.push_back(~base::crc32c(bytes.substr(kCrcBegin + i * kStep, kStep), ~before_.back()));
    powers_.push_back(product(powers_.back(), step_power()));
  }
}

// The register is linear: what it is behind a range is what the range makes of zero, plus what was in it, moved on by
// the length of the range.
std::uint32_t RangeCrcs::of(std::size_t begin, std::size_t end, Seed seed) const {
  const std::size_t from = begin / kStep, to = (end - kCrcBegin) / kStep;
  const std::uint32_t moved = product(before_[from] ^ ~seed.value(), powers_[to - from]);
  const std::size_t rest = kCrcBegin + to * kStep;
  return base::crc32c(bytes_.substr(rest, end - rest), ~(before_[to] ^ moved));
}

std::optional<RecordView> RecordScan::next() {
  skipped_ = false;
  for (; at_ < bytes_.size(); at_ += kRecordAlignment, skipped_ = true) {
    if (crcs_ && !may_be_record(at_)) continue;
    if (const auto record = parse_record(bytes_.substr(at_), seed_)) {
      at_ += record->bytes.size();
      return *record;
    }
    if (!crcs_) crcs_.emplace(bytes_);
  }
  return std::nullopt;
}

bool RecordScan::may_be_record(std::size_t at) const {
  const auto end = record_crc_end(bytes_.substr(at));
  return end && load_le<std::uint32_t>(bytes_.data() + at) == crcs_->of(at, at + *end, seed_);
}

}  // namespace storage
