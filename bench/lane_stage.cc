// SPDX-License-Identifier: Apache-2.0
#include "lane_stage.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <future>

#include "codec/record_batch.h"

namespace bench {

using base::Errc;
using base::fail;
using base::Result;

struct LaneStage::Signal {
  std::promise<void> promise;
};

LaneStage::LaneStage() : lane_loop_(real_.world(), "lane"), client_loop_(real_.world(), "client") {}

Result<std::unique_ptr<LaneStage>> LaneStage::open(const std::string& directory, const storage::Limits& limits,
                                                   const std::vector<storage::Retention>& retentions) {
  std::unique_ptr<LaneStage> stage(new LaneStage);
  TRY(stage->start(directory, limits, retentions));
  return stage;
}

Result<void> LaneStage::start(const std::string& directory, const storage::Limits& limits,
                              const std::vector<storage::Retention>& retentions) {
  const io::World world = real_.world();
  lane_ = TRY(storage::FileLane::open(world, lane_loop_, directory, limits));
  world.threads.start(lane_loop_);
  world.threads.start(client_loop_);
  std::vector<storage::TopicDeclaration> declarations;
  for (std::size_t i = 0; i < retentions.size(); ++i)
    declarations.push_back({"topic-" + std::to_string(i) + "/*", retentions[i]});
  run([this, declarations = std::move(declarations)]() mutable {
    lane_->declare(client_loop_, std::move(declarations), [this](std::vector<storage::TopicId> topics) {
      topics_ = std::move(topics);
      finish();
    });
  });
  return {};
}

LaneStage::~LaneStage() {
  if (!lane_) return;
  const io::World world = real_.world();
  std::promise<void> stopped;
  lane_loop_.post([this, &stopped] { lane_->stop([&stopped] { stopped.set_value(); }); });
  stopped.get_future().wait();
  for (io::Loop* loop : {&client_loop_, &lane_loop_}) {
    loop->stop();
    world.threads.join(*loop);
  }
}

void LaneStage::run(io::Task task) {
  finished_ = std::make_unique<Signal>();
  std::future<void> finished = finished_->promise.get_future();
  client_loop_.post(std::move(task));
  finished.wait();
}

void LaneStage::finish() { finished_->promise.set_value(); }

storage::NewEvent LaneStage::event(std::size_t topic, std::uint64_t address, std::size_t bytes) const {
  const std::string place = std::to_string(address);
  const std::array<codec::Header, 3> headers = {codec::Header{"ce_id", "0190a3c5-7e2b-7cc2-9a5e-3f1d2b4c6e8f"},
                                                codec::Header{"ce_channel", place},
                                                codec::Header{"content-type", "application/json"}};
  constexpr std::size_t kAroundBytes = 110;  // headers and varints
  const std::string payload(bytes > kAroundBytes ? bytes - kAroundBytes : 1, 'x');
  storage::NewEvent event{topics_[topic], storage::address_hash(lane_->identity(), place), {}, {}};
  codec::append_record_tail(event.record_tail, place, payload, headers);
  return event;
}

Result<void> in_new_folder(const std::string& folder, const std::function<Result<void>()>& measure) {
  if (!std::filesystem::create_directory(folder)) return fail(Errc::BadInput, "--dir is there already");
  const auto outcome = measure();
  std::filesystem::remove_all(folder);
  return outcome;
}

std::uint64_t directory_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    struct stat found{};
    if (::stat(entry.path().c_str(), &found) == 0) bytes += static_cast<std::uint64_t>(found.st_blocks) * 512;
  }
  return bytes;
}

std::vector<std::string> segment_paths(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error))
    if (entry.path().extension() == ".segment") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return fail(Errc::BadInput, "not a whole number");
  return value;
}

std::uint64_t percentile(std::vector<std::uint64_t>& values, unsigned percent) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  return values[(values.size() - 1) * percent / 100];
}

}  // namespace bench
