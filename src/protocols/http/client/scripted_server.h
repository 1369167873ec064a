// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests: a server on one loop whose answers are bytes that the test writes, so that it may also say what no good
// server says. It notes every request.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/listener.h"
#include "protocols/http/codec/request_parser.h"

namespace protocols::http {

class ScriptedServer final {
 public:
  struct Request {
    std::string line;  // `POST /a`
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;

    std::string field(std::string_view name) const {
      for (const auto& [its_name, value] : fields) {
        if (its_name == name) return value;
      }
      return {};
    }
  };
  // `number` counts requests from 0. Answers with Connection::send and its closing functions.
  using Serve = std::function<void(net::Connection&, const Request&, std::size_t number)>;

  ScriptedServer(io::Loop& loop, Serve serve) : connections_(loop), serve_(std::move(serve)) {}

  void listen(const io::Endpoint& endpoint) {
    const auto handle = connections_.loop().network().listen(endpoint);
    CHECK(handle, "a test can listen");
    auto listener =
        net::Listener::open(connections_, *handle, [this] { return std::make_unique<Conversation>(*this); });
    CHECK(listener, "a test can accept");
    listener_ = std::move(*listener);
  }
  void stop_listening() { listener_.reset(); }

  const std::vector<Request>& requests() const { return requests_; }
  net::Connections& connections() { return connections_; }

  static std::string response(int status, std::string_view type, std::string_view body) {
    return "HTTP/1.1 " + std::to_string(status) + " Status\r\nContent-Type: " + std::string(type) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  }
  static std::string stream_head() { return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"; }

 private:
  class Conversation final : public net::Handler {
   public:
    explicit Conversation(ScriptedServer& server) : server_(server), parser_(server.limits_) {}

    base::Result<std::size_t> on_bytes(net::Connection& connection, base::Bytes bytes) override {
      std::size_t consumed = 0;
      while (!connection.is_closing()) {
        const auto fed = parser_.feed(bytes.substr(consumed));
        CHECK(fed, "a client sends well-formed requests");
        consumed += *fed;
        if (parser_.stage() != Stage::Complete) {
          if (*fed == 0) return consumed;
          continue;
        }
        const auto& head = parser_.head();
        Request request{std::string(head.method_text()) + " " + std::string(head.target()), parser_.take_body(), {}};
        for (std::size_t i = 0; i < head.fields().size(); ++i) {
          request.fields.emplace_back(head.fields().at(i).name, head.fields().at(i).value);
        }
        parser_.next();
        server_.requests_.push_back(request);
        server_.serve_(connection, request, server_.requests_.size() - 1);
      }
      return bytes.size();
    }

   private:
    ScriptedServer& server_;
    RequestParser parser_;
  };

  Limits limits_;
  net::Connections connections_;
  Serve serve_;
  std::unique_ptr<net::Listener> listener_;
  std::vector<Request> requests_;
};

}  // namespace protocols::http
