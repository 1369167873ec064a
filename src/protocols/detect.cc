// SPDX-License-Identifier: Apache-2.0
#include "net/connection.h"
#include "protocols/protocol.h"

namespace protocols {

namespace {

constexpr std::uint64_t kDetectNs = 10'000'000'000;  // for the first bytes of a connection

class Detector final : public net::Handler {
 public:
  explicit Detector(std::span<const Offered> protocols) : protocols_(protocols) {}

  void on_open(net::Connection& connection) override { connection.set_timeout(kDetectNs); }

  base::Result<std::size_t> on_bytes(net::Connection& connection, base::Bytes bytes) override {
    bool more = false;
    for (const Offered& protocol : protocols_) {
      const Match match = protocol.match(bytes);
      if (match == Match::Yes) {
        connection.set_timeout(0);
        connection.upgrade(protocol.acceptor->open());
        return 0;
      }
      more = more || match == Match::NeedsMore;
    }
    if (!more) return base::fail(base::Errc::BadInput, "no protocol of this listener begins like this");
    return 0;
  }

 private:
  std::span<const Offered> protocols_;
};

}  // namespace

std::unique_ptr<net::Handler> detect(std::span<const Offered> protocols) {
  // With one protocol there is nothing to find out, and its own errors say more than a closed connection.
  if (protocols.size() == 1) return protocols[0].acceptor->open();
  return std::make_unique<Detector>(protocols);
}

}  // namespace protocols
