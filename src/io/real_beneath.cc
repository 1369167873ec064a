// SPDX-License-Identifier: Apache-2.0
#include "io/real_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

#include "io/owned_descriptor.h"

namespace io {
namespace {

using base::Errc;
using base::fail;
using base::Result;

// O_NONBLOCK: to open a FIFO must not wait for its writer.
constexpr int kReadFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
constexpr int kWalkFlags = O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

std::unexpected<base::Error> open_failure(int error) {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:         // a link
    case EXDEV:         // outside of the root
    case ENAMETOOLONG:  // no file system holds such a name
    case ENXIO: return fail(Errc::NotFound, "no such file", error);
    default: return fail(Errc::System, "cannot open a file", error);
  }
}

int try_openat2(int root, const std::string& path) {
  open_how how{};
  how.flags = kReadFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  while (true) {
    const long opened = syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    // EAGAIN: the tree was renamed while it was walked, so that nothing could be promised.
    if (opened >= 0 || (errno != EINTR && errno != EAGAIN)) return static_cast<int>(opened);
  }
}

Result<int> regular_only(int descriptor) {
  OwnedDescriptor file(descriptor);
  struct stat found{};
  if (fstat(file.get(), &found) != 0) return fail(Errc::System, "cannot look at a file", errno);
  if (!S_ISREG(found.st_mode)) return fail(Errc::NotFound, "not a regular file");
  return file.release();
}

}  // namespace

bool stays_beneath(base::Bytes path) {
  if (path.find('\0') != base::Bytes::npos) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const base::Bytes component = path.substr(0, slash);
    if (component.empty() || component == "." || component == "..") return false;
    if (slash == base::Bytes::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<int> open_by_components(int root, const std::string& path) {
  if (!stays_beneath(path)) return fail(Errc::NotFound, "no such file");
  OwnedDescriptor above(dup(root));
  if (above.get() < 0) return open_failure(errno);
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    OwnedDescriptor next(openat(above.get(), path.substr(begin, slash - begin).c_str(), kWalkFlags));
    if (next.get() < 0) return open_failure(errno);
    above = std::move(next);
    begin = slash + 1;
  }
  const int opened = openat(above.get(), path.c_str() + begin, kReadFlags);
  if (opened < 0) return open_failure(errno);
  return regular_only(opened);
}

Result<int> open_beneath(const std::string& root, const std::string& path) {
  if (!stays_beneath(path)) return fail(Errc::NotFound, "no such file");
  const OwnedDescriptor top(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (top.get() < 0) return open_failure(errno);
  const int opened = try_openat2(top.get(), path);
  if (opened >= 0) return regular_only(opened);
  // ENOSYS: before Linux 5.6. EPERM: a container's filter that does not know the call.
  if (errno == ENOSYS || errno == EPERM) return open_by_components(top.get(), path);
  return open_failure(errno);
}

}  // namespace io
