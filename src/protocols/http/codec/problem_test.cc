// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/codec/problem.h"

#include <gtest/gtest.h>

namespace protocols::http {
namespace {

TEST(Problem, has_the_members_of_rfc_9457_and_ours_behind_them) {
  EXPECT_EQ(problem_document({.status = 410,
                              .type = "cursor-reset",
                              .title = "The cursor cannot be resumed",
                              .detail = "ahead of the log",
                              .members = R"("reason":"ahead","latest":"0abc")"}),
            R"({"type":"urn:tidewire:problem:cursor-reset","title":"The cursor cannot be resumed","status":410,)"
            R"("detail":"ahead of the log","reason":"ahead","latest":"0abc"})");
}

TEST(Problem, without_a_type_says_what_the_status_says) {
  EXPECT_EQ(problem_document({.status = 404}), R"({"type":"about:blank","title":"Not Found","status":404})");
}

TEST(Problem, escapes_what_a_peer_sent) {
  EXPECT_EQ(problem_document({.status = 400, .detail = "a\"b\\c\n\x01\xC3\xA4\xFF\xC3"}),
            "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
            "\"detail\":\"a\\\"b\\\\c\\n\\u0001\xC3\xA4\xEF\xBF\xBD\xEF\xBF\xBD\"}");
}

}  // namespace
}  // namespace protocols::http
