// SPDX-License-Identifier: Apache-2.0
#include "storage/log/recovery_room.h"

#include <algorithm>

#include "storage/log/file_steps.h"
#include "storage/log/reserve.h"

namespace storage {

using base::Result;

namespace {

constexpr std::uint64_t kStepBytes = 1u << 20;

Result<Shortened> give_back_zeros_of(const Directory& directory, const std::string& name, std::uint64_t wanted) {
  const OpenFile file = TRY(directory.open(name, io::OpenMode::Existing));
  const std::uint64_t bytes = TRY(directory.status(name)).size;
  const std::uint64_t used = TRY(used_bytes(file, bytes));
  const std::uint64_t keep = round_up_to_block(used);
  Shortened shortened{name, bytes, bytes};
  if (keep >= bytes) return shortened;
  shortened.bytes = std::max(keep, round_up_to_block(bytes - std::min(bytes, wanted) + 1) - kBlockBytes);
  TRY(file.truncate(shortened.bytes));
  TRY(file.sync());
  return shortened;
}

Result<void> fill_with_zeros(const OpenFile& file, std::uint64_t bytes) {
  const std::string zeros(std::min(bytes, kStepBytes), '\0');
  for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
    TRY(file.write(at, base::Bytes(zeros).substr(0, bytes - at)));
  }
  return {};
}

}  // namespace

std::uint64_t round_up_to_block(std::uint64_t bytes) { return (bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes; }

Result<std::uint64_t> used_bytes(const OpenFile& file, std::uint64_t file_bytes) {
  for (std::uint64_t end = file_bytes; end > 0;) {
    const std::uint64_t from = end - std::min(end, kStepBytes);
    const std::string bytes = TRY(file.read(from, end - from));
    const std::size_t last = bytes.find_last_not_of('\0');
    if (last != std::string::npos) return from + last + 1;
    end = from;
  }
  return 0;
}

std::vector<Shortened> give_back_zeros(const Directory& directory, const std::vector<std::string>& names,
                                       std::uint64_t bytes) {
  std::vector<Shortened> all;
  for (const std::string& name : names) {
    if (bytes == 0) break;
    const auto shortened = give_back_zeros_of(directory, name, bytes);
    if (!shortened || shortened->bytes == shortened->bytes_before) continue;
    all.push_back(*shortened);
    bytes -= std::min(bytes, shortened->bytes_before - shortened->bytes);
  }
  return all;
}

// Under its old name it must stay what it is, so the new one is on the disk before anything is overwritten.
Result<void> make_reserve_of(const Directory& directory, const std::string& name) {
  const std::string temporary = temporary_name(kReserveName);
  TRY(directory.rename(name, temporary));
  TRY(directory.sync());
  const OpenFile file = TRY(directory.open(temporary, io::OpenMode::Existing));
  const std::uint64_t bytes = TRY(directory.status(temporary)).size;
  const std::uint64_t used = TRY(used_bytes(file, bytes));
  TRY(fill_with_zeros(file, used));
  TRY(file.sync());
  TRY(directory.rename(temporary, kReserveName));
  return directory.sync();
}

Result<void> grow_reserve(const Directory& directory, std::uint64_t bytes_max, std::uint64_t bytes_min) {
  const OpenFile file = TRY(directory.open(kReserveName, io::OpenMode::Create));
  const std::uint64_t before = TRY(directory.status(kReserveName)).size;
  const std::uint64_t least = std::max({bytes_min, before + 1, std::uint64_t{1}});
  for (std::uint64_t bytes = bytes_max; bytes >= least; bytes /= 2) {
    const auto allocated = file.allocate(0, bytes);
    if (!allocated && !is_out_of_space(allocated.error())) return allocated;
    if (!allocated) continue;
    TRY(file.sync());
    return directory.sync();
  }
  return before > 0 ? Result<void>() : directory.remove(kReserveName);
}

}  // namespace storage
