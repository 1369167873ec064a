// SPDX-License-Identifier: Apache-2.0
#include "server/commands/sub.h"

#include <cerrno>
#include <utility>

#include "io/signals.h"
#include "protocols/http/client/sentence.h"
#include "server/exit_code.h"

namespace server {
namespace {

namespace http = protocols::http;
using Stream = io::Stdio::Stream;

constexpr std::string_view kOurs = "tidewire.";  // of event names: no message is called so
constexpr std::uint64_t kNsPerTenth = 100'000'000;

std::string seconds(std::uint64_t ns) {
  const std::uint64_t tenths = (ns + kNsPerTenth / 2) / kNsPerTenth;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

std::string text_member(const codec::json::Value& object, std::string_view name, std::string_view otherwise) {
  const auto member = object.member(name);
  return http::printable(member ? member->string().value_or(otherwise) : otherwise);
}

}  // namespace

class Following::Followed final : public http::EventSource::Receiver {
 public:
  Followed(Following& following, http::Url url, std::string name)
      : following_(following),
        place_(url.authority),
        name_(std::move(name)),
        source_(following.connections_, std::move(url), *this) {}

  void open() { source_.open(); }
  void close() { source_.close(); }
  std::string_view cursor() const { return source_.last_event_id(); }
  const std::string& name() const { return name_; }

 private:
  void on_open() override {
    if (std::exchange(is_lost_, false)) say("connected again");
    has_opened_ = true;
  }

  void on_block(const http::StreamBlock& block) override {
    if (block.kind == http::StreamBlock::Kind::Position) return;
    if (!block.type.starts_with(kOurs)) return following_.print(block);
    const auto read = following_.json_.parse(block.data);
    if (!read || !read->is(codec::json::Kind::Object)) return;
    const std::string reason = text_member(*read, "reason", "no reason given");
    if (block.type == "tidewire.reset") say_reset(*read, reason);
    if (block.type == "tidewire.closing") {
      closing_reason_ = reason;
      const auto pause = read->member("retry_after_ms");
      if (const auto ms = pause ? pause->unsigned_integer() : std::nullopt) source_.ask_pause(*ms);
    }
  }

  void on_lost(const http::EventSource::Loss& loss) override {
    const std::string closing = std::exchange(closing_reason_, {});
    if (!has_opened_ && loss.error.code != base::Errc::Overload) {
      say(loss.error.sys_errno == ECONNREFUSED
              ? "nothing accepts connections at " + place_ + "; start a server with: tidewire serve CONTRACT"
              : place_ + ": " + loss.reason);
      return following_.finish(kExitInputOutput);
    }
    is_lost_ = true;
    say((closing.empty() ? loss.reason : "the server closes the stream (" + closing + ")") + "; trying again in " +
        seconds(loss.pause_ns));
  }

  void on_refused(const std::string& sentence) override {
    say(sentence);
    following_.finish(kExitFinding);
  }

  // G2 of the cursor contract: the stream goes on from `cursor`, and what lay before it is not all there.
  void say_reset(const codec::json::Value& reset, const std::string& reason) {
    say("reset (" + reason + "): events may be missing; going on from cursor " +
        text_member(reset, "cursor", "of the next event"));
  }

  void say(const std::string& sentence) { following_.say(name_.empty() ? sentence : name_ + ": " + sentence); }

  Following& following_;
  std::string place_;
  std::string name_;  // empty if there is only one
  std::string closing_reason_;
  bool has_opened_ = false;
  bool is_lost_ = false;
  http::EventSource source_;
};

int run_sub(const SubOptions& options, io::World world, io::Stdio& stdio) {
  io::Loop loop(world, "sub");
  int exit_code = kExitInternal;
  Following following(loop, options, stdio, [&](int code) {
    exit_code = code;
    loop.stop();
  });
  io::StopSignals signals(loop, [&](io::StopSignals::Signal) { following.interrupt(); });
  following.start();
  loop.run();
  return exit_code;
}

Following::Following(io::Loop& loop, const SubOptions& options, io::Stdio& stdio, Finished finished)
    : loop_(loop), options_(options), stdio_(stdio), finished_(std::move(finished)), connections_(loop) {
  loop_.at_end_of_turn([](void* self) { static_cast<Following*>(self)->flush(); }, this);
}

Following::~Following() = default;

void Following::start() {
  if (options_.urls.empty() || options_.urls.size() > kFollowedUrlsMax) {
    say("give 1 to " + std::to_string(kFollowedUrlsMax) + " URLs, such as http://127.0.0.1:8080/comments/42/likes");
    return finish(kExitUsage);
  }
  for (const std::string& text : options_.urls) {
    auto url = url_of(text);
    if (!url) {
      say(http::printable(text) + ": " + url.error().text);
      return finish(kExitUsage);
    }
    const bool alone = options_.urls.size() == 1;
    followed_.push_back(
        std::make_unique<Followed>(*this, std::move(*url), alone ? std::string() : http::printable(text)));
  }
  for (const auto& each : followed_) each->open();
}

base::Result<http::Url> Following::url_of(const std::string& text) const {
  http::Url url = TRY(http::Url::parse(text));
  if (url.has_parameter("format")) {
    return base::fail(base::Errc::BadInput, "leave `format` out of the URL; --format says what is printed");
  }
  if (!options_.after.empty() && url.has_parameter("after")) {
    return base::fail(base::Errc::BadInput, "give either --after or the parameter `after`");
  }
  url.add_parameter("format", "cloudevent");
  if (!options_.after.empty()) url.add_parameter("after", options_.after);
  return url;
}

void Following::print(const http::StreamBlock& block) {
  if (done_) return;
  append_event_text(output_, block.data, options_.format);
  if (++printed_ == options_.count) finish(kExitOk);
}

void Following::interrupt() {
  if (done_) return;
  if (stdio_.is_terminal(Stream::Error)) {
    for (const auto& each : followed_) {
      if (each->cursor().empty()) continue;
      const std::string of = each->name().empty() ? "" : " of " + each->name();
      say("resume" + of + " with --after " + http::printable(each->cursor()));
    }
  }
  finish(kExitOk);
}

void Following::finish(int exit_code) {
  if (done_) return;
  flush();
  if (std::exchange(done_, true)) return;
  for (const auto& each : followed_) each->close();
  finished_(exit_code);
}

void Following::flush() {
  if (done_ || output_.empty()) return;
  const auto written = stdio_.write(Stream::Output, std::exchange(output_, {}));
  if (written) return;
  // A reader that has seen enough, as in `tidewire sub URL | head -1`, is no fault.
  const bool enough = written.error().code == base::Errc::Closed;
  if (!enough) say(http::failure_sentence(written.error()));
  finish(enough ? kExitOk : kExitInputOutput);
}

void Following::say(const std::string& sentence) { (void)stdio_.write(Stream::Error, "tidewire: " + sentence + "\n"); }

}  // namespace server
