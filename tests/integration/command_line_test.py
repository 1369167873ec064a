# SPDX-License-Identifier: Apache-2.0
"""The program as a person or a service manager meets it: words, exit codes, refusals, stop (DESIGN section 9)."""
import json
import pathlib
import re
import signal
import socket
import subprocess
import unittest

import tidewire
from tidewire import (EXIT_CONFIGURATION, EXIT_FINDING, EXIT_IO, EXIT_OK, EXIT_USAGE, Connection, EventStream, Folder,
                      Server, request, run)

FREE = ("--listen", "127.0.0.1:0", "--app-listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")
WRONG = """\
asyncapi: 3.0.0
info: {title: Wrong, version: 1.0.0}
channels:
  likes:
    address: likes
    messages: {like: {}}
operations:
  like: {action: recieve, channel: {$ref: '#/channels/likes'}}
  unlike: {action: receive, channel: {$ref: '#/channels/lkies'}}
"""
SECURED = tidewire.CONTRACT.replace(
    "channels:\n", "servers: {here: {host: 'localhost', protocol: http, security: [{type: userPassword}]}}\nchannels:\n", 1)
ELSEWHERE = tidewire.CONTRACT.replace("channels:\n", "servers: {bus: {host: 'bus:9092', protocol: kafka}}\nchannels:\n", 1)


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.cleanup)
        self.contract = self.folder.write("api.yaml", tidewire.CONTRACT)

    def refused(self, code, *words):
        """Runs what must end by itself with the code, and returns what it complained of."""
        done = run(*words, cwd=self.folder.name)
        self.assertEqual(done.returncode, code, done)
        self.assertTrue(done.stderr.strip(), "a refusal says why")
        return done.stderr


class Words(WithFolder):
    def test_help_is_for_a_stranger(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (EXIT_OK, ""))
        for word in ("AsyncAPI", "tidewire serve", "serve", "check", "--version", "Exit codes", "64", "74", "78"):
            self.assertIn(word, done.stdout)

    def test_every_subcommand_has_its_help(self):
        commands = re.findall(r"^  ([a-z]+) {2,}\S", run("--help").stdout.split("ubcommands", 1)[1], re.M)
        self.assertLessEqual({"serve", "check"}, set(commands))
        for command in commands:
            done = run(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (EXIT_OK, ""), command)
            self.assertIn(command, done.stdout)
        text = run("serve", "--help").stdout
        for option in ("--listen", "--app-listen", "--admin", "--client", "--config", "--data", "--threads",
                       "--ignore-servers"):
            self.assertIn(option, text)

    def test_the_version_is_one_line(self):
        done = run("--version")
        self.assertEqual(done.returncode, EXIT_OK)
        self.assertRegex(done.stdout, r"^tidewire \d+\.\d+\.\d+\S*\n$")

    def test_wrong_words_are_usage_errors(self):
        for words in ((), ("dance",), ("serve",), ("check",), ("serve", "--nonsense", self.contract),
                      ("serve", self.contract, "--threads", "0"), ("serve", self.contract, "--threads", "many"),
                      ("serve", self.contract, "--threads", "257"),
                      ("serve", self.contract, "--listen", "8080"), ("serve", self.contract, "--listen", "127.0.0.1:x"),
                      ("serve", self.contract, "--listen", "127.0.0.1:65536"),
                      ("serve", self.contract, "--listen", "example.com:80"), ("serve", self.contract, "--listen"),
                      ("serve", self.contract, "--admin", "unix:"), ("serve", self.contract, "--data", ""),
                      ("serve", self.contract, "--data"),
                      ("check", self.contract, "--format", "xml")):
            with self.subTest(words):
                self.refused(EXIT_USAGE, *words)


class Check(WithFolder):
    def test_a_good_contract_is_ok(self):
        done = run("check", self.contract)
        self.assertEqual((done.returncode, done.stdout), (EXIT_OK, ""))
        self.assertIn("ok", done.stderr)

    def test_findings_are_located(self):
        done = run("check", self.folder.write("wrong.yaml", WRONG), cwd=self.folder.name)
        self.assertEqual(done.returncode, EXIT_FINDING, done)
        lines = [line for line in done.stdout.splitlines() if " error: " in line]
        self.assertGreaterEqual(len(lines), 2, done.stdout)
        for line in lines:
            self.assertRegex(line, r"^\S*wrong\.yaml:\d+:\d+: error: .+ \[[a-z0-9/_.-]+\]$")
        self.assertTrue(any(":8:" in line and "receive" in line for line in lines), "what was meant by `recieve`")
        self.assertTrue(any(":9:" in line for line in lines), "a reference to nothing")

    def test_json_says_the_same(self):
        wrong = self.folder.write("wrong.yaml", WRONG)
        done = run("check", wrong, "--format", "json")
        self.assertEqual(done.returncode, EXIT_FINDING)
        findings = json.loads(done.stdout)
        text = run("check", wrong).stdout.splitlines()
        self.assertEqual(len(findings), len(text))
        for finding, line in zip(findings, text):
            self.assertTrue(line.startswith(f"{finding['file']}:{finding['line']}:{finding['column']}: "), line)
            self.assertTrue(line.endswith(f"[{finding['rule']}]"), line)
        self.assertEqual(json.loads(run("check", self.contract, "--format", "json").stdout), [])

    def test_a_file_that_cannot_be_read_is_an_input_error(self):
        done = run("check", "missing.yaml", cwd=self.folder.name)
        self.assertEqual(done.returncode, EXIT_IO)
        self.assertIn("missing.yaml", done.stdout + done.stderr)

    def test_what_is_no_contract_is_a_finding(self):
        for name, text in (("empty.yaml", ""), ("list.yaml", "- 1\n"), ("broken.yaml", "asyncapi: [3\n"),
                           ("two.yaml", "asyncapi: 2.6.0\ninfo: {title: a, version: '1'}\nchannels: {}\n"),
                           ("broken.json", '{"asyncapi": "3.0.0",')):
            with self.subTest(name):
                done = run("check", self.folder.write(name, text))
                self.assertEqual(done.returncode, EXIT_FINDING, done)
                self.assertRegex(done.stdout, rf"{re.escape(name)}:\d+:\d+: error: ")


class Refusals(WithFolder):
    def test_a_missing_contract_is_an_input_error(self):
        self.assertIn("missing.yaml", self.refused(EXIT_IO, "serve", "missing.yaml", *FREE))

    def test_a_wrong_contract_is_not_served(self):
        said = self.refused(EXIT_CONFIGURATION, "serve", self.folder.write("wrong.yaml", WRONG), *FREE)
        self.assertRegex(said, r"wrong\.yaml:8:\d+: error: ")

    def test_a_missing_configuration_is_an_input_error(self):
        self.assertIn("no.yaml", self.refused(EXIT_IO, "serve", self.contract, "--config", "no.yaml", *FREE))

    def test_a_wrong_configuration_is_located_and_says_what_may_be_meant(self):
        config = self.folder.write("tidewire.yaml", "hosts: [a]\nthreds: 2\naccess:\n  opn: true\nlimits:\n"
                                                    "  event_bytes_max: lots\nadmin: 80\n")
        said = self.refused(EXIT_CONFIGURATION, "serve", self.contract, "--config", config, *FREE)
        self.assertRegex(said, r"tidewire\.yaml:2:1: error: unknown key `threds`.*`?threads`?.* \[config/unknown\]")
        self.assertRegex(said, r"tidewire\.yaml:4:3: error: unknown key `access\.opn`.*access\.open")
        self.assertRegex(said, r"tidewire\.yaml:6:20: error: `limits\.event_bytes_max`: .*1MiB")
        self.assertRegex(said, r"tidewire\.yaml:7:8: error: `admin`: ")

    def test_the_command_line_wins_over_the_configuration(self):
        with Server("--listen", "127.0.0.1:0", config="listen: 127.0.0.1:1\nthreads: 1\nlimits: {event_bytes_max: 10}\n") as server:
            self.assertNotEqual(server.public, "127.0.0.1:1")
            self.assertEqual(request(server.public, "POST", "/streams/a", {}, '"ten bytes"').status, 413)
            self.assertEqual(request(server.public, "POST", "/streams/a", {}, '"8 bytes"').status, 201)

    def test_listeners_for_other_machines_need_access_open(self):
        for option, role in (("--listen", "public"), ("--app-listen", "application"), ("--admin", "admin")):
            for place in ("0.0.0.0:0", "[::]:0"):
                words = [option if word == option else place if before == option else word
                         for before, word in zip(("", *FREE), FREE)]
                said = self.refused(EXIT_CONFIGURATION, "serve", self.contract, *words)
                self.assertIn(role, said)
                self.assertIn("access: {open: true}", said)
        with Server("--listen", "0.0.0.0:0", config="access: {open: true}\n") as server:
            server.wait_for_line("access.open")
            place = "127.0.0.1:" + server.public.rsplit(":", 1)[1]
            self.assertEqual(request(place, "GET", "/streams/a", {"Host": "any.example"}).status, 200)

    def test_security_that_is_not_enforced_is_not_served(self):
        secured = self.folder.write("secured.yaml", SECURED)
        said = self.refused(EXIT_CONFIGURATION, "serve", secured, *FREE)
        self.assertIn("access: {unenforced: allow}", said)
        open_too = self.folder.write("open.yaml", "access: {unenforced: allow, open: true}\n")
        self.refused(EXIT_CONFIGURATION, "serve", secured, "--config", open_too, *FREE[2:], "--listen", "0.0.0.0:0")
        with Server(contract=secured, config="access: {unenforced: allow}\n") as server:
            server.wait_for_line("access.unenforced")
            self.assertEqual(request(server.public, "GET", "/streams/a").status, 200)

    def test_servers_of_other_protocols_are_named_and_can_be_ignored(self):
        elsewhere = self.folder.write("elsewhere.yaml", ELSEWHERE)
        self.assertIn("--ignore-servers", self.refused(EXIT_CONFIGURATION, "serve", elsewhere, *FREE))
        with Server("--ignore-servers", contract=elsewhere) as server:
            tidewire.publish(server.public, "/streams/a", 1)

    def test_an_address_in_use_is_said_so_and_the_first_server_goes_on(self):
        with Server() as server:
            for option in ("--listen", "--app-listen", "--admin"):
                words = [server.public if before == option else word for before, word in zip(("", *FREE), FREE)]
                said = self.refused(EXIT_IO, "serve", self.contract, *words)
                self.assertIn(server.public, said)
                self.assertIn("another program listens there already", said)
                self.assertIn("--listen", said)
            with Folder() as folder:
                path = f"unix:{folder}/a.sock"
                with Server("--listen", path) as second:
                    said = self.refused(EXIT_IO, "serve", self.contract, *FREE[2:], "--listen", path)
                    self.assertIn("another program listens there already", said)
                    self.assertEqual(request(second.public, "GET", "/streams/a").status, 200)
            self.assertEqual(request(server.public, "GET", "/streams/a").status, 200)


class Data(WithFolder):
    """Where events are kept: what a restart finds there, and when there is no start."""

    def test_events_cursors_and_ids_outlive_a_stop_and_a_kill(self):
        with Server() as server:
            cursors = []
            for number, end in enumerate((server.stop, server.crash, server.crash, server.stop)):
                key = {"Idempotency-Key": str(number)}
                cursors.append(tidewire.publish(server.public, "/streams/a", number, key))
                end()
                server.start()
                again = request(server.public, "POST", "/streams/a", key, str(number))
                self.assertEqual((again.status, again.json["cursor"]), (200, cursors[-1]))
                page = request(server.public, "GET", "/streams/a?after=earliest").json
                self.assertEqual([(event["cursor"], event["data"]) for event in page["events"]],
                                 list(zip(cursors, range(number + 1))))
                with EventStream(server.public, "/streams/a", {"Last-Event-ID": cursors[0]}) as stream:
                    self.assertEqual([stream.next_event().id for _ in cursors[1:]], cursors[1:])
            self.assertEqual(len({cursor[1:14] for cursor in cursors}), 1, "one epoch")

    def test_without_data_nothing_survives_a_restart_and_it_says_so(self):
        with Server("--data", "none") as server:
            server.wait_for_line("memory only: nothing survives a restart")
            self.assertNotIn('"message":"log"', server.log())
            cursor = tidewire.publish(server.public, "/streams/a", 1)
            server.stop()
            server.start()
            self.assertEqual(request(server.public, "GET", "/streams/a?after=earliest").json["events"], [])
            gone = request(server.public, "GET", f"/streams/a?after={cursor}")
            self.assertEqual((gone.status, gone.json["reason"]), (410, "epoch-changed"))
            self.assertEqual(list(pathlib.Path(server.folder.name).iterdir()),
                             [pathlib.Path(server.folder.name, "contract.yaml")], "nothing is written")

    def test_two_servers_do_not_share_a_directory(self):
        """And tidewire-data is the default, and `data` of a configuration is relative to its folder."""
        with Server("--data", self.folder.name + "/tidewire-data") as server:
            config = self.folder.write("tidewire.yaml", "data: tidewire-data\n")
            for words, cwd in ((FREE, self.folder.name), (("--data", server.data, *FREE), "/"),
                               (("--config", config, *FREE), "/")):
                done = run("serve", self.contract, *words, cwd=cwd)
                self.assertEqual(done.returncode, EXIT_CONFIGURATION, done)
                self.assertRegex(done.stderr, r"another tidewire uses \S*tidewire-data; stop it, or .* --data")
            tidewire.publish(server.public, "/streams/a", 1)

    def test_a_directory_that_cannot_be_had_says_what_to_do(self):
        held = self.folder.write("held/lock", "somebody else's")
        home = self.folder.write("home/thesis.tmp", "somebody else's")
        for directory, code, words in (("a/b", EXIT_IO, "mkdir -p a"), ("/sys/tidewire", EXIT_IO, "cannot write to /sys"),
                                       (self.contract, EXIT_CONFIGURATION, "is not a directory"),
                                       (pathlib.Path(held).parent, EXIT_CONFIGURATION, "is not a log"),
                                       (pathlib.Path(home).parent, EXIT_CONFIGURATION, "it has other files")):
            with self.subTest(directory):
                said = self.refused(code, "serve", self.contract, *FREE, "--data", directory)
                self.assertIn(words, said)
                self.assertIn("--data", said)
        for path in map(pathlib.Path, (held, home)):
            self.assertEqual(list(path.parent.iterdir()), [path], "nothing is touched")
            self.assertEqual(path.read_text(encoding="utf-8"), "somebody else's")

    def test_events_must_fit_into_segments(self):
        config = self.folder.write("tidewire.yaml", "limits: {event_bytes_max: 300KiB}\nstorage: {segment_bytes: 1MiB}\n")
        said = self.refused(EXIT_CONFIGURATION, "serve", self.contract, "--config", config, *FREE)
        self.assertIn("a quarter of `storage.segment_bytes`", said)
        self.assertFalse(pathlib.Path(self.folder.name, "tidewire-data").exists())
        with Server(config="limits: {event_bytes_max: 250KiB}\nstorage: {segment_bytes: 1MiB}\n") as server:
            payload = '"' + "x" * (250 * 1024 - 2) + '"'
            self.assertEqual(request(server.public, "POST", "/streams/a", {}, payload).status, 201)

    def test_a_taken_address_leaves_the_log_alone(self):
        with Server() as server:
            self.refused(EXIT_IO, "serve", self.contract, "--listen", server.public, *FREE[2:])
        self.assertFalse(pathlib.Path(self.folder.name, "tidewire-data").exists())


class StartAndStop(WithFolder):
    def test_it_says_what_it_serves_and_what_it_does_not_do(self):
        with Server() as server:
            self.assertEqual(set(server.places), {"public", "application", "admin"})
            server.wait_for_line("schemas are not enforced yet")
            for line in filter(None, server.lines):
                fields = json.loads(line)
                self.assertLessEqual({"time", "level", "message"}, fields.keys())
            said = [json.loads(line) for line in filter(None, server.lines)]
            self.assertEqual((said[0]["message"], said[0]["directory"]), ("log", server.data))
            self.assertIn("Integration", [line.get("title") for line in said])
            self.assertNotIn("nothing survives", server.log())

    def test_a_restart_gets_the_same_ports_right_away(self):
        with Server() as server, Connection(server.public) as connection:
            self.assertEqual(connection.request("GET", "/streams/a").status, 200)
            places = server.places
            server.terminate()  # the server closes first, so its side of the connection stays in TIME_WAIT
            self.assertEqual(server.wait_for_exit(), EXIT_OK)
        for _ in range(3):
            with Server("--listen", places["public"], "--app-listen", places["application"],
                        "--admin", places["admin"]) as again, Connection(again.public) as connection:
                self.assertEqual(connection.request("GET", "/streams/a").status, 200)
                self.assertEqual(again.places, places)

    def test_sigterm_tells_every_stream_its_cursor_and_ends_with_0(self):
        for stop in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(stop), Server("--threads", 2) as server:
                streams = [EventStream(server.public, "/streams/a") for _ in range(20)]
                for stream in streams:
                    self.assertIsNotNone(stream.next().id)
                cursor = tidewire.publish(server.public, "/streams/a", 1)
                for stream in streams:
                    self.assertEqual(stream.next_event().id, cursor)
                with Connection(server.public) as idle, Connection(server.public) as poll:
                    self.assertEqual(idle.request("GET", "/streams/a").status, 200)
                    poll.send_request("GET", f"/streams/a?after={cursor}&wait=60")
                    server.wait_for_metric("tidewire_subscriptions", len(streams) + 1)
                    server.process.send_signal(stop)
                    retries = set()
                    for stream in streams:
                        closing = stream.next_event()
                        self.assertEqual((closing.event, closing.id), ("tidewire.closing", cursor))
                        self.assertEqual((closing.json["cursor"], closing.json["reason"]), (cursor, "shutdown"))
                        retries.add(closing.json["retry_after_ms"])
                        self.assertIsNone(stream.next(), "the end")
                        stream.close()
                    self.assertGreater(len(retries), 1, "they do not all come back at once")
                    page = poll.response().json
                    self.assertEqual((page["events"], page["cursor"]), ([], cursor))
                    self.assertTrue(idle.is_closed())
                self.assertEqual(server.wait_for_exit(5), EXIT_OK)
                self.assertIn("stopped", server.lines[-2])

    def test_a_stop_waits_for_a_client_that_does_not_read_and_a_second_signal_does_not(self):
        with Server("--threads", 1, clean=False) as server:
            with EventStream(server.public, "/texts/a", receive_bytes=4096) as stalled:
                self.assertIsNotNone(stalled.next().id)
                with Connection(server.public) as connection:
                    for _ in range(16):  # more than the system's buffers take
                        answer = connection.request("POST", "/texts/a", {"Content-Type": "text/plain"}, b"x" * 1000000)
                        self.assertEqual(answer.status, 201)
                server.terminate()
                server.wait_for_line("stopping")
                with self.assertRaises(subprocess.TimeoutExpired):
                    server.process.wait(1)
                server.terminate()
                self.assertNotEqual(server.wait_for_exit(2), EXIT_OK)
                self.assertIn("second signal", server.log())

    def test_new_connections_are_refused_while_it_stops(self):
        with Server("--threads", 1, clean=False) as server:
            with EventStream(server.public, "/texts/a", receive_bytes=4096) as stalled:
                self.assertIsNotNone(stalled.next().id)
                for _ in range(16):
                    request(server.public, "POST", "/texts/a", {"Content-Type": "text/plain"}, b"x" * 1000000)
                with EventStream(server.public, "/streams/a") as witness:
                    self.assertIsNotNone(witness.next().id)
                    server.terminate()
                    self.assertEqual(witness.next_event().event, "tidewire.closing")
                with self.assertRaises(ConnectionRefusedError):
                    tidewire.socket_of(server.public).close()
                server.terminate()
                server.wait_for_exit(5)

    def test_sighup_does_not_end_it(self):
        with Server() as server:
            server.process.send_signal(signal.SIGHUP)
            server.wait_for_line("reload is not in this version")
            self.assertEqual(request(server.public, "GET", "/streams/a").status, 200)

    def test_a_reader_that_vanishes_does_not_end_it(self):
        with Server("--threads", 1) as server:
            for _ in range(20):
                with EventStream(server.public, "/streams/a") as stream:
                    linger = b"\x01\0\0\0\0\0\0\0"  # close with a reset
                    stream.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                tidewire.publish(server.public, "/streams/a", 1)
            self.assertEqual(len(request(server.public, "GET", "/streams/a").json["events"]), 20)
            self.assertEqual(server.metric("tidewire_subscriptions"), 0)


if __name__ == "__main__":
    tidewire.main()
