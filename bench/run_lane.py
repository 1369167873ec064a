#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The log without the network: the programs called lane_*, each beside a bare loop over the same disk.

    bench/run_lane.py writer writer-addresses reader lookup retention
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import measure
import ratio
from ratio import Pair, Quiet, Result, Row

TIMEOUT_S = 1200
OUTSTANDING = 1024
EVENT_BYTES = 1024
ADDRESSES = 1_000_000
LOOKUP_ADDRESSES = 10_000_000
GIB = 1 << 30
RETENTION_SCALE = 4  # a quarter of 1 GB in an hour, in a few seconds
RETENTION_AGE_S = 12

ROWS = {
    "writer": Row("writer alone: 1 KiB events, 1,024 outstanding, in process",
                  "a bare loop of write and fdatasync, groups of the same sizes, files that grow", "events/s",
                  least=0.5, least_ours=500_000),
    "writer-filled": Row("the same", "the same loop over zeros that were synced before", "events/s"),
    "writer-addresses": Row("the same, over 1,000,000 addresses", "the same over 1 address", "events/s"),
    "reader": Row("catch-up of one reader in process, 1 GiB of 1 KiB events, from the disk",
                  "pread of the same files, from the disk", "MB/s", least=0.5),
    "reader-cached": Row("the same, from the page cache", "the same, from the page cache", "MB/s"),
    "lookup": Row(f"newest event of an address, {LOOKUP_ADDRESSES:,} addresses, median", "pread of one extent, 64 KiB",
                  "us", digits=1),
    "retention": Row(f"disk held by 1 GB/h kept 1 h beside 1 MB kept 30 days (scaled 1:{RETENTION_SCALE}, age "
                     f"{RETENTION_AGE_S} s)", "the bytes of one age of the busy channel", "MB", most=1.4),
}


class Disk:
    """A folder on the disk to be measured, removed at the end."""

    def __init__(self, options):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=options.dir or options.build.resolve()))

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def run_program(options, program, folder, *words):
    command = [str(options.build / "bench" / program), "--dir", str(folder / program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    if done.returncode != 0:
        raise measure.Failed(f"{program}: {done.stderr.strip() or done.returncode}")
    return json.loads(done.stdout)


def write_once(options, folder, addresses=1):
    return run_program(options, "lane_writer", folder, "--outstanding", OUTSTANDING, "--bytes", EVENT_BYTES,
                       "--seconds", options.seconds, "--addresses", addresses)


def measure_writer(options, say):
    filled = []

    def one_pair(_):
        with Disk(options) as folder, Quiet() as window:
            found = write_once(options, folder)
        note = (f"{found['group_bytes'] / 1024:.0f} KiB a group, acknowledged after {found['wait_us']['p50']:.0f} us "
                f"(99 %: {found['wait_us']['p99']:.0f})")
        filled.append(Pair(found["per_second"], found["bare_per_second"]["filled"], window.other_cores))
        return Pair(found["per_second"], found["bare_per_second"]["grows"], window.other_cores, note)

    judged = ratio.run_pairs("writer", ROWS["writer"], one_pair, options, say)
    kept = [pair for pair in filled if pair.other_cores <= options.other_cores]
    return [judged, Result("writer-filled", ROWS["writer-filled"], kept, [])]


def measure_addresses(options, say):
    def one_pair(number):
        order = (1, ADDRESSES) if number % 2 == 0 else (ADDRESSES, 1)
        found = {}
        with Disk(options) as folder, Quiet() as window:
            for addresses in order:
                found[addresses] = write_once(options, folder, addresses)["per_second"]
        return Pair(found[ADDRESSES], found[1], window.other_cores)

    return [ratio.run_pairs("writer-addresses", ROWS["writer-addresses"], one_pair, options, say)]


def measure_reader(options, say):
    """One log each, several rounds: the program takes turns itself."""
    return [read_rounds(options, say, "reader", "disk"), read_rounds(options, say, "reader-cached", "cache")]


def read_rounds(options, say, key, source):
    measure.await_quiet(options.other_cores, options.patience, say)
    with Disk(options) as folder, Quiet() as window:
        found = run_program(options, "lane_reader", folder, "--log-bytes", options.log_bytes, "--bytes", EVENT_BYTES,
                            "--rounds", options.pairs, "--from", source)
    megabytes = found["file_bytes"] / 1e6
    rounds = [Pair(megabytes / lane, megabytes / bare, window.other_cores)
              for lane, bare in zip(found["lane_s"], found["bare_s"])]
    rounds[0].note = f"{found['segments']} segments, opened in {found['opened_s']:.3f} s"
    result = Result(key, ROWS[key], rounds, [])
    say(f"  {key}: ratio {result.ratio:.3f}, {rounds[0].note}")
    return result


def measure_lookup(options, say):
    """Every answer was compared with where the event is; that it is found at all is half of the row."""
    measure.await_quiet(options.other_cores, options.patience, say)
    with Disk(options) as folder, Quiet() as window:
        found = run_program(options, "lane_lookup", folder, "--addresses", LOOKUP_ADDRESSES)
    pair = Pair(found["lookup_us"]["p50"], found["bare_us"]["p50"], window.other_cores,
                f"99 %: {found['lookup_us']['p99']:,.0f} us; {found['segments']} segments, "
                f"{found['log_bytes'] / 1e6:,.0f} MB, opened in {found['opened_s']:.3f} s, "
                f"{found['anonymous_kib'] / 1024:,.0f} MiB of memory")
    say(f"  lookup: {pair.ours:,.1f} to {pair.baseline:,.1f} us, {pair.note}")
    return [Result("lookup", ROWS["lookup"], [pair], [])]


def measure_retention(options, say):
    with Disk(options) as folder:
        found = run_program(options, "lane_retention", folder, "--busy-bytes", GIB // RETENTION_SCALE, "--quiet-bytes",
                            (1 << 20) // RETENTION_SCALE, "--age-seconds", RETENTION_AGE_S)
    pair = Pair(found["held_bytes_max"] / 1e6, found["busy_bytes"] / 1e6,
                note=f"{found['written_bytes'] / 1e6:,.0f} MB were written; at the end {found['held_bytes_last'] / 1e6:,.0f}")
    say(f"  retention: holds {pair.ours:,.0f} MB at most of {pair.baseline:,.0f}, ratio {pair.ratio:.3f}; {pair.note}")
    return [Result("retention", ROWS["retention"], [pair], [])]


MEASURES = {"writer": measure_writer, "writer-addresses": measure_addresses, "reader": measure_reader,
            "lookup": measure_lookup, "retention": measure_retention}


def measure_rows(rows, options, say):
    results = []
    for name in rows:
        say(f"log in process: {name}")
        results += MEASURES[name](options, say)
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="+", choices=list(MEASURES))
    ratio.add_options(parser)
    ratio.add_disk_options(parser)
    options = parser.parse_args()
    try:
        results = measure_rows(options.row, options, lambda line: print(line, file=sys.stderr, flush=True))
    except measure.Failed as failure:
        print(f"run_lane: {failure}", file=sys.stderr)
        return 1
    print(f"{measure.machine()}; {measure.kernel()}; {measure.commit()}; {' '.join(sys.argv)}\n")
    print(ratio.summary(results))
    print(ratio.all_rounds(results))
    return 0 if all(result.is_met() for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
