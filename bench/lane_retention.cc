// SPDX-License-Identifier: Apache-2.0
// How much disk a busy channel with a short retention holds beside a quiet one with a long retention.
//
//   lane_retention --dir DIR --busy-bytes 268435456 --quiet-bytes 262144 --age-seconds 12
//
// The busy channel gets so much within each age, the quiet one so much over the whole run, evenly; events of the quiet
// one thus stand in every segment, and only rewriting frees the busy ones around them. After three ages the run goes on
// for as long again, and then the largest size of the directory counts. What the log measures in hours is scaled down
// with the age: the window of repeats is a sixth of it, as ten minutes are of an hour; a segment is a quarter of the
// busy bytes, as 256 MiB are of 1 GiB, and the reserve and what is filled ahead are as much smaller. DIR is made, and
// removed with all that is in it. Prints one JSON object.
#include <getopt.h>

#include <algorithm>
#include <cstdio>
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

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::uint64_t kTickNs = 20'000'000;
constexpr std::uint64_t kAgesToSettle = 3;
constexpr std::uint64_t kAgesToMeasure = 3;
constexpr std::uint64_t kLongAgeNs = 30ull * 86'400 * kNsPerSecond;
constexpr std::uint64_t kSegmentsOfBusy = 4;
constexpr std::uint64_t kFirstsOfSegment = 16;
constexpr std::uint64_t kFillsOfFirst = 4;
constexpr std::uint64_t kWindowsOfAge = 6;

struct Options {
  std::string folder;
  std::uint64_t busy_bytes = 256u << 20;
  std::uint64_t quiet_bytes = 256u << 10;
  std::uint64_t age_seconds = 12;
  std::uint64_t busy_event_bytes = 32u << 10;
  std::uint64_t quiet_event_bytes = 1024;
};

// Publishes both channels at their pace and looks at the directory ten times a second. Lives on the client's loop.
class Keeping final {
 public:
  Keeping(LaneStage& stage, const Options& options, std::string lane_folder)
      : stage_(stage),
        options_(options),
        lane_folder_(std::move(lane_folder)),
        busy_(stage.event(0, 0, options.busy_event_bytes)),
        quiet_(stage.event(1, 0, options.quiet_event_bytes)),
        timer_([](void* keeping) { static_cast<Keeping*>(keeping)->on_tick(); }, this) {}

  void begin() {
    begin_ns_ = now_ns();
    on_tick();
  }

  std::uint64_t bytes_max() const { return bytes_max_; }
  std::uint64_t bytes_last() const { return bytes_last_; }
  std::uint64_t written_bytes() const { return busy_sent_ * options_.busy_event_bytes; }
  std::uint64_t refused() const { return refused_; }

 private:
  void on_tick() {
    const auto passed_ns = static_cast<std::uint64_t>(now_ns() - begin_ns_);
    const double ages = static_cast<double>(passed_ns) / static_cast<double>(options_.age_seconds * kNsPerSecond);
    const double share = ages / (kAgesToSettle + kAgesToMeasure);  // of the run
    const auto busy_due = static_cast<std::uint64_t>(ages * static_cast<double>(options_.busy_bytes));
    const auto quiet_due = static_cast<std::uint64_t>(share * static_cast<double>(options_.quiet_bytes));
    for (; busy_sent_ * options_.busy_event_bytes < busy_due; ++busy_sent_) append(busy_);
    for (; quiet_sent_ * options_.quiet_event_bytes < quiet_due; ++quiet_sent_) append(quiet_);
    if (ticks_++ % kTicksPerLook == 0) look(ages);
    if (share < 1) return stage_.client().set_timer(timer_, kTickNs);
    ended_ = true;
    if (under_way_ == 0) stage_.finish();
  }

  void look(double ages) {
    bytes_last_ = directory_bytes(lane_folder_);
    if (ages >= kAgesToSettle) bytes_max_ = std::max(bytes_max_, bytes_last_);
  }

  void append(const storage::NewEvent& event) {
    ++under_way_;
    std::vector<storage::NewEvent> request(1, event);
    stage_.lane().append(stage_.client(), std::move(request), [this](storage::AppendReply reply) {
      if (reply.status != storage::AppendStatus::Durable) ++refused_;
      if (--under_way_ == 0 && ended_) stage_.finish();
    });
  }

  static constexpr std::uint64_t kTicksPerLook = 5;

  LaneStage& stage_;
  const Options options_;
  const std::string lane_folder_;
  const storage::NewEvent busy_;
  const storage::NewEvent quiet_;
  io::Timer timer_;
  std::int64_t begin_ns_ = 0;
  std::uint64_t ticks_ = 0;
  std::uint64_t busy_sent_ = 0;
  std::uint64_t quiet_sent_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t bytes_max_ = 0;
  std::uint64_t bytes_last_ = 0;
  bool ended_ = false;
};

Result<void> measure(const Options& options) {
  const std::string lane_folder = options.folder + "/lane";
  storage::Limits limits;
  limits.bytes_max = UINT64_MAX;
  limits.segment_bytes_max = options.busy_bytes / kSegmentsOfBusy;
  limits.segment_bytes_first = limits.segment_bytes_max / kFirstsOfSegment;
  limits.fill_ahead_bytes = limits.segment_bytes_first / kFillsOfFirst;
  limits.repeat_window_ns = options.age_seconds * kNsPerSecond / kWindowsOfAge;
  limits.repeat_guaranteed_ns = limits.repeat_window_ns / 5;
  limits.retention_period_ns = kNsPerSecond / 10;
  const std::vector<storage::Retention> retentions = {{.age_ns = options.age_seconds * kNsPerSecond},
                                                      {.age_ns = kLongAgeNs}};
  auto stage = TRY(LaneStage::open(lane_folder, limits, retentions));
  Keeping keeping(*stage, options, lane_folder);
  stage->run([&keeping] { keeping.begin(); });
  if (keeping.refused() != 0) return fail(Errc::Overload, "the lane refused an event");
  std::printf(
      "{\"busy_bytes\":%llu,\"quiet_bytes\":%llu,\"written_bytes\":%llu,\"held_bytes_max\":%llu,"
      "\"held_bytes_last\":%llu}\n",
      static_cast<unsigned long long>(options.busy_bytes), static_cast<unsigned long long>(options.quiet_bytes),
      static_cast<unsigned long long>(keeping.written_bytes()), static_cast<unsigned long long>(keeping.bytes_max()),
      static_cast<unsigned long long>(keeping.bytes_last()));
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  static const option kOptions[] = {{"dir", required_argument, nullptr, 'd'},
                                    {"busy-bytes", required_argument, nullptr, 'b'},
                                    {"quiet-bytes", required_argument, nullptr, 'q'},
                                    {"age-seconds", required_argument, nullptr, 'a'},
                                    {nullptr, 0, nullptr, 0}};
  Options options;
  for (int key = 0; (key = ::getopt_long(argc, argv, "", kOptions, nullptr)) != -1;) {
    const std::string_view value = optarg != nullptr ? optarg : "";
    switch (key) {
      case 'd': options.folder = value; break;
      case 'b': options.busy_bytes = TRY(parse_count(value)); break;
      case 'q': options.quiet_bytes = TRY(parse_count(value)); break;
      case 'a': options.age_seconds = std::max<std::uint64_t>(1, TRY(parse_count(value))); break;
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
  return bench::report("lane_retention", outcome.error());
}
