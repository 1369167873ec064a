# SPDX-License-Identifier: Apache-2.0
"""A full disk: publishing is refused with 507, readers go on, and publishing goes on when there is room again. Starts on
a full disk serve readers, however often the program crashes or stops there.

The disk is a small tmpfs, which only root may mount; the tests are skipped for everybody else.
"""
import contextlib
import json
import os
import pathlib
import select
import subprocess
import unittest

import restarts
import tidewire
from restarts import read_all
from tidewire import Connection, EventStream, Folder, Server, request

ADDRESS = "/texts/bulk"
QUIET = "/streams/quiet"
EVENT_BYTES = 60_000
MIB = 1 << 20
ATTEMPTS_MAX = 20
ASKED = 5
# Room for the reserve, a segment or two and some MiB more. What is under test is the disk, not the budget.
SMALL = {"disk": 96 * MIB, "room": 12 * MIB,
         "config": "storage: {segment_bytes: 1MiB, bytes_max: 64MiB}\nlimits: {event_bytes_max: 128KiB}\n"}
USUAL = {"disk": 256 * MIB, "room": 56 * MIB, "config": "storage: {bytes_max: 256MiB}\n"}


class Disk:
    """A file system of its own, with a ballast file that leaves `room`. It is unmounted whatever happens."""

    def __init__(self, size, room):
        self.folder = Folder()
        self.path = os.path.join(self.folder.name, "disk")
        os.mkdir(self.path)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tidewire-test", self.path]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.folder.cleanup()
            raise unittest.SkipTest(f"cannot mount a tmpfs: {done.stderr.strip()}")
        self.ballast = pathlib.Path(self.path, "ballast")
        self.fill(room)

    def free_bytes(self):
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, room=0):
        """Makes the ballast larger until no more than `room` is left."""
        with self.ballast.open("ab") as file, contextlib.suppress(OSError):
            while (left := self.free_bytes() - room) > 0:
                os.write(file.fileno(), bytes(min(left, MIB)))

    def drop_ballast(self):
        self.ballast.unlink()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if subprocess.run(["umount", self.path], capture_output=True, check=False).returncode != 0:
            subprocess.run(["umount", "--lazy", self.path], check=True)
        self.folder.cleanup()


class Publisher:
    """Publishes large numbered events and remembers what was acknowledged."""

    def __init__(self):
        self.cursors, self.next = [], 0

    def text(self, number):
        return f"{number:08}".ljust(EVENT_BYTES, "x")

    def publish(self, connection):
        answer = connection.request("POST", ADDRESS, {"Content-Type": "text/plain"}, self.text(self.next))
        if answer.status == 201:
            self.cursors.append((answer.json["cursor"], self.next))
        self.next += 1
        return answer

    def publish_until_refused(self, place):
        with Connection(place) as connection:
            while (answer := self.publish(connection)).status == 201:
                pass
        return answer

    def publish_until_accepted(self, place):
        """What frees space has no signal for clients, so it is asked again and again."""
        with Connection(place, timeout=tidewire.WAIT_S) as connection:
            for _ in range(ATTEMPTS_MAX):
                if (answer := self.publish(connection)).status != 507:
                    return answer
                request(place, "GET", f"{QUIET}?after=latest&wait=1")
        return answer


@unittest.skipIf(os.geteuid() != 0, "only root may mount a file system")
class FullDisk(unittest.TestCase):
    def check_log(self, place, publisher):
        events, _ = read_all(place, ADDRESS)
        self.assertEqual([(event["cursor"], int(restarts.payload_of(event).rstrip("x"))) for event in events],
                         publisher.cursors)

    def check_full(self, server, publisher, live):
        """Refused with 507 on every channel that is stored; read as before; not ready, and it says why."""
        refused = request(server.application, "POST", "/notices", {"Content-Type": "application/json"},
                          json.dumps("x" * EVENT_BYTES))
        self.assertEqual((refused.status, restarts.problem(refused)), (507, "no-space"))
        unready = restarts.ready(server)
        self.assertEqual(unready.status, 503)
        self.assertRegex(unready.text, "(?i)space|room|full")
        self.assertEqual(request(server.admin, "GET", "/healthz").status, 200)
        self.check_log(server.public, publisher)
        self.assertEqual(select.select([live], [], [], 0)[0], [], "the stream stays open and silent")
        with EventStream(server.public, "/moments") as moments:
            self.assertEqual(moments.next().event, "tidewire.resumed")
            tidewire.publish(server.public, "/moments", "ephemeral events need no room")
            self.assertEqual(moments.next_event().json, "ephemeral events need no room")

    def run_full(self, disk, room, config):
        with Disk(disk, room) as mounted, \
                Server("--data", os.path.join(mounted.path, "data"), config=config) as server:
            publisher = Publisher()
            with EventStream(server.public, QUIET) as live:
                self.assertIsNotNone(live.next().id)
                refused = publisher.publish_until_refused(server.public)
                self.assertEqual((refused.status, restarts.problem(refused)), (507, "no-space"))
                self.assertGreater(len(publisher.cursors) * EVENT_BYTES, room // 8, "much of the room was used")
                self.check_full(server, publisher, live)

                mounted.drop_ballast()
                self.assertEqual(publisher.publish_until_accepted(server.public).status, 201)
                self.assertEqual(restarts.ready(server).status, 200)
                cursor = tidewire.publish(server.public, QUIET, "there is room again")
                self.assertEqual(live.next_event().id, cursor)
                self.check_log(server.public, publisher)

            # A crash on the full disk, and a start when there is room again.
            mounted.fill(0)
            self.assertEqual(publisher.publish_until_refused(server.public).status, 507)
            server.crash()
            mounted.drop_ballast()
            server.start()
            with EventStream(server.public, QUIET, {"Last-Event-ID": cursor}) as live:
                self.assertNotEqual(live.next().event, "tidewire.reset")
            self.assertEqual(publisher.publish_until_accepted(server.public).status, 201)
            self.check_log(server.public, publisher)

    def check_readable(self, server, publisher):
        """Refused, not ready, and every acknowledged event is there once."""
        with Connection(server.public) as connection:
            self.assertEqual(publisher.publish(connection).status, 507)
        self.assertEqual(restarts.ready(server).status, 503)
        self.check_log(server.public, publisher)

    def run_starts(self, disk, room, config):
        with Disk(disk, room) as mounted, \
                Server("--data", os.path.join(mounted.path, "data"), config=config) as server:
            publisher = Publisher()
            self.assertEqual(publisher.publish_until_refused(server.public).status, 507)
            for end in (server.crash, server.crash, server.crash, server.stop, server.stop, server.crash):
                mounted.fill(0)
                end()
                mounted.fill(0)
                server.start()
                mounted.fill(0)
                self.check_readable(server, publisher)
            mounted.drop_ballast()
            self.assertEqual(publisher.publish_until_accepted(server.public).status, 201)
            self.assertEqual(restarts.ready(server).status, 200)
            self.check_log(server.public, publisher)
            server.crash()
            server.start()
            self.check_log(server.public, publisher)

    def test_starts_on_a_full_disk_serve_readers_however_often(self):
        self.run_starts(**SMALL)

    def test_starts_on_a_full_disk_with_segments_of_the_usual_size(self):
        self.run_starts(**USUAL)

    def test_readiness_does_not_flap_while_the_disk_is_full(self):
        with Disk(SMALL["disk"], SMALL["room"]) as mounted, \
                Server("--data", os.path.join(mounted.path, "data"), config=SMALL["config"]) as server:
            self.assertEqual(Publisher().publish_until_refused(server.public).status, 507)
            mounted.fill(0)
            for _ in range(ASKED):
                self.assertEqual(restarts.ready(server).status, 503)
                request(server.public, "GET", f"{QUIET}?after=latest&wait=1")

    def test_a_full_disk_refuses_publishers_and_nobody_else_until_there_is_room(self):
        self.run_full(**SMALL)

    def test_the_same_with_segments_of_the_usual_size(self):
        self.run_full(**USUAL)


if __name__ == "__main__":
    tidewire.main()
