// SPDX-License-Identifier: Apache-2.0
#pragma once
// `tidewire sub URL...`: follows channels and prints their events as they come, one connection for each URL.
//
// It comes back by itself from where it was; losses, resets and closings are told on standard error, a line each. An
// interrupt ends it with exit code 0. A first attempt that finds nobody, and a refusal, end it too.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "codec/json.h"
#include "io/loop.h"
#include "io/stdio.h"
#include "protocols/http/client/event_source.h"
#include "server/commands/event_text.h"

namespace server {

inline constexpr std::size_t kFollowedUrlsMax = 64;

struct SubOptions {
  std::vector<std::string> urls = {};
  EventText format = EventText::CloudEvent;
  std::string after = {};   // a cursor, `earliest`, `latest` or a time; empty: what the URL says, else `latest`
  std::uint64_t count = 0;  // ends after so many events, over all URLs; 0: never
};

// Runs until it is interrupted or ends; the exit code. On the main thread, before any other is started.
int run_sub(const SubOptions&, io::World, io::Stdio&);

// The command without its loop and its signals. Thread: one loop. Destroyed after the loop's last turn, before it.
class Following final {
 public:
  using Finished = std::function<void(int exit_code)>;  // called once
  Following(io::Loop&, const SubOptions&, io::Stdio&, Finished);
  ~Following();

  void start();
  void interrupt();

 private:
  class Followed;  // one URL

  base::Result<protocols::http::Url> url_of(const std::string& text) const;
  void print(const protocols::http::StreamBlock&);
  void finish(int exit_code);
  void flush();
  void say(const std::string& sentence);

  io::Loop& loop_;
  const SubOptions& options_;
  io::Stdio& stdio_;
  Finished finished_;
  net::Connections connections_;
  codec::json::Parser json_;
  std::vector<std::unique_ptr<Followed>> followed_;
  std::string output_;  // written at the end of the turn
  std::uint64_t printed_ = 0;
  bool done_ = false;
};

}  // namespace server
