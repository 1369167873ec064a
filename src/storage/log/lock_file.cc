// SPDX-License-Identifier: Apache-2.0
#include "storage/log/lock_file.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"
#include "storage/log/little_endian.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr char kLockName[] = "lock";
constexpr Bytes kMagic = "TIDELANE";
constexpr std::size_t kVersionAt = 8;
constexpr std::size_t kCrcAt = 12;
constexpr std::size_t kLockBytes = 16;

bool is_of_other_version(Bytes content) {
  return content.size() == kLockBytes && content.starts_with(kMagic) &&
         load_le<std::uint32_t>(content.data() + kCrcAt) == base::crc32c(content.substr(0, kCrcAt)) &&
         load_le<std::uint32_t>(content.data() + kVersionAt) != kLogFormatVersion;
}

// What the first start leaves behind when it is cut off: each byte is as it should be, or was never written.
bool was_not_finished(Bytes content) {
  const std::string whole = encode_lock();
  if (content.size() > whole.size()) return false;
  for (std::size_t i = 0; i < content.size(); ++i) {
    if (content[i] != whole[i] && content[i] != '\0') return false;
  }
  return true;
}

Result<bool> has_segments(const Directory& directory) {
  const std::vector<std::string> names = TRY(directory.names());
  return std::ranges::any_of(names, [](const std::string& name) { return segment_number(name).has_value(); });
}

}  // namespace

std::string encode_lock() {
  std::string content(kMagic);
  append_le(content, kLogFormatVersion);
  append_le(content, base::crc32c(content));
  return content;
}

Result<LockIdentity> read_lock_identity(const Directory& directory) {
  const io::FileStatus status = TRY(directory.status(kLockName));
  return LockIdentity{status.inode, status.birth_ns};
}

Result<LaneLock> take_lock(const Directory& directory) {
  const bool is_lane = TRY(has_segments(directory));
  auto file = directory.open(kLockName, is_lane ? io::OpenMode::Existing : io::OpenMode::Create);
  if (!file && file.error().code == Errc::NotFound) {
    return fail(Errc::BadInput, "the directory has segments, but its file `lock` is missing");
  }
  if (!file) return std::unexpected(file.error());
  LaneLock taken{std::move(*file), {}};
  TRY(taken.file.lock());
  const std::string content = TRY(taken.file.read(0, kLockBytes + 1));
  if (is_of_other_version(content)) return fail(Errc::Unsupported, "the lane was made by a newer version");
  if (is_lane ? content != encode_lock() : !was_not_finished(content)) {
    return fail(Errc::BadInput, "the file `lock` of the directory is not a lane's");
  }
  // Without segments it may be what an earlier start wrote and never synced.
  if (!is_lane) {
    TRY(taken.file.write(0, encode_lock()));
    TRY(taken.file.sync());
    TRY(directory.sync());
  }
  taken.identity = TRY(read_lock_identity(directory));
  return taken;
}

}  // namespace storage
