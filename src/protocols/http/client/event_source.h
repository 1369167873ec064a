// SPDX-License-Identifier: Apache-2.0
#pragma once
// Follows one event stream and comes back by itself, as a browser's EventSource does (WHATWG HTML section 9.2), with
// two differences: a temporary refusal (429, 502, 503, 504) is tried again, and the position may be given at the start.
//
// Thread: one loop. Lifetime: Connections and Receiver outlive the source. A receiver may call close() from within its
// functions, and destroys the source from elsewhere.
//
// The pause before the n-th attempt in a row is the stream's `retry` (2 s unless named), doubled with each up to
// kRetryNsMax, times a random factor from 0.5 to 1.5: a crowd that lost one server does not come back at once.
#include <cstdint>
#include <optional>
#include <string>

#include "protocols/http/client/client.h"
#include "protocols/http/client/event_stream.h"
#include "protocols/http/client/url.h"

namespace protocols::http {

inline constexpr std::uint64_t kRetryNs = 2'000'000'000;
inline constexpr std::uint64_t kRetryNsMin = 100'000'000;
inline constexpr std::uint64_t kRetryNsMax = 30'000'000'000;
inline constexpr std::uint64_t kAskedPauseNsMax = 300'000'000'000;  // of what a server asks for

class EventSource final : private Client::Receiver {
 public:
  struct Loss {
    std::string reason;  // a sentence without a full stop
    base::Error error;   // Errc::Overload for a temporary refusal
    std::uint64_t pause_ns;
  };

  class Receiver {
   public:
    virtual ~Receiver() = default;
    virtual void on_open() = 0;  // the server answered with an event stream; also after a loss
    virtual void on_block(const StreamBlock&) = 0;
    virtual void on_lost(const Loss&) = 0;                     // the next attempt follows after the pause
    virtual void on_refused(const std::string& sentence) = 0;  // there is none: a retry would meet the same
  };

  EventSource(net::Connections&, Url, Receiver&, const ClientLimits& = {});

  void open();
  void close();
  // For the next pause alone: what the server asked for. Not made shorter by chance, only longer.
  void ask_pause(std::uint64_t pause_ms);

  std::string_view last_event_id() const { return last_event_id_; }

 private:
  Client::Body on_head(const ResponseHead&) override;
  void on_body(base::Bytes) override;
  void on_response(const ResponseHead&, std::string collected) override;
  void on_failed(base::Error) override;

  void lose(std::string reason, base::Error);
  void refuse(const std::string& sentence);
  std::uint64_t next_pause_ns();

  net::Connections& connections_;
  Url url_;
  Receiver& receiver_;
  ClientLimits limits_;
  std::optional<Client> client_;
  EventStreamParser parser_;
  io::Timer retry_timer_;
  std::string last_event_id_;
  std::uint64_t retry_ns_ = kRetryNs;
  std::optional<std::uint64_t> asked_pause_ns_;
  unsigned attempts_ = 0;  // in a row that opened no stream
  bool streaming_ = false;
};

}  // namespace protocols::http
