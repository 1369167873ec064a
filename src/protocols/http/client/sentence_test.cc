// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/client/sentence.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace protocols::http {
namespace {

std::string sentence_of(std::string_view status_line, std::string_view type, std::string_view body) {
  const Limits limits;
  ResponseParser parser(limits);
  const auto fed = parser.feed("HTTP/1.1 " + std::string(status_line) + "\r\nContent-Type: " + std::string(type) +
                               "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
  EXPECT_TRUE(fed);
  return problem_sentence(parser.head(), body);
}

TEST(Sentence, a_problem_is_its_title_status_detail_and_faults) {
  EXPECT_EQ(sentence_of("422 Unprocessable Content", "application/problem+json",
                        R"({"title":"Invalid event","detail":"it does not fit","errors":[
                           {"pointer":"/user","keyword":"type","detail":"must be a string"},{"detail":"too small"}]})"),
            "Invalid event (422): it does not fit\n  /user: must be a string\n  (the whole): too small");
}

TEST(Sentence, many_faults_are_counted) {
  std::string faults;
  for (int i = 0; i < 12; ++i) faults += (i == 0 ? "" : ",") + std::string(R"({"pointer":"/a","detail":"b"})");
  const auto text = sentence_of("422 X", "application/json", "{\"title\":\"T\",\"errors\":[" + faults + "]}");
  EXPECT_TRUE(text.ends_with("\n  and 2 more")) << text;
}

TEST(Sentence, what_is_no_problem_is_told_by_its_status) {
  EXPECT_EQ(sentence_of("404 Not Found", "text/html", "<html>"), "Not Found (404)");
  EXPECT_EQ(sentence_of("500 ", "application/json", "{broken"), "Internal Server Error (500)");
  EXPECT_EQ(sentence_of("299 ", "application/json", "[]"), "refused (299)");
}

TEST(Sentence, no_control_of_a_server_reaches_the_terminal) {
  EXPECT_EQ(sentence_of("400 X", "application/problem+json",
                        R"({"title":"a\u001b[31mb","detail":"c\u009bd\ne\u007f\u00fc"})"),
            "a [31mb (400): c d e \xC3\xBC");
}

TEST(Sentence, a_failure_says_what_the_system_said) {
  EXPECT_EQ(failure_sentence({base::Errc::System, "cannot connect", ECONNREFUSED}),
            "cannot connect: Connection refused");
  EXPECT_EQ(failure_sentence({base::Errc::TimedOut, "no answer"}), "no answer");
}

}  // namespace
}  // namespace protocols::http
