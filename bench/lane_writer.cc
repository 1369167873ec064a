// SPDX-License-Identifier: Apache-2.0
// The writer alone: a durable lane in this process, a fixed number of appends outstanding, and beside it what a bare
// loop of pwrite and fdatasync makes of groups of the very same sizes.
//
//   lane_writer --dir DIR --outstanding 1024 --bytes 1024 --seconds 3
//
// The bare loop runs twice: over files that grow, and over zeros that were written and synced before, which is the
// cheapest durable write that there is. It keeps its files until the end, as the lane does: memory for the page cache
// has its price too. DIR is made, and removed with all that is in it. Prints one JSON object.
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
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

constexpr std::size_t kBareFileBytes = 256u << 20;  // as large as a segment
constexpr double kNsPerSecond = 1e9;

struct Options {
  std::string folder;
  std::uint64_t outstanding = 1024;
  std::uint64_t bytes = 1024;
  std::uint64_t seconds = 3;
  std::uint64_t addresses = 1;
};

// Keeps `outstanding` appends on their way for a while. Lives on the client's loop.
class Writing final {
 public:
  Writing(LaneStage& stage, const Options& options) : stage_(stage), options_(options) {
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(options.addresses, kEventsMade); ++i)
      events_.push_back(stage_.event(0, i, options.bytes));
  }

  void begin() {
    stage_.lane().follow(stage_.client(), [this](const storage::Commit& commit) {
      if (commit.block) group_bytes_.push_back(commit.block->bytes.size());
    });
    begin_ns_ = now_ns();
    deadline_ns_ = begin_ns_ + static_cast<std::int64_t>(options_.seconds) * 1'000'000'000;
    for (std::uint64_t i = 0; i < options_.outstanding; ++i) append();
  }

  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t refused() const { return refused_; }
  double seconds() const { return static_cast<double>(end_ns_ - begin_ns_) / kNsPerSecond; }
  const std::vector<std::size_t>& group_bytes() const { return group_bytes_; }
  std::vector<std::uint64_t>& waited_ns() { return waited_ns_; }

 private:
  static constexpr std::uint64_t kEventsMade = 4096;  // further addresses are made from these

  void append() {
    ++under_way_;
    storage::NewEvent event = events_[appended_++ % events_.size()];
    if (options_.addresses > kEventsMade) event.address_hash = random_() % options_.addresses * kSpread;
    std::vector<storage::NewEvent> request;
    request.push_back(std::move(event));
    stage_.lane().append(stage_.client(), std::move(request),
                         [this, sent_ns = now_ns()](storage::AppendReply reply) { on_reply(reply, sent_ns); });
  }

  void on_reply(const storage::AppendReply& reply, std::int64_t sent_ns) {
    --under_way_;
    const std::int64_t now = now_ns();
    if (reply.status == storage::AppendStatus::Durable) {
      ++acknowledged_;
      waited_ns_.push_back(static_cast<std::uint64_t>(now - sent_ns));
    } else {
      ++refused_;
    }
    if (now < deadline_ns_ && refused_ == 0) return append();
    if (under_way_ > 0) return;
    end_ns_ = now;
    stage_.finish();
  }

  static constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;

  LaneStage& stage_;
  const Options options_;
  std::vector<storage::NewEvent> events_;
  std::mt19937_64 random_{20240611};
  std::int64_t begin_ns_ = 0;
  std::int64_t deadline_ns_ = 0;
  std::int64_t end_ns_ = 0;
  std::uint64_t appended_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t refused_ = 0;
  std::vector<std::size_t> group_bytes_;
  std::vector<std::uint64_t> waited_ns_;
};

enum class File : unsigned char { Grows, Filled };

Result<void> write_whole(int file, std::string_view bytes, std::size_t offset) {
  const ssize_t put = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (put != static_cast<ssize_t>(bytes.size())) return fail(Errc::System, "cannot write", errno);
  return {};
}

Result<void> sync(int file) {
  if (::fdatasync(file) != 0) return fail(Errc::System, "cannot sync", errno);
  return {};
}

// Seconds for all groups, one write and one sync each; a new file begins where the last one would be too large.
Result<double> write_bare(const std::string& folder, const std::vector<std::size_t>& groups, File kind) {
  if (!std::filesystem::create_directory(folder)) return fail(Errc::System, "cannot make a folder", errno);
  const std::string payload(*std::ranges::max_element(groups), 'x');
  double took_s = 0;
  for (std::size_t next = 0, files = 0; next < groups.size(); ++files) {
    const std::string path = folder + "/" + std::to_string(files);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0) return fail(Errc::System, "cannot make a file", errno);
    if (kind == File::Filled) TRY(write_whole(file, std::string(kBareFileBytes, '\0'), 0));
    TRY(sync(file));
    const std::int64_t begin_ns = now_ns();
    for (std::size_t offset = 0; next < groups.size() && offset + groups[next] <= kBareFileBytes; ++next) {
      TRY(write_whole(file, std::string_view(payload).substr(0, groups[next]), offset));
      TRY(sync(file));
      offset += groups[next];
    }
    took_s += static_cast<double>(now_ns() - begin_ns) / kNsPerSecond;
    ::close(file);
  }
  std::filesystem::remove_all(folder);
  return took_s;
}

Result<void> measure(const Options& options) {
  const std::string lane_folder = options.folder + "/lane";
  storage::Limits limits;
  // What is measured is writing; the budget of the disk is not to end it.
  limits.bytes_max = UINT64_MAX;
  std::uint64_t log_bytes = 0;
  auto stage = TRY(LaneStage::open(lane_folder, limits, {storage::Retention{}}));
  Writing writing(*stage, options);
  stage->run([&writing] { writing.begin(); });
  log_bytes = directory_bytes(lane_folder);
  stage.reset();
  std::filesystem::remove_all(lane_folder);
  if (writing.refused() != 0) return fail(Errc::Overload, "the lane refused an event");

  const auto& groups = writing.group_bytes();
  std::uint64_t bytes = 0;
  for (const std::size_t group : groups) bytes += group;
  const double growing_s = TRY(write_bare(options.folder + "/grows", groups, File::Grows));
  const double filled_s = TRY(write_bare(options.folder + "/filled", groups, File::Filled));
  const auto events = static_cast<double>(writing.acknowledged());
  auto& waited_ns = writing.waited_ns();
  std::printf(
      "{\"acknowledged\":%llu,\"seconds\":%.4f,\"per_second\":%.0f,\"groups\":%zu,\"group_bytes\":%.0f,"
      "\"log_bytes\":%llu,\"wait_us\":{\"p50\":%.1f,\"p99\":%.1f},\"bare_per_second\":{\"grows\":%.0f,\"filled\":%.0f}}"
      "\n",
      static_cast<unsigned long long>(writing.acknowledged()), writing.seconds(), events / writing.seconds(),
      groups.size(), static_cast<double>(bytes) / static_cast<double>(groups.size()),
      static_cast<unsigned long long>(log_bytes), static_cast<double>(percentile(waited_ns, 50)) / 1000,
      static_cast<double>(percentile(waited_ns, 99)) / 1000, events / growing_s, events / filled_s);
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {
      {"dir", required_argument, nullptr, 'd'},       {"outstanding", required_argument, nullptr, 'o'},
      {"bytes", required_argument, nullptr, 'b'},     {"seconds", required_argument, nullptr, 's'},
      {"addresses", required_argument, nullptr, 'a'}, {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'd': options.folder = value; break;
      case 'o': options.outstanding = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
      case 'b': options.bytes = TRY(parse_count(value)); break;
      case 's': options.seconds = TRY(parse_count(value)); break;
      case 'a': options.addresses = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
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
  return bench::report("lane_writer", outcome.error());
}
