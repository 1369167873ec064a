// SPDX-License-Identifier: Apache-2.0
#pragma once
// The outbound side of HTTP/1.1: one connection to one server, requests in order, their responses in the same order
// (RFC 9112 sections 9.3 and 9.3.2). Requests may be sent before earlier ones are answered.
//
// Thread: one loop. Lifetime: Connections and Receiver outlive the client; destroying the client, also from within a
// receiver's function, closes the connection and ends all calls. A client connects once: when can_send() is false, make
// another one and send again what had no response. A server that says `Connection: close` has not looked at the
// requests behind that response (RFC 9112 section 9.6); after on_failed() nobody knows.
//
// Nothing here resolves names: an io::Endpoint is numeric.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/endpoint.h"
#include "net/connections.h"
#include "protocols/http/codec/response_parser.h"

namespace protocols::http {

struct ClientLimits {
  std::uint64_t connect_ns = 10'000'000'000;
  std::uint64_t head_ns = 30'000'000'000;         // from the request, or the response before it, to the end of a head
  std::uint64_t silence_ns = 45'000'000'000;      // within a body: three heartbeats of an event stream
  std::size_t collected_bytes_max = 1024 * 1024;  // of a body that is not streamed
};

// Names and values are ours or were checked: is_token, is_field_value, is_target.
struct ClientRequest {
  std::string_view method = "GET";
  std::string_view target = "/";                                           // origin-form
  std::string_view host;                                                   // of the Host field
  std::vector<std::pair<std::string_view, std::string_view>> fields = {};  // without Host and Content-Length
  std::optional<base::Bytes> body = {};
};

// Appends the request as it is sent.
void append_request(std::string& out, const ClientRequest&);

class Client final {
 public:
  enum class Body : std::uint8_t { Collect, Stream };

  class Receiver {
   public:
    virtual ~Receiver() = default;
    // Decides where the body goes. Interim responses are not told.
    virtual Body on_head(const ResponseHead&) { return Body::Collect; }
    virtual void on_body(base::Bytes) {}  // a piece of a streamed body
    virtual void on_response(const ResponseHead&, std::string collected) = 0;
    // Requests stay without a response. Errc::TimedOut, Closed (also when the server ends before it has answered),
    // BadInput, TooLarge or Unsupported (what it sent cannot be read), Stopped, System (sys_errno: ECONNREFUSED ...).
    // The end of a connection that owes no response is not told.
    virtual void on_failed(base::Error) = 0;
  };

  Client(net::Connections&, const io::Endpoint&, Receiver&, const ClientLimits& = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The first request connects. on_failed() is called later, never from within.
  void send(const ClientRequest&);

  bool can_send() const;              // false from the response on after which the server closes
  std::size_t backlog_bytes() const;  // of requests that the system has not taken yet

 private:
  class Link;
  void connect();
  void fail_later(base::Error);

  net::Connections& connections_;
  io::Endpoint endpoint_;
  Receiver& receiver_;
  ClientLimits limits_;
  Link* link_ = nullptr;     // owned by its connection, which tells when it ends
  io::Timer failure_timer_;  // no attempt to connect could begin: told in a later turn
  base::Error failure_{};
  bool over_ = false;
};

}  // namespace protocols::http
