# SPDX-License-Identifier: PostgreSQL
"""A gigabyte by pg_dump | psql through the sluice: what arrives is what there was."""
import os
import pathlib
import shutil
import subprocess

from harness import machine, secured
from harness.case import Case, main
from harness.certificate import Certificate
from harness.postgres import Postgres

SCRIPT = pathlib.Path(__file__).with_name("database") / "dump.sql"
ROWS = int(os.environ.get("DUMP_ROWS", "10000"))  # of 100 kB each
DISK_NEEDED = 6 << 30
ALWAYS = {"name": "always", "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"], "from": "00:00", "to": "24:00",
          "allow": "modifying"}
# The lines with random words in them are left out.
WHOLE = r"set -o pipefail; pg_dump {words} | LC_ALL=C grep -avE '^\\(un)?restrict ' | sha256sum"
CARRY = "set -o pipefail; pg_dump {source} | psql -X -q -v ON_ERROR_STOP=1 {target}"
MEMORY_MOST_KIB = 64 << 10


class Dump(Case):
    settings = {"guard": {"mode": "enforce", "windows": [ALWAYS]}}

    @classmethod
    def setUpClass(cls):
        if shutil.disk_usage("/tmp").free < DISK_NEEDED:
            machine.skip("not enough room in /tmp")
        cls.certificate = Certificate(Postgres.OWNER)
        cls.postgres = Postgres(wal_level="logical", max_wal_size="256MB", min_wal_size="80MB",
                                synchronous_commit="off", **secured.postgres_words(cls.certificate))
        cls.addClassCleanup(shutil.rmtree, cls.postgres.folder, ignore_errors=True)
        cls.addClassCleanup(cls.postgres.stop)
        cls.postgres.run("create database source template template0")
        cls.postgres.run("create database target template template0")

    def psql_words(self, port, database, host="localhost"):
        return f"-h {host} -p {port} -U postgres -w -d {database}"

    def bash(self, command, env=None):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=500, check=False,
                              env=env or secured.environment())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def fingerprint(self, database):
        """Of all that a dump of the database says, read directly."""
        words = self.psql_words(self.postgres.port, database, self.postgres.folder)
        return self.bash(WHOLE.format(words=words))

    def test_a_dump_and_its_restoration_change_nothing(self):
        """Out without TLS, in again with TLS on both legs."""
        own = self.psql_words(self.postgres.port, "source", self.postgres.folder)
        self.bash(f"psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -v rows={ROWS} {own} -f {SCRIPT}")
        self.assertGreaterEqual(
            self.postgres.value("select count(*) from pg_tables where schemaname !~ '^pg_|^information'", "source"), 100)
        out = self.new_sluice(**self.settings)
        back = self.new_sluice(**self.settings, **secured.sluice_words(self.certificate, self.postgres))
        trust = f"'dbname=target sslmode=verify-full sslrootcert={self.certificate.authority}'"
        self.bash(CARRY.format(source=self.psql_words(out.port, "source"), target=self.psql_words(back.port, trust)))
        self.assertEqual(self.fingerprint("target"), self.fingerprint("source"))
        counters = back.counters()
        self.assertGreater(counters["ddl_passed"], 300)
        for sluice in (out, back):
            self.assert_followed(sluice)

    def assert_followed(self, sluice):
        counters = sluice.counters()
        self.assertGreater(counters["bytes_from_clients"] + counters["bytes_from_servers"], ROWS * 95_000)
        for name in ("errors", "unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_refused"):
            self.assertEqual(counters[name], 0, name)
        if not machine.is_sanitized():
            self.assertLess(sluice.resident_kib(), MEMORY_MOST_KIB)


if __name__ == "__main__":
    main()
