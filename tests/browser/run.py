#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts the server with the social example on free ports, runs the browser test against it, stops the server.

    run.py TIDEWIRE_BINARY [--pictures FOLDER]
    run.py --public URL --application URL [--pictures FOLDER]     against a server that runs already

Exit code 0: passed, 1: failed, 77: skipped, because Chromium or Node.js is missing.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
START_S = 30
STOP_S = 20
TEST_S = 180
NODE_MAJOR_MIN = 18
SKIPPED = 77
ROLES = "public|application|admin"


def skip(sentence):
    print(f"skipped: {sentence}")
    sys.exit(SKIPPED)


def find_tools():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    node = shutil.which("node")
    if not chromium:
        skip("chromium is not installed (Debian: apt-get install chromium)")
    if not node:
        skip("node is not installed (Debian: apt-get install nodejs)")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version).group(1)) < NODE_MAJOR_MIN:
        skip(f"node {version.strip()} is too old, {NODE_MAJOR_MIN} is needed")
    return chromium, node


def listeners_in(line):
    """The (role, port) pairs of one line that the server printed, as text or as JSON."""
    pairs = re.findall(rf"({ROLES})(?:(?!{ROLES}).)*?127\.0\.0\.1:([1-9]\d*)", line)
    if not pairs:  # A JSON line may have its members in any order.
        roles, ports = set(re.findall(ROLES, line)), re.findall(r"127\.0\.0\.1:([1-9]\d*)", line)
        pairs = [(roles.pop(), ports[0])] if len(roles) == len(ports) == 1 else []
    return [(role, int(port)) for role, port in pairs]


class Server:
    """One server process. Leaves nothing behind, whatever happens inside `with`."""

    def __init__(self, binary, folder):
        config = folder / "tidewire.yaml"
        config.write_text(f"static: {json.dumps(str(SOURCE / 'examples/social/plain'))}\n", encoding="utf-8")
        self.lines = []
        self.ports = {}
        self.known = threading.Event()
        self.command = [binary, "serve", str(SOURCE / "examples/social/asyncapi.yaml"), "--config", str(config),
                        "--admin", "none", "--data", str(folder / "data")]
        self.folder = folder
        self.start("0", "0")

    def start(self, public, application):
        listeners = ["--listen", f"127.0.0.1:{public}", "--app-listen", f"127.0.0.1:{application}"]
        self.known.clear()
        self.process = subprocess.Popen([*self.command, *listeners], cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(STOP_S)
        self.process.stdout.close()

    def start_again(self):
        """On the same ports and data."""
        ports, self.ports = self.ports, {}
        self.start(ports["public"], ports["application"])
        self.url("public")

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            self.ports.update(listeners_in(line))
            if {"public", "application"} <= self.ports.keys():
                self.known.set()
        self.known.set()

    def url(self, role):
        if not self.known.wait(START_S) or role not in self.ports:
            raise RuntimeError(f"the server did not say where its {role} listener is")
        return f"http://127.0.0.1:{self.ports[role]}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(STOP_S)


def run_test(tools, public, application, pictures, server=None):
    """A line `@kill` or `@start` of the test is an order to the server; it is answered with an empty line."""
    chromium, node = tools
    command = [node, str(HERE / "social_test.mjs"), chromium, public, application, str(pictures)]
    if not server:
        return subprocess.run(command, stdin=subprocess.DEVNULL, timeout=TEST_S, check=False).returncode
    orders = {"@kill": server.kill, "@start": server.start_again}
    with subprocess.Popen([*command, "orders"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as test:
        late = threading.Timer(TEST_S, test.kill)
        late.start()
        try:
            for line in test.stdout:
                if order := orders.get(line.strip()):
                    order()
                    test.stdin.write("\n")
                    test.stdin.flush()
                else:
                    print(line, end="", flush=True)
        finally:
            late.cancel()
    return test.returncode


def run_with_server(tools, binary, pictures):
    with tempfile.TemporaryDirectory(prefix="tidewire-browser-") as folder:
        with Server(binary, pathlib.Path(folder)) as server:
            try:
                code = run_test(tools, server.url("public"), server.url("application"), pictures, server)
            except (RuntimeError, OSError) as error:
                print(f"FAIL {error}")
                code = 1
            crashed = server.process.poll()
        if crashed is not None:
            print(f"FAIL the server ended by itself with {crashed}")
        elif server.process.returncode != 0:
            print(f"FAIL the server ended with {server.process.returncode} when it was asked to stop")
        failed = code != 0 or crashed is not None or server.process.returncode != 0
        if failed:
            sys.stdout.write("".join(server.lines))
        return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", nargs="?", default=os.environ.get("TIDEWIRE"))
    parser.add_argument("--public")
    parser.add_argument("--application")
    parser.add_argument("--pictures", type=pathlib.Path, default=SOURCE / "build/browser")
    options = parser.parse_args()
    if not options.binary and not (options.public and options.application):
        parser.error("give a binary, or --public and --application")
    tools = find_tools()
    pictures = options.pictures.absolute()
    if options.binary:
        return run_with_server(tools, os.path.abspath(options.binary), pictures)
    return 1 if run_test(tools, options.public, options.application, pictures) else 0


if __name__ == "__main__":
    sys.exit(main())
