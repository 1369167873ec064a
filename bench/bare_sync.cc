// SPDX-License-Identifier: Apache-2.0
// What the disk does for a bare loop of pwrite and fdatasync: the baseline of everything that waits for a sync.
//
//   bare_sync --dir DIR --bytes 20480 --rounds 2000
//
// Overwrites, one group behind the other, a file that was filled with zeros and synced before, which is the cheapest
// durable write that there is. Prints the median of the sync alone, and of write and sync together. The file is
// removed.
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "program.h"
#include "sockets.h"

namespace bench {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::size_t kFileBytes = 64u << 20;

struct Options {
  std::string folder;
  std::uint32_t bytes = 4096;
  std::uint32_t rounds = 2000;
};

Result<void> write_at(int file, const std::string& bytes, std::size_t offset) {
  const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (put != static_cast<ssize_t>(bytes.size())) return fail(Errc::System, "cannot write", errno);
  return {};
}

Result<void> sync(int file) {
  if (::fdatasync(file) != 0) return fail(Errc::System, "cannot sync", errno);
  return {};
}

double median_us(std::vector<std::int64_t>& took_ns) {
  std::ranges::sort(took_ns);
  return static_cast<double>(took_ns[took_ns.size() / 2]) / 1000;
}

Result<void> measure(const Options& options) {
  const std::string path = options.folder + "/bare_sync.tmp";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return fail(Errc::System, "cannot make a file in --dir", errno);
  ::unlink(path.c_str());
  TRY(write_at(file, std::string(kFileBytes, '\0'), 0));
  TRY(sync(file));
  const std::string group(options.bytes, 'x');
  std::vector<std::int64_t> synced_ns;
  std::vector<std::int64_t> written_ns;
  std::size_t offset = 0;
  for (std::uint32_t i = 0; i < options.rounds; ++i) {
    if (offset + group.size() > kFileBytes) offset = 0;
    const std::int64_t begin_ns = now_ns();
    TRY(write_at(file, group, offset));
    const std::int64_t middle_ns = now_ns();
    TRY(sync(file));
    synced_ns.push_back(now_ns() - middle_ns);
    written_ns.push_back(now_ns() - begin_ns);
    offset += group.size();
  }
  std::printf("{\"bytes\":%u,\"sync_us\":%.1f,\"write_and_sync_us\":%.1f}\n", options.bytes, median_us(synced_ns),
              median_us(written_ns));
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"dir", required_argument, nullptr, 'd'},
                                    {"bytes", required_argument, nullptr, 'b'},
                                    {"rounds", required_argument, nullptr, 'r'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'd': options.folder = value; break;
      case 'b': options.bytes = std::max(1u, TRY(parse_number(value, kFileBytes))); break;
      case 'r': options.rounds = std::max(1u, TRY(parse_number(value, 10'000'000))); break;
      default: return fail(Errc::BadInput, "unknown option");
    }
  }
  if (options.folder.empty()) return fail(Errc::BadInput, "--dir is missing");
  return options;
}

Result<void> run(int argc, char** argv) { return measure(TRY(parse_options(argc, argv))); }

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::run(argc, argv);
  if (outcome) return 0;
  return bench::report("bare_sync", outcome.error());
}
