#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The log over HTTP: what durability costs a publisher, what it does not depend on, and how soon a killed server is back.

    bench/run_durable.py publish            rate over 256 connections, durable to ephemeral
    bench/run_durable.py acknowledge        16 outstanding: median acknowledgement to median bare fdatasync
    bench/run_durable.py addresses          CPU per event over 1,000,000 addresses to that over 1
    bench/run_durable.py subscribers        CPU per event beside 15,000 subscribers of something else to that without
    bench/run_durable.py ready              after kill -9, with 1 GiB of log; and one stream that reads all of it
"""
import argparse
import http.client
import json
import subprocess
import sys
import time

import measure
import ratio
import run_lane
from ratio import Pair, Quiet, Result, Row

CONTRACT = measure.ROOT / "bench" / "durable.yaml"
CONNECTIONS = 256
OUTSTANDING = 16
PAYLOAD_BYTES = 1024
EVENT_BYTES = 1300   # of such an event in the log, about
ADDRESSES = 1_000_000
SUBSCRIBERS = 15_000
WARM_UP_EVENTS = 5_000
READY_S_MAX = 2.0
READY_TIMEOUT_S = 60
SYNC_ROUNDS = 1_000

ROWS = {
    "publish": Row("durable publish, 256 keep-alive connections, 1 KiB", "ephemeral publish over the same", "events/s",
                   least=0.7),
    "acknowledge": Row("median acknowledgement over HTTP, 16 outstanding", "median bare fdatasync of the mean group",
                       "us", most=3.0),
    "acknowledge-lane": Row("the same without HTTP: in process", "median bare fdatasync of the mean group", "us",
                            most=3.0),
    "acknowledge-network": Row("the same", "median acknowledgement of an ephemeral event, 16 outstanding", "us"),
    "addresses": Row("CPU of a publish, 1,000,000 addresses", "1 address", "us", most=1.15, digits=1),
    "subscribers": Row("CPU of a publish, 15,000 subscribers of other addresses", "no subscriber", "us", most=1.15,
                       digits=1),
    "ready": Row("ready after kill -9 with 1 GiB of log", "1 s", "s", most=READY_S_MAX, digits=3),
    "ready-ids": Row("the same, every event with an id", "1 s", "s", most=READY_S_MAX, digits=3),
    "stream": Row("catch-up of one event stream from the earliest", "catch-up in process (row `reader`)", "MB/s"),
}


class Server(measure.Tidewire):
    def __init__(self, options, data):
        super().__init__(options.build, options.threads, contract=CONTRACT, data=data)


class Publisher(measure.Client):
    """http_publish: begin() returns when it is warm, end() lets it publish and returns what it counted."""

    def __init__(self, options, url, *words):
        super().__init__(options.build, ["--url", url, "--payload-bytes", PAYLOAD_BYTES, *words],
                         program="http_publish")

    def begin(self):
        self.next()

    def end(self):
        self.go()
        found = self.next()
        if self.finish() != 0 or found["refused"] != 0:
            raise measure.Failed(f"{found['refused']} publishes were refused: {self.process.stderr.read()[-500:]}")
        return found


def publish(options, server, channel, *words, connections=CONNECTIONS, warm_up=WARM_UP_EVENTS):
    """What a run counted, with the CPU of the server for each event."""
    with Publisher(options, f"{server.base}/{channel}/{{}}", "--connections", connections, "--warm-up", warm_up,
                   *words) as load:
        load.begin()
        cpu = measure.cpu_seconds(server.pid)
        found = load.end()
        found["cpu_us"] = (measure.cpu_seconds(server.pid) - cpu) / found["acknowledged"] * 1e6
    return found


def in_turn(number, baseline, ours):
    """Runs two functions, the baseline first in even rounds; returns (ours, baseline)."""
    if number % 2 == 0:
        found = baseline()
        return ours(), found
    found = ours()
    return found, baseline()


def measure_publish(options, say):
    def one_pair(number):
        with run_lane.Disk(options) as folder, Server(options, folder / "data") as server, \
                Quiet([server.pid]) as window:
            ours, baseline = in_turn(number, *(lambda channel=channel: publish(
                options, server, channel, "--seconds", options.seconds) for channel in ("moments", "items")))
        note = f"CPU {ours['cpu_us']:.1f} to {baseline['cpu_us']:.1f} us, acknowledged after {ours['wait_us']['p50']} " \
               f"to {baseline['wait_us']['p50']} us"
        return Pair(ours["per_second"], baseline["per_second"], window.other_cores, note)

    return [ratio.run_pairs("publish", ROWS["publish"], one_pair, options, say)]


def bare_sync_us(options, folder, size):
    command = [str(options.build / "bench" / "bare_sync"), "--dir", str(folder), "--bytes", str(size), "--rounds",
               str(SYNC_ROUNDS)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["sync_us"]


def measure_acknowledge(options, say):
    in_process, network = [], []

    def one_pair(number):
        with run_lane.Disk(options) as folder:
            found = run_lane.run_program(options, "lane_writer", folder, "--outstanding", OUTSTANDING, "--bytes",
                                         EVENT_BYTES, "--seconds", options.seconds)
            group = found["group_bytes"]
            with Server(options, folder / "data") as server, Quiet([server.pid]) as window:
                waits = ["--seconds", options.seconds]
                ours, sync_us = in_turn(
                    number, lambda: bare_sync_us(options, folder, round(group)),
                    lambda: publish(options, server, "items", *waits, connections=OUTSTANDING)["wait_us"]["p50"])
                without = publish(options, server, "moments", *waits, connections=OUTSTANDING)["wait_us"]["p50"]
        in_process.append(Pair(found["wait_us"]["p50"], sync_us, window.other_cores))
        network.append(Pair(ours, without, window.other_cores))
        return Pair(ours, sync_us, window.other_cores,
                    f"{group / 1024:.1f} KiB a group, in process {found['wait_us']['p50']:.0f} us")

    judged = ratio.run_pairs("acknowledge", ROWS["acknowledge"], one_pair, options, say)

    def kept(pairs):
        return [pair for pair in pairs if pair.other_cores <= options.other_cores]

    return [judged, Result("acknowledge-lane", ROWS["acknowledge-lane"], kept(in_process), []),
            Result("acknowledge-network", ROWS["acknowledge-network"], kept(network), [])]


def measure_addresses(options, say):
    """Both servers have got as many events before: one over all addresses, one over a single one."""
    def half(addresses):
        with run_lane.Disk(options) as folder, Server(options, folder / "data") as server:
            publish(options, server, "items", "--addresses", addresses, "--visit", "each", "--events",
                    options.addresses)
            return publish(options, server, "items", "--addresses", addresses, "--seconds", options.seconds)

    def one_pair(number):
        with Quiet() as window:
            ours, baseline = in_turn(number, lambda: half(1), lambda: half(options.addresses))
        note = f"{ours['per_second']:,.0f} to {baseline['per_second']:,.0f} events/s"
        return Pair(ours["cpu_us"], baseline["cpu_us"], window.other_cores, note)

    return [ratio.run_pairs("addresses", ROWS["addresses"], one_pair, options, say)]


def measure_subscribers(options, say):
    def half(subscribers):
        with run_lane.Disk(options) as folder, Server(options, folder / "data") as server:
            if subscribers == 0:
                return publish(options, server, "items", "--seconds", options.seconds)
            with measure.Client(options.build, ["--url", f"{server.base}/others/0", "--idle", subscribers]) as client:
                if client.next()["subscribers"] != subscribers:
                    raise measure.Failed(f"{subscribers} subscribers were not let in")
                return publish(options, server, "items", "--seconds", options.seconds)

    def one_pair(number):
        with Quiet() as window:
            ours, baseline = in_turn(number, lambda: half(0), lambda: half(options.others))
        note = f"{ours['per_second']:,.0f} to {baseline['per_second']:,.0f} events/s"
        return Pair(ours["cpu_us"], baseline["cpu_us"], window.other_cores, note)

    return [ratio.run_pairs("subscribers", ROWS["subscribers"], one_pair, options, say)]


def await_ready(server):
    """Asks until the admin listener answers /readyz with 200; it opens when recovery is over."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            admin = http.client.HTTPConnection(*server.admin, timeout=READY_TIMEOUT_S)
            admin.request("GET", "/readyz")
            if admin.getresponse().status == 200:
                return
        except OSError:
            time.sleep(measure.START_STEP_S)
        finally:
            admin.close()
    raise measure.Failed("the server did not become ready")


def fill(options, data, *words):
    """Writes the log over HTTP and kills the server in the middle of more; the newest cursor before that."""
    with Server(options, data) as server:
        publish(options, server, "items", "--events", options.log_bytes // EVENT_BYTES, *words)
        with Publisher(options, f"{server.base}/items/0", "--seconds", 60, *words) as load:
            load.begin()
            load.go()
            time.sleep(0.5)
            server.kill()


def ready_after_kill(options, data):
    begin = time.monotonic()
    with Server(options, data) as server:
        await_ready(server)
        took_s = time.monotonic() - begin
        server.kill()
    return took_s


def stream_rate(options, data):
    with Server(options, data) as server:
        connection = http.client.HTTPConnection(*server.base.removeprefix("http://").split(":"))
        connection.request("POST", "/items/0", body='"the end"', headers={"Content-Type": "application/json"})
        cursor = json.load(connection.getresponse())["cursor"]
        connection.close()
        command = [str(options.build / "bench" / "stream_drain"), "--url",
                   f"{server.base}/items/0?after=earliest&format=payload", "--until", cursor]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise measure.Failed(done.stderr.strip())
    found = json.loads(done.stdout)
    return found["bytes"] / 1e6 / found["seconds"]


def measure_ready(options, say):
    results, rates = [], []
    for key, words in (("ready", ()), ("ready-ids", ("--ids",))):
        measure.await_quiet(options.other_cores, options.patience, say)
        with run_lane.Disk(options) as folder:
            data = folder / "data"
            fill(options, data, *words)
            size = sum(path.stat().st_size for path in data.iterdir())
            rounds = [Pair(ready_after_kill(options, data), 1.0, note=f"{size / 2**30:.2f} GiB in the directory")
                      for _ in range(options.pairs)]
            if key == "ready":
                rates = [stream_rate(options, data) for _ in range(options.pairs)]
        results.append(Result(key, ROWS[key], rounds, []))
        say(f"  {key}: {results[-1].median('ours'):.3f} s, at most {max(pair.ours for pair in rounds):.3f}; {rounds[0].note}")
    say(f"  stream: {', '.join(f'{rate:.0f}' for rate in rates)} MB/s")
    reading = run_lane.measure_reader(options, say)[0]
    results.append(Result("stream", ROWS["stream"], [Pair(rate, pair.ours) for rate, pair in
                                                     zip(rates, reading.rounds)], []))
    return results


MEASURES = {"publish": measure_publish, "acknowledge": measure_acknowledge, "addresses": measure_addresses,
            "subscribers": measure_subscribers, "ready": measure_ready}


def measure_rows(rows, options, say):
    results = []
    for name in rows:
        say(f"log over HTTP: {name}")
        results += MEASURES[name](options, say)
    return results


def add_options(parser):
    parser.add_argument("--threads", type=int, default=1, help="event loops of the server")
    parser.add_argument("--addresses", type=int, default=ADDRESSES)
    parser.add_argument("--others", type=int, default=SUBSCRIBERS,
                        help="subscribers of something else")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="+", choices=list(MEASURES))
    ratio.add_options(parser)
    ratio.add_disk_options(parser)
    add_options(parser)
    options = parser.parse_args()
    measure.allow_descriptors()
    try:
        results = measure_rows(options.row, options, lambda line: print(line, file=sys.stderr, flush=True))
    except measure.Failed as failure:
        print(f"run_durable: {failure}", file=sys.stderr)
        return 1
    print(f"{measure.machine()}; {measure.kernel()}; {measure.commit()}; {' '.join(sys.argv)}\n")
    print(ratio.summary(results))
    print(ratio.all_rounds(results))
    return 0 if all(result.is_met() for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
