// SPDX-License-Identifier: Apache-2.0
#pragma once
// For tests of the protocols: the public and the application listener of one simulated loop, in front of a real engine
// and a memory lane, and clients that speak bytes.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/listener.h"
#include "protocols/http/gateway.h"
#include "protocols/sse/form.h"
#include "tests/support/engine_stage.h"
#include "tests/support/peer.h"

namespace protocols::http {

struct Reply {
  int status = 0;
  std::string head;
  std::string body;

  // The value of the field; "-" without it.
  std::string field(const std::string& name) const {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "-";
    const std::size_t from = at + name.size() + 4;
    return head.substr(from, head.find("\r\n", from) - from);
  }
};

// The first response of the text; what is behind it stays there. A stream's body is what came of it.
inline Reply take_reply(std::string& text, bool has_body = true) {
  Reply reply;
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || end == std::string::npos) return reply;
  reply.status = std::stoi(text.substr(9, 3));
  reply.head = text.substr(0, end + 2);
  std::size_t size = text.size() - end - 4;
  const std::string length = reply.field("Content-Length");
  if (length != "-") size = std::min(size, static_cast<std::size_t>(std::stoul(length)));
  if (reply.status == 204 || reply.status == 304 || reply.status == 100 || !has_body) size = 0;
  reply.body = text.substr(end + 4, size);
  text.erase(0, end + 4 + size);
  return reply;
}

// The content of the chunks so far.
inline std::string dechunked(std::string_view chunks) {
  std::string text;
  while (true) {
    const std::size_t line = chunks.find("\r\n");
    if (line == std::string_view::npos) return text;
    const std::size_t size = std::stoul(std::string(chunks.substr(0, line)), nullptr, 16);
    if (size == 0 || chunks.size() < line + 2 + size) return text;
    text += chunks.substr(line + 2, size);
    chunks.remove_prefix(std::min(chunks.size(), line + 2 + size + 2));
  }
}

using FieldList = std::vector<std::pair<std::string, std::string>>;

inline std::string request(std::string_view method, std::string_view target, const FieldList& fields = {},
                           std::string_view body = {}, std::string_view version = "HTTP/1.1") {
  std::string text;
  text.append(method).append(" ").append(target).append(" ").append(version).append("\r\n");
  const auto is = [](const char* name) { return [name](const auto& field) { return field.first == name; }; };
  if (std::ranges::none_of(fields, is("Host"))) text += "Host: localhost\r\n";
  for (const auto& [name, value] : fields) text.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text.append("\r\n").append(body);
}

inline SurfaceSettings with_event_bytes_max(std::uint64_t bytes) {
  SurfaceSettings settings;
  settings.event_bytes_max = bytes;
  return settings;
}

class House final {
 public:
  enum class Door : std::uint8_t { Public, Application };
  struct Settings {
    SurfaceSettings shared = {};
    engine::Stage::Options stage = {};
  };

  explicit House(const Settings& settings)
      : stage(settings.stage),
        connections_(stage.loop()),
        public_settings_(settings.shared),
        app_settings_(settings.shared) {
    forms_.push_back(sse::make_form());
    public_settings_.other_listener = "127.0.0.1:8082";
    app_settings_.side = engine::Side::Application;
    app_settings_.same_origin_is_enough = false;
    app_settings_.other_listener = "127.0.0.1:8080";
    gateways_.push_back(std::make_unique<Gateway>(Surface{stage.engine(), public_settings_}, forms_));
    gateways_.push_back(std::make_unique<Gateway>(Surface{stage.engine(), app_settings_}, forms_));
    for (const Door door : {Door::Public, Door::Application}) {
      const io::Handle handle = stage.world.network().listen(at(door)).value();
      listeners_.push_back(
          net::Listener::open(connections_, handle, [&gateway = *gateways_[static_cast<std::size_t>(door)]] {
            return gateway.open();
          }).value());
    }
  }
  House() : House(Settings{}) {}
  ~House() {
    listeners_.clear();
    connections_.close_all();
    stage.loop().turn(io::Loop::Wait::No);
  }

  static io::Endpoint at(Door door) {
    io::Endpoint endpoint;
    endpoint.address = {127, 0, 0, 1};
    endpoint.port = door == Door::Public ? 8080 : 8082;
    return endpoint;
  }
  std::unique_ptr<net::Peer> connect(Door door = Door::Public) {
    return std::make_unique<net::Peer>(stage.world, at(door));
  }
  // One request on a connection of its own.
  Reply ask(Door door, std::string_view method, std::string_view target, FieldList fields = {},
            std::string_view body = {}) {
    fields.emplace_back("Connection", "close");
    const auto peer = connect(door);
    peer->send(request(method, target, fields, body));
    EXPECT_TRUE(peer->until_end()) << target;
    EXPECT_TRUE(peer->ended) << target << ": the connection was reset";
    Reply reply = take_reply(peer->received, method != "HEAD");
    EXPECT_EQ(peer->received, "") << "nothing follows the answer";
    return reply;
  }
  Reply get(std::string_view target, FieldList fields = {}) {
    return ask(Door::Public, "GET", target, std::move(fields));
  }
  Reply post(std::string_view target, std::string_view body = "{}", FieldList fields = {}) {
    return ask(Door::Application, "POST", target, std::move(fields), body);
  }
  void shut_down() {
    stage.on_loop([this] { connections_.shut_down(); });
  }
  net::Connections& connections() { return connections_; }
  std::string cursor(storage::Sequence sequence) { return stage.engine().cursor(sequence).token(); }

  engine::Stage stage;

 private:
  net::Connections connections_;
  std::vector<std::unique_ptr<StreamForm>> forms_;
  SurfaceSettings public_settings_;
  SurfaceSettings app_settings_;
  std::vector<std::unique_ptr<Gateway>> gateways_;
  std::vector<std::unique_ptr<net::Listener>> listeners_;
};

}  // namespace protocols::http
