// SPDX-License-Identifier: Apache-2.0
// The newest event of an address, of very many: Lane::locate in a log that has one event for each address, beside a
// bare pread of as many bytes as one extent, 64 KiB, which the newest event cannot be told from others without.
//
//   lane_lookup --dir DIR --addresses 10000000 --bytes 150 --lookups 20000
//
// Fills the log, opens it anew, and asks for random addresses, one after the other; each answer is compared with where
// the event was stored. DIR is made, and removed with all that is in it. Prints one JSON object.
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "lane_stage.h"
#include "program.h"
#include "sockets.h"

namespace bench {
namespace {

using base::Errc;
using base::fail;
using base::Result;

constexpr std::uint64_t kOutstanding = 64;      // requests
constexpr std::uint64_t kEventsOfRequest = 64;  // each
constexpr std::size_t kExtentBytes = 64 << 10;
constexpr double kNsPerSecond = 1e9;
constexpr std::uint64_t kSeed = 20261124;

struct Options {
  std::string folder;
  std::uint64_t addresses = 10'000'000;
  std::uint64_t bytes = 150;
  std::uint64_t lookups = 20'000;
};

// One event for each address, in the order of the addresses. Lives on the client's loop.
class Filling final {
 public:
  Filling(LaneStage& stage, const Options& options) : stage_(stage), options_(options) {}

  void begin() {
    for (std::uint64_t i = 0; i < kOutstanding && next_ < options_.addresses; ++i) append();
  }
  bool has_failed() const { return failed_; }

 private:
  void append() {
    const std::uint64_t first = next_;
    std::vector<storage::NewEvent> request;
    for (std::uint64_t i = 0; i < kEventsOfRequest && next_ < options_.addresses; ++i)
      request.push_back(stage_.event(0, next_++, options_.bytes));
    ++under_way_;
    stage_.lane().append(stage_.client(), std::move(request), [this, first](const storage::AppendReply& reply) {
      --under_way_;
      failed_ = failed_ || reply.status != storage::AppendStatus::Durable || reply.items.front().sequence != first + 1;
      if (next_ < options_.addresses && !failed_) return append();
      if (under_way_ == 0) stage_.finish();
    });
  }

  LaneStage& stage_;
  const Options& options_;
  std::uint64_t next_ = 0;
  std::uint64_t under_way_ = 0;
  bool failed_ = false;
};

// One question after the other. Lives on the client's loop.
class Asking final {
 public:
  Asking(LaneStage& stage, const Options& options) : stage_(stage), options_(options) {}

  void begin() { ask(); }
  bool has_failed() const { return failed_; }
  std::vector<std::uint64_t>& took_ns() { return took_ns_; }

 private:
  void ask() {
    address_ = random_() % options_.addresses;
    hash_ = storage::address_hash(stage_.lane().identity(), std::to_string(address_));
    begin_ns_ = now_ns();
    locate({.events = 1});
  }

  void locate(storage::LastEvents what) {
    storage::LocateRequest request{{stage_.topic(0)}, {hash_}, what};
    stage_.lane().locate(stage_.client(), std::move(request),
                         [this](const storage::LocateReply& reply) { on_reply(reply); });
  }

  void on_reply(const storage::LocateReply& reply) {
    // Of a segment whose footer is not written yet, as the newest one's after a start, the index is the events.
    if (reply.status == storage::LookupStatus::Partial && reply.events == 0)
      return locate({.events = 1, .through = reply.position});
    took_ns_.push_back(static_cast<std::uint64_t>(now_ns() - begin_ns_));
    failed_ = reply.status != storage::LookupStatus::Complete || reply.events != 1 || reply.position != address_;
    if (failed_ || took_ns_.size() >= options_.lookups) return stage_.finish();
    ask();
  }

  LaneStage& stage_;
  const Options& options_;
  std::mt19937_64 random_{kSeed};
  std::uint64_t address_ = 0;
  std::uint64_t hash_ = 0;
  std::int64_t begin_ns_ = 0;
  std::vector<std::uint64_t> took_ns_;
  bool failed_ = false;
};

// An extent at a random place of a random segment, as often.
Result<std::vector<std::uint64_t>> read_bare(const std::vector<std::string>& paths, std::uint64_t rounds) {
  std::vector<int> files;
  for (const std::string& path : paths) files.push_back(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const bool all_open = std::ranges::all_of(files, [](int file) { return file >= 0; });
  std::vector<char> buffer(kExtentBytes);
  std::vector<std::uint64_t> took_ns;
  std::mt19937_64 random(kSeed);
  for (std::uint64_t i = 0; all_open && i < rounds; ++i) {
    const std::size_t at = random() % files.size();
    const std::uint64_t places = std::max<std::uint64_t>(1, std::filesystem::file_size(paths[at]) / kExtentBytes);
    const auto offset = static_cast<off_t>(random() % places * kExtentBytes);
    const std::int64_t begin_ns = now_ns();
    if (::pread(files[at], buffer.data(), buffer.size(), offset) < 0) break;
    took_ns.push_back(static_cast<std::uint64_t>(now_ns() - begin_ns));
  }
  for (const int file : files) ::close(file);
  if (took_ns.size() < rounds) return fail(Errc::System, "cannot read a segment", errno);
  return took_ns;
}

// Of this process: memory that is no file's.
std::uint64_t anonymous_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("RssAnon:")) return std::stoull(line.substr(8));
  return 0;
}

Result<void> fill(const Options& options, const std::string& lane_folder, const storage::Limits& limits) {
  auto stage = TRY(LaneStage::open(lane_folder, limits, {storage::Retention{}}));
  Filling filling(*stage, options);
  stage->run([&filling] { filling.begin(); });
  if (filling.has_failed()) return fail(Errc::Overload, "the lane refused an event, or gave it another number");
  return {};
}

Result<void> measure(const Options& options) {
  const std::string lane_folder = options.folder + "/lane";
  storage::Limits limits;
  limits.bytes_max = UINT64_MAX;
  TRY(fill(options, lane_folder, limits));
  const std::int64_t begin_ns = now_ns();
  auto stage = TRY(LaneStage::open(lane_folder, limits, {storage::Retention{}}));
  const double opened_s = static_cast<double>(now_ns() - begin_ns) / kNsPerSecond;
  const std::vector<std::string> paths = segment_paths(lane_folder);
  std::vector<std::uint64_t> bare_ns = TRY(read_bare(paths, options.lookups));
  Asking asking(*stage, options);
  stage->run([&asking] { asking.begin(); });
  if (asking.has_failed()) return fail(Errc::Closed, "the newest event of an address was not found where it is");
  std::printf(
      "{\"addresses\":%llu,\"segments\":%zu,\"log_bytes\":%llu,\"opened_s\":%.4f,\"anonymous_kib\":%llu,"
      "\"lookup_us\":{\"p50\":%.1f,\"p99\":%.1f},\"bare_us\":{\"p50\":%.1f,\"p99\":%.1f}}\n",
      static_cast<unsigned long long>(options.addresses), paths.size(),
      static_cast<unsigned long long>(directory_bytes(lane_folder)), opened_s,
      static_cast<unsigned long long>(anonymous_kib()), static_cast<double>(percentile(asking.took_ns(), 50)) / 1000,
      static_cast<double>(percentile(asking.took_ns(), 99)) / 1000, static_cast<double>(percentile(bare_ns, 50)) / 1000,
      static_cast<double>(percentile(bare_ns, 99)) / 1000);
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"dir", required_argument, nullptr, 'd'},
                                    {"addresses", required_argument, nullptr, 'a'},
                                    {"bytes", required_argument, nullptr, 'b'},
                                    {"lookups", required_argument, nullptr, 'l'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'd': options.folder = value; break;
      case 'a': options.addresses = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
      case 'b': options.bytes = TRY(parse_count(value)); break;
      case 'l': options.lookups = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
      default: return fail(Errc::BadInput, "unknown option");
    }
  }
  if (options.folder.empty()) return fail(Errc::BadInput, "--dir is missing");
  return options;
}

Result<void> run(int argc, char** argv) {
  const Options options = TRY(parse_options(argc, argv));
  return in_new_folder(options.folder, [&options] { return measure(options); });
}

}  // namespace
}  // namespace bench

int main(int argc, char** argv) {
  const auto outcome = bench::run(argc, argv);
  if (outcome) return 0;
  return bench::report("lane_lookup", outcome.error());
}
