# SPDX-License-Identifier: Apache-2.0
"""The client against the baseline: it passes a server that loses nothing, and fails one that loses a single event."""
import json
import subprocess
import sys
import unittest

BARE, CLIENT = sys.argv[1:3]


def run(bare_options, client_options, subscribers=50):
    server = subprocess.Popen([BARE, *bare_options], stdout=subprocess.PIPE, text=True)
    try:
        ports = json.loads(server.stdout.readline())
        client = subprocess.run(
            [CLIENT, "--url", f"http://127.0.0.1:{ports['subscribe_port']}/t", "--publish-url",
             f"http://127.0.0.1:{ports['publish_port']}/t", "--subscribers", str(subscribers), "--seconds", "1",
             "--bursts-per-second", "20", "--patience-seconds", "2", *client_options],
            capture_output=True, text=True, timeout=120, check=False)
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    lines = client.stdout.splitlines()
    return client.returncode, json.loads(lines[-1]) if lines else None


class ClientTest(unittest.TestCase):
    def test_passes_a_server_that_loses_nothing(self):
        code, end = run([], [])
        self.assertEqual((code, end["ok"], end["deliveries"]), (0, True, 50 * 20))
        self.assertEqual(end["bytes_per_delivery"], 190)

    def test_ten_events_arrive_in_order_however_they_are_published(self):
        for how in ("connections", "pipeline", "batch"):
            code, end = run(["--coalesce", "turn"], ["--burst", "10", "--burst-by", how])
            self.assertEqual((how, code, end["events"]), (how, 0, 200))

    def test_frames_have_the_bytes_that_were_asked_for(self):
        for size in (261, 262):
            code, end = run(["--frame-bytes", str(size)], [], 5)
            self.assertEqual((code, end["bytes_per_delivery"]), (0, size))

    def test_fails_a_server_that_loses_one_event_of_one_subscriber(self):
        code, end = run(["--lose", "7"], [])
        self.assertEqual((code, end["ok"], end["faults"]["short"]), (1, False, 1))

    def test_cannot_run_without_a_server(self):
        client = subprocess.run([CLIENT, "--url", "http://127.0.0.1:1/t", "--publish-url", "http://127.0.0.1:1/t"],
                                capture_output=True, timeout=60, check=False)
        self.assertEqual(client.returncode, 70)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
