// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/fork.h"

#include "storage/log/lock_file.h"
#include "storage/log/tools/stopped_lane.h"

namespace storage {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr char kTemporaryName[] = "lock.tmp";

}  // namespace

Result<void> make_new_lock(const Directory& directory) {
  const auto removed = directory.remove(kTemporaryName);  // of an attempt that was cut off
  if (!removed && removed.error().code != Errc::NotFound) return removed;
  {
    const OpenFile file = TRY(directory.open(kTemporaryName, io::OpenMode::CreateNew));
    TRY(file.write(0, encode_lock()));
    TRY(file.sync());
  }
  TRY(directory.rename(kTemporaryName, kLockFileName));
  return directory.sync();
}

Result<void> fork_lane(io::FileSystem& file_system, const std::string& path) {
  const Directory directory(file_system, path);
  TRY(check_holds_lane(directory));
  // Held until the new one is in its place: no other process opens the lane meanwhile.
  const OpenFile lock = TRY(lock_directory(directory));
  if (lock.is_open() && TRY(lock.read(0, encode_lock().size() + 1)) != encode_lock()) {
    return fail(Errc::BadInput, "the file `lock` of the directory is not a lane's");
  }
  return make_new_lock(directory);
}

}  // namespace storage
