# SPDX-License-Identifier: PostgreSQL
"""A client that sends exactly the bytes it is told (manual: "Frontend/Backend Protocol")."""
import socket
import struct
import time

SSL_REQUEST = struct.pack("!ii", 8, 80877103)
GSS_REQUEST = struct.pack("!ii", 8, 80877104)


def text(value):
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def message(kind, body=b""):
    return kind.encode() + struct.pack("!i", len(body) + 4) + body


def startup(user="postgres", database="postgres", version=196608, **parameters):
    pairs = {"user": user, "database": database, **parameters}
    body = b"".join(text(name) + text(value) for name, value in pairs.items() if value is not None) + b"\0"
    return struct.pack("!ii", len(body) + 8, version) + body


def cancel(pid, key):
    return struct.pack("!iiiI", 16, 80877102, pid, key)


def query(sql):
    return message("Q", text(sql))


def parse(sql, name="", types=()):
    return message("P", text(name) + text(sql) + struct.pack(f"!h{len(types)}i", len(types), *types))


def bind(portal="", prepared="", values=(), formats=(), results=()):
    body = text(portal) + text(prepared) + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        data = None if value is None else value.encode() if isinstance(value, str) else value
        body += struct.pack("!i", -1) if data is None else struct.pack("!i", len(data)) + data
    return message("B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(kind, name=""):
    return message("D", kind.encode() + text(name))


def execute(portal="", rows=0):
    return message("E", text(portal) + struct.pack("!i", rows))


def close(kind, name=""):
    return message("C", kind.encode() + text(name))


def sync():
    return message("S")


def flush():
    return message("H")


def copy_data(data):
    return message("d", data)


def copy_done():
    return message("c")


def copy_fail(why):
    return message("f", text(why))


def terminate():
    return message("X")


def function_call(oid, *values):
    body = struct.pack("!ihhh", oid, 1, 1, len(values))
    body += b"".join(struct.pack("!i", len(value)) + value for value in values)
    return message("F", body + struct.pack("!h", 1))


def fields(body):
    """The fields of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode("utf-8", "replace") for part in body.split(b"\0") if part}


def rows(messages):
    """The DataRows among messages, as lists of texts."""
    found = []
    for kind, body in messages:
        if kind != "D":
            continue
        values, at = [], 2
        for _ in range(struct.unpack("!h", body[:2])[0]):
            (size,) = struct.unpack("!i", body[at:at + 4])
            at += 4
            values.append(None if size < 0 else body[at:at + size].decode("utf-8", "replace"))
            at += max(size, 0)
        found.append(values)
    return found


def errors(messages):
    return [fields(body) for kind, body in messages if kind == "E"]


def kinds(messages):
    return "".join(kind for kind, _ in messages)


class Closed(Exception):
    """The peer ended the connection."""


class Wire:
    """A connection by host and port, or by the path of a Unix socket. Every read has a deadline."""

    def __init__(self, address, timeout=20):
        is_path = isinstance(address, str)
        family = socket.AF_UNIX if is_path else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        if not is_path:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""
        self.key = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes so that the peer sees the connection break."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def send(self, *messages):
        self.socket.sendall(b"".join(messages))

    def send_cut(self, data, sizes, pause=0):
        """Sends data in pieces of these sizes, what is left in one."""
        at = 0
        for size in sizes:
            self.socket.sendall(data[at:at + size])
            at += size
            if pause:
                time.sleep(pause)
            if at >= len(data):
                return
        self.socket.sendall(data[at:])

    def read_some(self, wanted=65536):
        try:
            data = self.socket.recv(max(wanted, 65536))
        except socket.timeout as late:
            raise AssertionError(f"no answer within {self.timeout} s; so far {self.kept[:200]!r}") from late
        if not data:
            raise Closed(self.kept)
        self.kept += data

    def read(self, size):
        if len(self.kept) < size:
            parts = [self.kept]
            missing = size - len(self.kept)
            self.kept = b""
            while missing > 0:
                self.read_some(missing)
                parts.append(self.kept)
                missing -= len(self.kept)
                self.kept = b""
            self.kept = b"".join(parts)
        taken, self.kept = self.kept[:size], self.kept[size:]
        return taken

    def read_message(self):
        head = self.read(5)
        (size,) = struct.unpack("!i", head[1:])
        return head[:1].decode("latin-1"), self.read(size - 4)

    def until(self, last="Z", count=1):
        """All messages up to the count-th of a kind."""
        found = []
        while count > 0:
            found.append(self.read_message())
            count -= found[-1][0] == last
        return found

    def rest(self):
        """All that comes until the peer closes."""
        try:
            while True:
                self.read_some()
        except (Closed, ConnectionError):
            taken, self.kept = self.kept, b""
            return taken

    def rest_messages(self):
        """All messages that come until the peer closes."""
        found = []
        try:
            while True:
                found.append(self.read_message())
        except (Closed, ConnectionError):
            return found

    def login(self, user="postgres", database="postgres", **parameters):
        self.send(startup(user, database, **parameters))
        messages = self.until("Z")
        for kind, body in messages:
            if kind == "K":
                self.key = struct.unpack("!iI", body)
        return messages

    def ask(self, *messages, syncs=1):
        """Sends messages and reads up to the given number of ReadyForQuery."""
        self.send(*messages)
        return self.until("Z", syncs)
