#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures every row and writes bench/RESULTS.md. `make bench` builds the release and calls this.

Exit codes: 0 every judged row is met, 1 one is missed or could not be measured (RESULTS.md is then left as it was).
"""
import argparse
import datetime
import pathlib
import sys

import measure
import run_fanout
import run_idle

TEXT = """# Measurements

Written by `{command}`; `bench/README.md` says how to read and repeat it.

- machine: {machine}
- kernel: {kernel}
- commit: {commit}
- day: {day}
- descriptors: {descriptors:,}; server and client {pinning}

## Fan-out of server-sent events, 128-byte payload

Ratios are CPU per delivery of the server process, Tidewire to bare, median of {pairs} rounds of {seconds} s; user and
system time and the receiver's softirq are in both. Bytes per delivery on the wire: {frames}.

{fanout}
## Idle server-sent event subscription

{idle}
## All rounds

{rounds}
## Notes

- The ten events of a turn reach the server {burst_by}.
- Every subscriber's events were counted in every run, and 16 streams decoded and compared; a run with a lost, repeated
  or reordered event counts nowhere.
- A round is repeated if work outside it kept more than {other_cores} cores busy, or a burst of Tidewire's went out late.
- User time is the process clock split in the proportion of /proc/PID/stat, which the kernel samples.
"""

BURST_BY = {"batch": "as one CloudEvents batch: one POST, one commit group",
            "connections": "as ten POSTs over ten keep-alive connections, written back to back: what arrives while the "
                           "first is handled shares a later turn",
            "held": "as ten POSTs over ten keep-alive connections, written while the server is stopped (SIGSTOP), so that it "
                    "finds all ten in one turn",
            "pipeline": "as ten pipelined POSTs in one write on one keep-alive connection"}


def measure_all(options, say):
    results = []
    for key in options.rows:
        say(f"{run_fanout.ROWS[key].title}")
        results.append(run_fanout.measure_row(key, options, say))
    say("idle subscriptions")
    return results, run_idle.measure_idle(options, say)


def render(options, results, idle, descriptors):
    frames = ", ".join(f"{result['frame_bytes']} ({result['key']})" for result in results)
    return TEXT.format(
        command="python3 bench/run.py" + "".join(f" {argument}" for argument in sys.argv[1:]),
        machine=measure.machine(), kernel=measure.kernel(), commit=measure.commit(),
        day=datetime.date.today().isoformat(), descriptors=descriptors,
        pinning="on a core each (one-thread rows)" if options.pin else "wherever the kernel puts them",
        pairs=options.pairs, seconds=options.seconds, frames=frames, burst_by=BURST_BY[options.burst_by],
        other_cores=run_fanout.OTHER_CORES_MAX,
        fanout=run_fanout.SUMMARY_HEAD + "".join(run_fanout.summary(result, options) for result in results),
        idle=run_idle.HEAD + run_idle.summary(idle),
        rounds=run_fanout.ROUNDS_HEAD + "".join(run_fanout.all_rounds(result) for result in results))


def is_met(results, idle):
    bounds = [(result["ratios"][bound.coalesce], bound.ratio_max)
              for result in results for bound in run_fanout.ROWS[result["key"]].bounds if bound.ratio_max > 0]
    return all(ratio <= ratio_max for ratio, ratio_max in bounds) and idle["each"]["user"] <= run_idle.BYTES_MAX


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_fanout.add_options(parser)
    run_idle.add_options(parser)
    parser.add_argument("--rows", nargs="+", choices=list(run_fanout.ROWS), default=list(run_fanout.ROWS))
    parser.add_argument("--output", type=pathlib.Path, default=measure.ROOT / "bench" / "RESULTS.md")
    options = parser.parse_args()
    descriptors = measure.allow_descriptors()
    try:
        results, idle = measure_all(options, lambda line: print(line, file=sys.stderr, flush=True))
    except measure.Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    text = render(options, results, idle, descriptors)
    options.output.write_text(text)
    print(text)
    return 0 if is_met(results, idle) else 1


if __name__ == "__main__":
    sys.exit(main())
