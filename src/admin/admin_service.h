// SPDX-License-Identifier: Apache-2.0
#pragma once
// The admin listener: `/metrics`, `/healthz` and `/readyz`, for programs on this machine.
//
// Thread: the loop whose listener it serves; snapshots of other loops come as messages.
#include <functional>
#include <memory>

#include "admin/metrics.h"
#include "protocols/http/session.h"
#include "protocols/protocol.h"
#include "protocols/surface.h"

namespace admin {

// Asks every loop and calls back on the asking one.
using Collect = std::function<void(io::Loop& from, std::move_only_function<void(std::vector<LoopSnapshot>)>)>;

class AdminService final : public protocols::http::Service, public protocols::Acceptor {
 public:
  AdminService(const protocols::Surface&, std::string version, Collect);

  std::unique_ptr<net::Handler> open() override { return std::make_unique<protocols::http::Session>(*this); }
  void handle(const protocols::http::ExchangePtr&) override;
  const protocols::http::Limits& limits() const override { return limits_; }

 private:
  static void answer_ok(const protocols::http::ExchangePtr&);
  void answer_ready(const protocols::http::ExchangePtr&);
  void answer_metrics(const protocols::http::ExchangePtr&);

  protocols::Surface surface_;
  std::string version_;
  Collect collect_;
  protocols::http::Limits limits_;
};

}  // namespace admin
