# SPDX-License-Identifier: Apache-2.0
"""A sync that fails: publishers are told that nobody knows, readers go on, and a restart finds one answer for all.

eio.cc, compiled by the system's compiler and preloaded, makes one fdatasync fail with EIO. Without a compiler the tests
are skipped.
"""
import atexit
import functools
import json
import os
import pathlib
import select
import shutil
import signal
import subprocess
import threading
import unittest

import restarts
import tidewire
from restarts import EPOCH, read_all
from tidewire import Connection, EventStream, Folder, Server, request

ADDRESS = "/streams/a"
PUBLISHERS = 8
WARM_UP_EVENTS = 20  # acknowledged to each publisher before the sync that fails
STARTS_MAX = 40
RECOVERY_S = 1.0  # of a small log, with much room; a start that fails is over sooner


@functools.cache
def library():
    """The path of what fails a sync; None where there is no compiler."""
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler is None:
        return None
    folder = Folder()
    atexit.register(folder.cleanup)
    made = os.path.join(folder.name, "eio.so")
    source = pathlib.Path(__file__).with_name("eio.cc")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, source, "-ldl"], check=True)
    return made


def preloaded(**how):
    """Servers that are started within have one failing sync. A sanitizer wants to be loaded first, and need not be."""
    options = os.environ.get("ASAN_OPTIONS", "")
    return restarts.environment(LD_PRELOAD=library(), ASAN_OPTIONS=f"{options}:verify_asan_link_order=0", **how)


class Publisher:
    """Publishes numbered events with ids on one connection until one is refused."""

    def __init__(self, name):
        self.name, self.acknowledged, self.refused, self.refusal = name, {}, None, None

    def fields(self, number):
        return {"Content-Type": "application/json", "Idempotency-Key": f"{self.name}-{number}"}

    def payload(self, number):
        return [self.name, number]

    def publish(self, connection, number):
        return connection.request("POST", ADDRESS, self.fields(number), json.dumps(self.payload(number)))

    def publish_until_refused(self, place, warm):
        with Connection(place) as connection:
            number = 0
            while (answer := self.publish(connection, number)).status == 201:
                self.acknowledged[number] = answer.json["cursor"]
                number += 1
                if number == WARM_UP_EVENTS:
                    warm.release()
        self.refused, self.refusal = number, answer


class FailedSync(unittest.TestCase):
    def setUp(self):
        if library() is None:
            self.skipTest("there is no C++ compiler to make the library that fails a sync")

    def fail_one(self, server, trigger):
        """Publishes from all sides, fails one sync in the middle, and returns the publishers when all are refused."""
        publishers, warm = [Publisher(f"p{number}") for number in range(PUBLISHERS)], threading.Semaphore(0)

        def arm():
            for _ in publishers:
                self.assertTrue(warm.acquire(timeout=tidewire.WAIT_S), "the publishers did not get far enough")
            pathlib.Path(trigger).touch()

        tidewire.in_parallel([arm] + [lambda p=p: p.publish_until_refused(server.public, warm) for p in publishers])
        self.assertFalse(os.path.exists(trigger), "no sync has failed")
        return publishers

    def check_refusals(self, server, publishers):
        kinds = [restarts.problem(publisher.refusal) for publisher in publishers]
        self.assertEqual({publisher.refusal.status for publisher in publishers}, {503})
        self.assertLessEqual(set(kinds), {"outcome-unknown", "lane-stopped"})
        self.assertIn("outcome-unknown", kinds, "nobody was in the group whose sync failed")
        for publisher in publishers:
            self.assertIsNotNone(publisher.refusal.field("Retry-After"))
        unready = restarts.ready(server)
        self.assertEqual(unready.status, 503)
        self.assertRegex(unready.text, r"\w")
        self.assertEqual(request(server.admin, "GET", "/healthz").status, 200)
        later = request(server.application, "POST", "/notices", {"Content-Type": "application/json"}, "1")
        self.assertEqual((later.status, restarts.problem(later)), (503, "lane-stopped"))

    def check_readers(self, server, publishers, live, moments):
        """What was acknowledged is served, nothing else is, and what is not stored goes on."""
        acknowledged = {cursor: publisher.payload(number) for publisher in publishers
                        for number, cursor in publisher.acknowledged.items()}
        events, last = read_all(server.public, ADDRESS)
        self.assertEqual({event["cursor"]: event["data"] for event in events}, acknowledged)
        seen = {(block := live.next_event()).id: block.json for _ in acknowledged}
        self.assertEqual(seen, acknowledged)
        self.assertEqual(select.select([live], [], [], 0)[0], [], "the stream stays open and silent")
        with EventStream(server.application, ADDRESS, {"Last-Event-ID": min(acknowledged)}) as resumed:
            self.assertEqual([resumed.next_event().id for _ in range(len(acknowledged) - 1)], sorted(acknowledged)[1:])
        self.assertEqual(request(server.public, "GET", f"{ADDRESS}?after={last}&wait=1").json["events"], [])
        tidewire.publish(server.public, "/moments", "still here")
        self.assertEqual(moments.next_event().json, "still here")

    def check_restarted(self, server, publishers):
        """One history for everybody, with all that was acknowledged; of the refused ones, what was in doubt at most."""
        events, _ = read_all(server.public, ADDRESS)
        found = {tuple(event["data"]): event["cursor"] for event in events}
        self.assertEqual(len(found), len(events), "an event is there twice")
        self.assertEqual(len({event["cursor"][EPOCH] for event in events}), 1)
        for publisher in publishers:
            there = {number: cursor for (name, number), cursor in found.items() if name == publisher.name}
            in_doubt = there.pop(publisher.refused, None)
            self.assertEqual(there, publisher.acknowledged)
            if restarts.problem(publisher.refusal) == "lane-stopped":
                self.assertIsNone(in_doubt, "it was said that nothing was stored")
        listed = [(event["cursor"], event["data"]) for event in events]
        for place in (server.public, server.application):
            streamed = restarts.stream_all(place, ADDRESS, len(listed))
            self.assertEqual([(cursor, json.loads(text)) for cursor, text in streamed], listed)
        return found

    def check_repeats(self, server, publishers, found):
        with Connection(server.public) as connection:
            for publisher in publishers:
                again = publisher.publish(connection, 0)
                self.assertEqual((again.status, again.json["cursor"]), (200, publisher.acknowledged[0]))
                first = found.get((publisher.name, publisher.refused))
                finished = publisher.publish(connection, publisher.refused)
                self.assertEqual(finished.status, 201 if first is None else 200)
                if first is not None:
                    self.assertEqual(finished.json["cursor"], first)
        events, _ = read_all(server.public, ADDRESS)
        self.assertEqual(len(events), sum(len(p.acknowledged) + 1 for p in publishers), "each event once")

    def run_one(self, end):
        with Folder() as folder:
            trigger = os.path.join(folder, "fail")
            with preloaded(EIO_WHEN=trigger):
                server = Server("--threads", 2)
            with server:
                with EventStream(server.public, f"{ADDRESS}?after=earliest") as live, \
                        EventStream(server.public, "/moments") as moments:
                    self.assertEqual(moments.next().event, "tidewire.resumed")
                    publishers = self.fail_one(server, trigger)
                    self.check_refusals(server, publishers)
                    self.check_readers(server, publishers, live, moments)
                end(server)
                server.start()
                self.assertEqual(restarts.ready(server).status, 200)
                found = self.check_restarted(server, publishers)
                self.check_repeats(server, publishers, found)

    def test_a_failed_sync_stops_publishing_until_a_restart_and_nothing_else(self):
        self.run_one(Server.crash)

    def test_a_lane_that_stopped_can_be_asked_to_stop(self):
        self.run_one(Server.stop)

    def test_each_sync_of_a_start_may_fail_and_the_next_start_has_everything(self):
        """The n-th sync, n = 1, 2, 3 ..., until all goes well; each start finds a log whose server was killed."""
        with Server("--threads", 1) as server:
            acknowledged, in_doubt = {}, []
            for nth in range(1, STARTS_MAX):
                self.check_log(server, acknowledged, in_doubt)
                self.publish_some(server, nth, acknowledged, in_doubt)
                server.crash()
                with preloaded(EIO_AT=str(nth)):
                    code, said = restarts.run_for(server, RECOVERY_S)
                    if code == -signal.SIGKILL:  # it serves, or did for a while
                        server.start()
                        self.check_log(server, acknowledged, in_doubt)
                        went_well = self.publish_some(server, -nth, acknowledged, in_doubt)
                        server.crash()
                    else:
                        self.assertEqual(code, tidewire.EXIT_IO, f"the {nth}th sync failed:\n{said}")
                        went_well = False
                server.start()
                if went_well:
                    break
            self.assertIn(nth, range(3, STARTS_MAX - 1), "syncs of a start")
            self.check_log(server, acknowledged, in_doubt)

    def publish_some(self, server, name, acknowledged, in_doubt):
        """Whether all of it was acknowledged."""
        for number in range(3):
            answer = request(server.public, "POST", ADDRESS, {"Content-Type": "application/json"}, f"[{name},{number}]")
            if answer.status == 201:
                acknowledged[answer.json["cursor"]] = [name, number]
            else:
                self.assertEqual(answer.status, 503)
                if restarts.problem(answer) == "outcome-unknown":
                    in_doubt.append([name, number])
        return answer.status == 201

    def check_log(self, server, acknowledged, in_doubt):
        events, _ = read_all(server.public, ADDRESS)
        kept = [(event["cursor"], event["data"]) for event in events if event["data"] not in in_doubt]
        self.assertEqual(kept, sorted(acknowledged.items()))
        self.assertLessEqual(len({event["cursor"][EPOCH] for event in events}), 1)


if __name__ == "__main__":
    tidewire.main()
