// SPDX-License-Identifier: Apache-2.0
#pragma once
// One event stream: a subscription on one side, a connection on the other. A slow reader is a position in the log, not
// a queue: when the connection is full the subscription stays where it is until everything was handed to the system.
//
// Thread: one loop. Lifetime: the connection's handler.
#include <optional>
#include <string>

#include "engine/subscription.h"
#include "net/connection.h"
#include "net/handler.h"
#include "protocols/http/form.h"
#include "protocols/sse/encoder.h"

namespace protocols::sse {

inline constexpr std::uint64_t kHeartbeatNs = 15'000'000'000;  // progress, and proof that both ends are there
inline constexpr std::uint8_t kStalledHeartbeatsMax = 20;      // without a byte taken: then the stream ends, 5 minutes
inline constexpr std::string_view kRetryBlock = "retry: 2000\n";

class Stream final : public net::Handler, private engine::Subscriber {
 public:
  Stream(net::Connection&, Encoder&, const http::StreamRequest&, engine::Start, const Framing&);
  // The response's head but for its last field, the first signal's cursor, and the empty line.
  void set_head(std::string head) { head_ = std::move(head); }
  void start() { subscription_.start(); }

  void on_open(net::Connection& connection) override { connection.set_timeout(kHeartbeatNs); }
  // Nothing is expected from the client any more; what comes is dropped.
  base::Result<std::size_t> on_bytes(net::Connection&, base::Bytes bytes) override { return bytes.size(); }
  void on_end(net::Connection& connection) override { connection.close(); }
  void on_drained(net::Connection&) override { subscription_.resume(); }
  void on_timeout(net::Connection&) override;
  void on_shutdown(net::Connection&) override;

 private:
  void on_started(const engine::Started&) override;
  bool deliver(std::span<const engine::Event>) override;
  void on_reset(const engine::Reset&) override;
  void on_live() override;
  void on_progress(engine::Cursor) override;
  void send(std::string block);
  void send_head(std::string_view last_field);

  net::Connection& connection_;
  engine::Engine& engine_;
  Encoder& encoder_;
  engine::Subscription subscription_;
  std::optional<storage::Sequence> told_;  // of the last cursor that the client was sent; none before the first signal
  std::string head_;                       // until it was sent
  Framing framing_;
  std::uint8_t stalled_heartbeats_ = 0;
};

}  // namespace protocols::sse
