// SPDX-License-Identifier: Apache-2.0
#pragma once
// Fixed-width little-endian numbers in byte strings, as the log's formats have them. Pure functions.
#include <bit>
#include <concepts>
#include <cstring>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace storage {

static_assert(std::endian::native == std::endian::little, "the log is written as the processor has it in memory");

template <std::integral T>
void append_le(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

template <std::integral T>
void store_le(char* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

template <std::integral T>
T load_le(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Takes numbers from the front of a body: once one was missing, everything is zero and ok() says so.
class LittleEndianReader final {
 public:
  explicit LittleEndianReader(base::Bytes bytes) : bytes_(bytes) {}

  template <std::integral T>
  T take() {
    const base::Bytes field = take_bytes(sizeof(T));
    return ok_ ? load_le<T>(field.data()) : T{};
  }
  base::Bytes take_bytes(std::size_t count) {
    ok_ = ok_ && count <= bytes_.size();
    if (!ok_) return {};
    const base::Bytes taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size(); }

 private:
  base::Bytes bytes_;
  bool ok_ = true;
};

}  // namespace storage
