// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>
#include <utility>

#include "codec/cloudevents.h"
#include "codec/rfc3339.h"
#include "engine/cursor.h"
#include "server/commands/log.h"
#include "server/commands/log_failure.h"
#include "server/exit_code.h"
#include "storage/log/tools/stored_events.h"

namespace server {

namespace {

using storage::EventSelection;
using storage::Sequence;

constexpr std::size_t kOutputBytes = 64 * 1024;  // in one write
constexpr std::size_t kTopicsShownMax = 10;
constexpr std::int64_t kNsPerMs = 1'000'000;

template <class T>
using OrSentence = std::expected<T, std::string>;

// A sequence in decimal digits, or a cursor of this history.
OrSentence<Sequence> position_of(const std::string& text, const char* option, std::uint64_t epoch) {
  Sequence sequence = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, sequence);
  if (text.size() != engine::kCursorBytes && read.ec == std::errc() && read.ptr == end) return sequence;
  const auto cursor = engine::Cursor::parse(text);
  if (!cursor) return std::unexpected(std::string(option) + " " + text + ": expected a cursor or a sequence");
  if (cursor->epoch != epoch) {
    return std::unexpected(std::string(option) + " " + text + ": the cursor belongs to another history than this log");
  }
  return cursor->sequence;
}

// The first millisecond that is not before the time.
OrSentence<std::int64_t> time_of(const std::string& text, const char* option) {
  const auto time = codec::parse_rfc3339(text);
  if (!time) {
    return std::unexpected(std::string(option) + " " + text + ": expected a time like 2026-11-23T17:00:00Z (RFC 3339)");
  }
  return time->ms() + (time->nanoseconds % kNsPerMs != 0 ? 1 : 0);
}

OrSentence<storage::TopicId> topic_of(const std::string& identity, const storage::LaneState& state) {
  const auto found = std::ranges::find(state.topics, identity, &storage::TopicState::identity);
  if (found != state.topics.end()) return static_cast<storage::TopicId>(found - state.topics.begin() + 1);
  std::string sentence = "--topic " + identity + ": this log has no such topic; it has";
  for (std::size_t i = 0; i < state.topics.size() && i < kTopicsShownMax; ++i) {
    sentence += (i == 0 ? " `" : ", `") + state.topics[i].identity + "`";
  }
  if (state.topics.empty()) sentence += " none";
  if (state.topics.size() > kTopicsShownMax) sentence += " and more, which `tidewire log info` lists";
  return std::unexpected(sentence);
}

// Puts the value in its place, or keeps the first sentence that there is.
template <class T>
void take(OrSentence<T> read, T& into, std::string& wrong) {
  if (read) {
    into = *read;
  } else if (wrong.empty()) {
    wrong = read.error();
  }
}

OrSentence<EventSelection> selection_of(const LogDumpOptions& options, const storage::LaneState& state) {
  const std::uint64_t epoch = state.identity.epoch;
  EventSelection selection;
  std::string wrong;
  for (const std::string& identity : options.topics) {
    take(topic_of(identity, state), selection.topics.emplace_back(), wrong);
  }
  std::ranges::sort(selection.topics);
  if (!options.after.empty()) take(position_of(options.after, "--after", epoch), selection.after, wrong);
  if (!options.before.empty()) take(position_of(options.before, "--before", epoch), selection.before, wrong);
  if (!options.from.empty()) take(time_of(options.from, "--from"), selection.from_ms, wrong);
  if (!options.until.empty()) take(time_of(options.until, "--until"), selection.until_ms, wrong);
  if (options.all) selection.trimmed = EventSelection::Trimmed::Include;
  if (!wrong.empty()) return std::unexpected(wrong);
  return selection;
}

class Dump final : public storage::EventReceiver {
 public:
  Dump(const LogDumpOptions& options, std::uint64_t epoch, io::Stdio& stdio)
      : options_(options), epoch_(epoch), stdio_(stdio) {}

  Wants on_event(const storage::StoredEvent& stored) override {
    const auto event = codec::event_of(stored.record);
    if (!event) {
      found("event " + std::to_string(stored.sequence) + " is no CloudEvent and left out: " + event.error().text);
      return Wants::More;
    }
    if (!options_.address.empty() && event->address != options_.address) return Wants::More;
    codec::append_event_json(output_, *event, engine::Cursor{epoch_, stored.sequence}.token());
    output_ += '\n';
    if (output_.size() >= kOutputBytes) flush();
    return write_error_ || ++printed_ == options_.limit ? Wants::Nothing : Wants::More;
  }
  void on_damage(storage::DamagedRange range) override { found("damage: " + events_text(range) + " left out"); }

  // The exit code, if everything was read.
  int finish() {
    flush();
    // A reader that has seen enough, as in `tidewire log dump DIR | head -1`, is no fault.
    if (write_error_ && write_error_->code != base::Errc::Closed) {
      say(stdio_, std::string("cannot print the events: ") + write_error_->text);
      return kExitInputOutput;
    }
    return has_found_ ? kExitFinding : kExitOk;
  }

 private:
  void flush() {
    if (write_error_ || output_.empty()) return;
    const auto written = stdio_.write(io::Stdio::Stream::Output, std::exchange(output_, {}));
    if (!written) write_error_ = written.error();
  }
  // Behind the events before it.
  void found(const std::string& sentence) {
    flush();
    say(stdio_, sentence);
    has_found_ = true;
  }

  const LogDumpOptions& options_;
  const std::uint64_t epoch_;
  io::Stdio& stdio_;
  std::string output_;
  std::uint64_t printed_ = 0;
  bool has_found_ = false;
  std::optional<base::Error> write_error_;
};

}  // namespace

int run_log_dump(const std::string& directory, const LogDumpOptions& options, io::FileSystem& file_system,
                 io::Stdio& stdio) {
  const auto lane = storage::open_stopped_lane(file_system, directory);
  if (!lane) return fail_to_read_log(stdio, lane.error(), directory);
  auto selection = selection_of(options, lane->state);
  if (!selection) return fail_usage(stdio, selection.error());
  Dump dump(options, lane->state.identity.epoch, stdio);
  const auto read = storage::read_stored_events(*lane, std::move(*selection), dump);
  const int exit_code = dump.finish();
  return read ? exit_code : fail_to_read_log(stdio, read.error(), directory);
}

}  // namespace server
