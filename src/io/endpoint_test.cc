// SPDX-License-Identifier: Apache-2.0
#include "io/endpoint.h"

#include <gtest/gtest.h>

namespace io {
namespace {

using namespace std::string_literals;

TEST(Endpoint, reads_and_shows_every_form) {
  for (const char* text :
       {"127.0.0.1:8080", "0.0.0.0:0", "[::1]:65535", "[2001:db8::1]:1", "unix:/run/tidewire.sock"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
    EXPECT_EQ(Endpoint::parse(endpoint->to_string()).value(), *endpoint);
  }
}

TEST(Endpoint, localhost_is_the_ipv4_loopback) {
  EXPECT_EQ(Endpoint::parse("localhost:80").value(), Endpoint::parse("127.0.0.1:80").value());
}

TEST(Endpoint, refuses_everything_else) {
  const std::string long_path = "unix:/" + std::string(107, 'a');
  for (const std::string& text : {""s,
                                  ":"s,
                                  "8080"s,
                                  "127.0.0.1"s,
                                  "127.0.0.1:"s,
                                  "127.0.0.1:65536"s,
                                  "127.0.0.1:123456"s,
                                  "127.0.0.1:000080"s,
                                  "127.0.0.1:+1"s,
                                  "127.0.0.1:-1"s,
                                  "127.0.0.1:8x"s,
                                  "127.0.0.1:0x1"s,
                                  "127.1:80"s,
                                  "example.org:80"s,
                                  "::1:80"s,
                                  "[::1]"s,
                                  "[]:80"s,
                                  "[::1:80"s,
                                  "[127.0.0.1]:80"s,
                                  "[::1%lo]:80"s,
                                  ":80"s,
                                  "*:80"s,
                                  " 127.0.0.1:80"s,
                                  "127.0.0.1\0:80"s,
                                  "unix:"s,
                                  "unix:/a\0b"s,
                                  long_path}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().code, base::Errc::BadInput);
  }
}

TEST(Endpoint, knows_what_other_machines_cannot_reach) {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "unix:/x"}) {
    EXPECT_TRUE(Endpoint::parse(text)->is_loopback()) << text;
  }
  for (const char* text : {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[1::1]:1", "128.0.0.1:1"}) {
    EXPECT_FALSE(Endpoint::parse(text)->is_loopback()) << text;
  }
}

}  // namespace
}  // namespace io
