# SPDX-License-Identifier: PostgreSQL
"""Thousands of clients that rest, a server that bears them, and what a process needs in memory."""
import multiprocessing
import resource
import selectors
import socket
import struct

from . import wire
from .wire import message, text

READY_HEAD = b"Z\0\0\0\5"
RESERVED = 200  # descriptors of a process that are not sessions'

# What PostgreSQL 15 says of itself at a login, besides application_name.
PARAMETERS = {"client_encoding": "UTF8", "DateStyle": "ISO, MDY", "default_transaction_read_only": "off",
              "in_hot_standby": "off", "integer_datetimes": "on", "IntervalStyle": "postgres", "is_superuser": "off",
              "server_encoding": "UTF8", "server_version": "15.9", "session_authorization": "app",
              "standard_conforming_strings": "on", "TimeZone": "UTC"}
COLUMN = message("T", struct.pack("!h", 1) + text("balance") + struct.pack("!ihihih", 0, 0, 23, 4, -1, 0))
ROW = message("D", struct.pack("!hi", 1, 1) + b"7")


def sessions_most():
    """How many sessions a process may hold, each with two descriptors."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return (most - RESERVED) // 2


def memory(pid):
    """Bytes of its memory by name (Pss, Rss ...)."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as lines:
        rows = [line.split() for line in lines]
    return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows if row[-1] == "kB"}


# ── The server

class Answers:
    """One connection: takes what came, says what goes back."""

    def __init__(self):
        self.kept = b""
        self.status = b"I"
        self.is_open = False

    def take(self, data):
        data, at, said = self.kept + data, 0, []
        while len(data) - at >= (5 if self.is_open else 4):
            size = struct.unpack_from("!i", data, at + self.is_open)[0] + self.is_open
            if len(data) - at < size:
                break
            said.append(self.answer(data[at:at + 1], data[at + 5:at + size]) if self.is_open else self.login(data[at + 8:at + size]))
            at += size
        self.kept = data[at:]
        return b"".join(said)

    def login(self, body):
        words = body.split(b"\0")
        given = dict(zip(words[0::2], words[1::2]))
        told = {"application_name": given.get(b"application_name", b""), **PARAMETERS}
        self.is_open = True
        return (message("R", struct.pack("!i", 0)) + b"".join(message("S", text(name) + text(value)) for name, value in told.items()) +
                message("K", struct.pack("!iI", 4711, 4712)) + self.ready())

    def ready(self):
        return READY_HEAD + self.status

    def answer(self, kind, body):
        if kind == b"Q":
            return self.query(body[:-1])
        return {b"P": message("1"), b"B": message("2"), b"D": COLUMN, b"C": message("3"),
                b"E": ROW + message("C", text("SELECT 1")), b"S": self.ready()}.get(kind, b"")

    def query(self, sql):
        if sql in (b"begin", b"commit"):
            self.status = b"T" if sql == b"begin" else b"I"
            return message("C", text(sql.decode().upper())) + self.ready()
        return COLUMN + ROW + message("C", text("SELECT 1")) + self.ready()


def serve(listener):
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.data is None:
                    connection, _ = listener.accept()
                    selector.register(connection, selectors.EVENT_READ, Answers())
                elif data := receive(key.fileobj):
                    key.fileobj.sendall(key.data.take(data))
                else:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()


def receive(connection):
    try:
        return connection.recv(1 << 17)
    except OSError:
        return b""


class PatientServer:
    """Answers any number of connections, in a process of its own, which ends with this one."""

    def __init__(self):
        sessions_most()
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            self.port = listener.getsockname()[1]
            self.process = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
            self.process.start()

    def close(self):
        self.process.terminate()
        self.process.join()


# ── The clients

def read_ready(connection, count=1):
    data = b""
    while data.count(READY_HEAD) < count or data[-6:-1] != READY_HEAD:
        more = connection.recv(1 << 17)
        if not more:
            raise wire.Closed(data)
        data += more


class Crowd:
    """Clients that do the same, `at_once` of them at a time, and else rest."""

    def __init__(self, port, count, at_once=50, **startup):
        self.at_once = at_once
        self.clients = []
        opening = wire.startup("app", "shop", client_encoding="UTF8", **{"application_name": "till", **startup})
        for first in range(0, count, at_once):
            wave = [self.connect(port) for _ in range(min(at_once, count - first))]
            self.clients += wave
            self.ask_wave(wave, lambda index: opening, 1)

    @staticmethod
    def connect(port):
        client = socket.create_connection(("127.0.0.1", port), timeout=60)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    @staticmethod
    def ask_wave(wave, said, count, first=0):
        for index, client in enumerate(wave):
            client.sendall(said(first + index))
        for client in wave:
            read_ready(client, count)

    def ask(self, said, count=1):
        """Each client says said(its number) and reads `count` ReadyForQuery."""
        for first in range(0, len(self.clients), self.at_once):
            self.ask_wave(self.clients[first:first + self.at_once], said, count, first)

    def close(self):
        for client in self.clients:
            client.sendall(wire.terminate())
            client.close()
        self.clients = []
