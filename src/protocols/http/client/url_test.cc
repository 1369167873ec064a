// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/url.h"

#include <gtest/gtest.h>

namespace protocols::http {
namespace {

TEST(Url, names_an_endpoint_a_host_field_and_a_target) {
  const auto url = Url::parse("http://localhost:8080/comments/42/likes?last=3#top").value();
  EXPECT_EQ(url.endpoint.to_string(), "127.0.0.1:8080");
  EXPECT_EQ(url.authority, "localhost:8080");
  EXPECT_EQ(url.target, "/comments/42/likes?last=3");
}

TEST(Url, has_defaults_for_port_and_path) {
  EXPECT_EQ(Url::parse("http://127.0.0.1").value().endpoint.port, 80);
  EXPECT_EQ(Url::parse("HTTP://[::1]").value().endpoint.to_string(), "[::1]:80");
  EXPECT_EQ(Url::parse("http://[::1]:9/x").value().endpoint.to_string(), "[::1]:9");
  EXPECT_EQ(Url::parse("http://localhost").value().target, "/");
  EXPECT_EQ(Url::parse("http://localhost?channel=a").value().target, "/?channel=a");
}

TEST(Url, escapes_what_a_person_may_type) {
  EXPECT_EQ(Url::parse("http://localhost/a b/\xC3\xBC/*?x={\"y\"}").value().target, "/a%20b/%C3%BC/*?x={%22y%22}");
  EXPECT_EQ(Url::parse("http://localhost/%2A").value().target, "/%2A");
}

TEST(Url, adds_parameters_behind_those_it_has) {
  auto url = Url::parse("http://localhost/a").value();
  EXPECT_FALSE(url.has_parameter("after"));
  url.add_parameter("format", "cloudevent");
  url.add_parameter("after", "2026-01-01T00:00:00+02:00");
  EXPECT_EQ(url.target, "/a?format=cloudevent&after=2026-01-01T00%3A00%3A00%2B02%3A00");
  EXPECT_TRUE(url.has_parameter("after"));
}

TEST(Url, refuses_what_it_cannot_reach_and_says_what_to_write) {
  struct Refused {
    std::string_view text;
    base::Errc code;
    std::string_view says;
  };
  constexpr Refused kRefused[] = {
      {"localhost:8080/a", base::Errc::BadInput, "http://"},
      {"ftp://localhost/a", base::Errc::BadInput, "http://"},
      {"https://localhost/a", base::Errc::Unsupported, "https"},
      {"http://example.com/a", base::Errc::Unsupported, "localhost"},
      {"http://user@127.0.0.1/a", base::Errc::BadInput, "user name"},
      {"http:///a", base::Errc::BadInput, "host"},
      {"http://127.0.0.1:0/a", base::Errc::BadInput, "port"},
      {"http://127.0.0.1:65536/a", base::Errc::BadInput, "host"},
      {"http://localhost/a\r\nX: y", base::Errc::BadInput, "control"},
      {"http://localhost/%zz", base::Errc::BadInput, ""},
  };
  for (const auto& [text, code, says] : kRefused) {
    const auto url = Url::parse(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, code) << text;
    EXPECT_NE(std::string_view(url.error().text).find(says), std::string_view::npos) << url.error().text;
  }
}

}  // namespace
}  // namespace protocols::http
