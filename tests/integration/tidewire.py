# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: the real binary on ports of its own, a raw HTTP client, an event stream reader.

Nothing here waits for time to pass: every wait is for bytes, a log line or an exit, and ends with an error after
`WAIT_S`. A server is stopped by its own process id, whatever happens inside `with`.
"""
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
WAIT_S = 30.0
STOP_S = 15.0
SKIPPED = 77
EXIT_OK, EXIT_FINDING, EXIT_USAGE, EXIT_IO, EXIT_CONFIGURATION = 0, 1, 64, 74, 78

CONTRACT = """\
asyncapi: 3.0.0
info: {title: Integration, version: 1.0.0}
channels:
  streams:
    address: streams/{name}
    parameters: {name: {}}
    messages: {said: {name: said, contentType: application/json}}
  texts:
    address: texts/{name}
    parameters: {name: {}}
    messages: {line: {name: line, contentType: text/plain}}
  notices:
    address: notices
    messages: {notice: {name: notice, contentType: application/json}}
  orders:
    address: orders
    messages: {order: {name: order, contentType: application/json}}
  moments:
    address: moments
    x-tidewire: {durability: ephemeral}
    messages: {moment: {name: moment, contentType: application/json}}
operations:
  takeStream: {action: receive, channel: {$ref: '#/channels/streams'}}
  giveStream: {action: send, channel: {$ref: '#/channels/streams'}}
  takeText: {action: receive, channel: {$ref: '#/channels/texts'}}
  giveText: {action: send, channel: {$ref: '#/channels/texts'}}
  giveNotice: {action: send, channel: {$ref: '#/channels/notices'}}
  takeOrder: {action: receive, channel: {$ref: '#/channels/orders'}}
  takeMoment: {action: receive, channel: {$ref: '#/channels/moments'}}
  giveMoment: {action: send, channel: {$ref: '#/channels/moments'}}
"""


def binary():
    path = os.environ.get("TIDEWIRE")
    if not path:
        sys.exit("TIDEWIRE must name the binary under test")
    return path


def run(*words, cwd=None):
    """One run of the program that ends by itself."""
    return subprocess.run([binary(), *map(str, words)], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=WAIT_S, check=False)


class Folder(tempfile.TemporaryDirectory):
    """A temporary folder whose files are written by name."""

    def write(self, name, text):
        path = pathlib.Path(self.name, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return str(path)


def socket_of(place, timeout=WAIT_S, receive_bytes=None):
    """Connects to `host:port`, `[host]:port` or `unix:path`."""
    if place.startswith("unix:"):
        plug, address = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM), place[len("unix:"):]
    else:
        host, port = place.rsplit(":", 1)
        plug = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET, socket.SOCK_STREAM)
        address = (host.strip("[]"), int(port))
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if receive_bytes:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    plug.settimeout(timeout)
    try:
        plug.connect(address)
    except OSError:
        plug.close()
        raise
    return plug


class Server:
    """`tidewire serve`; with no contract named, of CONTRACT. Listeners that are not given get port 0 of loopback.

    Without `--data` among the words the log is a directory that lives as long as this object: stop() or crash(), then
    start(), is the same server again, with the same words, ports and log.
    """

    ROLES = {"public": "--listen", "application": "--app-listen", "admin": "--admin"}

    def __init__(self, *words, contract=None, config=None, clean=True):
        self.binary, self.folder = binary(), Folder()
        words = list(map(str, words))
        words += [contract or self.folder.write("contract.yaml", CONTRACT)]
        if config is not None:
            words += ["--config", self.folder.write("tidewire.yaml", config)]
        for option in self.ROLES.values():
            if option not in words:
                words += [option, "127.0.0.1:0"]
        if "--data" not in words:
            words += ["--data", str(pathlib.Path(self.folder.name, "data"))]
        self.data = words[words.index("--data") + 1]
        self.words = words
        self.expected = {role for role, option in self.ROLES.items() if words[words.index(option) + 1] != "none"}
        self.clean = clean  # whether it must end with 0 when it is told to
        self.places, self.changed = {}, threading.Condition()
        try:
            self.start()
        except BaseException:
            self.kill()
            raise

    def start(self):
        """Also after stop() or crash(): the same ports then, and the log goes on."""
        for role, place in self.places.items():
            self.words[self.words.index(self.ROLES[role]) + 1] = place
        self.places, self.lines = {}, []
        self.process = subprocess.Popen([self.binary, "serve", *self.words], cwd=self.folder.name,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait(lambda: self.expected <= self.places.keys(), "the listeners")

    def stop(self):
        """Asks it to end, which it does with 0."""
        self.terminate()
        code = self.wait_for_exit()
        self.process.stderr.close()
        if code != EXIT_OK:
            raise AssertionError(f"the server ended with {code}:\n{self.log()}")

    def crash(self):
        """SIGKILL: whatever it was doing, it does no more."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait_for_exit()
        self.process.stderr.close()

    def read(self):
        for raw in self.process.stderr:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            with self.changed:
                self.lines.append(line)
                if '"message":"listening"' in line:
                    fields = json.loads(line)
                    self.places[fields["role"]] = re.sub(r"^http://([^/]*).*$", r"\1", fields["url"])
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)  # the end
            self.changed.notify_all()

    def log(self):
        return "\n".join(line for line in self.lines if line)

    def wait(self, condition, what):
        with self.changed:
            self.changed.wait_for(lambda: condition() or (self.lines and self.lines[-1] is None), WAIT_S)
            if not condition():
                raise AssertionError(f"the server did not come to {what}:\n{self.log()}")

    def wait_for_line(self, words):
        self.wait(lambda: any(line and words in line for line in self.lines), words)

    @property
    def public(self):
        return self.places["public"]

    @property
    def application(self):
        return self.places["application"]

    @property
    def admin(self):
        return self.places["admin"]

    def status(self, name):
        """A number of /proc/PID/status, in bytes."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"^{name}:\s+(\d+) kB$", text, re.M).group(1)) * 1024

    def is_sanitized(self):
        text = pathlib.Path(f"/proc/{self.process.pid}/maps").read_text(encoding="utf-8")
        return re.search(r"lib[at]san", text) is not None

    def metric(self, name):
        """The sum of a metric over all loops."""
        text = request(self.admin, "GET", "/metrics").text
        values = re.findall(rf"^{name}(?:\{{[^}}]*\}})? (\S+)$", text, re.M)
        if not values:
            raise AssertionError(f"{name} is not in\n{text}")
        return sum(map(float, values))

    def wait_for_metric(self, name, value):
        """Asks until the metric has reached the value: what the server counts has no other signal."""
        end = time.monotonic() + WAIT_S
        while time.monotonic() < end:
            found = self.metric(name)
            if found >= value:
                return found
        raise AssertionError(f"{name} is {found}, not {value}")

    def terminate(self):
        self.process.terminate()

    def wait_for_exit(self, seconds=STOP_S):
        code = self.process.wait(seconds)
        self.reader.join(seconds)
        return code

    def kill(self):
        """Ends it at once, and removes its folder."""
        self.crash()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        try:
            if self.process.poll() is None:
                self.terminate()
                try:
                    self.wait_for_exit()
                except subprocess.TimeoutExpired:
                    self.process.kill()
            code = self.wait_for_exit()
            if self.clean and (code != EXIT_OK or kind):
                print(f"the server ended with {code}; it said:\n{self.log()}", file=sys.stderr)
            if self.clean and not kind and code != EXIT_OK:
                raise AssertionError(f"the server ended with {code}:\n{self.log()}")
        finally:
            self.kill()


class Response:
    def __init__(self, status, fields, body, version):
        self.status, self.fields, self.body, self.version = status, fields, body, version

    def field(self, name):
        """The value; several fields of one name joined; None if there is none."""
        values = [value for known, value in self.fields if known.lower() == name.lower()]
        return ", ".join(values) if values else None

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def problem(self):
        """The document of an error, which must be one."""
        assert self.field("Content-Type") == "application/problem+json", self
        document = self.json
        assert document["status"] == self.status and document["type"] and document["title"], document
        return document

    def __repr__(self):
        return f"{self.status} {self.fields} {self.body[:400]!r}"


class Chunks:
    """Takes the chunk framing off what arrives in pieces."""

    def __init__(self):
        self.buffer, self.left, self.ended = bytearray(), 0, False

    def feed(self, data):
        self.buffer += data
        out = bytearray()
        while not self.ended:
            if self.left > 0:  # the content and its CRLF
                taken = self.buffer[:self.left]
                del self.buffer[:self.left]
                content = max(0, min(len(taken), self.left - 2))
                out += taken[:content]
                self.left -= len(taken)
                if self.left > 0:
                    break
            end = self.buffer.find(b"\r\n")
            if end < 0:
                break
            size = int(bytes(self.buffer[:end]), 16)
            if size == 0:
                if len(self.buffer) < end + 4:
                    break
                self.ended = True
            else:
                del self.buffer[:end + 2]
                self.left = size + 2
        return bytes(out)


class Connection:
    """One HTTP/1.1 connection, byte by byte if need be."""

    def __init__(self, place, timeout=WAIT_S, receive_bytes=None):
        self.socket = socket_of(place, timeout, receive_bytes)
        self.host = "localhost" if place.startswith("unix:") else place
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_request(self, method, target, fields=(), body=None, version="HTTP/1.1"):
        fields = dict(fields)
        if not any(name.lower() == "host" for name in fields):
            fields = {"Host": self.host, **fields}
        if body is not None:
            body = body.encode() if isinstance(body, str) else body
            fields.setdefault("Content-Length", str(len(body)))
        head = f"{method} {target} {version}\r\n" + "".join(f"{n}: {v}\r\n" for n, v in fields.items()) + "\r\n"
        self.send(head.encode("latin-1") + (body or b""))

    def request(self, method, target, fields=(), body=None, version="HTTP/1.1"):
        self.send_request(method, target, fields, body, version)
        return self.response(method)

    def more(self):
        data = self.socket.recv(1 << 16)
        self.buffer += data
        return data

    def take(self, size):
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        return taken

    def head(self):
        while (end := self.buffer.find(b"\r\n\r\n")) < 0:
            if not self.more():
                raise EOFError(f"the connection was closed within a head: {bytes(self.buffer)!r}")
        first, *lines = self.take(end + 4)[:-4].decode("latin-1").split("\r\n")
        version, status = first.split(" ")[:2]
        return Response(int(status), [tuple(map(str.strip, line.split(":", 1))) for line in lines], b"", version)

    def response(self, method="GET"):
        """The next final answer."""
        answer = self.head()
        while answer.status == 100:
            answer = self.head()
        if method == "HEAD" or answer.status in (204, 304):
            return answer
        if answer.field("Transfer-Encoding"):
            chunks, body = Chunks(), b""
            body += chunks.feed(self.take(len(self.buffer)))
            while not chunks.ended and self.more():
                body += chunks.feed(self.take(len(self.buffer)))
            answer.body = body
        elif answer.field("Content-Length") is not None:
            size = int(answer.field("Content-Length"))
            while len(self.buffer) < size and self.more():
                pass
            answer.body = self.take(size)
            assert len(answer.body) == size, "the body was cut short"
        else:
            while self.more():
                pass
            answer.body = self.take(len(self.buffer))
        return answer

    def is_closed(self):
        """Waits for the server's end of the connection; False if something else arrives."""
        try:
            return not self.buffer and not self.more()
        except ConnectionResetError:
            return True


def request(place, method, target, fields=(), body=None, timeout=WAIT_S):
    with Connection(place, timeout) as connection:
        return connection.request(method, target, {"Connection": "close", **dict(fields)}, body)


def publish(place, target, payload, fields=()):
    """Publishes JSON and returns the cursor."""
    answer = request(place, "POST", target, {"Content-Type": "application/json", **dict(fields)}, json.dumps(payload))
    if answer.status != 201:
        raise AssertionError(f"the publish was answered {answer}")
    return answer.json["cursor"]


class Block:
    """One block of an event stream, as an EventSource would dispatch it, and those that it would not."""

    def __init__(self, lines):
        self.event, self.id, self.retry, self.comment, data = "", None, None, None, []
        for line in lines:
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "":
                self.comment = value
            elif name == "event":
                self.event = value
            elif name == "id":
                self.id = value
            elif name == "retry":
                self.retry = int(value)
            elif name == "data":
                data.append(value)
        self.data = "\n".join(data) if data else None

    @property
    def json(self):
        return json.loads(self.data)

    def is_event(self):
        return self.data is not None and not self.event.startswith("tidewire.")

    def __repr__(self):
        return f"<event={self.event!r} id={self.id!r} data={self.data!r} comment={self.comment!r}>"


class Blocks:
    """Cuts the text of an event stream (fed in pieces) into its blocks."""

    def __init__(self):
        self.buffer = b""

    def feed(self, data):
        *whole, self.buffer = (self.buffer + data).split(b"\n\n")
        return [Block(text.decode("utf-8").split("\n")) for text in whole if text]


class EventStream:
    """A subscriber. With `blocking` next() waits; without, a selector calls take() when there is something."""

    def __init__(self, place, target, fields=(), blocking=True, receive_bytes=None, version="HTTP/1.1"):
        self.connection = Connection(place, receive_bytes=receive_bytes)
        self.connection.send_request("GET", target, {"Accept": "text/event-stream", **dict(fields)}, version=version)
        self.answer = self.connection.head()
        self.last_id, self.ended, self.blocks, self.pending = None, False, Blocks(), []
        if self.answer.status != 200:
            self.connection.close()
            raise AssertionError(f"no stream: {self.answer}")
        assert self.answer.field("Content-Type") == "text/event-stream", self.answer
        self.chunks = Chunks() if self.answer.field("Transfer-Encoding") == "chunked" else None
        self.keep(self.connection.take(len(self.connection.buffer)))
        self.connection.socket.setblocking(blocking)
        if blocking:
            self.connection.socket.settimeout(WAIT_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.connection.close()

    def fileno(self):
        return self.connection.socket.fileno()

    def keep(self, data):
        if self.chunks:
            data = self.chunks.feed(data)
            self.ended = self.ended or self.chunks.ended
        self.pending += self.blocks.feed(data)

    def take(self):
        """Reads once; the blocks that are there now."""
        data = self.connection.socket.recv(1 << 18)
        if not data:
            self.ended = True
        self.keep(data)
        taken, self.pending = self.pending, []
        return taken

    def next(self):
        """The next block; None at the end of the stream."""
        while not self.pending:
            if self.ended:
                return None
            self.pending = self.take()
        block = self.pending.pop(0)
        if block.id is not None:
            self.last_id = block.id
        return block

    def next_event(self):
        """The next block that has data, control blocks included."""
        while (block := self.next()) is not None:
            if block.data is not None:
                return block
        return None


def in_parallel(tasks):
    """Runs functions in a thread each, and raises the first error of any."""
    errors, lock = [], threading.Lock()

    def guarded(task):
        try:
            task()
        except BaseException as error:  # it is raised again below, in the test's own thread
            with lock:
                errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * WAIT_S)
        if thread.is_alive():
            raise AssertionError("a task of the test did not end")
    if errors:
        raise errors[0]


def main(module="__main__"):
    """Runs the tests of a file; 77 if all of them were skipped."""
    program = unittest.main(module=module, exit=False, verbosity=2, argv=sys.argv)
    result = program.result
    if result.wasSuccessful() and result.testsRun > 0 and len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
    sys.exit(0 if result.wasSuccessful() else 1)
