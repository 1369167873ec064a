# SPDX-License-Identifier: Apache-2.0
"""Requests that must be refused, over a real socket: the status, a problem document, and an end of the connection
wherever what follows could be misread (RFC 9112 section 11). The parser's own table (src/protocols/http/codec) has
more; what counts here is that the whole server does it, and serves on."""
import select
import time
import unittest

import tidewire
from tidewire import Connection, Server

G = b"GET /streams/a HTTP/1.1\r\nHost: localhost\r\n"
P = b"POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
C = P + b"Transfer-Encoding: chunked\r\n\r\n"

# Refused by the parser: whatever comes behind it on the connection has no meaning.
CLOSED = [
    ("http 0.9", 400, b"GET /\r\n"),
    ("method alone", 400, b"GET\r\n\r\n"),
    ("no target", 400, b"GET HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("empty method", 400, b" / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method with a slash", 400, b"G/T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method with NUL", 400, b"G\0T / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("tab for space", 400, b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a TLS client", 400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n"),
    ("an SSH client", 400, b"SSH-2.0-OpenSSH_9.2\r\n"),
    ("an HTTP/2 client", 505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("method of 33 letters", 501, b"A" * 33 + b" / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("CONNECT", 501, b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"),
    ("two spaces before the target", 400, b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("space in the target", 400, b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("NUL in the target", 400, b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("raw UTF-8 in the target", 400, b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fragment", 400, b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("relative target", 400, b"GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("asterisk for GET", 400, b"GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("another scheme", 400, b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("absolute target with a user", 400, b"GET http://u@localhost/ HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("a version with three parts", 400, b"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n"),
    ("a version in lower case", 400, b"GET / http/1.1\r\nHost: a\r\n\r\n"),
    ("HTTP/3.0", 505, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n"),
    ("a request line that is too long", 414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("an endless request line", 414, b"GET /" + b"a" * 40000),
    ("bare LF", 400, b"GET / HTTP/1.1\nHost: a\n\n"),
    ("bare LF behind a field", 400, G + b"X: a\n\r\n"),
    ("bare CR between fields", 400, b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    ("obs-fold", 400, G + b"X: a\r\n b\r\n\r\n"),
    ("space before the first field", 400, b"GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("space before the colon", 400, P + b"Content-Length : 3\r\n\r\nabc"),
    ("tab before the colon", 400, P + b"Transfer-Encoding\t: chunked\r\n\r\n"),
    ("empty field name", 400, G + b": x\r\n\r\n"),
    ("no colon", 400, G + b"Xyz\r\n\r\n"),
    ("field name with NUL", 400, G + b"X\0: x\r\n\r\n"),
    ("NUL in a value", 400, G + b"X: a\0b\r\n\r\n"),
    ("DEL in a value", 400, G + b"X: a\x7f\r\n\r\n"),
    ("101 fields", 431, G + b"X: y\r\n" * 100 + b"\r\n"),
    ("a head over 32 KiB", 431, G + b"X: " + b"y" * 33000 + b"\r\n\r\n"),
    ("no Host", 400, b"GET / HTTP/1.1\r\n\r\n"),
    ("no Host in HTTP/1.0", 400, b"GET / HTTP/1.0\r\n\r\n"),
    ("two Hosts", 400, G + b"Host: localhost\r\n\r\n"),
    ("empty Host", 400, b"GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ("Host with a path", 400, b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("list of Hosts", 400, b"GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"),
    ("Host with port 65536", 400, b"GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    ("unknown expectation", 417, P + b"Expect: 200-ok\r\nContent-Length: 1\r\n\r\n1"),
    ("two lengths", 400, P + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"),
    ("the same length twice", 400, P + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\n1"),
    ("list of lengths", 400, P + b"Content-Length: 1, 1\r\n\r\n1"),
    ("empty length", 400, P + b"Content-Length:\r\n\r\n"),
    ("length with plus", 400, P + b"Content-Length: +1\r\n\r\n1"),
    ("negative length", 400, P + b"Content-Length: -1\r\n\r\n1"),
    ("hexadecimal length", 400, P + b"Content-Length: 0x1\r\n\r\n1"),
    ("length of 2^64", 400, P + b"Content-Length: 18446744073709551616\r\n\r\n"),
    ("length over the limit", 413, P + b"Content-Length: 1048577\r\n\r\n"),
    ("length over the limit that waits for 100", 413, P + b"Expect: 100-continue\r\nContent-Length: 1048577\r\n\r\n"),
    ("length and coding", 400, P + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("coding in HTTP/1.0", 400, b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("unknown coding", 501, P + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("almost chunked", 501, P + b"Transfer-Encoding: xchunked\r\n\r\n"),
    ("chunked is not the last", 400, P + b"Transfer-Encoding: chunked, gzip\r\n\r\n"),
    ("chunked twice", 400, P + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
    ("chunked in quotes", 400, P + b"Transfer-Encoding: \"chunked\"\r\n\r\n"),
    ("no chunk size", 400, C + b"\r\nabc\r\n0\r\n\r\n"),
    ("chunk size with plus", 400, C + b"+1\r\n1\r\n0\r\n\r\n"),
    ("chunk size with 0x", 400, C + b"0x1\r\n1\r\n0\r\n\r\n"),
    ("chunk size with a space behind", 400, C + b"1 \r\n1\r\n0\r\n\r\n"),
    ("chunk size that wraps", 400, C + b"10000000000000001\r\n1\r\n0\r\n\r\n"),
    ("chunk size of 2^64-1", 413, C + b"ffffffffffffffff\r\n1\r\n0\r\n\r\n"),
    ("bare LF behind a chunk size", 400, C + b"1\n1\r\n0\r\n\r\n"),
    ("a chunk longer than its size", 400, C + b"1\r\n12\r\n0\r\n\r\n"),
    ("bare LF in a chunk extension", 400, C + b"1;a\nb\r\n1\r\n0\r\n\r\n"),
    ("a chunk extension without end", 400, C + b"1;" + b"e" * 300),
    ("trailer without a colon", 400, C + b"0\r\nabc\r\n\r\n"),
    ("trailers over 4 KiB", 431, C + b"0\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 200 + b"\r\n"),
]

# Well-formed HTTP that cannot be: answered, and the connection goes on.
KEPT = [
    ("unknown channel", 404, b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("an escaped slash", 400, b"GET /streams/a%2Fb HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a broken escape", 400, b"GET /streams/%g1 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a cut escape", 400, b"GET /streams/a%4 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("an escaped NUL", 400, b"GET /streams/a%00 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("no UTF-8 once decoded", 400, b"GET /streams/%ff HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a parameter value with an escaped control", 404, b"GET /streams/%0a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a parameter value of 257 bytes", 404, b"GET /streams/" + b"a" * 257 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("an empty parameter value", 404, b"GET /streams/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("two dots as a parameter value", 404, b"GET /streams/.. HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("unknown query parameter", 400, b"GET /streams/a?afer=latest HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("parameter of a later version", 400, b"GET /streams/a?last=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("parameter given twice", 400, b"GET /streams/a?limit=1&limit=2 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("limit of 0", 400, b"GET /streams/a?limit=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("limit of 1001", 400, b"GET /streams/a?limit=1001 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("wait of 61", 400, b"GET /streams/a?wait=61 HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a cursor that is none", 400, b"GET /streams/a?after=yesterday HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("unknown format", 400, b"GET /streams/a?format=xml HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a Last-Event-ID that is none", 400, G + b"Accept: text/event-stream\r\nLast-Event-ID: 7\r\n\r\n"),
    ("nothing acceptable", 406, G + b"Accept: image/png\r\n\r\n"),
    ("JSON that is none", 422, P + b"Content-Length: 5\r\n\r\n{oops"),
    ("empty JSON", 422, P + b"Content-Length: 0\r\n\r\n"),
    ("two JSON texts", 422, P + b"Content-Length: 3\r\n\r\n1 2"),
    ("JSON that is no UTF-8", 422, P + b"Content-Length: 3\r\n\r\n\"\xff\""),
    ("JSON of depth 65", 422, P + b"Content-Length: 130\r\n\r\n" + b"[" * 65 + b"]" * 65),
    ("the wrong content type", 415, b"POST /streams/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
                                    b"Content-Length: 1\r\n\r\n1"),
    ("query parameter of a publish", 400, b"POST /streams/a?after=latest HTTP/1.1\r\nHost: localhost\r\n"
                                          b"Content-Length: 1\r\n\r\n1"),
    ("a method of no operation", 405, b"DELETE /streams/a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("an unknown method", 405, b"BREW /streams/a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ("a strange Host", 421, b"GET /streams/a HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
    ("our own paths", 404, b"GET /.tidewire/console HTTP/1.1\r\nHost: localhost\r\n\r\n"),
]

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW_S = 10.0  # the server's time limit for a head, and for each 4 KiB of a body
TRICKLE_S = 0.5


class Malformed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server("--threads", 2)

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__(None, None, None)

    def test_the_tables_have_at_least_60_entries(self):
        self.assertGreaterEqual(len(CLOSED), 60)

    def test_what_the_parser_refuses_is_answered_and_ends_the_connection(self):
        for name, status, data in CLOSED:
            with self.subTest(name), Connection(self.server.public) as connection:
                # A smuggled request behind it would be answered too, if anything of it were taken for one.
                try:
                    connection.send(data + (SMUGGLED if data.endswith(b"\r\n\r\n") else b""))
                except ConnectionError:
                    pass  # the refusal came before the last byte was sent
                answer = connection.response()
                self.assertEqual(answer.status, status, answer)
                self.assertEqual(answer.field("Connection"), "close")
                self.assertEqual(answer.problem["status"], status)
                self.assertTrue(answer.problem["detail"])
                self.assertTrue(connection.is_closed(), "nothing else is answered")

    def test_what_the_surface_refuses_is_answered_and_the_connection_goes_on(self):
        for name, status, data in KEPT:
            with self.subTest(name), Connection(self.server.public) as connection:
                connection.send(data)
                answer = connection.response()
                self.assertEqual(answer.status, status, answer)
                self.assertTrue(answer.problem["detail"])
                self.assertEqual(connection.request("GET", "/streams/fine").status, 200)

    def test_the_refusal_does_not_depend_on_how_the_bytes_were_split(self):
        for name, status, data in CLOSED[::7] + KEPT[::5]:
            with self.subTest(name), Connection(self.server.public) as connection:
                try:
                    for at in range(0, min(len(data), 200)):
                        connection.send(data[at:at + 1])
                    connection.send(data[200:])
                except ConnectionError:
                    pass
                self.assertEqual(connection.response().status, status)

    def test_nothing_that_was_refused_is_stored(self):
        self.assertEqual(tidewire.request(self.server.public, "GET", "/streams/a").json["events"], [])

    def test_a_request_that_is_cut_off_is_forgotten(self):
        for data in (G[:20], G, P + b"Content-Length: 10\r\n\r\n123", C + b"3\r\n1"):
            with self.subTest(data), Connection(self.server.public) as connection:
                connection.send(data)
                connection.close()
        self.test_nothing_that_was_refused_is_stored()

    def test_slow_clients_are_told_408_and_closed(self):
        """All at once: a head and a body that stop, and ones that come one byte at a time."""
        outcomes = {}

        def wait_with(name, begin, trickle):
            with Connection(self.server.public, timeout=2 * SLOW_S) as connection:
                began = time.monotonic()
                connection.send(begin)
                # One byte each time that the server has said nothing for a while.
                while trickle and not select.select([connection.socket], [], [], TRICKLE_S)[0]:
                    connection.send(b"x")
                    self.assertLess(time.monotonic() - began, 2 * SLOW_S, "the server goes on waiting")
                answer = connection.response()
                outcomes[name] = (answer.status, answer.problem["status"], connection.is_closed(),
                                  time.monotonic() - began)

        tidewire.in_parallel([
            lambda: wait_with("a head that stops", G, False),
            lambda: wait_with("a request line that stops", b"GET /str", False),
            lambda: wait_with("a head byte by byte", G + b"X: ", True),
            lambda: wait_with("a body that stops", P + b"Content-Length: 100\r\n\r\n12", False),
            lambda: wait_with("a body byte by byte", P + b"Content-Length: 10000\r\n\r\n", True),
            lambda: wait_with("a chunk that stops", C + b"5\r\n12", False),
        ])
        self.assertEqual(len(outcomes), 6)
        for name, (status, problem, closed, seconds) in outcomes.items():
            with self.subTest(name):
                self.assertEqual((status, problem, closed), (408, 408, True))
                self.assertGreater(seconds, SLOW_S - 1)
                self.assertLess(seconds, SLOW_S + 6)

    def test_the_server_still_serves(self):
        self.assertIsNone(self.server.process.poll())
        cursor = tidewire.publish(self.server.public, "/streams/after", "all that")
        page = tidewire.request(self.server.public, "GET", "/streams/after").json
        self.assertEqual([event["data"] for event in page["events"]], ["all that"])
        self.assertEqual(page["cursor"], cursor)


if __name__ == "__main__":
    tidewire.main()
