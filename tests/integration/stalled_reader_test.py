# SPDX-License-Identifier: Apache-2.0
"""A slow client is an integer, not a queue: readers that stop reading cost the server a constant (G5, G7)."""
import re
import time
import unittest

import tidewire
from tidewire import Connection, EventStream, Folder, Server

READERS = 50
EVENT_BYTES = 32 * 1024
EVENTS = 768  # 24 MiB, less than a loop's tail
BYTES_PER_READER_MAX = 256 << 10  # all of them together less than the events, so that a shared queue shows too
RECEIVE_BYTES = 4096  # of a stalled reader's socket, so that the kernel takes little of its burden
BIG_EVENT_BYTES = (1 << 20) - 64
MEMORY_EVENTS = 288  # more than the 256 MiB that are kept without a directory
SHORT_EVENTS = 64  # more than a loop's tail, the socket's buffers and the retention of SHORT together
SHORT = tidewire.CONTRACT.replace("    address: texts/{name}\n",
                                  "    address: texts/{name}\n    x-tidewire: {retention: {bytes: 8MiB}}\n")
TARGET = "/texts/bulk"


def body(number, size):
    return f"{number:08d} ".encode().ljust(size, b"x")


def publish_many(place, count, size):
    with Connection(place) as connection:
        for number in range(count):
            answer = connection.request("POST", TARGET, {"Content-Type": "text/plain"}, body(number, size))
            if answer.status != 201:
                raise AssertionError(f"{answer}")


def growth(readers):
    """What publishing costs the server in memory with so many subscribers that never read; and the open streams."""
    server = Server("--threads", 1)
    streams = [EventStream(server.public, TARGET, receive_bytes=RECEIVE_BYTES) for _ in range(readers)]
    try:
        for stream in streams:
            while stream.last_id is None:
                stream.next()
        publish_many(server.public, 16, EVENT_BYTES)  # what everybody needs once is there
        before = server.status("RssAnon")
        publish_many(server.public, EVENTS, EVENT_BYTES)
        return server, streams, server.status("RssAnon") - before
    except BaseException:
        server.kill()
        raise


class StalledReader(unittest.TestCase):
    def test_readers_that_stop_reading_cost_a_constant_and_miss_nothing(self):
        alone, _, bare = growth(0)
        with alone:
            sanitized = alone.is_sanitized()
        server, streams, stalled = growth(READERS)
        with server:
            extra = stalled - bare
            print(f"{EVENTS * EVENT_BYTES >> 20} MiB published: RssAnon grows by {bare >> 10} KiB without readers, "
                  f"{stalled >> 10} KiB with {READERS} stalled ones: {max(0, extra) // READERS >> 10} KiB each")
            if not sanitized:  # a sanitizer keeps freed memory
                self.assertLess(extra, READERS * BYTES_PER_READER_MAX)
            for stream in streams[::10]:
                for count in (16, EVENTS):
                    for number in range(count):
                        block = stream.next_event()
                        self.assertEqual(block.event, "line", "everything is still there, so nothing is reset")
                        self.assertEqual(int(block.data[:8]), number)
                        self.assertEqual(len(block.data), EVENT_BYTES)
            for stream in streams:
                stream.close()

    def test_a_reader_that_memory_has_overtaken_is_told_so(self):
        with Server("--threads", 1, "--data", "none") as server:
            self.overtake(server, MEMORY_EVENTS)

    def test_a_reader_that_the_retention_has_overtaken_is_told_so(self):
        with Server("--threads", 1, contract=self.short_contract()) as server:
            self.overtake(server, SHORT_EVENTS)

    def short_contract(self):
        folder = Folder()
        self.addCleanup(folder.cleanup)
        return folder.write("short.yaml", SHORT)

    def wait_until_trimmed(self, server, cursor):
        """Until nothing behind the cursor can be complete: what goes by retention has no other signal."""
        end = time.monotonic() + tidewire.WAIT_S
        while tidewire.request(server.public, "GET", f"{TARGET}?after={cursor}&limit=1").status != 410:
            self.assertLess(time.monotonic(), end, "nothing was trimmed")

    def overtake(self, server, events):
        with EventStream(server.public, TARGET, receive_bytes=RECEIVE_BYTES) as stream:
            begin = stream.next().id
            self.assertIsNotNone(begin)
            publish_many(server.public, events, BIG_EVENT_BYTES)
            self.wait_until_trimmed(server, begin)
            number, block = 0, stream.next_event()
            while block.event == "line":
                self.assertEqual(int(block.data[:8]), number, "no gap before the reset")
                number, block = number + 1, stream.next_event()
            self.assertLess(number, events)
            self.assertEqual((block.event, block.json["reason"]), ("tidewire.reset", "trimmed"))
            self.assertEqual(block.id, block.json["cursor"])
            self.assertLess(block.json["earliest"], block.json["latest"])
            answer = tidewire.request(server.public, "POST", TARGET, {"Content-Type": "text/plain"}, "live again")
            self.assertEqual(answer.status, 201)
            block = stream.next_event()
            self.assertEqual((block.data, block.id), ("live again", answer.json["cursor"]))

    def test_a_stalled_reader_does_not_hold_back_the_others(self):
        with Server("--threads", 1) as server:
            with EventStream(server.public, TARGET, receive_bytes=RECEIVE_BYTES) as stalled, \
                    EventStream(server.public, TARGET) as swift:
                self.assertIsNotNone(stalled.next().id)
                self.assertIsNotNone(swift.next().id)

                def read():
                    for number in range(EVENTS // 4):
                        self.assertEqual(int(swift.next_event().data[:8]), number)

                tidewire.in_parallel([read, lambda: publish_many(server.public, EVENTS // 4, EVENT_BYTES)])

    def test_a_client_that_sends_and_never_reads_answers_is_held_up(self):
        """Pipelined pages of a large log: answers are not piled up for somebody who does not take them."""
        with Server("--threads", 1) as server:
            publish_many(server.public, 64, EVENT_BYTES)
            before = server.status("RssAnon")
            ask = f"GET {TARGET}?limit=64 HTTP/1.1\r\nHost: {server.public}\r\n\r\n".encode()
            pages = 40
            with Connection(server.public, receive_bytes=RECEIVE_BYTES) as connection:
                connection.send(ask * pages)
                for _ in range(100):  # turns enough of its one loop to answer them all
                    reads = server.metric("tidewire_lane_reads_total")
                self.assertLess(reads, pages)
                if not server.is_sanitized():
                    self.assertLess(server.status("RssAnon") - before, 32 << 20)
                for _ in range(pages):
                    answer = connection.response()
                    self.assertEqual((answer.status, len(re.findall(rb'"data_base64":', answer.body))), (200, 64))


if __name__ == "__main__":
    tidewire.main()
