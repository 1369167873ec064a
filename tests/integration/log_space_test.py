# SPDX-License-Identifier: Apache-2.0
"""What a log takes on the disk, and what an operator is told when `storage.bytes_max` takes events of all channels."""
import unittest

import tidewire
from tidewire import Connection, Server, request

EVENT_BYTES = 200_000
MIB = 1 << 20
# Segments are small, so that the oldest of them may go soon.
CONFIG = ("storage: {segment_bytes: 1MiB, bytes_max: 64MiB, protect_age: 1s}\n"
          "limits: {event_bytes_max: 256KiB}\n")
EVENTS_MAX = 1_500


class LogSpace(unittest.TestCase):
    def test_a_log_that_is_too_large_trims_the_oldest_events_and_says_so(self):
        with Server(config=CONFIG) as server, Connection(server.public) as connection:
            self.assertEqual(server.metric("tidewire_events_trimmed_total"), 0)
            self.assertGreater(server.metric("tidewire_log_bytes"), 0)
            for number in range(EVENTS_MAX):
                answer = connection.request("POST", "/texts/bulk", {"Content-Type": "text/plain"}, "x" * EVENT_BYTES)
                self.assertIn(answer.status, (201, 507), "all events are younger than a second")
                if number % 50 == 0 and server.metric('tidewire_events_trimmed_total') > 0:
                    break
                if answer.status == 507:
                    request(server.public, "GET", "/streams/quiet?after=latest&wait=1")
            server.wait_for_line("`storage.bytes_max` is reached")
            text = request(server.admin, "GET", "/metrics").text
            self.assertRegex(text, r'\ntidewire_events_trimmed_total\{reason="total"\} [1-9]')
            self.assertRegex(text, r'\ntidewire_events_trimmed_total\{reason="age"\} 0\n')
            # Ids of the trimmed events are remembered for ten minutes, and so long their segments are held.
            self.assertGreater(server.metric("tidewire_log_bytes_dead_but_held"), MIB)
            self.assertGreater(server.metric("tidewire_log_segments"), 10)
            self.assertGreater(server.metric("tidewire_log_bytes"), 60 * MIB)


if __name__ == "__main__":
    tidewire.main()
