#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""User-space memory of an idle SSE subscription.

A fresh server gets 1,000 subscribers, then 15,000; five seconds after the last of each, RssAnon of the server is read.
The growth divided by 14,000 is the price of one: buffers that a server keeps in reserve count in neither. Kernel memory
of the whole machine stands beside it; both ends of a loopback connection are in that.
"""
import argparse
import pathlib
import sys
import time

import measure

SETTLE_S = 5
BYTES_MAX = 1024
HEAD = ("| row | subscribers | RssAnon growth, bytes each | must be at most | slab growth, bytes each (both ends) | "
        "socket buffers, bytes each | RssAnon, MiB |\n|---|---|---|---|---|---|---|\n")


def held(server, client, step):
    if client.next()["subscribers"] != step:
        raise measure.Failed(f"{step} subscribers were not let in")
    time.sleep(SETTLE_S)
    return {"user": measure.memory_bytes(server.pid)["RssAnon"], **measure.kernel_memory_bytes()}


def measure_idle(options, say):
    first, last = options.first, options.last
    with measure.Tidewire(options.build, 1) as server:
        command = ["--url", server.url, "--idle", f"{first},{last}"]
        with measure.Client(options.build, command) as client:
            before = held(server, client, first)
            client.go()
            after = held(server, client, last)
            if client.finish() != 0:
                raise measure.Failed("the server ended an idle stream")
    each = {key: (after[key] - before[key]) / (last - first) for key in before}
    say(f"  idle: {each['user']:.0f} bytes of RssAnon, {each['slab']:.0f} of slab a subscription")
    return {"first": first, "last": last, "each": each, "rss": (before["user"], after["user"])}


def summary(result):
    each, rss = result["each"], [bytes_ / 2**20 for bytes_ in result["rss"]]
    met = "met" if each["user"] <= BYTES_MAX else "**missed**"
    return (f"| idle SSE subscription | {result['first']:,} to {result['last']:,} | **{each['user']:.0f}** | "
            f"{BYTES_MAX:,}: {met} | {each['slab']:.0f} | {each['socket_buffers']:.0f} | "
            f"{rss[0]:.1f} to {rss[1]:.1f} |\n")


def add_options(parser):
    parser.add_argument("--first", type=int, default=1_000)
    parser.add_argument("--last", type=int, default=15_000)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=measure.ROOT / "build" / "release")
    add_options(parser)
    options = parser.parse_args()
    measure.allow_descriptors()
    try:
        result = measure_idle(options, lambda line: print(line, file=sys.stderr, flush=True))
    except measure.Failed as failure:
        print(f"run_idle: {failure}", file=sys.stderr)
        return 1
    print(f"{measure.machine()}; {measure.kernel()}; {measure.commit()}; {' '.join(sys.argv)}\n")
    print(HEAD + summary(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
