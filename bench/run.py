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
import ratio
import run_durable
import run_fanout
import run_idle
import run_lane

HEAD = """# Measurements

Written by `{command}`; `bench/README.md` says how to read and repeat it.

- machine: {machine}
- kernel: {kernel}
- commit: {commit}
- day: {day}
- descriptors: {descriptors:,}; server and client {pinning}
"""

FANOUT = """
## Fan-out of server-sent events, 128-byte payload

Ratios are CPU per delivery of the server process, Tidewire to bare, median of {pairs} rounds of {seconds} s; user and
system time and the receiver's softirq are in both. Bytes per delivery on the wire: {frames}.

{summary}"""

IDLE = """
## Idle server-sent event subscription

{summary}"""

LOG = """
## The log

Ratios are ours to the baseline, median of {pairs} rounds, each a pair that was measured back to back on the same disk,
{seconds} s each where time ends a half; a row under *most* is better when smaller. The server has {threads} event loop.

{summary}"""

NOTES = """
## Notes

- The ten events of a turn reach the server {burst_by}.
- Every subscriber's events were counted in every run, and 16 streams decoded and compared; a run with a lost, repeated
  or reordered event counts nowhere.
- A round is repeated if work outside it kept more than {other_cores} cores busy ({disk_cores} where a disk is written),
  or a burst of Tidewire's went out late.
- User time is the process clock split in the proportion of /proc/PID/stat, which the kernel samples.
"""

BURST_BY = {"batch": "as one CloudEvents batch: one POST, one commit group",
            "connections": "as ten POSTs over ten keep-alive connections, written back to back: what arrives while the "
                           "first is handled shares a later turn",
            "held": "as ten POSTs over ten keep-alive connections, written while the server is stopped (SIGSTOP), so that it "
                    "finds all ten in one turn",
            "pipeline": "as ten pipelined POSTs in one write on one keep-alive connection"}
ROWS = [*run_fanout.ROWS, "idle", *run_durable.MEASURES, *run_lane.MEASURES]


def measure_all(options, say):
    """(fan-out rows, the idle row or None, rows of the log)."""
    fanout, log = [], []
    for key in options.rows:
        if key in run_fanout.ROWS:
            say(run_fanout.ROWS[key].title)
            fanout.append(run_fanout.measure_row(key, options, say))
    if "idle" in options.rows:
        say("idle subscriptions")
    idle = run_idle.measure_idle(options, say) if "idle" in options.rows else None
    for module in (run_durable, run_lane):
        log += module.measure_rows([key for key in options.rows if key in module.MEASURES], options, say)
    return fanout, idle, log


def render(options, fanout, idle, log, descriptors):
    text = HEAD.format(
        command="python3 bench/run.py" + "".join(f" {argument}" for argument in sys.argv[1:]),
        machine=measure.machine(), kernel=measure.kernel(), commit=measure.commit(),
        day=datetime.date.today().isoformat(), descriptors=descriptors,
        pinning="on a core each (one-thread fan-out)" if options.pin else "wherever the kernel puts them")
    if fanout:
        text += FANOUT.format(
            pairs=options.pairs, seconds=options.seconds,
            frames=", ".join(f"{result['frame_bytes']} ({result['key']})" for result in fanout),
            summary=run_fanout.SUMMARY_HEAD + "".join(run_fanout.summary(result, options) for result in fanout))
    if idle:
        text += IDLE.format(summary=run_idle.HEAD + run_idle.summary(idle))
    if log:
        text += LOG.format(pairs=options.pairs, seconds=options.seconds, threads=options.threads,
                           summary=ratio.summary(log))
    text += "\n## All rounds\n"
    if fanout:
        text += "\n" + run_fanout.ROUNDS_HEAD + "".join(run_fanout.all_rounds(result) for result in fanout)
    if log:
        text += "\n" + ratio.all_rounds(log)
    return text + NOTES.format(burst_by=BURST_BY[options.burst_by], other_cores=run_fanout.OTHER_CORES_MAX,
                               disk_cores=options.other_cores)


def is_met(fanout, idle, log):
    bounds = [(result["ratios"][bound.coalesce], bound.ratio_max)
              for result in fanout for bound in run_fanout.ROWS[result["key"]].bounds if bound.ratio_max > 0]
    return all(found <= ratio_max for found, ratio_max in bounds) and all(result.is_met() for result in log) and \
        (idle is None or idle["each"]["user"] <= run_idle.BYTES_MAX)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    run_fanout.add_options(parser)
    run_idle.add_options(parser)
    ratio.add_disk_options(parser)
    run_durable.add_options(parser)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--output", type=pathlib.Path, default=measure.ROOT / "bench" / "RESULTS.md")
    options = parser.parse_args()
    descriptors = measure.allow_descriptors()
    try:
        results = measure_all(options, lambda line: print(line, file=sys.stderr, flush=True))
    except measure.Failed as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    text = render(options, *results, descriptors)
    options.output.write_text(text)
    print(text)
    return 0 if is_met(*results) else 1


if __name__ == "__main__":
    sys.exit(main())
