# SPDX-License-Identifier: PostgreSQL
"""The test case that the others are: one PostgreSQL for the file, a sluice for the class."""
import faulthandler
import os
import signal
import subprocess
import sys
import time
import unittest

import psycopg2

from . import machine, wire
from .postgres import Postgres
from .sluice import Sluice

REFUSED = "42501"
shared = {}


def postgres():
    """The PostgreSQL of this program, started when first asked for."""
    if "postgres" not in shared:
        shared["postgres"] = Postgres()
    return shared["postgres"]


class Case(unittest.TestCase):
    """`settings` are the sluice's; `SETUP` is SQL that is run before."""

    settings = {}
    SETUP = ""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.postgres = postgres()
        if cls.SETUP:
            cls.postgres.run(cls.SETUP)
        cls.sluice = Sluice(cls.postgres, **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)

    def run(self, result=None):
        begin = time.monotonic()
        super().run(result)
        print(f"        {time.monotonic() - begin:.1f} s", file=sys.stderr)

    def wire(self, sluice=None, **startup):
        """A logged-in raw client of the sluice."""
        raw = wire.Wire(("127.0.0.1", (sluice or self.sluice).port))
        self.addCleanup(raw.close)
        raw.login(**startup)
        return raw

    def connect(self, **how):
        connection = self.sluice.connect(**how)
        self.addCleanup(connection.close)
        return connection

    def new_sluice(self, upstream=None, **settings):
        sluice = Sluice(upstream or self.postgres, **settings)
        self.addCleanup(sluice.stop)
        return sluice

    def run_sql(self, sql, **how):
        """Runs SQL through the sluice; the rows of the last statement, if it has any."""
        connection = self.sluice.connect(**how)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def fails(self, sql, **how):
        """The error that SQL ends in through the sluice."""
        with self.assertRaises(psycopg2.Error) as caught:
            self.run_sql(sql, **how)
        return caught.exception

    def wait_until_asleep(self, raw, server=None):
        """Waits until the backend of a raw client is in pg_sleep."""
        is_asleep = f"select wait_event = 'PgSleep' from pg_stat_activity where pid = {raw.key[0]}"
        self.wait_for(lambda: (server or self.postgres).value(is_asleep), "it sleeps")

    def wait_for(self, condition, what, seconds=15):
        return machine.wait_for(condition, what, seconds)

    def wait_until_all_have_gone(self):
        """The server serves nobody but who asks."""
        self.wait_for(lambda: self.postgres.value("select count(*) from pg_stat_activity where backend_type = 'client backend'") == 1,
                      "all have gone")


def psql(port, *options, host="127.0.0.1", user="postgres", database="postgres", words="", stdin=None, env=None,
         timeout=60):
    """Runs psql; `words` are further connection words such as sslmode=disable."""
    target = f"host={host} port={port} user={user} dbname={database} {words}"
    return subprocess.run(["psql", "-X", "-w", *options, target], capture_output=True, text=True, input=stdin,
                          timeout=timeout, env=env, check=False)


def main():
    """Runs the tests of the calling file; says where each thread stands when it is told to end by force."""
    if not machine.BINARY:
        sys.exit("set PGSLUICE to the program that is to be tested")
    if not os.path.exists(f"{machine.SERVER_BIN}/postgres"):
        machine.skip(f"no PostgreSQL {machine.POSTGRES} here; tests/install.sh servers would install it")
    if machine.IO == "uring" and not machine.has_uring():
        machine.skip("io_uring cannot be had here")
    faulthandler.register(signal.SIGUSR1)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    unittest.main(verbosity=2)
