#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Negative controls: each canary is a small fault in the lane's code that the tests must notice.

run.py --build DIR [--jobs N] [NAME...]

The sources stay as they are: a copy of one file is changed, compiled with the command that the build uses for it, and
linked into the test program in front of the libraries, so that it takes the place of the library's own. The program
then runs until a test fails. A canary whose text is not found exactly once, that does not compile, or that no test
notices, fails the run.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from canaries import CANARIES

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 240


class Failed(Exception):
    """A canary that says nothing about the tests."""


def mutated(canary):
    text = (ROOT / canary.file).read_text(encoding="utf-8")
    for old, new in canary.edits:
        found = text.count(old)
        if found != 1:
            raise Failed(f"its text stands {found} times in {canary.file}, not once: {old!r}")
        text = text.replace(old, new)
    return text


def compile_command(build, file):
    for entry in json.loads((build / "compile_commands.json").read_text()):
        if Path(entry["file"]) == ROOT / file:
            return [*shlex.split(entry["command"]), "-w"], entry["directory"]
    raise Failed(f"{file} is not compiled in {build}")


def link_command(build, program):
    printed = subprocess.run(["ninja", "-C", build, "-t", "commands", program], check=True, capture_output=True, text=True)
    for line in printed.stdout.splitlines():
        words = shlex.split(line)
        if "-o" in words and words[words.index("-o") + 1] == program:
            return [word for word in words if word not in (":", "&&")]
    raise Failed(f"no command links {program}")


def with_output(command, output, inputs=()):
    at = command.index("-o")
    return [*command[:at], "-o", str(output), *map(str, inputs), *command[at + 2 :]]


def run_quietly(command, folder, what):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{what} fails:\n{done.stdout}{done.stderr}")


def make_program(build, canary, folder):
    source = folder / Path(canary.file).name
    source.write_text(mutated(canary), encoding="utf-8")
    command, directory = compile_command(build, canary.file)
    at = command.index(str(ROOT / canary.file))
    thing = folder / "mutated.o"
    run_quietly(with_output([*command[:at], str(source), *command[at + 1 :]], thing), directory, "compiling it")
    program = folder / "program"
    run_quietly(with_output(link_command(build, canary.program), program, [thing]), build, "linking it")
    return program


def seen_by(output, code):
    """What noticed the fault, a seed, a test, or the program's own checks, and what it says."""
    said = re.search(r'Which is: "(.*)"$', output, re.MULTILINE)
    what = f": {said[1]}" if said else ""
    if seed := re.search(r"^seed (\d+)\b", output, re.MULTILINE):
        return f"seed {seed[1]}{what}"
    if test := re.search(r"\[  FAILED  \] (\S+)", output):
        return f"{test[1]}{what}"
    lines = [line for line in output.splitlines() if line and not line.startswith("[")]
    return f"the end of the program, exit code {code}: {lines[-1] if lines else 'silent'}"


def try_canary(build, canary):
    """A line about the canary, and whether it was caught."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="canary-") as name:
        try:
            program = make_program(build, canary, Path(name))
            environment = {key: value for key, value in os.environ.items() if not key.startswith(("GTEST_", "LANE_"))}
            environment["LANE_SEEDS"] = str(canary.seeds)
            command = [program, f"--gtest_filter={canary.tests}", "--gtest_fail_fast"]
            done = subprocess.run(command, cwd=name, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
        except Failed as failed:
            return f"{canary.name}: {failed}", False
        except subprocess.TimeoutExpired:
            return f"{canary.name}: NOT CAUGHT, and never ends", False
    seconds = time.monotonic() - started
    if done.returncode == 0:
        return f"{canary.name}: NOT CAUGHT in {seconds:.0f} s by {canary.tests}", False
    return f"{canary.name}: caught in {seconds:.0f} s by {seen_by(done.stdout + done.stderr, done.returncode)}", True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    unknown = set(arguments.names) - {canary.name for canary in CANARIES}
    if unknown:
        parser.error(f"no canary is called {', '.join(sorted(unknown))}")
    chosen = [canary for canary in CANARIES if not arguments.names or canary.name in arguments.names]
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = []
        for line, was_caught in pool.map(lambda canary: try_canary(build, canary), chosen):
            print(line, flush=True)
            outcomes.append(was_caught)
    print(f"{sum(outcomes)} of {len(outcomes)} canaries caught")
    return 0 if outcomes and all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
