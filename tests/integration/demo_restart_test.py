# SPDX-License-Identifier: Apache-2.0
"""The social demo over a kill: two clients follow, the server dies and comes back, and both carry on."""
import itertools
import unittest

import restarts
import tidewire
from restarts import EPOCH
from tidewire import EventStream, Server, publish

CONTRACT = str(tidewire.SOURCE / "examples/social/asyncapi.yaml")
LIKES = "/api/comments/42/likes"
STATUS = "/api/users/maya/status"
DEATHS = 3


class Window:
    """What a page does: one event stream, resumed where it was; it looks at every block."""

    def __init__(self, address):
        self.address, self.last_id, self.seen, self.stream = address, None, [], None

    def close(self):
        if self.stream:
            self.stream.close()

    def open(self, place):
        self.close()
        self.stream = EventStream(place, self.address, {"Last-Event-ID": self.last_id} if self.last_id else {})
        first = self.stream.next()
        if first.event.startswith("tidewire."):
            raise AssertionError(f"{first} on {self.address}")

    def see(self):
        block = self.stream.next_event()
        self.last_id = block.id
        self.seen.append((block.id, block.event, block.json))
        return block.json

    def is_cut_off(self):
        try:
            return self.stream.next() is None
        except ConnectionResetError:
            return True


class DemoRestart(unittest.TestCase):
    def test_two_clients_of_the_demo_carry_on_over_a_kill_without_gap_or_repeat(self):
        with Server(contract=CONTRACT) as server:
            maya, noor = Window(LIKES), Window(LIKES)
            people, likes = itertools.cycle(("maya", "noor")), []
            for death in range(DEATHS):
                for window in (maya, noor):
                    window.open(server.public)
                for _ in range(3):
                    likes.append({"by": next(people)})
                    publish(server.public, LIKES, likes[-1])
                    self.assertEqual([window.see() for window in (maya, noor)], [likes[-1]] * 2)
                likes.append({"by": "maya"})  # only she still sees this one; the other has it from the log
                publish(server.public, LIKES, likes[-1])
                self.assertEqual(maya.see(), likes[-1])
                publish(server.public, STATUS, {"text": f"Back {death} times"})
                server.crash()
                self.assertTrue(maya.is_cut_off())
                server.start()
                noor.open(server.application)
                self.assertEqual(noor.see(), likes[-1])
            self.assertEqual(maya.seen, noor.seen)
            self.assertEqual([payload for _, _, payload in maya.seen], likes)
            self.assertEqual({(cursor[EPOCH], name) for cursor, name, _ in maya.seen},
                             {(maya.last_id[EPOCH], "liked")})
            events, _ = restarts.read_all(server.public, STATUS)
            self.assertEqual([event["data"]["text"] for event in events], [f"Back {n} times" for n in range(DEATHS)])
            for window in (maya, noor):
                window.close()


if __name__ == "__main__":
    tidewire.main()
