# SPDX-License-Identifier: PostgreSQL
"""A server that says what a test tells it, true or not."""
import socket
import struct
import threading

from . import wire


def message(kind, body=b""):
    return wire.message(kind, body)


AUTHENTICATION_OK = message("R", struct.pack("!i", 0))
READY = message("Z", b"I")
LOGIN = AUTHENTICATION_OK + message("S", wire.text("server_version") + wire.text("15.0")) + \
    message("K", struct.pack("!iI", 4711, 4712)) + READY


class Peer:
    """One connection that came in."""

    def __init__(self, connection):
        connection.settimeout(20)
        self.socket = connection

    def send(self, data):
        self.socket.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise wire.Closed(data)
            data += more
        return data

    def read_startup(self):
        (size,) = struct.unpack("!i", self.read(4))
        return self.read(size - 4)

    def read_message(self):
        head = self.read(5)
        return head[:1].decode("latin-1"), self.read(struct.unpack("!i", head[1:])[0] - 4)

    def log_in(self):
        self.read_startup()
        self.send(LOGIN)

    def read_to_end(self):
        data = b""
        try:
            while more := self.socket.recv(65536):
                data += more
        except OSError:
            pass
        return data

    def close(self):
        self.socket.close()


class ScriptedServer:
    """Listens, and runs script(peer) for each connection in a thread of its own; the connection closes when the
    script ends. What went wrong in a script is kept in `failures`."""

    def __init__(self, script):
        self.script = script
        self.failures = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Peer(connection),), daemon=True).start()

    def _serve(self, peer):
        try:
            self.script(peer)
        except (wire.Closed, OSError):
            pass
        except Exception as failure:  # shown by the test
            self.failures.append(failure)
        finally:
            peer.close()

    def close(self):
        self.listener.close()
