// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/gateway.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "protocols/http/errors.h"
#include "tests/support/http_house.h"

namespace protocols::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr auto kPublic = House::Door::Public;
constexpr auto kApp = House::Door::Application;

House::Settings with_origin() {
  House::Settings settings;
  settings.shared.hosts = {"app.example", "with.example:8443"};
  settings.shared.origins = {"https://page.example"};
  return settings;
}

// A problem document names itself and its status.
void expect_problem(const Reply& reply, int status, const std::string& type) {
  EXPECT_EQ(reply.status, status) << reply.body;
  EXPECT_EQ(reply.field("Content-Type"), "application/problem+json");
  EXPECT_THAT(reply.body, StartsWith("{\"type\":\"urn:tidewire:problem:" + type + "\","));
  EXPECT_THAT(reply.body, HasSubstr("\"status\":" + std::to_string(status)));
}

TEST(Gateway, answers_a_publish_201_with_its_id_and_cursor_once_it_is_durable) {
  House house;
  const Reply reply = house.post("/a/1");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.field("Content-Type"), "application/json");
  EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(1));
  EXPECT_EQ(reply.field("Cache-Control"), "no-store");
  EXPECT_EQ(reply.field("Vary"), "Accept, Origin");
  EXPECT_NE(reply.field("Date"), "-");
  EXPECT_THAT(reply.body, testing::MatchesRegex("\\{\"id\":\"[0-9a-f-]+\",\"cursor\":\"" + house.cursor(1) + "\"\\}"));
}

TEST(Gateway, answers_a_repeat_200_with_the_reply_of_the_first) {
  House house;
  const FieldList key = {{"Idempotency-Key", "k1"}};
  const Reply first = house.post("/a/1", "{\"n\":1}", key);
  house.post("/a/1");
  const Reply again = house.post("/a/1", "{ \"n\" : 1 }", key);
  EXPECT_EQ(first.status, 201);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, first.body) << "the id and the cursor of the event that is there";
  EXPECT_EQ(house.post("/a/2", "{\"n\":1}", key).status, 201) << "a key belongs to its address";
  expect_problem(house.post("/a/1", "{\"n\":2}", key), 409, "id-reused");
  EXPECT_EQ(house.stage.lane.durable(), 3u);
}

TEST(Gateway, answers_an_ephemeral_publish_with_the_latest_cursor) {
  House house;
  house.post("/a/1");
  const Reply reply = house.post("/typing/1");
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.field("Tidewire-Cursor"), house.cursor(1));
}

TEST(Gateway, refuses_each_bad_parameter_by_name) {
  House house;
  const std::pair<const char*, const char*> cases[] = {
      {"after=", "after"},
      {"after=now", "after"},
      {"after=0000", "after"},
      {"limit=0", "limit"},
      {"limit=1001", "limit"},
      {"limit=+5", "limit"},
      {"limit=1.0", "limit"},
      {"limit=", "limit"},
      {"limit=99999999999999999999", "limit"},
      {"wait=61", "wait"},
      {"wait=-1", "wait"},
      {"wait=1s", "wait"},
      {"on_reset=never", "on_reset"},
      {"format=xml", "format"},
      {"events=named", "events"},
      {"events=", "events"},
      {"limit=1&limit=1", "limit"},
      {"Limit=1", "Limit"},
      {"x", "x"},
      {"before=latest", "before"},
      {"last=1", "last"},
      {"latest_per=address", "latest_per"},
      {"channel=a/1", "channel"},
      {"limit=5&foo=1", "foo"},
  };
  for (const auto& [query, parameter] : cases) {
    const Reply reply = house.get(std::string("/a/1?") + query);
    expect_problem(reply, 400, "bad-parameter");
    EXPECT_THAT(reply.body, HasSubstr("\"parameter\":\"" + std::string(parameter) + "\"")) << query;
  }
  for (const char* query :
       {"", "limit=1", "limit=1000", "wait=0", "on_reset=earliest", "format=cloudevent", "events=unnamed"})
    EXPECT_EQ(house.get(std::string("/a/1?") + query).status, 200) << query;
}

TEST(Gateway, refuses_parameters_of_a_publish) {
  House house;
  expect_problem(house.post("/a/1?key=1"), 400, "bad-parameter");
  EXPECT_EQ(house.stage.lane.durable(), 0u);
}

TEST(Gateway, refuses_several_channels_and_wildcards_of_a_later_version) {
  House house;
  expect_problem(house.get("/?channel=a/1&channel=b/1"), 400, "bad-parameter");
  expect_problem(house.get("/a/*"), 400, "bad-address");
  expect_problem(house.get("/a/%2A"), 400, "bad-address");
}

TEST(Gateway, refuses_escapes_that_are_broken_or_forbidden) {
  House house;
  for (const char* path : {"/a/%2F", "/a/%", "/a/%zz", "/a/%00", "/a/%ff"})
    EXPECT_EQ(house.get(path).status, 400) << path;
  EXPECT_EQ(house.get("/a/%31").status, 200);
}

TEST(Gateway, refuses_a_key_that_is_too_long) {
  House house;
  EXPECT_EQ(house.post("/a/1", "{}", {{"Idempotency-Key", std::string(256, 'k')}}).status, 201);
  EXPECT_EQ(house.post("/a/1", "{}", {{"Idempotency-Key", std::string(257, 'k')}}).status, 400);
}

TEST(Gateway, knows_no_channel_where_there_is_none) {
  House house;
  for (const char* path : {"/", "/a", "/a/", "/a/1/", "/a//", "/a/1/2", "/nowhere", "/a/.."})
    expect_problem(house.get(path), 404, "no-such-channel");
  expect_problem(house.get("/.tidewire/x"), 404, "not-found");
  expect_problem(house.ask(kApp, "POST", "/nowhere", {}, "{}"), 404, "no-such-channel");
}

TEST(Gateway, names_what_is_allowed_and_where_the_rest_is) {
  House house;
  const Reply post = house.ask(kPublic, "POST", "/a/1", {}, "{}");
  expect_problem(post, 405, "no-such-operation");
  EXPECT_EQ(post.field("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_THAT(post.body, HasSubstr("127.0.0.1:8082"));
  const Reply get = house.ask(kApp, "GET", "/a/1");
  expect_problem(get, 405, "no-such-operation");
  EXPECT_EQ(get.field("Allow"), "POST, OPTIONS");
  EXPECT_THAT(get.body, HasSubstr("127.0.0.1:8080"));
  const Reply nobody = house.ask(kPublic, "DELETE", "/both");
  EXPECT_EQ(nobody.status, 405);
  EXPECT_EQ(nobody.field("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_THAT(nobody.body, Not(HasSubstr("127.0.0.1")));
}

TEST(Gateway, publishes_with_the_method_of_the_binding) {
  House house;
  EXPECT_EQ(house.ask(kPublic, "PUT", "/put", {}, "{}").status, 201);
  const Reply reply = house.ask(kPublic, "POST", "/put", {}, "{}");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(reply.field("Allow"), "PUT, OPTIONS");
}

TEST(Gateway, answers_406_with_what_there_is) {
  House house;
  const Reply reply = house.get("/a/1", {{"Accept", "image/png"}});
  expect_problem(reply, 406, "not-acceptable");
  EXPECT_THAT(reply.body, HasSubstr("application/json text/event-stream"));
  EXPECT_EQ(house.get("/a/1", {{"Accept", "*/*"}}).status, 200);
  EXPECT_EQ(house.get("/a/1", {{"Accept", "text/html, application/json;q=0.1"}}).status, 200);
}

TEST(Gateway, refuses_what_is_too_large_also_in_chunks) {
  House house({.shared = with_event_bytes_max(100)});
  EXPECT_EQ(house.post("/a/1", '"' + std::string(98, 'x') + '"').status, 201);
  EXPECT_EQ(house.post("/a/1", '"' + std::string(99, 'x') + '"').status, 413);
  const auto peer = house.connect(kApp);
  peer->send("POST /a/1 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
             std::string(101, ' '));
  ASSERT_TRUE(peer->until_end());
  EXPECT_EQ(take_reply(peer->received).status, 413);
}

TEST(Gateway, refuses_a_content_type_that_the_contract_has_not) {
  House house;
  expect_problem(house.post("/a/1", "{}", {{"Content-Type", "text/plain"}}), 415, "content-type-not-served");
  expect_problem(house.post("/a/1", "{}", {{"Content-Type", "application/json; a=\"\xff\""}}), 415,
                 "content-type-not-served");
  EXPECT_EQ(house.post("/text/1", "\xc3\xa4", {{"Content-Type", "text/plain; charset=utf-8"}}).status, 201);
}

TEST(Gateway, refuses_fields_that_are_given_twice) {
  House house(with_origin());
  const std::pair<std::string, std::string> json = {"Content-Type", "application/json"};
  expect_problem(house.post("/a/1", "{}", {json, {"content-type", "text/plain"}}), 400, "malformed");
  expect_problem(house.post("/a/1", "{}", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}}), 400, "malformed");
  const FieldList origins = {{"Origin", "https://page.example"}, {"Origin", "https://evil.example"}};
  const Reply origin = house.get("/a/1", origins);
  expect_problem(origin, 400, "malformed");
  EXPECT_EQ(origin.field("Access-Control-Allow-Origin"), "-");
  const std::string cursor = house.cursor(0);
  expect_problem(
      house.get("/a/1", {{"Accept", "text/event-stream"}, {"Last-Event-ID", cursor}, {"Last-Event-ID", cursor}}), 400,
      "malformed");
  EXPECT_EQ(house.stage.lane.durable(), 0u);
}

TEST(Gateway, takes_an_event_in_structured_mode_and_its_own_events_again) {
  House house;
  const FieldList type = {{"Content-Type", "Application/CloudEvents+JSON; charset=utf-8"}};
  const std::string event = R"({"specversion":"1.0","id":"7","source":"/me","type":"happened","shade":"red",)"
                            R"("data": { "n" : 1.0 }})";
  const Reply first = house.post("/a/1", event, type);
  EXPECT_EQ(first.status, 201) << first.body;
  EXPECT_THAT(first.body, HasSubstr("{\"id\":\"7\""));
  const std::string page = house.get("/a/1").body;
  EXPECT_THAT(page, HasSubstr(R"("id":"7","source":"/me","type":"happened","time":)"));
  EXPECT_THAT(page, HasSubstr(R"("shade":"red","data":{"n":1.0}}])"));
  const std::size_t from = page.find('[') + 1;
  const std::string as_read = page.substr(from, page.rfind(']') - from);
  EXPECT_EQ(house.post("/a/1", as_read, type).status, 200) << "the same event at the same place is a repeat";
  EXPECT_EQ(house.post("/a/2", as_read, type).status, 201);
  EXPECT_EQ(house.post("/a/1", "{", type).status, 400);
  expect_problem(house.post("/text/1", event, type), 415, "content-type-not-served");
  expect_problem(house.post("/a/1", "[]", {{"Content-Type", "application/CloudEvents-Batch+json"}}), 415,
                 "content-type-not-served");
  EXPECT_EQ(house.stage.lane.durable(), 2u);
}

TEST(Gateway, refuses_an_event_that_no_message_describes) {
  House house;
  expect_problem(house.ask(kApp, "POST", "/a/1", {{"Content-Length", "0"}}), 422, "invalid-event");
  for (const char* body : {"{\"a\":1,}", "\"\xff\"", "{}{}"})
    expect_problem(house.post("/a/1", body), 422, "invalid-event");
  expect_problem(house.post("/a/1", "{"), 422, "invalid-event");
}

TEST(Gateway, answers_for_loopback_names_and_listed_hosts_only) {
  House house(with_origin());
  for (const char* host :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "app.example", "APP.example:443"})
    EXPECT_EQ(house.get("/a/1", {{"Host", host}}).status, 200) << host;
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "app.example.evil"})
    expect_problem(house.get("/a/1", {{"Host", host}}), 421, "unknown-host");
}

TEST(Gateway, keeps_foreign_pages_from_publishing_and_streams) {
  House house(with_origin());
  for (const char* origin : {"https://evil.example", "null", "http://localhost:8081", "https://page.example:444"}) {
    const FieldList fields = {{"Origin", origin}, {"Host", "localhost:8080"}};
    FieldList stream = fields;
    stream.emplace_back("Accept", "text/event-stream");
    expect_problem(house.ask(kPublic, "GET", "/a/1", stream), 403, "foreign-origin");
    expect_problem(house.ask(kPublic, "POST", "/both", fields, "{}"), 403, "foreign-origin");
    const Reply page = house.ask(kPublic, "GET", "/a/1", fields);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.field("Access-Control-Allow-Origin"), "-");
  }
  EXPECT_EQ(house.stage.lane.durable(), 0u);
}

TEST(Gateway, lets_pages_of_the_same_and_of_listed_origins_publish) {
  House house(with_origin());
  const auto post = [&](const char* origin, const char* host) {
    return house.ask(kPublic, "POST", "/both", {{"Origin", origin}, {"Host", host}, {"Content-Type", "text/plain"}},
                     "x");
  };
  EXPECT_EQ(post("http://localhost:8080", "localhost:8080").status, 201);
  EXPECT_EQ(post("https://LOCALHOST:8080", "localhost:8080").status, 201) << "TLS may end in front";
  EXPECT_EQ(post("https://app.example", "localhost:8080").status, 201) << "an entry of hosts";
  EXPECT_EQ(post("https://with.example:8443", "localhost:8080").status, 201) << "an entry with its port";
  for (const char* other : {"http://app.example:9999", "https://with.example", "https://with.example:9999"})
    EXPECT_EQ(post(other, "localhost:8080").status, 403) << other << " is another place on that host";
  const Reply listed = post("https://page.example", "localhost:8080");
  EXPECT_EQ(listed.status, 201);
  EXPECT_EQ(listed.field("Access-Control-Allow-Origin"), "https://page.example");
  EXPECT_EQ(listed.field("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(listed.field("Access-Control-Expose-Headers"), "Tidewire-Cursor, Retry-After, Allow");
}

TEST(Gateway, refuses_any_unlisted_origin_on_the_application_listener) {
  House house(with_origin());
  const FieldList same = {{"Origin", "http://localhost:8082"}, {"Host", "localhost:8082"}};
  expect_problem(house.ask(kApp, "POST", "/a/1", same, "{}"), 403, "foreign-origin");
  EXPECT_EQ(house.ask(kApp, "POST", "/a/1", {{"Origin", "https://page.example"}}, "{}").status, 201);
}

TEST(Gateway, lets_a_listed_page_read_every_problem) {
  House::Settings settings = with_origin();
  settings.shared.event_bytes_max = 10;
  House house(settings);
  const std::pair<std::string, std::string> origin = {"Origin", "https://page.example"};
  const Reply replies[] = {
      house.get("/nowhere", {origin}),
      house.get("/a/1?x=1", {origin}),
      house.get("/a/1", {origin, {"Host", "evil.example"}}),
      house.ask(kApp, "POST", "/a/1", {origin}, std::string(11, ' ')),
      house.ask(kApp, "DELETE", "/a/1", {origin}),
  };
  const int statuses[] = {404, 400, 421, 413, 405};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(replies[i].status, statuses[i]);
    EXPECT_EQ(replies[i].field("Access-Control-Allow-Origin"), "https://page.example") << statuses[i];
  }
}

TEST(Gateway, lets_nothing_but_files_be_kept) {
  House::Settings settings = with_origin();
  settings.shared.event_bytes_max = 10;
  House house(settings);
  const std::pair<std::string, std::string> sse = {"Accept", "text/event-stream"};
  const Reply replies[] = {
      house.ask(kPublic, "OPTIONS", "/a/1"),
      house.get("/a/1", {{"Accept", "image/png"}}),
      house.get("/a/1?x=1", {sse}),
      house.get("/a/1", {sse, {"Last-Event-ID", "nonsense"}}),
      house.get("/a/1", {sse, {"Origin", "https://evil.example"}}),
      house.get("/?channel=a/1"),
      house.get("/"),
      house.get("/nowhere"),
      house.ask(kApp, "POST", "/a/1", {}, std::string(11, ' ')),
  };
  const int statuses[] = {204, 406, 400, 400, 403, 400, 404, 404, 413};
  for (std::size_t i = 0; i < std::size(statuses); ++i) {
    EXPECT_EQ(replies[i].status, statuses[i]) << i;
    EXPECT_EQ(replies[i].field("Cache-Control"), "no-store") << statuses[i];
    EXPECT_EQ(replies[i].field("Vary"), "Accept, Origin") << statuses[i];
  }
  const std::string head = house.ask(kPublic, "HEAD", "/a/1", {sse}).head;
  EXPECT_THAT(head, HasSubstr("Cache-Control: no-store, no-transform\r\n"));
  EXPECT_EQ(head.find("Cache-Control"), head.rfind("Cache-Control")) << "the stream's own replaces it";
}

TEST(Gateway, answers_options_with_what_is_allowed) {
  House house(with_origin());
  EXPECT_EQ(house.ask(kPublic, "OPTIONS", "/a/1").field("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(house.ask(kApp, "OPTIONS", "/a/1").field("Allow"), "POST, OPTIONS");
  const Reply star = house.ask(kPublic, "OPTIONS", "*");
  EXPECT_EQ(star.status, 204);
  EXPECT_EQ(star.field("Content-Length"), "-");
}

TEST(Gateway, answers_a_preflight_of_a_listed_origin_also_on_unknown_addresses) {
  House house(with_origin());
  const FieldList preflight = {{"Origin", "https://page.example"},
                               {"Access-Control-Request-Method", "POST"},
                               {"Access-Control-Request-Headers", "content-type, idempotency-key"}};
  const Reply known = house.ask(kApp, "OPTIONS", "/a/1", preflight);
  EXPECT_EQ(known.status, 204);
  EXPECT_EQ(known.field("Access-Control-Allow-Origin"), "https://page.example");
  EXPECT_EQ(known.field("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_EQ(known.field("Access-Control-Allow-Headers"), "content-type, idempotency-key");
  EXPECT_EQ(known.field("Access-Control-Max-Age"), "600");
  EXPECT_EQ(house.ask(kApp, "OPTIONS", "/nowhere", preflight).status, 204);
  const Reply foreign =
      house.ask(kPublic, "OPTIONS", "/a/1", {{"Origin", "https://evil.example"}, preflight[1], preflight[2]});
  EXPECT_EQ(foreign.field("Access-Control-Allow-Methods"), "-");
  EXPECT_EQ(foreign.field("Access-Control-Allow-Headers"), "-");
}

TEST(Gateway, answers_head_as_get_without_its_body_and_without_waiting) {
  House house;
  house.post("/a/1", "{\"n\":1}");
  const Reply get = house.get("/a/1");
  const Reply head = house.ask(kPublic, "HEAD", "/a/1?wait=60");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.head.substr(head.head.find("Content-Type")), get.head.substr(get.head.find("Content-Type")));
  EXPECT_EQ(house.ask(kPublic, "HEAD", "/a/1?after=latest&wait=60").status, 200);
  EXPECT_EQ(house.ask(kPublic, "HEAD", "/typing/1?wait=60").status, 200);
  EXPECT_EQ(house.ask(kPublic, "HEAD", "/nowhere").status, 404);
  EXPECT_EQ(house.ask(kPublic, "HEAD", "/a/1?after=x").status, 400);
}

TEST(Gateway, answers_head_of_a_stream_at_once_and_claims_no_length) {
  House house;
  const Reply head = house.ask(kPublic, "HEAD", "/a/1", {{"Accept", "text/event-stream"}});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.field("Content-Type"), "text/event-stream");
  EXPECT_EQ(head.field("Content-Length"), "-") << "RFC 9110 section 8.6";
  EXPECT_EQ(house.stage.engine().subscriptions(), 0u);
}

TEST(Gateway, serves_files_behind_the_channels) {
  House::Settings settings;
  settings.shared.static_root = "/site";
  House house(settings);
  house.stage.world.files().put("/site/index.html", "<p>hello");
  house.stage.world.files().put("/site/a/1", "hidden by the channel");
  house.stage.world.files().put("/site/app/app.js", "1");
  const Reply index = house.get("/");
  EXPECT_EQ(index.status, 200);
  EXPECT_EQ(index.body, "<p>hello");
  EXPECT_EQ(index.field("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(index.field("Cache-Control"), "no-cache");
  EXPECT_EQ(house.get("/app/app.js").field("Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_THAT(house.get("/a/1").body, StartsWith("{\"events\""));
  const Reply unchanged = house.get("/", {{"If-None-Match", index.field("ETag")}});
  EXPECT_EQ(unchanged.status, 304);
  EXPECT_EQ(unchanged.body, "");
  EXPECT_EQ(unchanged.field("ETag"), index.field("ETag"));
  EXPECT_EQ(house.get("/missing.html").status, 404);
  EXPECT_EQ(house.get("/../etc/passwd").status, 404);
  EXPECT_EQ(house.get("/app/%2e%2e/index.html").status, 404);
  const Reply post = house.ask(kPublic, "POST", "/index.html", {}, "x");
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.field("Allow"), "GET, HEAD, OPTIONS");
  const Reply head = house.ask(kPublic, "HEAD", "/");
  EXPECT_EQ(head.field("Content-Length"), "8");
}

TEST(Gateway, does_not_call_a_file_missing_that_could_not_be_read) {
  House::Settings settings;
  settings.shared.static_root = "/site";
  House house(settings);
  house.stage.world.files().put("/site/index.html", "<p>hello");
  house.stage.world.files().fail_call(1, {base::Errc::System, "cannot read a file", EIO});
  expect_problem(house.get("/"), 500, "file-unreadable");
  house.stage.world.files().fail_call(1, {base::Errc::System, "cannot open a file", EMFILE});
  const Reply busy = house.get("/");
  expect_problem(busy, 503, "overload");
  EXPECT_EQ(busy.field("Retry-After"), "1");
  EXPECT_EQ(house.get("/").status, 200);
}

TEST(Errors, have_one_status_for_each_failure_to_read_a_file) {
  using base::Errc;
  const std::pair<base::Error, int> cases[] = {
      {{Errc::NotFound, "not a regular file"}, 404},
      {{Errc::System, "cannot open a file", EACCES}, 404},
      {{Errc::System, "cannot open a file", EPERM}, 404},
      {{Errc::System, "cannot open a file", EMFILE}, 503},
      {{Errc::System, "cannot open a file", ENFILE}, 503},
      {{Errc::System, "cannot open a file", ENOMEM}, 503},
      {{Errc::Overload, "busy"}, 503},
      {{Errc::Stopped, "stopped"}, 503},
      {{Errc::System, "cannot read a file", EIO}, 500},
      {{Errc::TooLarge, "too large"}, 500},
  };
  for (const auto& [error, expected] : cases) EXPECT_EQ(file_answer(error).status, expected) << error.sys_errno;
}

TEST(Errors, have_one_status_for_each_outcome_of_an_append) {
  using storage::AppendStatus;
  const std::pair<AppendStatus, int> cases[] = {
      {AppendStatus::Conflict, 409}, {AppendStatus::QueueFull, 503},   {AppendStatus::TooLarge, 413},
      {AppendStatus::NoSpace, 507},  {AppendStatus::RepeatsFull, 503}, {AppendStatus::OutcomeUnknown, 503},
      {AppendStatus::Stopped, 503},
  };
  for (const auto& [status, expected] : cases) {
    const Answer answer = append_answer(status);
    EXPECT_EQ(answer.status, expected);
    const bool retries =
        std::ranges::any_of(answer.fields, [](const auto& field) { return field.first == "Retry-After"; });
    EXPECT_EQ(retries, expected == 503) << "a client is told when to try again";
  }
}

TEST(Match, knows_a_request_line_by_its_first_byte) {
  EXPECT_EQ(match(""), Match::NeedsMore);
  EXPECT_EQ(match("G"), Match::Yes);
  EXPECT_EQ(match("\r\n"), Match::Yes);
  EXPECT_EQ(match("\x16\x03"), Match::No);
  EXPECT_EQ(match("\x10\x00"), Match::No);
}

}  // namespace
}  // namespace protocols::http
