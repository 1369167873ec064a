# SPDX-License-Identifier: Apache-2.0
"""Rows that are a ratio of one number to a baseline of the same run: rounds of pairs, their median, and a verdict."""
import dataclasses
import os
import pathlib
import resource
import statistics
import time

import measure

ROUNDS_DISTURBED_MAX = 10


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    against: str          # what the baseline is
    unit: str             # of both numbers
    least: float = 0.0    # the ratio of ours to the baseline must be at least this
    most: float = 0.0     # or at most this; neither: reported, not judged
    least_ours: float = 0.0  # or else ours at least this
    digits: int = 0


@dataclasses.dataclass
class Pair:
    ours: float
    baseline: float
    other_cores: float = 0.0
    note: str = ""

    @property
    def ratio(self):
        return self.ours / self.baseline


@dataclasses.dataclass
class Result:
    key: str
    row: Row
    rounds: list
    disturbed: list

    def median(self, name):
        return statistics.median(getattr(pair, name) for pair in self.rounds)

    @property
    def ratio(self):
        return self.median("ratio")

    def is_met(self):
        row = self.row
        return (not row.least or self.ratio >= row.least or 0 < row.least_ours <= self.median("ours")) and \
            (not row.most or self.ratio <= row.most)

    def bound(self):
        row = self.row
        if not row.least and not row.most:
            return "reported"
        words = f"at least {row.least:g}" if row.least else f"at most {row.most:g}"
        if row.least_ours:
            words += f", or {row.least_ours:,.0f} {row.unit}"
        return f"{words}: {'met' if self.is_met() else '**missed**'}"


class Quiet:
    """`with Quiet() as window`: afterwards `window.other_cores` was busy with none of our processes.

    What a server or a client spends is known when it has ended (the children of this script), or from `pids` that
    still run.
    """

    def __init__(self, pids=()):
        self.pids = pids

    def _read(self):
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        own = children.ru_utime + children.ru_stime + time.process_time() + sum(map(measure.cpu_seconds, self.pids))
        return time.monotonic(), measure.idle_seconds(), own

    def __enter__(self):
        self.begin = self._read()
        return self

    def __exit__(self, *_):
        wall, idle, own = (end - begin for end, begin in zip(self._read(), self.begin))
        self.other_cores = max(0.0, (wall * os.cpu_count() - idle - own) / wall)


def run_pairs(key, row, one_pair, options, say):
    """`one_pair(number)` makes a Pair, in whose even rounds the baseline goes first and in odd ones second."""
    rounds, disturbed = [], []
    while len(rounds) < options.pairs:
        measure.await_quiet(options.other_cores, options.patience, say)
        pair = one_pair(len(rounds) + len(disturbed))
        bad = pair.other_cores > options.other_cores
        say(f"  {key}: {pair.ours:,.{row.digits}f} to {pair.baseline:,.{row.digits}f} {row.unit}, ratio "
            f"{pair.ratio:.3f}{', ' + pair.note if pair.note else ''}, other work {pair.other_cores:.2f} cores"
            f"{', DISTURBED' if bad else ''}")
        (disturbed if bad else rounds).append(pair)
        if len(disturbed) > ROUNDS_DISTURBED_MAX:
            raise measure.Failed(f"{len(disturbed)} rounds of {key} were disturbed; the machine is not quiet enough")
    return Result(key, row, rounds, disturbed)


# --- markdown ---------------------------------------------------------------------------------------------------------

SUMMARY_HEAD = "| row | against | median ratio | must be | ours | baseline | unit |\n|---|---|---|---|---|---|---|\n"
ROUNDS_HEAD = "| row | round | ours | baseline | ratio | other work, cores | |\n|---|---|---|---|---|---|---|\n"


def summary(results):
    return SUMMARY_HEAD + "".join(
        f"| {result.row.title} | {result.row.against} | **{result.ratio:.3f}** | {result.bound()} | "
        f"{result.median('ours'):,.{result.row.digits}f} | {result.median('baseline'):,.{result.row.digits}f} | "
        f"{result.row.unit} |\n" for result in results)


def all_rounds(results):
    lines = [ROUNDS_HEAD]
    for result in results:
        for number, pair in enumerate(result.rounds + result.disturbed, 1):
            note = " (disturbed, not counted)" if number > len(result.rounds) else ""
            lines.append(f"| {result.key} | {number}{note} | {pair.ours:,.{result.row.digits}f} | "
                         f"{pair.baseline:,.{result.row.digits}f} | {pair.ratio:.3f} | {pair.other_cores:.2f} | "
                         f"{pair.note} |\n")
    return "".join(lines)


def add_options(parser):
    """Those that run_fanout.py has too."""
    parser.add_argument("--build", type=pathlib.Path, default=measure.ROOT / "build" / "release")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of one half of a pair")
    parser.add_argument("--patience", type=int, default=120, help="seconds to wait until the machine is quiet")


def add_disk_options(parser):
    parser.add_argument("--dir", type=pathlib.Path, default=None,
                        help="where logs are written, on the disk to be measured [a temporary folder in the build]")
    parser.add_argument("--other-cores", type=float, default=0.3,
                        help="a round with more other work is repeated; the kernel's own writing to the disk is some")
    parser.add_argument("--log-bytes", type=int, default=1 << 30, help="of the log that is read or recovered")
