// SPDX-License-Identifier: Apache-2.0
// What a peer sent and its end may arrive together: epoll then reports one edge for both.
#include <gtest/gtest.h>

#include <string>

#include "io/loop.h"
#include "io/real_world.h"
#include "net/listener.h"

namespace net {
namespace {

struct Seen {
  std::string bytes;
  bool ended = false;
};

class Recorder final : public Handler {
 public:
  explicit Recorder(Seen& seen) : seen_(seen) {}
  base::Result<std::size_t> on_bytes(Connection&, base::Bytes bytes) override {
    seen_.bytes += bytes;
    return bytes.size();
  }
  void on_end(Connection& connection) override {
    seen_.ended = true;
    connection.close();
  }

 private:
  Seen& seen_;
};

TEST(PeerEnd, an_end_that_came_with_the_last_bytes_is_told) {
  io::RealWorld real;
  io::Loop loop(real.world(), "test");
  Connections connections(loop);
  Seen seen;
  const io::Endpoint endpoint = loop.network().reserve(*io::Endpoint::parse("127.0.0.1:0")).value();
  const auto listener = Listener::open(connections, loop.network().listen(endpoint).value(),
                                       [&] { return std::make_unique<Recorder>(seen); });
  ASSERT_TRUE(listener);
  const io::Handle peer = loop.network().connect(endpoint).value();
  while (!loop.network().connected(peer)) {
  }
  const std::string text = "goodbye";
  const io::Slice slice{text.data(), text.size()};
  ASSERT_TRUE(loop.network().write(peer, {&slice, 1}));
  loop.network().close(peer);
  for (int turn = 0; turn < 100 && !seen.ended; ++turn) loop.turn(io::Loop::Wait::No);
  EXPECT_EQ(seen.bytes, text);
  EXPECT_TRUE(seen.ended);
  EXPECT_EQ(connections.open(), 0u);
}

}  // namespace
}  // namespace net
