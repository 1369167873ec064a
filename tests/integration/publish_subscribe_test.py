# SPDX-License-Identifier: Apache-2.0
"""Many publishers, many subscribers, two loops: everybody sees the one log, in its order, exactly once (G1, G3, G4)."""
import json
import random
import selectors
import threading
import time
import unittest

import tidewire
from tidewire import Connection, EventStream, Server

PUBLISHERS = 4
EVENTS_EACH = 250
SUBSCRIBERS = 100
SEED = 20240611
ADDRESS = "/streams/all"
RUN_S = 90.0


class Publishers:
    """Publishes concurrently and remembers what the log answered: cursor to payload."""

    def __init__(self, place):
        self.place, self.log, self.lock = place, {}, threading.Lock()

    def publish_from(self, publisher):
        with Connection(self.place) as connection:
            for number in range(EVENTS_EACH):
                payload = {"from": publisher, "number": number}
                answer = connection.request("POST", ADDRESS, {"Content-Type": "application/json"}, json.dumps(payload))
                if answer.status != 201:
                    raise AssertionError(f"{answer}")
                with self.lock:
                    self.log[answer.json["cursor"]] = payload

    def run(self):
        tidewire.in_parallel([lambda p=p: self.publish_from(p) for p in range(PUBLISHERS)])

    def history(self):
        """What everybody must have seen: cursors of one history compare bytewise (DESIGN section 5)."""
        return [(cursor, self.log[cursor]) for cursor in sorted(self.log)]


class Subscriber:
    """Reads until the last event. With a random source it goes away now and then, in mid-stream, and comes back."""

    def __init__(self, place, rng=None):
        self.place, self.rng = place, rng
        self.seen, self.last_id, self.done, self.connections = [], None, False, 0
        self.stream = None
        self.open()

    def open(self):
        """Connects; as often as what comes with the answer is enough for it to go away again."""
        self.connect()
        while self.is_tired():
            self.stream.close()
            self.connect()

    def connect(self):
        fields = {"Last-Event-ID": self.last_id} if self.last_id else {}
        self.stream = EventStream(self.place, ADDRESS, fields, blocking=False)
        self.connections += 1
        self.patience = self.rng.randint(20, 200) if self.rng else None
        self.take(self.stream.pending)
        self.stream.pending = []

    def take(self, blocks):
        for block in blocks:
            if block.event.startswith("tidewire."):
                raise AssertionError(f"{block} in a stream that lost nothing")
            if block.id is not None:
                self.last_id = block.id
            if not block.is_event():
                continue
            payload = block.json
            if payload == "the end":
                self.done = True
                return
            self.seen.append((block.id, payload))
            if self.patience is not None:
                self.patience -= 1
                if self.patience == 0:
                    return  # what else has arrived is lost with the connection

    def is_tired(self):
        return self.patience == 0 and not self.done


def follow(subscribers, first_signals):
    """Serves all subscribers from one selector until each has seen the end."""
    selector = selectors.DefaultSelector()
    for subscriber in subscribers:
        selector.register(subscriber.stream, selectors.EVENT_READ, subscriber)
    waiting, silent = len(subscribers), {s for s in subscribers if s.last_id is None}
    deadline = time.monotonic() + RUN_S
    while waiting:
        if not silent:
            first_signals.set()
        for key, _ in selector.select(1.0):
            subscriber = key.data
            subscriber.take(subscriber.stream.take())
            if subscriber.last_id is not None:
                silent.discard(subscriber)
            if subscriber.stream.ended and not subscriber.done:
                raise AssertionError("the server ended a stream")
            if subscriber.done or subscriber.is_tired():
                selector.unregister(subscriber.stream)
                subscriber.stream.close()
                if subscriber.done:
                    waiting -= 1
                    continue
                subscriber.open()
                if subscriber.done:
                    subscriber.stream.close()
                    waiting -= 1
                    continue
                selector.register(subscriber.stream, selectors.EVENT_READ, subscriber)
        if time.monotonic() > deadline:
            raise AssertionError(f"{waiting} subscribers still wait for events")
    selector.close()


class PublishSubscribe(unittest.TestCase):
    def run_with(self, server, subscribers):
        """Follows while four clients publish; returns the history that the publishers were told."""
        publishers, first_signals = Publishers(server.public), threading.Event()

        def produce():
            self.assertTrue(first_signals.wait(tidewire.WAIT_S), "not every stream began with its first signal")
            publishers.run()
            tidewire.publish(server.public, ADDRESS, "the end")

        tidewire.in_parallel([produce, lambda: follow(subscribers, first_signals)])
        history = publishers.history()
        self.assertEqual(len(history), PUBLISHERS * EVENTS_EACH)
        for publisher in range(PUBLISHERS):
            numbers = [payload["number"] for _, payload in history if payload["from"] == publisher]
            self.assertEqual(numbers, list(range(EVENTS_EACH)), "the log keeps each publisher's order")
        return history

    def test_100_subscribers_see_every_event_once_in_the_order_of_the_log(self):
        with Server("--threads", 2) as server:
            subscribers = [Subscriber(server.public if i % 2 else server.application) for i in range(SUBSCRIBERS)]
            history = self.run_with(server, subscribers)
            for subscriber in subscribers:
                self.assertEqual(subscriber.seen, history)

    def test_subscribers_that_go_away_at_random_resume_without_gap_or_repeat(self):
        rng = random.Random(SEED)
        with Server("--threads", 2) as server:
            subscribers = [Subscriber(server.public, random.Random(rng.random())) for _ in range(30)]
            history = self.run_with(server, subscribers)
            self.assertGreater(min(s.connections for s in subscribers), 3)
            for subscriber in subscribers:
                self.assertEqual(subscriber.seen, history)

    def test_long_polls_chained_by_their_cursor_see_the_same_history(self):
        with Server("--threads", 2) as server:
            pages = {limit: [] for limit in (1, 7, 100, 1000)}

            def poll(limit, seen):
                with Connection(server.public) as connection:
                    cursor = "earliest"
                    while True:
                        answer = connection.request("GET", f"{ADDRESS}?after={cursor}&limit={limit}&wait=20")
                        self.assertEqual(answer.status, 200, answer)
                        page = answer.json
                        self.assertEqual(answer.field("Tidewire-Cursor"), page["cursor"])
                        self.assertLessEqual(len(page["events"]), limit)
                        cursor = page["cursor"]
                        for event in page["events"]:
                            if event["data"] == "the end":
                                return
                            seen.append((event["cursor"], event["data"]))
                        if page["events"]:
                            self.assertEqual(page["events"][-1]["cursor"], cursor)

            publishers = Publishers(server.public)

            def produce():
                publishers.run()
                tidewire.publish(server.public, ADDRESS, "the end")

            tidewire.in_parallel([produce] + [lambda l=l, s=s: poll(l, s) for l, s in pages.items()])
            for limit, seen in pages.items():
                self.assertEqual(seen, publishers.history(), f"limit={limit}")

    def test_a_cursor_of_a_page_resumes_a_stream_and_the_other_way_round(self):
        with Server() as server:
            for number in range(6):
                tidewire.publish(server.public, "/streams/a", number)
            page = tidewire.request(server.public, "GET", "/streams/a?limit=2").json
            self.assertFalse(page["up_to_date"])
            with EventStream(server.application, f"/streams/a?after={page['cursor']}") as stream:
                first = stream.next()
                self.assertEqual((first.id, first.data, first.retry), (page["cursor"], None, 2000))
                blocks = [stream.next_event() for _ in range(2)]
            self.assertEqual([block.json for block in blocks], [2, 3])
            self.assertEqual([block.event for block in blocks], ["said", "said"])
            rest = tidewire.request(server.public, "GET", f"/streams/a?after={blocks[-1].id}").json
            self.assertEqual([event["data"] for event in rest["events"]], [4, 5])
            self.assertTrue(rest["up_to_date"])

    def test_an_address_shows_its_own_events_only(self):
        with Server() as server, EventStream(server.public, "/streams/a") as stream:
            self.assertIsNotNone(stream.next().id)
            tidewire.publish(server.public, "/streams/b", "not for a")
            tidewire.publish(server.public, "/streams/a", "for a")
            self.assertEqual(stream.next_event().json, "for a")

    def test_last_event_id_wins_over_after_and_an_empty_one_is_absent(self):
        with Server() as server:
            cursors = [tidewire.publish(server.public, "/streams/a", number) for number in range(3)]
            with EventStream(server.public, "/streams/a?after=earliest", {"Last-Event-ID": cursors[1]}) as stream:
                self.assertEqual(stream.next_event().json, 2)
            with EventStream(server.public, "/streams/a?after=earliest", {"Last-Event-ID": ""}) as stream:
                self.assertEqual(stream.next_event().json, 0)

    def test_a_cursor_of_another_epoch_is_a_reset_that_goes_on(self):
        with Server() as server:
            foreign = tidewire.publish(server.public, "/streams/a", "in an earlier life")
        with Server() as server:
            tidewire.publish(server.public, "/streams/a", "kept")
            gone = tidewire.request(server.public, "GET", f"/streams/a?after={foreign}")
            self.assertEqual((gone.status, gone.problem["reason"]), (410, "epoch-changed"))
            with EventStream(server.public, "/streams/a", {"Last-Event-ID": foreign}) as stream:
                reset = stream.next_event()
                self.assertEqual((reset.event, reset.json["reason"]), ("tidewire.reset", "epoch-changed"))
                self.assertEqual((reset.id, reset.json["latest"]), (reset.json["cursor"], reset.json["cursor"]))
                tidewire.publish(server.public, "/streams/a", "live")
                self.assertEqual(stream.next_event().json, "live")
            with EventStream(server.public, f"/streams/a?after={foreign}&on_reset=earliest") as stream:
                self.assertEqual(stream.next_event().event, "tidewire.reset")
                self.assertEqual([stream.next_event().json for _ in range(2)], ["kept", "live"])
            malformed = tidewire.request(server.public, "GET", f"/streams/a?after={foreign[:-1]}")
            self.assertEqual(malformed.status, 400)

    def test_an_ephemeral_event_reaches_who_listens_and_is_not_kept(self):
        with Server("--threads", 2) as server, EventStream(server.public, "/moments") as stream:
            first = stream.next()
            self.assertEqual((first.event, first.json["live_only"]), ("tidewire.resumed", ["moments"]))
            tidewire.publish(server.public, "/moments", "now")
            block = stream.next_event()
            self.assertEqual((block.json, block.id), ("now", None))
            with EventStream(server.public, "/moments?after=earliest") as late:
                self.assertEqual(late.next_event().json["reason"], "not-retained")

    def test_the_same_idempotency_key_stores_one_event(self):
        with Server() as server:
            first = tidewire.publish(server.public, "/streams/a", "once", {"Idempotency-Key": "k1"})
            again = tidewire.request(server.public, "POST", "/streams/a", {"Idempotency-Key": "k1"}, '"once"')
            self.assertEqual((again.status, again.json["cursor"]), (200, first))
            other = tidewire.request(server.public, "POST", "/streams/a", {"Idempotency-Key": "k1"}, '"twice"')
            self.assertEqual(other.status, 409)
            page = tidewire.request(server.public, "GET", "/streams/a").json
            self.assertEqual([event["data"] for event in page["events"]], ["once"])

    def test_a_long_poll_without_news_ends_with_its_cursor(self):
        with Server() as server:
            cursor = tidewire.publish(server.public, "/streams/a", 1)
            page = tidewire.request(server.public, "GET", f"/streams/a?after={cursor}&wait=1").json
            self.assertEqual((page["events"], page["cursor"], page["up_to_date"]), ([], cursor, True))


if __name__ == "__main__":
    tidewire.main()
