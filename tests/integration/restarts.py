# SPDX-License-Identifier: Apache-2.0
"""What the tests of durability share: reading whole histories, and servers that start badly or end early."""
import base64
import contextlib
import os
import pathlib
import shutil
import subprocess
import unittest.mock

import tidewire
from tidewire import Connection, EventStream, request

EPOCH = slice(1, 14)  # of a cursor: docs/formats/cursor.md
PAGE_EVENTS_MAX = 1000
PROBLEM = "urn:tidewire:problem:"


def environment(**more):
    """`with environment(NAME="value"):` servers that are started within have these variables too."""
    return unittest.mock.patch.dict(os.environ, more)


def run_for(server, seconds):
    """Starts a server that has ended once more and kills it after so long, whatever it is doing: (exit code, output).

    The exit code is negative, the number of the signal, unless it has ended by itself.
    """
    process = subprocess.Popen([tidewire.binary(), "serve", *server.words], cwd=server.folder.name,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    process.kill()
    said = process.communicate()[1]
    return process.returncode, said


def keep(data, name):
    """Copies a data directory to where somebody can look at it, if TIDEWIRE_KEEP says where; a sentence about that."""
    where = os.environ.get("TIDEWIRE_KEEP")
    if not where:
        return "set TIDEWIRE_KEEP to a folder to keep the data directory"
    target = pathlib.Path(where, name)
    shutil.copytree(data, target, dirs_exist_ok=True)
    return f"the data directory was copied to {target}"


def read_all(place, address, after="earliest"):
    """Every event of an address behind a cursor, page by page; and the cursor behind the last one."""
    events = []
    with Connection(place) as connection:
        while True:
            answer = connection.request("GET", f"{address}?after={after}&limit={PAGE_EVENTS_MAX}")
            if answer.status != 200:
                raise AssertionError(f"a page of {address} after {after} is {answer}")
            page = answer.json
            events += page["events"]
            after = page["cursor"]
            if page["up_to_date"]:
                return events, after


def payload_of(event):
    """Of a CloudEvent: its JSON value, or its text."""
    return event["data"] if "data" in event else base64.b64decode(event["data_base64"]).decode("utf-8")


def stream_all(place, address, count):
    """The first `count` events of an address, as (cursor, text), from a stream that begins at the earliest."""
    seen = []
    with EventStream(place, f"{address}?after=earliest") as stream:
        while len(seen) < count:
            block = stream.next_event()
            if block is None or not block.is_event():
                raise AssertionError(f"{block} after {len(seen)} of {count} events of {address}")
            seen.append((block.id, block.data))
    return seen


def problem(answer):
    """The kind of a refusal: the last word of its type."""
    kind = answer.problem["type"]
    assert kind.startswith(PROBLEM), kind
    return kind[len(PROBLEM):]


def ready(server):
    return request(server.admin, "GET", "/readyz")
