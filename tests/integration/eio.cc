// SPDX-License-Identifier: Apache-2.0
// For LD_PRELOAD: one sync of the process fails with EIO, all others are what they were.
//
//   EIO_AT=n        the n-th fdatasync or fsync of the process
//   EIO_WHEN=path   the first fdatasync that finds this file, which it removes
//
// The failed call syncs nothing, as on a disk that does not answer. failed_sync_test.py compiles and uses it.
#include <dlfcn.h>
#include <errno.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace {

using Sync = int (*)(int);
enum class Data : unsigned char { Only, AndMetadata };

std::atomic<long> calls{0};

bool fails_now(Data data) {
  const char* const at = std::getenv("EIO_AT");
  if (at != nullptr && ++calls == std::atol(at)) return true;
  const char* const path = std::getenv("EIO_WHEN");
  return data == Data::Only && path != nullptr && unlink(path) == 0;
}

int sync_or_fail(Data data, const char* name, int file) {
  if (fails_now(data)) {
    errno = EIO;
    return -1;
  }
  return reinterpret_cast<Sync>(dlsym(RTLD_NEXT, name))(file);
}

}  // namespace

extern "C" int fdatasync(int file) { return sync_or_fail(Data::Only, "fdatasync", file); }
extern "C" int fsync(int file) { return sync_or_fail(Data::AndMetadata, "fsync", file); }
