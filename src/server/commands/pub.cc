// SPDX-License-Identifier: Apache-2.0
#include "server/commands/pub.h"

#include <cerrno>
#include <utility>

#include "codec/json.h"
#include "protocols/http/client/sentence.h"
#include "protocols/http/codec/grammar.h"
#include "protocols/http/codec/limits.h"
#include "server/exit_code.h"

namespace server {
namespace {

namespace http = protocols::http;
using Stream = io::Stdio::Stream;

constexpr std::uint64_t kProgressNs = 500'000'000;
constexpr std::size_t kIdKeyBytesMax = 200;  // the server takes 256, and a line number follows

bool is_success(int status) { return status >= 200 && status < 300; }

}  // namespace

int run_pub(const PubOptions& options, io::World world, io::Stdio& stdio) {
  io::Loop loop(world, "pub");
  int exit_code = kExitInternal;
  Publishing publishing(loop, options, stdio, [&](int code) {
    exit_code = code;
    loop.stop();
  });
  publishing.start();
  loop.run();
  return exit_code;
}

Publishing::Publishing(io::Loop& loop, const PubOptions& options, io::Stdio& stdio, Finished finished)
    : loop_(loop),
      options_(options),
      stdio_(stdio),
      finished_(std::move(finished)),
      connections_(loop),
      progress_timer_([](void* self) { static_cast<Publishing*>(self)->show_progress(); }, this) {
  loop_.at_end_of_turn([](void* self) { static_cast<Publishing*>(self)->flush(); }, this);
}

const char* Publishing::wrong_option() const {
  if (options_.method.size() > http::kMethodBytesMax || !http::is_token(options_.method)) {
    return "--method is not an HTTP method";
  }
  if (options_.content_type.empty() || !http::is_field_value(options_.content_type)) {
    return "--content-type is not a media type";
  }
  if (options_.id_key.size() > kIdKeyBytesMax || !http::is_field_value(options_.id_key)) {
    return "--id-key has at most 200 bytes and no control characters";
  }
  if (options_.lines && options_.data) return "--lines reads standard input: leave DATA out";
  return nullptr;
}

void Publishing::start() {
  if (const char* const wrong = wrong_option()) {
    say(wrong);
    return finish(kExitUsage);
  }
  auto url = http::Url::parse(options_.url);
  if (!url) {
    say(url.error().text);
    return finish(kExitUsage);
  }
  url_ = std::move(*url);
  const bool asks_a_person = !options_.data && stdio_.is_terminal(Stream::Input);
  if (asks_a_person) say(options_.lines ? "type one event a line; Ctrl-D ends" : "type the event; Ctrl-D ends it");
  client_.emplace(connections_, url_.endpoint, static_cast<http::Client::Receiver&>(*this));
  if (options_.lines) {
    input_.emplace(loop_, stdio_, kPublishBytesMax, [this] { send_lines(); });
    loop_.set_timer(progress_timer_, kProgressNs);
    return send_lines();
  }
  auto data = options_.data ? base::Result<std::string>(*options_.data) : stdio_.read_all_input(kPublishBytesMax);
  if (!data) {
    say(data.error().text);
    return finish(kExitInputOutput);
  }
  publish({0, std::move(*data)});
}

void Publishing::send_lines() {
  while (!done_ && !refused_ && unanswered_.size() < kUnansweredMax && unanswered_bytes_ < kUnansweredBytesMax) {
    if (auto line = input_->next()) {
      ++lines_read_;
      if (!line->empty()) publish({lines_read_, std::move(*line)});
      continue;
    }
    if (input_->ended()) break;
    const auto more = input_->read_more();
    if (!more) {
      say("line " + std::to_string(lines_read_ + 1) + ": " + more.error().text);
      refused_ = true;
    } else if (*more == InputLines::More::Later) {
      return;
    }
  }
  finish_if_done();
}

void Publishing::publish(Event event) {
  // The server may have closed an idle connection. With nothing unanswered, a new one loses nothing.
  if (!client_->can_send()) client_.emplace(connections_, url_.endpoint, static_cast<http::Client::Receiver&>(*this));
  unanswered_bytes_ += event.body.size();
  unanswered_.push_back(std::move(event));
  send(unanswered_.back());
}

void Publishing::send(const Event& event) {
  http::ClientRequest request{.method = options_.method, .target = url_.target, .host = url_.authority};
  std::string key = options_.id_key;
  if (options_.lines && !key.empty()) key.append("-").append(std::to_string(event.line));
  request.fields.emplace_back("Content-Type", options_.content_type);
  if (!key.empty()) request.fields.emplace_back("Idempotency-Key", key);
  request.body = event.body;
  client_->send(request);
}

void Publishing::on_response(const http::ResponseHead& head, std::string collected) {
  const Event event = std::move(unanswered_.front());
  unanswered_.pop_front();
  unanswered_bytes_ -= event.body.size();
  if (is_success(head.status())) {
    ++published_;
    print_answer(collected);
  } else {
    refuse(head, collected, event);
  }
  if (done_) return;
  if (!client_->can_send() && !unanswered_.empty()) {
    if (refused_) {
      say(std::to_string(unanswered_.size()) + " later lines were not published: the server closed the connection");
      return finish(kExitFinding);
    }
    connect_again();
  }
  if (options_.lines) return send_lines();
  finish_if_done();
}

// The server has not looked at what came behind the response after which it closes.
void Publishing::connect_again() {
  client_.emplace(connections_, url_.endpoint, static_cast<http::Client::Receiver&>(*this));
  for (const Event& event : unanswered_) send(event);
}

void Publishing::refuse(const http::ResponseHead& head, const std::string& body, const Event& event) {
  const std::string where = options_.lines ? "line " + std::to_string(event.line) + ": " : std::string();
  say(where + http::problem_sentence(head, body));
  refused_ = true;
}

void Publishing::print_answer(const std::string& body) {
  if (options_.quiet) return;
  std::string line;
  if (!codec::json::check_grammar(body) || !codec::json::minify(line, body)) line = http::printable(body);
  if (!line.empty()) output_.append(line).append(1, '\n');
}

void Publishing::on_failed(base::Error error) {
  if (error.sys_errno == ECONNREFUSED) {
    say("nothing accepts connections at " + url_.authority + "; start a server with: tidewire serve CONTRACT");
  } else {
    say(url_.authority + ": " + http::failure_sentence(error) + unknown_outcome());
  }
  finish(kExitInputOutput);
}

std::string Publishing::unknown_outcome() const {
  const std::string advice = options_.id_key.empty() ? "" : "; publishing again with the same --id-key is safe";
  if (!options_.lines) return "; the event may be stored or not" + advice;
  if (unanswered_.empty()) return {};
  return "; of the lines " + std::to_string(unanswered_.front().line) + " to " +
         std::to_string(unanswered_.back().line) + " nobody knows whether they are stored" + advice;
}

void Publishing::finish_if_done() {
  if (done_ || !unanswered_.empty()) return;
  if (options_.lines && !refused_ && !input_->ended()) return;
  if (options_.lines && refused_) {
    const char* const rest = input_->ended() ? "" : "; the rest of the input was not read";
    say(std::to_string(published_) + " events were published" + rest);
  }
  finish(refused_ ? kExitFinding : kExitOk);
}

void Publishing::finish(int exit_code) {
  if (std::exchange(done_, true)) return;
  progress_timer_.cancel();
  if (!output_.empty() && !stdio_.write(Stream::Output, std::exchange(output_, {})) && exit_code == kExitOk) {
    exit_code = kExitInputOutput;
  }
  if (options_.lines && exit_code == kExitOk && stdio_.is_terminal(Stream::Error)) {
    say(std::to_string(published_) + (published_ == 1 ? " event" : " events") + " published");
  }
  client_.reset();
  finished_(exit_code);
}

void Publishing::flush() {
  if (done_ || output_.empty()) return;
  const auto written = stdio_.write(Stream::Output, std::exchange(output_, {}));
  if (written) return;
  say(http::failure_sentence(written.error()));
  finish(kExitInputOutput);
}

// Where the answers scroll by on the same terminal, they are the progress.
void Publishing::show_progress() {
  const bool answers_scroll = !options_.quiet && stdio_.is_terminal(Stream::Output);
  if (!stdio_.is_terminal(Stream::Error) || answers_scroll) return;
  progress_shown_ = true;
  (void)stdio_.write(Stream::Error, "\r" + std::to_string(published_) + " events published");
  loop_.set_timer(progress_timer_, kProgressNs);
}

void Publishing::say(const std::string& sentence) {
  const char* const clear = std::exchange(progress_shown_, false) ? "\r\x1b[K" : "";
  (void)stdio_.write(Stream::Error, clear + ("tidewire: " + sentence) + "\n");
}

}  // namespace server
