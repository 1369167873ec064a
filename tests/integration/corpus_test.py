# SPDX-License-Identifier: Apache-2.0
"""The official AsyncAPI examples, as they are: each is served or refused with located reasons; the simple one works
from end to end. Skipped where the corpus is not checked out beside the project."""
import re
import sys
import unittest

import tidewire
from tidewire import EXIT_CONFIGURATION, EXIT_FINDING, EXIT_OK, EventStream, Server, request, run

CORPUS = tidewire.SOURCE.parent / "shared/corpora/asyncapi-examples/examples"
EXAMPLES_MIN = 20
PARTS = {"common"}  # files that others refer to
FREE = ("--listen", "127.0.0.1:0", "--app-listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")


def examples():
    files = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yml", ".yaml", ".json"))
    return [path for path in files if path.parent.name not in PARTS]


class Corpus(unittest.TestCase):
    def reason(self, said):
        """The most precise reason for a refusal; there must be one, with its place."""
        for pattern in (r"^\S+:\d+:\d+: error: .+ \[\S+\]$",
                        r"^tidewire: \S+\.ya?ml declares security, .*access: \{unenforced: allow\}.*$",
                        r"^\S+:\d+:\d+: warning: channel `\w+` is not reachable: .+ \[serve/protocol\]$",
                        r"^\S+:\d+:\d+: warning: the channel '\w+' has no address, .+ \[channel/no-address\]$"):
            if found := re.findall(pattern, said, re.M):
                return found[0].replace(f"{CORPUS}/", "")
        self.fail(f"refused without a reason:\n{said}")

    def test_every_example_is_served_or_says_precisely_why_not(self):
        self.assertGreaterEqual(len(examples()), EXAMPLES_MIN)
        outcomes = {}

        def try_one(path):
            check = run("check", path)
            self.assertIn(check.returncode, (EXIT_OK, EXIT_FINDING), f"{path.name}: {check}")
            try:
                with Server(contract=str(path)) as server:
                    self.assertEqual(check.returncode, EXIT_OK, f"{path.name}: served, but {check.stdout}")
                    self.assertEqual(request(server.admin, "GET", "/readyz").status, 200)
                    self.assertEqual(request(server.public, "GET", "/no/such/channel").status, 404)
                    outcomes[path] = "served"
            except AssertionError as error:
                if "did not come to the listeners" not in str(error):
                    raise
                done = run("serve", path, *FREE)
                self.assertEqual(done.returncode, EXIT_CONFIGURATION, f"{path.name}: {done}")
                outcomes[path] = self.reason(done.stderr)

        paths = examples()
        tidewire.in_parallel([lambda part=paths[i::4]: [try_one(path) for path in part] for i in range(4)])
        for path in paths:
            print(f"{path.relative_to(CORPUS)}: {outcomes[path]}", file=sys.stderr)
        served = [path for path, outcome in outcomes.items() if outcome == "served"]
        self.assertIn(CORPUS / "simple-asyncapi.yml", served)

    def test_what_is_limited_to_other_servers_is_served_when_they_are_ignored(self):
        with Server("--ignore-servers", contract=str(CORPUS / "streetlights-mqtt-asyncapi.yml"),
                    config="access: {unenforced: allow}\n") as server:
            self.assertGreater(server.metric("tidewire_channels"), 0)

    def test_the_simple_example_works_from_end_to_end(self):
        with Server(contract=str(CORPUS / "simple-asyncapi.yml")) as server:
            with EventStream(server.public, "/user/signedup") as browser:
                first = browser.next()
                self.assertIsNotNone(first.id)
                person = {"displayName": "Maya", "email": "maya@example.com"}
                cursor = tidewire.publish(server.application, "/user/signedup", person)
                block = browser.next_event()
                self.assertEqual((block.event, block.id, block.json), ("UserSignedUp", cursor, person))
            with EventStream(server.public, "/user/signedup", {"Last-Event-ID": first.id}) as browser:
                self.assertEqual(browser.next_event().json, person, "what it missed comes first")
            refused = request(server.public, "POST", "/user/signedup", {"Content-Type": "application/json"}, "{}")
            self.assertEqual(refused.status, 405)
            self.assertIn(server.application, refused.problem["detail"])


if __name__ == "__main__":
    if not CORPUS.is_dir():
        print(f"skipped: there is no {CORPUS}")
        sys.exit(tidewire.SKIPPED)
    tidewire.main()
