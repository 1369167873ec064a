# SPDX-License-Identifier: Apache-2.0
"""The HTTP surface as clients and browsers meet it: methods and sides, Host and Origin, framing, files, sockets
(WIRE section 6)."""
import json
import os
import pathlib
import socket
import stat
import unittest

import tidewire
from tidewire import Connection, EventStream, Folder, Server, request

JSON = {"Content-Type": "application/json"}
STREAM = {"Accept": "text/event-stream"}
FOREIGN = {"Origin": "https://evil.example"}
LISTED = {"Origin": "https://app.example"}
PERMISSIONS = ("Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers")


class WithServer(unittest.TestCase):
    config = "cors: {origins: ['https://app.example']}\nhosts: [tide.example]\n"

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--threads", 2, config=cls.config)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def ask(self, *words, **more):
        return request(self.server.public, *words, **more)


class Methods(WithServer):
    def test_a_405_says_what_is_allowed_and_names_the_listener_that_may(self):
        refused = self.ask("POST", "/notices", JSON, "1")
        self.assertEqual((refused.status, refused.field("Allow")), (405, "GET, HEAD, OPTIONS"))
        self.assertIn(self.server.application, refused.problem["detail"])
        refused = self.ask("GET", "/orders")
        self.assertEqual((refused.status, refused.field("Allow")), (405, "POST, OPTIONS"))
        self.assertIn(self.server.application, refused.problem["detail"])
        for method, target in (("POST", "/orders"), ("GET", "/notices")):
            refused = request(self.server.application, method, target, JSON, "1" if method == "POST" else None)
            self.assertEqual(refused.status, 405)
            self.assertIn(self.server.public, refused.problem["detail"])

    def test_each_side_does_what_the_contract_lets_it_do(self):
        with EventStream(self.server.public, "/notices") as clients, \
                EventStream(self.server.application, "/orders") as backend:
            self.assertIsNotNone(clients.next().id)
            self.assertIsNotNone(backend.next().id)
            tidewire.publish(self.server.application, "/notices", {"text": "shipped"})
            tidewire.publish(self.server.public, "/orders", {"item": 1})
            self.assertEqual(clients.next_event().json, {"text": "shipped"})
            self.assertEqual(backend.next_event().json, {"item": 1})

    def test_head_answers_what_get_begins_with(self):
        tidewire.publish(self.server.public, "/streams/head", 1)
        page, head = self.ask("GET", "/streams/head"), self.ask("HEAD", "/streams/head?wait=60")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("Content-Type", "Content-Length", "Tidewire-Cursor", "Cache-Control", "Vary"):
            self.assertEqual(head.field(name), page.field(name), name)
        head = self.ask("HEAD", "/streams/head", STREAM)
        self.assertEqual((head.status, head.field("Content-Type")), (200, "text/event-stream"))
        self.assertEqual(self.ask("HEAD", "/nowhere").status, 404)

    def test_options_says_what_may_be_done(self):
        for target, methods in (("/streams/a", "GET, HEAD, POST, OPTIONS"), ("/notices", "GET, HEAD, OPTIONS"),
                                ("/orders", "POST, OPTIONS"), ("*", "GET, HEAD, POST, OPTIONS")):
            answer = self.ask("OPTIONS", target)
            self.assertEqual((answer.status, answer.field("Allow"), answer.body), (204, methods, b""), target)

    def test_an_answer_is_not_kept_and_varies_by_what_chose_it(self):
        for answer in (self.ask("GET", "/streams/a"), self.ask("POST", "/streams/a", JSON, "1"),
                       self.ask("DELETE", "/streams/a"), self.ask("GET", "/streams/a", {"Accept": "image/png"}),
                       self.ask("OPTIONS", "/streams/a"), self.ask("GET", "/?channel=streams/a"),
                       self.ask("GET", "/streams/a", {**STREAM, **FOREIGN}),
                       self.ask("GET", "/streams/a", {**STREAM, "Last-Event-ID": "nonsense"})):
            self.assertEqual((answer.field("Cache-Control"), answer.field("Vary")), ("no-store", "Accept, Origin"))
            self.assertIsNone(answer.field("ETag"))
        with EventStream(self.server.public, "/streams/a") as stream:
            self.assertEqual(stream.answer.field("Cache-Control"), "no-store, no-transform")
            self.assertEqual(stream.answer.field("X-Accel-Buffering"), "no")
            self.assertEqual(stream.answer.field("Vary"), "Accept, Origin")

    def test_a_publish_is_answered_with_its_id_and_cursor(self):
        answer = self.ask("POST", "/streams/answer", JSON, ' {"b": 1.0, "a": [ ]} ')
        self.assertEqual(answer.status, 201)
        self.assertEqual(answer.field("Tidewire-Cursor"), answer.json["cursor"])
        page = self.ask("GET", "/streams/answer")
        event = page.json["events"][0]
        self.assertEqual(event["id"], answer.json["id"])
        self.assertIn('"data":{"b":1.0,"a":[]}', page.text, "the value as it was written, without its white space")
        self.assertEqual({name: event[name] for name in ("specversion", "source", "type", "channel", "message")},
                         {"specversion": "1.0", "source": "/streams/answer", "type": "said",
                          "channel": "streams/answer", "message": "said"})

    def test_an_event_as_a_page_shows_it_may_be_published_again(self):
        structured = {"Content-Type": "Application/CloudEvents+json; charset=utf-8"}
        event = {"specversion": "1.0", "id": "7", "source": "/me", "type": "said", "shade": "red", "data": {"n": 1}}
        answer = self.ask("POST", "/streams/structured", structured, json.dumps(event))
        self.assertEqual((answer.status, answer.json["id"]), (201, "7"))
        shown = self.ask("GET", "/streams/structured").json["events"][0]
        self.assertEqual({name: shown[name] for name in event}, event)
        self.assertEqual(self.ask("POST", "/streams/structured", structured, json.dumps(shown)).status, 200)
        self.assertEqual(self.ask("POST", "/streams/structured-too", structured, json.dumps(shown)).status, 201)
        for name in ("specversion", "id", "source", "type"):
            refused = self.ask("POST", "/streams/structured", structured, json.dumps({**event, name: None}))
            self.assertEqual(refused.status, 400)
            self.assertTrue(refused.problem["detail"].startswith(name))
        self.assertEqual(self.ask("POST", "/streams/structured", {"Content-Type": "application/cloudevents-batch+json"},
                                  json.dumps([event])).status, 415)

    def test_the_forms_of_a_stream_are_as_asked_for(self):
        tidewire.publish(self.server.public, "/streams/forms", {"n": 1})
        for query, event, is_envelope in (("", "said", False), ("&events=unnamed", "", False),
                                          ("&format=cloudevent", "said", True), ("&format=payload", "said", False)):
            with EventStream(self.server.public, "/streams/forms?after=earliest" + query) as stream:
                block = stream.next_event()
                self.assertEqual(block.event, event)
                self.assertEqual(block.json["data"] if is_envelope else block.json, {"n": 1})

    def test_text_of_several_lines_is_several_data_lines(self):
        self.assertEqual(self.ask("POST", "/texts/a", {"Content-Type": "text/plain"}, "one\r\ntwo\rthree\n").status, 201)
        with EventStream(self.server.public, "/texts/a?after=earliest") as stream:
            self.assertEqual(stream.next_event().data, "one\ntwo\nthree\n")

    def test_an_address_may_be_escaped(self):
        tidewire.publish(self.server.public, "/streams/%e2%98%83%20x", 1)
        event = self.ask("GET", "/%73treams/%E2%98%83%20x").json["events"][0]
        self.assertEqual(event["channel"], "streams/\u2603 x")


class Framing(WithServer):
    def test_a_connection_serves_one_request_after_the_other(self):
        with Connection(self.server.public) as connection:
            for number in range(5):
                answer = connection.request("POST", "/streams/alive", JSON, str(number))
                self.assertEqual((answer.status, answer.version), (201, "HTTP/1.1"))
                self.assertIsNone(answer.field("Connection"))
            answer = connection.request("GET", "/streams/alive", {"Connection": "close"})
            self.assertEqual([event["data"] for event in answer.json["events"]], [0, 1, 2, 3, 4])
            self.assertEqual(answer.field("Connection"), "close")
            self.assertTrue(connection.is_closed())

    def test_pipelined_requests_are_answered_in_their_order(self):
        with Connection(self.server.public) as connection:
            count = 50
            for number in range(count):
                connection.send_request("POST", "/streams/pipe", JSON, str(number))
                connection.send_request("GET", "/nowhere")
            answers = [connection.response() for _ in range(2 * count)]
            self.assertEqual([answer.status for answer in answers], [201, 404] * count)
            page = connection.request("GET", "/streams/pipe").json
            self.assertEqual([event["data"] for event in page["events"]], list(range(count)))
            self.assertEqual([event["cursor"] for event in page["events"]],
                             [answer.json["cursor"] for answer in answers[::2]])

    def test_a_body_may_come_in_chunks(self):
        with Connection(self.server.public) as connection:
            connection.send(b"POST /streams/chunks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                            b"3;note=x\r\n{\"a\r\n4\r\n\":1}\r\n0\r\nTrailer: yes\r\n\r\n")
            self.assertEqual(connection.response().status, 201)
            page = connection.request("GET", "/streams/chunks").json
            self.assertEqual(page["events"][0]["data"], {"a": 1})

    def test_who_expects_100_continue_is_told_before_it_sends_the_body(self):
        with Connection(self.server.public) as connection:
            connection.send_request("POST", "/streams/expect", {**JSON, "Expect": "100-continue", "Content-Length": "2"})
            self.assertEqual(connection.head().status, 100)
            connection.send(b"42")
            self.assertEqual(connection.head().status, 201)

    def test_http_1_0_is_closed_unless_it_asks_to_be_kept(self):
        with Connection(self.server.public) as connection:
            answer = connection.request("GET", "/streams/old", {"Connection": "keep-alive"}, version="HTTP/1.0")
            self.assertEqual((answer.status, answer.field("Connection")), (200, "keep-alive"))
            answer = connection.request("GET", "/streams/old", version="HTTP/1.0")
            self.assertEqual((answer.status, answer.field("Connection")), (200, "close"))
            self.assertTrue(connection.is_closed())

    def test_a_stream_for_http_1_0_has_no_chunks(self):
        with EventStream(self.server.public, "/streams/old", version="HTTP/1.0") as stream:
            self.assertIsNone(stream.answer.field("Transfer-Encoding"))
            self.assertEqual(stream.answer.field("Connection"), "close")
            self.assertIsNotNone(stream.next().id)
            tidewire.publish(self.server.public, "/streams/old", "still understood")
            self.assertEqual(stream.next_event().json, "still understood")

    def test_a_client_that_has_finished_sending_still_gets_its_answer(self):
        with Connection(self.server.public) as connection:
            connection.send_request("POST", "/streams/half", JSON, "1")
            connection.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(connection.response().status, 201)
            self.assertTrue(connection.is_closed())

    def test_pipelined_requests_are_answered_although_the_client_has_finished_sending(self):
        with Connection(self.server.public) as connection:
            for number in range(3):
                connection.send_request("POST", "/streams/half-pipe", JSON, str(number))
            connection.socket.shutdown(socket.SHUT_WR)
            self.assertEqual([connection.response().status for _ in range(3)], [201] * 3)
            self.assertTrue(connection.is_closed())

    def test_an_absolute_target_names_the_host(self):
        with Connection(self.server.public) as connection:
            self.assertEqual(connection.request("GET", "http://localhost/streams/a", {"Host": "evil.example"}).status, 200)
            self.assertEqual(connection.request("GET", "http://evil.example/streams/a", {"Host": "localhost"}).status, 421)

    def test_the_largest_event_is_taken_and_one_byte_more_is_not(self):
        most = 1 << 20
        text = {"Content-Type": "text/plain"}
        self.assertEqual(self.ask("POST", "/texts/large", text, b"x" * most).status, 201)
        self.assertEqual(self.ask("POST", "/texts/large", text, b"x" * (most + 1)).status, 413)
        with EventStream(self.server.public, "/texts/large?after=earliest") as stream:
            self.assertEqual(len(stream.next_event().data), most)


class Strangers(WithServer):
    def assert_permitted(self, answer):
        self.assertEqual([answer.field(name) for name in PERMISSIONS],
                         ["https://app.example", "true", "Tidewire-Cursor, Retry-After, Allow"])

    def assert_not_permitted(self, answer):
        self.assertEqual([answer.field(name) for name in PERMISSIONS], [None] * 3)

    def test_a_loopback_listener_answers_for_loopback_names_and_listed_hosts_only(self):
        for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "128.0.0.1", "evil.example:80"):
            answer = self.ask("GET", "/streams/a", {"Host": host})
            self.assertEqual((answer.status, answer.problem["status"]), (421, 421), host)
        for host in ("localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080", "tide.example",
                     "Tide.Example:443"):
            self.assertEqual(self.ask("GET", "/streams/a", {"Host": host}).status, 200, host)
        for place in (self.server.application, self.server.admin):
            self.assertEqual(request(place, "GET", "/streams/a", {"Host": "evil.example"}).status, 421)

    def test_a_foreign_page_may_neither_publish_nor_follow(self):
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "https://app.example.evil.example",
                       "http://tide.example:9999"):
            for method, fields, body in (("POST", JSON, "1"), ("GET", STREAM, None)):
                answer = self.ask(method, "/streams/foreign", {**fields, "Origin": origin}, body)
                self.assertEqual((answer.status, answer.problem["status"]), (403, 403), origin)
                self.assert_not_permitted(answer)
        self.assertEqual(self.ask("GET", "/streams/foreign").json["events"], [])

    def test_a_page_of_events_for_a_foreign_origin_comes_without_permission_fields(self):
        answer = self.ask("GET", "/streams/a", FOREIGN)
        self.assertEqual(answer.status, 200)
        self.assert_not_permitted(answer)

    def test_the_same_origin_may_everything(self):
        for origin in (f"http://{self.server.public}", f"https://{self.server.public}", "https://tide.example"):
            self.assertEqual(self.ask("POST", "/streams/same", {**JSON, "Origin": origin}, "1").status, 201, origin)

    def test_a_listed_origin_may_everything_and_reads_problems_too(self):
        for answer, status in ((self.ask("POST", "/streams/l", {**JSON, **LISTED}, "1"), 201),
                               (self.ask("GET", "/streams/l", LISTED), 200),
                               (self.ask("GET", "/nowhere", LISTED), 404),
                               (self.ask("DELETE", "/streams/l", LISTED), 405),
                               (self.ask("GET", "/streams/%zz", LISTED), 400)):
            self.assertEqual(answer.status, status)
            self.assert_permitted(answer)
        with EventStream(self.server.public, "/streams/l", LISTED) as stream:
            self.assert_permitted(stream.answer)

    def test_a_preflight_is_answered_for_listed_origins_and_on_unknown_addresses(self):
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type, x-extra"}
        for target, methods in (("/streams/a", "GET, HEAD, POST, OPTIONS"), ("/nowhere", "GET, HEAD, OPTIONS")):
            answer = self.ask("OPTIONS", target, {**asked, **LISTED})
            self.assertEqual(answer.status, 204)
            self.assert_permitted(answer)
            self.assertEqual(answer.field("Access-Control-Allow-Methods"), methods)
            self.assertEqual(answer.field("Access-Control-Allow-Headers"), "content-type, x-extra")
            self.assertEqual(answer.field("Access-Control-Max-Age"), "600")
        answer = self.ask("OPTIONS", "/streams/a", {**asked, **FOREIGN})
        self.assert_not_permitted(answer)
        self.assertIsNone(answer.field("Access-Control-Allow-Methods"))

    def test_the_application_and_the_admin_listener_refuse_any_origin_that_is_not_listed(self):
        for place, target in ((self.server.application, "/streams/a"), (self.server.admin, "/healthz")):
            for origin in ("https://evil.example", f"http://{place}"):
                answer = request(place, "GET", target, {"Origin": origin})
                self.assertEqual((answer.status, answer.problem["status"]), (403, 403))
            self.assertEqual(request(place, "GET", target, LISTED).status, 200)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.folder.write("secret.txt", "secret")
        cls.folder.write("web/index.html", "<p>hello</p>")
        cls.folder.write("web/notices", "a channel comes first")
        cls.folder.write("web/app.js", "export {}")
        cls.folder.write("web/deep/index.html", "<p>deep</p>")
        cls.folder.write("web/a b.txt", "blank")
        web = pathlib.Path(cls.folder.name, "web")
        os.symlink("../secret.txt", web / "out.txt")
        os.symlink("..", web / "up")
        os.symlink("/etc", web / "etc")
        os.symlink("app.js", web / "inside.js")
        os.mkfifo(web / "pipe")
        cls.server = Server(config=f"static: {web}\ncors: {{origins: ['https://app.example']}}\n")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)
        cls.folder.cleanup()

    def get(self, target, fields=(), method="GET"):
        return request(self.server.public, method, target, fields)

    def test_files_are_served_with_their_type(self):
        for target, kind, text in (("/", "text/html; charset=utf-8", "<p>hello</p>"),
                                   ("/index.html", "text/html; charset=utf-8", "<p>hello</p>"),
                                   ("/deep/", "text/html; charset=utf-8", "<p>deep</p>"),
                                   ("/app.js?v=1", "text/javascript; charset=utf-8", "export {}"),
                                   ("/a%20b.txt", "text/plain; charset=utf-8", "blank")):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.field("Content-Type"), answer.text), (200, kind, text), target)
            self.assertEqual(answer.field("Cache-Control"), "no-cache")
            self.assertEqual(answer.field("X-Content-Type-Options"), "nosniff")

    def test_an_etag_saves_the_second_transfer(self):
        tag = self.get("/").field("ETag")
        self.assertRegex(tag, r'^"[0-9a-v]+"$')
        for known in (tag, f'"other", {tag}', "*", f"W/{tag}"):
            answer = self.get("/", {"If-None-Match": known})
            self.assertEqual((answer.status, answer.body, answer.field("ETag")), (304, b"", tag), known)
        self.assertEqual(self.get("/", {"If-None-Match": '"other"'}).status, 200)
        self.assertNotEqual(self.get("/app.js").field("ETag"), tag)

    def test_head_has_the_length_and_no_body(self):
        answer = self.get("/app.js", method="HEAD")
        self.assertEqual((answer.status, answer.field("Content-Length"), answer.body), (200, "9", b""))

    def test_a_channel_comes_before_a_file(self):
        self.assertEqual(self.get("/notices").field("Content-Type"), "application/json")

    def test_nothing_outside_of_the_folder_and_nothing_behind_a_link_is_served(self):
        for target in ("/../secret.txt", "/%2e%2e/secret.txt", "/%2E./secret.txt", "/deep/../../secret.txt",
                       "/./app.js", "/deep/..", "/..", "/out.txt", "/inside.js", "/up/secret.txt", "/up/web/app.js", "/etc/passwd",
                       "//etc/passwd", "/..%5csecret.txt", "/web/../app.js"):
            answer = self.get(target)
            self.assertEqual((answer.status, answer.problem["status"]), (404, 404), target)
            self.assertNotIn(b"secret\n", answer.body)
        self.assertEqual(self.get("/..%2fsecret.txt").status, 400)
        self.assertEqual(self.get("/app.js%00.html").status, 400)

    def test_what_is_no_file_is_not_served(self):
        for target in ("/deep", "/pipe", "/app.js/", "/app.js/x", "/nothing", "/" + "n" * 300, "/nothing/"):
            self.assertEqual(self.get(target).status, 404, target)

    def test_files_are_only_read(self):
        answer = request(self.server.public, "POST", "/app.js", {}, "x")
        self.assertEqual((answer.status, answer.field("Allow")), (405, "GET, HEAD, OPTIONS"))

    def test_the_application_listener_serves_no_files(self):
        self.assertEqual(request(self.server.application, "GET", "/app.js").status, 404)


class Listeners(unittest.TestCase):
    def test_a_unix_socket_is_its_owners_alone(self):
        with Folder() as folder:
            path = os.path.join(folder, "public.sock")
            with Server("--listen", f"unix:{path}", "--threads", 2) as server:
                self.assertEqual(server.public, f"unix:{path}")
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
                with EventStream(server.public, "/streams/a") as stream:
                    self.assertIsNotNone(stream.next().id)
                    tidewire.publish(server.public, "/streams/a", 1)
                    self.assertEqual(stream.next_event().json, 1)
            with Server("--listen", f"unix:{path}") as server:
                self.assertEqual(request(server.public, "GET", "/streams/a").status, 200, "after a restart too")

    def test_ipv6_is_served(self):
        try:
            with socket.socket(socket.AF_INET6) as trial:
                trial.bind(("::1", 0))
        except OSError as error:
            self.skipTest(f"this machine has no ::1: {error}")
        with Server("--listen", "[::1]:0", "--app-listen", "[::1]:0") as server:
            self.assertRegex(server.public, r"^\[::1\]:\d+$")
            with EventStream(server.application, "/streams/a") as stream:
                self.assertIsNotNone(stream.next().id)
                tidewire.publish(server.public, "/streams/a", 1)
                self.assertEqual(stream.next_event().json, 1)

    def test_listeners_that_are_not_wanted_are_not_opened(self):
        with Server("--app-listen", "none", "--admin", "none") as server:
            self.assertEqual(set(server.places), {"public"})
            refused = request(server.public, "POST", "/notices", JSON, "1")
            self.assertEqual(refused.status, 405)
            self.assertNotIn("listener,", refused.problem["detail"])


if __name__ == "__main__":
    tidewire.main()
