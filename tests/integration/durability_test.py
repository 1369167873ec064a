# SPDX-License-Identifier: Apache-2.0
"""kill -9 under load, again and again: what was acknowledged is there once, and what was delivered stays.

Each round publishes over keep-alive connections while event streams follow, kills the server at a random moment, now
and then kills the next one or two while they recover, and judges the log that the one after them serves. TIDEWIRE_SEED
and TIDEWIRE_KILL_ROUNDS choose what happens and how often; the seed is printed.
"""
import json
import os
import random
import selectors
import signal
import subprocess
import threading
import unittest

import restarts
import tidewire
from restarts import EPOCH, read_all
from tidewire import Connection, EventStream, Server

SEED = int(os.environ.get("TIDEWIRE_SEED", "20240611"))
ROUNDS = os.environ.get("TIDEWIRE_KILL_ROUNDS")
ROUNDS_DEFAULT, ROUNDS_SANITIZED = 100, 12
ACKNOWLEDGED_A_ROUND = (20, 400)  # then the server has up to KILL_DELAY_S to live
KILL_DELAY_S = 0.004
EARLY_DEATH_S = 0.06
WHOLE_EVERY = 25  # rounds: then the whole log is read again, not only what is new
REPEATS_OF_ACKNOWLEDGED = 3
PIPELINE_DEPTH = 8
ADDRESSES = ("/streams/a", "/streams/b", "/texts/c")  # two topics
READERS_EACH = 2
# Small segments, so that every other round begins, seals or continues one in the middle of the load.
CONFIG = "storage: {segment_bytes: 1MiB}\nlimits: {event_bytes_max: 128KiB}\n"


class Event:
    """One event of a publisher, and what is known of it: its cursor, once that was acknowledged or found."""

    def __init__(self, publisher, number, padding):
        self.publisher, self.number, self.cursor = publisher, number, None
        self.text = json.dumps({"from": publisher.name, "number": number, "padding": padding})

    @property
    def name(self):
        return f"{self.publisher.name}-{self.number}"

    def fields(self):
        json_or_text = "application/json" if self.publisher.address.startswith("/streams") else "text/plain"
        fields = {"Content-Type": json_or_text}
        if self.publisher.identity == "event":
            kind = "said" if self.publisher.address.startswith("/streams") else "line"
            fields |= {"ce-specversion": "1.0", "ce-id": self.name, "ce-source": "/durability", "ce-type": kind}
        elif self.publisher.identity == "key":
            fields["Idempotency-Key"] = self.name
        return fields


class Publisher:
    """One connection after the other, each with up to `depth` events on their way. Its events are numbered.

    `identity` is how a repeat is recognised: "event" by the id of the CloudEvent, "key" by Idempotency-Key, None not at
    all: then an event without an answer is never sent again.
    """

    def __init__(self, name, address, identity, rng, depth=1, padding=(0, 300)):
        self.name, self.address, self.identity, self.rng, self.depth, self.padding = \
            name, address, identity, rng, depth, padding
        self.events, self.unanswered, self.judged = [], [], 0  # judged: how many events were

    def next_event(self):
        event = Event(self, len(self.events), "x" * self.rng.randint(*self.padding))
        self.events.append(event)
        return event

    def send(self, connection, event):
        connection.send_request("POST", self.address, event.fields(), event.text)

    def take(self, connection, event):
        answer = connection.response("POST")
        if answer.status != 201:
            raise AssertionError(f"{event.name} is answered {answer}")
        return answer.json["cursor"]

    def publish_until_killed(self, place, acknowledged):
        """Until the connection breaks. What has no answer then is `unanswered`."""
        connection, waiting = Connection(place), []
        try:
            while True:
                while len(waiting) < self.depth:
                    event = self.next_event()
                    waiting.append(event)
                    self.send(connection, event)
                waiting[0].cursor = self.take(connection, waiting[0])
                waiting.pop(0)
                acknowledged()
        except (OSError, EOFError):
            self.unanswered = waiting
        finally:
            connection.close()

    def repeat(self, place, event):
        """Publishes again with the same id: (whether it was known, its cursor)."""
        with Connection(place) as connection:
            self.send(connection, event)
            answer = connection.response("POST")
        if answer.status not in (200, 201):
            raise AssertionError(f"the repeat of {event.name} is answered {answer}")
        return answer.status == 200, answer.json["cursor"]


class Reader:
    """Follows one address from its beginning, over all deaths of the server."""

    def __init__(self, address):
        self.address, self.last_id, self.seen, self.stream = address, None, [], None

    def open(self, place):
        fields = {"Last-Event-ID": self.last_id} if self.last_id else {}
        target = self.address if self.last_id else f"{self.address}?after=earliest"
        self.stream = EventStream(place, target, fields, blocking=False)
        self.keep(self.stream.pending)
        self.stream.pending = []

    def keep(self, blocks):
        for block in blocks:
            if block.event.startswith("tidewire."):
                raise AssertionError(f"{block} on {self.address} after {self.last_id}")
            if block.id is not None:
                self.last_id = block.id
            if block.is_event():
                self.seen.append((block.id, name_of(block.data)))

    def read(self):
        """What has arrived; False when the connection has broken."""
        try:
            self.keep(self.stream.take())
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        return not self.stream.ended


def name_of(payload):
    payload = json.loads(payload) if isinstance(payload, str) else payload  # the text, or already its value
    return f"{payload['from']}-{payload['number']}"


def follow(readers):
    """Reads until every connection has broken."""
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.stream, selectors.EVENT_READ, reader)
        while selector.get_map():
            for key, _ in selector.select(tidewire.WAIT_S):
                if not key.data.read():
                    selector.unregister(key.fileobj)
                    key.data.stream.close()


class Countdown:
    """Releases whoever waits when so many acknowledgements have come."""

    def __init__(self, count):
        self.left, self.changed, self.reached = count, threading.Lock(), threading.Event()

    def __call__(self):
        with self.changed:
            self.left -= 1
            if self.left == 0:
                self.reached.set()


class Log:
    """What one address was found to hold, in order; it may only grow."""

    def __init__(self, address):
        self.address, self.cursor, self.events, self.names = address, "earliest", [], set()  # events: (cursor, name)

    def grow(self, place):
        """Reads what is new; the events, newest last."""
        found, self.cursor = read_all(place, self.address, self.cursor)
        new = [(event["cursor"], name_of(restarts.payload_of(event))) for event in found]
        self.events += new
        self.names |= {name for _, name in new}
        return new

    def check_whole(self, place):
        found, _ = read_all(place, self.address)
        if [(event["cursor"], name_of(restarts.payload_of(event))) for event in found] != self.events:
            raise AssertionError(f"{self.address} is no longer what it was")


class Durability(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(SEED)
        self.publishers = [
            Publisher("plain", "/streams/a", None, self.rng_of()),
            Publisher("named", "/streams/a", "event", self.rng_of()),
            Publisher("keyed", "/streams/b", "key", self.rng_of()),
            Publisher("deep", "/streams/b", None, self.rng_of(), depth=PIPELINE_DEPTH),
            Publisher("deep-named", "/texts/c", "event", self.rng_of(), depth=PIPELINE_DEPTH),
            Publisher("heavy", "/texts/c", "key", self.rng_of(), padding=(20_000, 90_000))]
        self.readers = [Reader(address) for address in ADDRESSES for _ in range(READERS_EACH)]
        self.logs = {address: Log(address) for address in ADDRESSES}
        self.known, self.epoch = {}, None  # the events by name
        self.counts = {"acknowledged": 0, "unanswered and kept": 0, "unanswered and lost": 0, "deaths in recovery": 0}

    def rng_of(self):
        return random.Random(self.rng.random())

    def test_what_was_acknowledged_is_there_once_after_every_kill_and_what_was_delivered_stays(self):
        with Server("--threads", 2, "--admin", "none", config=CONFIG) as server:
            rounds = int(ROUNDS or (ROUNDS_SANITIZED if server.is_sanitized() else ROUNDS_DEFAULT))
            print(f"seed {SEED}, {rounds} rounds", flush=True)
            for number in range(1, rounds + 1):
                try:
                    self.run_until_killed(server)
                    self.die_in_recovery(server)
                    server.start()
                    self.judge(server, whole=number % WHOLE_EVERY == 0)
                except BaseException:
                    kept = restarts.keep(server.data, f"seed-{SEED}-round-{number}")
                    print(f"seed {SEED}, round {number}: {kept}\n{server.log()}", flush=True)
                    raise
            server.stop()
            server.start()
            self.judge(server, whole=True)
            self.check_streams(server)
            print(self.counts, flush=True)
            self.assertGreater(self.counts["acknowledged"], rounds * ACKNOWLEDGED_A_ROUND[0])

    def run_until_killed(self, server):
        enough, delay_s = Countdown(self.rng.randint(*ACKNOWLEDGED_A_ROUND)), self.rng.uniform(0, KILL_DELAY_S)

        def kill():
            if not enough.reached.wait(tidewire.WAIT_S):
                raise AssertionError("too few publishes were acknowledged")
            with self.assertRaises(subprocess.TimeoutExpired, msg="the server ended by itself"):
                server.process.wait(delay_s)
            server.process.kill()

        for reader in self.readers:
            reader.open(server.public)
        try:
            tidewire.in_parallel(
                [kill, lambda: follow(self.readers)] +
                [lambda p=p: p.publish_until_killed(server.public, enough) for p in self.publishers])
        finally:
            server.crash()

    def die_in_recovery(self, server):
        for _ in range(self.rng.choice((0, 0, 0, 0, 1, 2))):
            code, said = restarts.run_for(server, self.rng.uniform(0, EARLY_DEATH_S))
            self.assertEqual(code, -signal.SIGKILL, said)
            self.counts["deaths in recovery"] += 1

    def judge(self, server, whole):
        for publisher in self.publishers:
            self.known |= {event.name: event for event in publisher.events[publisher.judged:]}
        for address, log in self.logs.items():
            self.judge_new(log, log.grow(server.public))
            if whole:
                log.check_whole(server.public)
            for reader in self.readers:
                if reader.address == address:
                    self.assertEqual(reader.seen, log.events[:len(reader.seen)], "what a stream delivered is gone")
        for publisher in self.publishers:
            self.judge_publisher(server, publisher)

    def judge_new(self, log, new):
        """Every event that the log gained was sent and is no repeat; each publisher's are in order; one epoch."""
        cursors = [cursor for cursor, _ in log.events[-len(new) - 1:]]
        self.assertEqual(cursors, sorted(set(cursors)), "cursors ascend")
        last = {}
        for cursor, name in new:
            self.epoch = self.epoch or cursor[EPOCH]
            self.assertEqual(cursor[EPOCH], self.epoch, "the epoch has changed")
            event = self.known[name]
            if event.cursor is None:
                self.assertIn(event, event.publisher.unanswered, f"{name} was given up in an earlier round")
                event.cursor = cursor
                self.counts["unanswered and kept"] += 1
            self.assertEqual(event.cursor, cursor, f"{name} is elsewhere than where it was acknowledged")
            self.assertGreater(event.number, last.get(event.publisher, -1), f"{name} is out of order")
            last[event.publisher] = event.number

    def judge_publisher(self, server, publisher):
        """All that was acknowledged is in the log; then the publisher finishes what it has no answer for."""
        names, fresh = self.logs[publisher.address].names, publisher.events[publisher.judged:]
        missing = [event.name for event in fresh if event.cursor is not None and event.name not in names]
        self.assertEqual(missing, [], "acknowledged, and lost")
        lost = [event for event in publisher.unanswered if event.cursor is None]
        self.assertEqual(lost, publisher.unanswered[len(publisher.unanswered) - len(lost):],
                         "of what was on its way on one connection, the log took a later event and not an earlier one")
        self.counts["acknowledged"] += len(fresh) - len(publisher.unanswered)
        self.counts["unanswered and lost"] += len(lost)
        if publisher.identity is not None:
            acknowledged = [event for event in publisher.events if event.cursor is not None]
            again = self.rng.sample(acknowledged, min(REPEATS_OF_ACKNOWLEDGED, len(acknowledged)))
            for event in publisher.unanswered + again:
                is_known, cursor = publisher.repeat(server.public, event)
                self.assertEqual(is_known, event.cursor is not None, f"the repeat of {event.name}")
                if is_known:
                    self.assertEqual(cursor, event.cursor, f"the repeat of {event.name} has the first one's cursor")
                event.cursor = cursor
        publisher.unanswered, publisher.judged = [], len(publisher.events)

    def check_streams(self, server):
        for address, log in self.logs.items():
            log.grow(server.public)
            seen = restarts.stream_all(server.application, address, len(log.events))
            self.assertEqual([(cursor, name_of(text)) for cursor, text in seen], log.events)


if __name__ == "__main__":
    tidewire.main()
