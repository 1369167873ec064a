// SPDX-License-Identifier: Apache-2.0
#pragma once
// The HTTP surface of one listener on one loop: from a request to the channel, page, stream or file that answers it.
//
// Paths: `/.tidewire/` is ours, then channels, then the pathname itself, then static files (WIRE.md section 6).
#include <memory>
#include <span>

#include "protocols/http/form.h"
#include "protocols/http/origin.h"
#include "protocols/http/session.h"
#include "protocols/http/static_files.h"
#include "protocols/protocol.h"
#include "protocols/surface.h"

namespace protocols::http {

// True as soon as the bytes cannot be anything but the beginning of an HTTP/1 request line.
Match match(base::Bytes first_bytes);

class Gateway final : public Service, public Acceptor {
 public:
  // The forms outlive the gateway.
  Gateway(const Surface&, std::span<const std::unique_ptr<StreamForm>>);

  std::unique_ptr<net::Handler> open() override { return std::make_unique<Session>(*this); }
  void handle(const ExchangePtr&) override;
  const Limits& limits() const override { return limits_; }
  std::size_t loop_output_bytes_max() const override { return surface_.settings.loop_output_bytes_max; }
  AnswerFields common_fields(const RequestHead&) const override;

 private:
  struct Resource;
  void route(const ExchangePtr&, Stranger, const Target&);
  void answer_channel(const ExchangePtr&, Stranger, const Target&, const engine::Topics::Found&);
  void read(const ExchangePtr&, Stranger, const Target&, const engine::Topics::Found&);
  void publish(const ExchangePtr&, Stranger, const Target&, const engine::Topics::Found&);
  void refuse_method(const ExchangePtr&, const engine::Channel&) const;
  std::string allowed_methods(const engine::Channel&) const;
  void answer_options(const ExchangePtr&, Stranger, const std::string& methods) const;

  Surface surface_;
  std::span<const std::unique_ptr<StreamForm>> forms_;
  std::vector<std::string_view> media_types_;  // JSON, then the forms'
  StaticFiles static_files_;
  Limits limits_;
};

}  // namespace protocols::http
