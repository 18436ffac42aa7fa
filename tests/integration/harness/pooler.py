# SPDX-License-Identifier: PostgreSQL
"""A pooler whose clients take turns on one session of the server: what one has prepared there, the others may execute."""
import os
import unittest

from . import machine
from .postgres import OWNER

PROGRAM = f"{machine.ROOT}/build/pooler/usr/sbin/pgbouncer"
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = 1
"""


class Pooler:
    """PgBouncer before a Postgres, started at once, ended by stop() or with the process."""

    def __init__(self, postgres):
        if not os.path.exists(PROGRAM):
            raise unittest.SkipTest("no PgBouncer here; tests/install.sh would unpack it")
        self.folder = machine.new_folder(OWNER)
        self.port = machine.free_port()
        self.write("users", f'"{OWNER}" ""\n')
        self.write("pgbouncer.ini", SETTINGS.format(server=postgres.port, port=self.port, folder=self.folder))
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = machine.spawn([PROGRAM, f"{self.folder}/pgbouncer.ini"], user=OWNER, cwd=self.folder, stdout=log,
                                         stderr=log)
        machine.wait_for(lambda: machine.accepts(("127.0.0.1", self.port)), "the pooler listens")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    def stop(self):
        machine.end(self.process, machine.signal.SIGTERM)
