// SPDX-License-Identifier: Apache-2.0
#pragma once
// `tidewire pub URL [DATA]`: publishes one event, or with --lines each line of standard input as one, in order.
//
// Lines go over one connection, up to kUnansweredMax ahead of the answers. The first refusal stops the reading; lines
// that were on their way already may still be stored, and each that was has its answer printed.
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "io/loop.h"
#include "io/stdio.h"
#include "protocols/http/client/client.h"
#include "protocols/http/client/url.h"
#include "server/commands/input_lines.h"

namespace server {

inline constexpr std::size_t kPublishBytesMax = 64 << 20;  // of one event, before a server has its say
inline constexpr std::size_t kUnansweredMax = 256;         // lines that are on their way
inline constexpr std::size_t kUnansweredBytesMax = 4 << 20;

struct PubOptions {
  std::string url = {};
  std::optional<std::string> data = {};  // nothing: standard input, the whole of it as one event
  std::string content_type = "application/json";
  std::string id_key = {};  // Idempotency-Key; with lines `<id_key>-<number of the line>`
  std::string method = "POST";
  bool lines = false;  // each line of standard input is an event; empty ones are passed over
  bool quiet = false;  // the answers are not printed
};

// Runs until everything is answered; the exit code.
int run_pub(const PubOptions&, io::World, io::Stdio&);

// The command without its loop. Thread: one loop. Destroyed after the loop's last turn and before the loop.
class Publishing final : private protocols::http::Client::Receiver {
 public:
  using Finished = std::function<void(int exit_code)>;  // called once
  Publishing(io::Loop&, const PubOptions&, io::Stdio&, Finished);

  void start();

 private:
  struct Event {
    std::uint64_t line;
    std::string body;
  };

  void on_response(const protocols::http::ResponseHead&, std::string collected) override;
  void on_failed(base::Error) override;

  const char* wrong_option() const;
  void send_lines();
  void publish(Event);
  void send(const Event&);
  void connect_again();
  void refuse(const protocols::http::ResponseHead&, const std::string& body, const Event&);
  void print_answer(const std::string& body);
  void finish_if_done();
  void finish(int exit_code);
  void flush();
  void show_progress();
  void say(const std::string& sentence);
  std::string unknown_outcome() const;

  io::Loop& loop_;
  const PubOptions& options_;
  io::Stdio& stdio_;
  Finished finished_;
  net::Connections connections_;
  protocols::http::Url url_;
  std::optional<protocols::http::Client> client_;
  std::optional<InputLines> input_;
  std::deque<Event> unanswered_;
  std::size_t unanswered_bytes_ = 0;
  std::uint64_t lines_read_ = 0;
  std::uint64_t published_ = 0;
  std::string output_;  // written at the end of the turn
  io::Timer progress_timer_;
  bool progress_shown_ = false;
  bool refused_ = false;
  bool done_ = false;
};

}  // namespace server
