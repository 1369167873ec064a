// SPDX-License-Identifier: Apache-2.0
// One reader that catches up: Lane::read from the beginning of a log to its end, beside pread of the same files.
//
//   lane_reader --dir DIR --log-bytes 1073741824 --rounds 5 --from disk
//
// Fills a log of that size with events of --bytes, opens it anew and reads it --rounds times each way, taking turns, in
// pieces of --piece-bytes. Both find the files in the page cache (--from cache), or both find nothing there (--from
// disk). DIR is made, and removed with all that is in it. Prints one JSON object with the seconds of each round.
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
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

constexpr std::uint64_t kOutstanding = 1024;
constexpr double kNsPerSecond = 1e9;

struct Options {
  std::string folder;
  std::uint64_t log_bytes = std::uint64_t{1} << 30;
  std::uint64_t bytes = 1024;
  std::uint64_t piece_bytes = 256 << 10;  // as a subscription that catches up asks for
  std::uint64_t rounds = 5;
  bool from_disk = false;
};

// Appends until there are `count` events. Lives on the client's loop.
class Filling final {
 public:
  Filling(LaneStage& stage, std::uint64_t count, std::size_t bytes)
      : stage_(stage), left_(count), event_(stage.event(0, 0, bytes)) {}

  void begin() {
    for (std::uint64_t i = 0; i < kOutstanding && left_ > 0; ++i) append();
  }
  bool has_failed() const { return failed_; }

 private:
  void append() {
    --left_;
    ++under_way_;
    std::vector<storage::NewEvent> request(1, event_);
    stage_.lane().append(stage_.client(), std::move(request), [this](storage::AppendReply reply) {
      --under_way_;
      failed_ = failed_ || reply.status != storage::AppendStatus::Durable;
      if (left_ > 0 && !failed_) return append();
      if (under_way_ == 0) stage_.finish();
    });
  }

  LaneStage& stage_;
  std::uint64_t left_;
  std::uint64_t under_way_ = 0;
  const storage::NewEvent event_;
  bool failed_ = false;
};

// One read after the other, to the end. Lives on the client's loop.
class Reading final {
 public:
  Reading(LaneStage& stage, std::size_t piece_bytes)
      : stage_(stage), piece_bytes_(piece_bytes), end_(stage.lane().durable()) {}

  void begin() {
    begin_ns_ = now_ns();
    read(std::nullopt);
  }
  double seconds() const { return static_cast<double>(end_ns_ - begin_ns_) / kNsPerSecond; }
  std::uint64_t events() const { return events_; }
  bool has_failed() const { return failed_; }

 private:
  void read(std::optional<storage::Sequence> after) {
    storage::ReadRequest request{{stage_.topic(0)}, after, piece_bytes_};
    stage_.lane().read(stage_.client(), std::move(request), [this](storage::ReadReply reply) {
      failed_ = reply.status != storage::ReadStatus::Read;
      for (const storage::BlockPtr& block : reply.blocks)
        for (const storage::Entry& entry : block->entries) events_ += entry.records;
      if (!failed_ && reply.covered < end_) return read(reply.covered);
      end_ns_ = now_ns();
      stage_.finish();
    });
  }

  LaneStage& stage_;
  const std::size_t piece_bytes_;
  const storage::Sequence end_;
  std::int64_t begin_ns_ = 0;
  std::int64_t end_ns_ = 0;
  std::uint64_t events_ = 0;
  bool failed_ = false;
};

// Seconds to read all files to their ends into one buffer.
Result<double> read_bare(const std::vector<std::string>& paths, std::size_t piece_bytes) {
  std::vector<char> buffer(piece_bytes);
  const std::int64_t begin_ns = now_ns();
  for (const std::string& path : paths) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(Errc::System, "cannot open a segment", errno);
    ssize_t got = 1;
    for (off_t offset = 0; got > 0; offset += got) got = ::pread(file, buffer.data(), buffer.size(), offset);
    ::close(file);
    if (got < 0) return fail(Errc::System, "cannot read a segment", errno);
  }
  return static_cast<double>(now_ns() - begin_ns) / kNsPerSecond;
}

// Takes the files out of the page cache.
Result<void> forget_pages(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return fail(Errc::System, "cannot open a segment", errno);
    const bool synced = ::fdatasync(file) == 0;
    const int failed = ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    ::close(file);
    if (!synced || failed != 0) return fail(Errc::System, "cannot take a segment out of the page cache", failed);
  }
  return {};
}

Result<std::uint64_t> fill(const Options& options, const std::string& lane_folder, const storage::Limits& limits) {
  auto stage = TRY(LaneStage::open(lane_folder, limits, {storage::Retention{}}));
  const std::uint64_t events = std::max<std::uint64_t>(1, options.log_bytes / options.bytes);
  Filling filling(*stage, events, options.bytes);
  stage->run([&filling] { filling.begin(); });
  if (filling.has_failed()) return fail(Errc::Overload, "the lane refused an event");
  return events;
}

void print(const char* name, const std::vector<double>& seconds) {
  std::printf(",\"%s\":[", name);
  for (std::size_t i = 0; i < seconds.size(); ++i) std::printf("%s%.6f", i == 0 ? "" : ",", seconds[i]);
  std::printf("]");
}

Result<void> measure(const Options& options) {
  const std::string lane_folder = options.folder + "/lane";
  storage::Limits limits;
  limits.bytes_max = UINT64_MAX;
  const std::uint64_t events = TRY(fill(options, lane_folder, limits));
  const std::int64_t begin_ns = now_ns();
  auto stage = TRY(LaneStage::open(lane_folder, limits, {storage::Retention{}}));
  const double opened_s = static_cast<double>(now_ns() - begin_ns) / kNsPerSecond;
  const std::vector<std::string> paths = segment_paths(lane_folder);
  std::uint64_t file_bytes = 0;
  for (const std::string& path : paths) file_bytes += std::filesystem::file_size(path);
  TRY(read_bare(paths, options.piece_bytes));  // into the page cache
  std::vector<double> lane_s;
  std::vector<double> bare_s;
  for (std::uint64_t round = 0; round < options.rounds; ++round) {
    if (options.from_disk) TRY(forget_pages(paths));
    bare_s.push_back(TRY(read_bare(paths, options.piece_bytes)));
    if (options.from_disk) TRY(forget_pages(paths));
    Reading reading(*stage, options.piece_bytes);
    stage->run([&reading] { reading.begin(); });
    if (reading.has_failed() || reading.events() < events) return fail(Errc::Closed, "the reader was not given all");
    lane_s.push_back(reading.seconds());
  }
  std::printf("{\"events\":%llu,\"file_bytes\":%llu,\"segments\":%zu,\"opened_s\":%.4f",
              static_cast<unsigned long long>(events), static_cast<unsigned long long>(file_bytes), paths.size(),
              opened_s);
  print("lane_s", lane_s);
  print("bare_s", bare_s);
  std::printf("}\n");
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"dir", required_argument, nullptr, 'd'},
                                    {"log-bytes", required_argument, nullptr, 'l'},
                                    {"bytes", required_argument, nullptr, 'b'},
                                    {"piece-bytes", required_argument, nullptr, 'p'},
                                    {"rounds", required_argument, nullptr, 'r'},
                                    {"from", required_argument, nullptr, 'f'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'd': options.folder = value; break;
      case 'l': options.log_bytes = TRY(parse_count(value)); break;
      case 'b': options.bytes = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
      case 'p': options.piece_bytes = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
      case 'r': options.rounds = TRY(parse_count(value)); break;
      case 'f':
        if (value != "disk" && value != "cache") return fail(Errc::BadInput, "--from is disk or cache");
        options.from_disk = value == "disk";
        break;
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
  return bench::report("lane_reader", outcome.error());
}
