# SPDX-License-Identifier: Apache-2.0
"""`tidewire log` on directories that real servers wrote, and beside servers that write them (docs/log_command.md)."""
import itertools
import json
import pathlib
import shutil
import subprocess
import threading
import unittest

import restarts
import tidewire
from tidewire import (EXIT_CONFIGURATION, EXIT_FINDING, EXIT_IO, EXIT_OK, EXIT_USAGE, Connection, Folder, Server,
                      request, run)

SMALL = "storage: {segment_bytes: 1MiB}\nlimits: {event_bytes_max: 64KiB}\n"
# Half a megabyte of the channel is kept, so segments are trimmed and removed all the time.
CROWDED = tidewire.CONTRACT.replace("    messages: {order:", "    x-tidewire: {retention: {bytes: 512KiB}}\n    messages: {order:")


def log(command, *words):
    return run("log", command, *words)


def dump(data, *words):
    """The events that `tidewire log dump` prints, which must be all of them."""
    done = log("dump", data, *words)
    if done.returncode != EXIT_OK:
        raise AssertionError(f"the dump ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def info(data):
    done = log("info", data, "--format", "json")
    if done.returncode != EXIT_OK:
        raise AssertionError(f"info ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Publisher(threading.Thread):
    """Publishes numbered orders for as long as nobody says stop; `acknowledged` grows."""

    def __init__(self, server, address):
        super().__init__(daemon=True)
        self.place, self.address, self.acknowledged, self.stopping = server.public, address, [], threading.Event()

    def run(self):
        with Connection(self.place) as connection:
            for number in itertools.count():
                if self.stopping.is_set():
                    return
                body = json.dumps({"n": number, "text": "x" * 8000})
                answer = connection.request("POST", self.address, {"Content-Type": "application/json"}, body)
                if answer.status != 201:
                    return
                self.acknowledged.append(answer.json["cursor"])

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.join(tidewire.WAIT_S)


class WithServer(unittest.TestCase):
    """A server with some events, which is stopped."""

    def setUp(self):
        self.server = Server("--threads", 1, config=SMALL)
        self.addCleanup(self.server.kill)
        self.cursors = [tidewire.publish(self.server.public, f"/streams/{name}", {"n": n})
                        for n, name in enumerate(["a", "b"] * 10)]
        self.cursors.append(tidewire.publish(self.server.public, "/orders", "one"))
        self.events = restarts.read_all(self.server.public, "/streams/a")[0]
        self.server.stop()
        self.data = self.server.data

    def refused(self, code, command, *words):
        done = log(command, *words)
        self.assertEqual(done.returncode, code, done)
        self.assertTrue(done.stderr.startswith("tidewire: "), done)
        return done.stderr

    def damage(self, cursor):
        """Overwrites the bytes of one event on the disk."""
        wanted = next(event for event in dump(self.data) if event["cursor"] == cursor)["id"].encode()
        for path in pathlib.Path(self.data).glob("*.segment"):
            content = path.read_bytes()
            if wanted in content:
                at = content.index(wanted)
                path.write_bytes(content[:at] + b"!" + content[at + 1:])
                return
        self.fail("the event is in no segment")


class Stopped(WithServer):
    def test_info_tells_what_was_published(self):
        found = info(self.data)
        topics = {topic["identity"]: topic for topic in found["topics"]}
        self.assertEqual((found["events"], topics["streams/*"]["events"], topics["orders"]["events"]), (21, 20, 1))
        self.assertEqual((found["epoch"], found["damage"]), (self.cursors[0][restarts.EPOCH], []))
        self.assertEqual(found["tail"], {"unproven_events": 0, "torn_bytes": 0})
        self.assertEqual(found["next_start"]["history"], "same-epoch")
        text = log("info", self.data)
        self.assertEqual((text.returncode, text.stderr), (EXIT_OK, ""))
        for word in ("streams/*", found["epoch"], "clean", "goes on under the same epoch"):
            self.assertIn(word, text.stdout)

    def test_dump_prints_what_a_page_has(self):
        self.assertEqual(dump(self.data, "--address", "streams/a"), self.events)
        self.assertEqual([event["cursor"] for event in dump(self.data)], self.cursors)
        self.assertEqual(dump(self.data, "--after", self.events[3]["cursor"], "--address", "streams/a", "--limit", 2),
                         self.events[4:6])
        self.assertEqual([event["data"] for event in dump(self.data, "--topic", "orders")], ["one"])

    def test_dump_ends_quietly_when_nobody_reads_on(self):
        with Folder() as folder:
            script = f"'{tidewire.binary()}' log dump '{self.data}' | head -n 1; echo ${{PIPESTATUS[0]}} > {folder}/code"
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=tidewire.WAIT_S,
                                  check=True)
            self.assertEqual((json.loads(done.stdout)["cursor"], done.stderr), (self.cursors[0], ""))
            self.assertEqual(pathlib.Path(folder, "code").read_text(encoding="ascii").strip(), "0")

    def test_verify_names_the_topic_of_damage_and_the_rest_is_there(self):
        self.assertEqual(log("verify", self.data).returncode, EXIT_OK)
        self.damage(self.cursors[7])
        done = log("verify", self.data)
        self.assertEqual(done.returncode, EXIT_FINDING, done)
        self.assertRegex(done.stdout, r"^damage: event 8: up to 1 of `streams/\*`\n")
        done = log("dump", self.data)
        self.assertEqual(done.returncode, EXIT_FINDING, done)
        self.assertEqual([json.loads(line)["cursor"] for line in done.stdout.splitlines()],
                         self.cursors[:7] + self.cursors[8:])
        self.assertIn("event 8", done.stderr)

    def test_a_forked_log_answers_every_cursor_from_before_with_a_reset(self):
        self.assertEqual(log("fork", self.data).returncode, EXIT_OK)
        self.server.start()
        answer = request(self.server.public, "GET", f"/streams/a?after={self.cursors[3]}")
        self.assertEqual((answer.status, answer.problem["reason"]), (410, "epoch-changed"))
        events, _ = restarts.read_all(self.server.public, "/streams/a")
        self.assertEqual([event["id"] for event in events], [event["id"] for event in self.events])
        self.assertNotEqual(events[0]["cursor"][restarts.EPOCH], self.cursors[0][restarts.EPOCH])

    def test_a_snapshot_that_was_rolled_back_and_forked_never_gives_a_number_twice(self):
        lock = pathlib.Path(self.data, "lock")
        with Folder() as snapshot:
            # What a snapshot beneath the file system brings back: the same files, the same inodes.
            for path in pathlib.Path(self.data).glob("*.segment"):
                shutil.copy(path, snapshot)
            self.server.start()
            lost = tidewire.publish(self.server.public, "/streams/a", "lost")
            self.server.stop()
            inode = lock.stat().st_ino
            for path in pathlib.Path(self.data).glob("*.segment"):
                path.unlink()
            for path in pathlib.Path(snapshot).glob("*.segment"):
                shutil.copy(path, self.data)
        self.assertEqual(lock.stat().st_ino, inode)
        self.assertEqual(log("fork", self.data).returncode, EXIT_OK)
        self.server.start()
        self.assertNotEqual(tidewire.publish(self.server.public, "/streams/a", "other"), lost)
        self.assertEqual(request(self.server.public, "GET", f"/streams/a?after={lost}").status, 410)

    def test_what_cannot_be_done_is_refused_in_a_sentence(self):
        with Folder() as folder:
            self.assertIn("no directory", self.refused(EXIT_IO, "info", f"{folder}/nowhere"))
            self.assertIn("holds no log", self.refused(EXIT_CONFIGURATION, "verify", folder))
            file = folder + "/file"
            pathlib.Path(file).touch()
            self.assertIn("not a directory", self.refused(EXIT_CONFIGURATION, "dump", file))
            self.assertIn("not empty", self.refused(EXIT_CONFIGURATION, "backup", self.data, folder))
            self.assertIn("No such file", self.refused(EXIT_IO, "backup", self.data, f"{folder}/no/where"))
        self.assertIn("streams/*", self.refused(EXIT_USAGE, "dump", self.data, "--topic", "nope"))
        self.assertIn("--after", self.refused(EXIT_USAGE, "dump", self.data, "--after", "soon"))
        self.refused(EXIT_USAGE, "dump", self.data, "--limit", 0)
        self.refused(EXIT_USAGE, "info")
        done = run("log")
        self.assertEqual((done.returncode, done.stdout), (EXIT_USAGE, ""))
        for word in ("info", "verify", "dump", "backup", "fork"):
            self.assertIn(word, done.stderr)

    def test_nothing_that_only_looks_changes_anything(self):
        def state():
            return {path.name: (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino)
                    for path in pathlib.Path(self.data).iterdir()}
        before = state()
        with Folder() as folder:
            for command, words in (("info", ()), ("verify", ()), ("dump", ()), ("backup", (f"{folder}/copy",))):
                self.assertEqual(log(command, self.data, *words).returncode, EXIT_OK)
        self.assertEqual(state(), before)


class Running(unittest.TestCase):
    def test_a_log_in_use_is_refused_but_for_a_backup(self):
        with Server("--threads", 1) as server, Folder() as folder:
            cursor = tidewire.publish(server.public, "/streams/a", 1)
            for command in ("info", "verify", "dump", "fork"):
                done = log(command, server.data)
                self.assertEqual((done.returncode, done.stdout), (EXIT_CONFIGURATION, ""), done)
                self.assertIn("another tidewire uses", done.stderr)
                self.assertIn("backup", done.stderr)
            self.assertEqual(log("backup", server.data, f"{folder}/copy").returncode, EXIT_OK)
            self.assertEqual([event["cursor"] for event in dump(f"{folder}/copy")], [cursor])

    def test_a_log_that_was_killed_says_what_its_next_start_copies(self):
        with Server("--threads", 1) as server:
            tidewire.publish(server.public, "/streams/a", 1)
            cursor = tidewire.publish(server.public, "/streams/a", 2)
            server.crash()
            found = info(server.data)
            self.assertEqual((found["events"], found["tail"]["torn_bytes"]), (2, 0))
            self.assertLessEqual(found["tail"]["unproven_events"], 1)
            self.assertEqual(dump(server.data)[-1]["cursor"], cursor)
            self.assertEqual(log("verify", server.data).returncode, EXIT_OK)
            server.start()
            self.assertEqual(len(restarts.read_all(server.public, "/streams/a")[0]), 2)

    def test_backups_beside_publishers_and_retention_are_whole(self):
        with Folder() as folder, Server("--threads", 1, config=SMALL, contract=self.crowded(folder)) as server:
            kept = [tidewire.publish(server.public, "/streams/a", n) for n in range(5)]
            with Publisher(server, "/orders") as publisher:
                for n in range(12):
                    before = len(publisher.acknowledged)
                    copy = f"{folder}/copy{n}"
                    done = log("backup", server.data, copy)
                    self.assertEqual(done.returncode, EXIT_OK, done)
                    verified = log("verify", copy)
                    self.assertEqual((verified.returncode, verified.stdout), (EXIT_OK, ""), verified)
                    self.check_copy(copy, kept, publisher.acknowledged, before)
                    shutil.rmtree(copy)
            self.assertGreater(len(publisher.acknowledged), 100, "the server went on")
        self.assertEqual(len(kept), 5)

    @staticmethod
    def crowded(folder):
        path = pathlib.Path(folder, "crowded.yaml")
        path.write_text(CROWDED, encoding="utf-8")
        return str(path)

    def check_copy(self, copy, kept, acknowledged, before):
        """A run of what was acknowledged, from wherever retention has come to, at least up to where the copy began."""
        self.assertEqual([event["cursor"] for event in dump(copy, "--topic", "streams/*")], kept)
        copied = [event["cursor"] for event in dump(copy, "--topic", "orders")]
        known = [cursor for cursor in copied if cursor in set(acknowledged)]
        self.assertEqual(known, copied[:len(known)], "what nobody was told of yet can only be the newest")
        if before > 0:
            self.assertGreaterEqual(copied[-1], acknowledged[before - 1])
            first = acknowledged.index(copied[0])
            self.assertEqual(known, acknowledged[first:first + len(known)])

    def test_a_backup_starts_as_a_history_of_its_own(self):
        with Server("--threads", 1) as server, Folder() as folder:
            cursors = [tidewire.publish(server.public, "/streams/a", n) for n in range(3)]
            self.assertEqual(log("backup", server.data, f"{folder}/copy").returncode, EXIT_OK)
            with Server("--threads", 1, "--data", f"{folder}/copy") as copy:
                copy.wait_for_line("new epoch")
                events, _ = restarts.read_all(copy.public, "/streams/a")
                self.assertEqual([event["data"] for event in events], [0, 1, 2])
                self.assertEqual(request(copy.public, "GET", f"/streams/a?after={cursors[0]}").status, 410)
                tidewire.publish(copy.public, "/streams/a", "only in the copy")
            tidewire.publish(server.public, "/streams/a", "only in the original")
            events, _ = restarts.read_all(server.public, "/streams/a")
            self.assertEqual([event["data"] for event in events], [0, 1, 2, "only in the original"])
            self.assertEqual(log("verify", f"{folder}/copy").returncode, EXIT_OK)


if __name__ == "__main__":
    tidewire.main()
