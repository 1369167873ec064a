// SPDX-License-Identifier: Apache-2.0
#pragma once
// A streaming form of GET: one media type, and how its stream is opened. One object per loop, shared by its listeners.
#include <memory>
#include <string_view>

#include "engine/engine.h"
#include "protocols/http/exchange.h"
#include "protocols/http/query.h"

namespace protocols::http {

struct StreamRequest {
  engine::Engine& engine;
  engine::Member member;
  ReadQuery query;
};

class StreamForm {
 public:
  virtual ~StreamForm() = default;
  virtual std::string_view media_type() const = 0;
  // The exchange is open; the form takes it over.
  virtual void open(const ExchangePtr&, StreamRequest) = 0;
};

using MakeStreamForm = std::unique_ptr<StreamForm> (*)();

}  // namespace protocols::http
