# SPDX-License-Identifier: Apache-2.0
"""The admin listener: metrics in the Prometheus text format, and whether the server is there."""
import re
import unittest

import tidewire
from tidewire import EventStream, Server, request

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABELS = r'\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"(?:,|(?=\})))*\}'
NUMBER = r"[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)|NaN"


def parse(text):
    """The samples of a page, as (name, labels) to value; an AssertionError where it breaks the text format 0.0.4."""
    assert text.endswith("\n"), "the last line must end"
    samples, types, family = {}, {}, None
    for line in text.splitlines():
        if match := re.fullmatch(rf"# HELP ({NAME}) (.+)", line):
            assert match.group(1) not in types, f"{match.group(1)} comes twice"
            family = match.group(1)
        elif match := re.fullmatch(rf"# TYPE ({NAME}) (counter|gauge|histogram)", line):
            assert match.group(1) == family, f"{line}: TYPE belongs behind its HELP"
            types[family] = match.group(2)
        else:
            match = re.fullmatch(rf"({NAME})({LABELS})? ({NUMBER})", line)
            assert match, f"no line of the format: {line!r}"
            name, labels, value = match.groups()
            base = re.sub(r"_(bucket|sum|count)$", "", name) if types.get(family) == "histogram" else name
            assert base == family and family in types, f"{line}: a sample outside of its family"
            assert (name, labels) not in samples, f"{line} comes twice"
            assert types[family] != "counter" or name.endswith("_total"), f"{name}: a counter ends with _total"
            samples[name, labels or ""] = float(value)
    return samples


class Admin(unittest.TestCase):
    def total(self, server, name):
        found = [value for (known, _), value in parse(request(server.admin, "GET", "/metrics").text).items()
                 if known == name]
        self.assertTrue(found, name)
        return sum(found)

    def test_the_metrics_are_in_the_prometheus_text_format(self):
        with Server("--threads", 2) as server:
            answer = request(server.admin, "GET", "/metrics")
            self.assertEqual(answer.status, 200)
            self.assertEqual(answer.field("Content-Type"), "text/plain; version=0.0.4; charset=utf-8")
            samples = parse(answer.text)
            loops = {labels for name, labels in samples if name == "tidewire_events_published_total"}
            self.assertEqual(loops, {'{loop="loop-0"}', '{loop="loop-1"}'})
            self.assertEqual(samples["tidewire_channels", ""], 5)
            version = tidewire.run("--version").stdout.split()[1]
            self.assertEqual(samples["tidewire_build", f'{{version="{version}"}}'], 1)

    def test_what_happens_is_counted(self):
        with Server("--threads", 2) as server:
            before = self.total(server, "tidewire_durable_sequence")
            streams = [EventStream(server.public, "/streams/a") for _ in range(3)]
            for stream in streams:
                self.assertIsNotNone(stream.next().id)
            self.assertEqual(self.total(server, "tidewire_subscriptions"), 3)
            self.assertGreaterEqual(self.total(server, "tidewire_connections_open"), 3)
            for number in range(7):
                tidewire.publish(server.public, "/streams/a", number, {"Idempotency-Key": str(number)})
            again = request(server.public, "POST", "/streams/a", {"Idempotency-Key": "3"}, "3")
            self.assertEqual(again.status, 200)
            for stream in streams:
                self.assertEqual([stream.next_event().json for _ in range(7)], list(range(7)))
            self.assertEqual(self.total(server, "tidewire_events_published_total"), 7)
            self.assertEqual(self.total(server, "tidewire_events_repeated_total"), 1)
            self.assertEqual(self.total(server, "tidewire_events_delivered_total"), 21)
            self.assertEqual(self.total(server, "tidewire_durable_sequence"), before + 7)
            accepted, sent = (self.total(server, f"tidewire_{name}_total") for name in ("connections_accepted", "sent_bytes"))
            self.assertGreater(accepted, 10)
            self.assertGreater(sent, 21 * 40)
            for stream in streams:
                stream.close()
            # The server learns of it in its own time; each question is a turn of its loops.
            for _ in range(1000):
                if (left := self.total(server, "tidewire_subscriptions")) == 0:
                    break
            self.assertEqual(left, 0)
            self.assertGreater(self.total(server, "tidewire_connections_accepted_total"), accepted)

    def test_it_says_that_it_is_there_and_ready(self):
        with Server() as server:
            for path in ("/healthz", "/readyz", "/healthz?probe=1"):
                answer = request(server.admin, "GET", path)
                self.assertEqual((answer.status, answer.text, answer.field("Cache-Control")), (200, "ok\n", "no-store"))
                self.assertEqual(request(server.admin, "HEAD", path).body, b"")

    def test_it_serves_nothing_else(self):
        with Server() as server:
            self.assertEqual(request(server.admin, "GET", "/streams/a").status, 404)
            refused = request(server.admin, "POST", "/metrics", {}, "x")
            self.assertEqual((refused.status, refused.field("Allow")), (405, "GET, HEAD"))
            for place in (server.public, server.application):
                self.assertEqual(request(place, "GET", "/metrics").status, 404)


if __name__ == "__main__":
    tidewire.main()
