#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CPU per delivery of SSE fan-out, as a ratio to a bare loop of send() of the same bytes.

    bench/run_fanout.py one                 one event a turn
    bench/run_fanout.py ten                 ten events a turn
    bench/run_fanout.py two-threads         one event a turn, tidewire --threads 2 (reported, not judged)

Bare and Tidewire alternate; every round is a fresh server and a fresh client each. The median of the rounds counts, all
are recorded, and one that other work disturbed is repeated. `--against bare` puts the baseline in Tidewire's place: its
ratio is the noise of the method.
"""
import argparse
import dataclasses
import json
import pathlib
import statistics
import sys

import measure

OTHER_CORES_MAX = 0.2
REPEATS_MAX = 15


@dataclasses.dataclass(frozen=True)
class Bound:
    coalesce: str       # what the baseline does with the events of one turn
    meaning: str
    ratio_max: float    # 0: reported, not judged


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    burst: int
    bursts_per_second: int
    threads: int
    bounds: tuple


EQUAL_WRITES = "the same bytes per write"
ROWS = {
    "one": Row("one event per turn", 1, 5, 1, (Bound("one", EQUAL_WRITES, 1.25),)),
    # A bare loop needs ten sends for what one write can carry: that is the judged ratio. Beside it stands the loop that
    # is given all ten in one buffer.
    "ten": Row("ten events per turn", 10, 1, 1, (Bound("one", "one send per delivery", 0.25),
                                                 Bound("turn", EQUAL_WRITES, 0.0))),
    "two-threads": Row("one event per turn, two threads (reported, not judged)", 1, 5, 2,
                       (Bound("one", EQUAL_WRITES, 0.0),)),
}


def client_options(server, row, options, subscribers, seconds):
    burst = ["--burst", str(row.burst), "--burst-by", "connections"]
    if row.burst > 1 and options.burst_by == "held":
        burst += ["--hold-pid", str(server.pid)]
    elif row.burst > 1:
        burst[-1] = options.burst_by
    return ["--url", server.url, "--publish-url", server.publish_url, "--subscribers", str(subscribers), "--seconds",
            str(seconds), *burst, "--bursts-per-second", str(row.bursts_per_second), "--payload-bytes", "128"]


def cpus(row, options):
    """Server and client apart, where there is one server thread; the kernel decides otherwise."""
    return (0, 1) if options.pin and row.threads == 1 else (None, None)


def run_once(server, row, options):
    with server, measure.Client(options.build, client_options(server, row, options, options.subscribers,
                                                              options.seconds), cpus(row, options)[1]) as client:
        client.next()
        window = measure.CpuWindow(server.pid, client.pid)
        client.go()
        end = client.next()
        used = window.close()
        code = client.finish()
    if code != 0 or not end["ok"]:
        raise measure.Failed(f"events were lost or refused: {json.dumps(end['faults'])}")
    per_delivery_us = used["server_s"] / end["deliveries"] * 1e6
    return {"us": per_delivery_us, "user_us": per_delivery_us * used["user_share"], "deliveries": end["deliveries"],
            "bytes_per_delivery": end["bytes_per_delivery"], "other_cores": used["other_cores"],
            "client_us": used["client_s"] / end["deliveries"] * 1e6, "late_bursts": end["late_bursts"],
            "p50_ms": end["latency_ms"]["p50"], "p99_ms": end["latency_ms"]["p99"], "max_ms": end["latency_ms"]["max"]}


def contender(row, options, frame_bytes):
    cpu = cpus(row, options)[0]
    if options.against == "bare":
        return measure.Bare(options.build, "turn", frame_bytes, cpu)
    return measure.Tidewire(options.build, row.threads, cpu)


def frame_bytes_of(row, options):
    """What one delivery weighs on Tidewire's wire, from a short run; the baseline then sends as much."""
    if options.against == "bare":
        return options.frame_bytes
    with contender(row, options, 0) as server:
        with measure.Client(options.build, client_options(server, row, options, 16, 1)) as client:
            client.next()
            client.go()
            end = client.next()
            if client.finish() != 0:
                raise measure.Failed(f"the probe lost events: {json.dumps(end['faults'])}")
    return round(end["bytes_per_delivery"])


def measure_row(key, options, say):
    row = ROWS[key]
    frame_bytes = frame_bytes_of(row, options)
    rounds, disturbed = [], []
    while len(rounds) < options.pairs:
        measure.await_quiet(OTHER_CORES_MAX, options.patience, say)
        one = {bound.coalesce: run_once(measure.Bare(options.build, bound.coalesce, frame_bytes, cpus(row, options)[0]),
                                        row, options) for bound in row.bounds}
        one["tidewire"] = run_once(contender(row, options, frame_bytes), row, options)
        one["ratios"] = {bound.coalesce: one["tidewire"]["us"] / one[bound.coalesce]["us"] for bound in row.bounds}
        one["other_cores"] = max(run["other_cores"] for run in one.values() if "other_cores" in run)
        # A late burst may share a turn, and so a write, with the one before: that would flatter Tidewire.
        one["disturbed"] = one["other_cores"] > OTHER_CORES_MAX or one["tidewire"]["late_bursts"] > 0
        say(f"  {key}: {describe(one, row)}")
        (disturbed if one["disturbed"] else rounds).append(one)
        if len(disturbed) > REPEATS_MAX:
            raise measure.Failed(f"{len(disturbed)} rounds were disturbed; the machine is not quiet enough")
    return {"key": key, "frame_bytes": frame_bytes, "rounds": rounds, "disturbed": disturbed,
            "ratios": {bound.coalesce: statistics.median(r["ratios"][bound.coalesce] for r in rounds)
                       for bound in row.bounds}}


def describe(one, row):
    parts = [f"bare({bound.coalesce}) {one[bound.coalesce]['us']:.2f} us" for bound in row.bounds]
    ratios = ", ".join(f"{ratio:.3f}" for ratio in one["ratios"].values())
    note = ", DISTURBED" if one["disturbed"] else ""
    return (f"{', '.join(parts)}, tidewire {one['tidewire']['us']:.2f} us ({one['tidewire']['user_us']:.2f} user), "
            f"ratio {ratios}, other work {one['other_cores']:.2f} cores{note}")


# --- markdown ---------------------------------------------------------------------------------------------------------

SUMMARY_HEAD = ("| row | subscribers | against a bare send() loop with | median ratio | must be at most | "
                "Tidewire, us per delivery (user) | bare, us |\n|---|---|---|---|---|---|---|\n")
ROUNDS_HEAD = ("| row | round | bare, us per delivery (user) | Tidewire, us (user) | ratio | other work, cores | "
               "Tidewire p50 / p99 / max, ms | its late bursts |\n|---|---|---|---|---|---|---|---|\n")


def verdict(ratio, bound):
    if bound.ratio_max == 0:
        return "reported"
    return f"{bound.ratio_max:.2f}: {'met' if ratio <= bound.ratio_max else '**missed**'}"


def summary(result, options):
    row = ROWS[result["key"]]

    def median(who, what):
        return statistics.median(r[who][what] for r in result["rounds"])
    lines = []
    for bound in row.bounds:
        ratio = result["ratios"][bound.coalesce]
        lines.append(f"| {row.title} | {options.subscribers:,} | {bound.meaning} | **{ratio:.3f}** | "
                     f"{verdict(ratio, bound)} | {median('tidewire', 'us'):.2f} "
                     f"({median('tidewire', 'user_us'):.2f}) | {median(bound.coalesce, 'us'):.2f} |\n")
    return "".join(lines)


def all_rounds(result):
    row = ROWS[result["key"]]
    lines = []
    for number, one in enumerate(result["rounds"] + result["disturbed"], 1):
        ours = one["tidewire"]
        bare = ", ".join(f"{one[b.coalesce]['us']:.2f} ({one[b.coalesce]['user_us']:.2f})" for b in row.bounds)
        ratios = ", ".join(f"{one['ratios'][b.coalesce]:.3f}" for b in row.bounds)
        note = " (disturbed, not counted)" if one["disturbed"] else ""
        lines.append(f"| {result['key']} | {number}{note} | {bare} | "
                     f"{ours['us']:.2f} ({ours['user_us']:.2f}) | {ratios} | {one['other_cores']:.2f} | "
                     f"{ours['p50_ms']:.1f} / {ours['p99_ms']:.1f} / {ours['max_ms']:.1f} | {ours['late_bursts']} |\n")
    return "".join(lines)


def add_options(parser):
    parser.add_argument("--build", type=pathlib.Path, default=measure.ROOT / "build" / "release")
    parser.add_argument("--subscribers", type=int, default=9000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--burst-by", choices=["connections", "held", "pipeline", "batch"], default="held",
                        help="how the ten events of a turn reach the server")
    parser.add_argument("--patience", type=int, default=120,
                        help="seconds to wait before a round until the machine is quiet")
    parser.add_argument("--no-pin", dest="pin", action="store_false", help="do not give server and client a core each")
    parser.add_argument("--against", choices=["tidewire", "bare"], default="tidewire")
    parser.add_argument("--frame-bytes", type=int, default=190, help="only with --against bare")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="+", choices=list(ROWS))
    add_options(parser)
    options = parser.parse_args()
    measure.allow_descriptors()
    try:
        results = [measure_row(key, options, lambda line: print(line, file=sys.stderr, flush=True))
                   for key in options.row]
    except measure.Failed as failure:
        print(f"run_fanout: {failure}", file=sys.stderr)
        return 1
    print(f"{measure.machine()}; {measure.kernel()}; {measure.commit()}; {' '.join(sys.argv)}\n")
    print(SUMMARY_HEAD + "".join(summary(result, options) for result in results))
    print(ROUNDS_HEAD + "".join(all_rounds(result) for result in results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
