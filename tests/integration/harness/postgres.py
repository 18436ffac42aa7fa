# SPDX-License-Identifier: PostgreSQL
"""A private PostgreSQL: own data, Unix socket and port; every kind of password."""
import os
import re
import signal
import subprocess

import psycopg2

from . import machine

OWNER = "postgres"
PASSWORD = "pass word's"

HBA = """
local all md5_user   md5
local all scram_user scram-sha-256
local all all        trust
host  all md5_user   all md5
host  all scram_user all scram-sha-256
host  all nobody_may all reject
host  all all        all trust
"""

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "max_connections": "150",
    "max_prepared_transactions": "5",
    "log_error_verbosity": "verbose",
    "log_line_prefix": "%a|%u|%d|",
    "lc_messages": "C",
    "password_encryption": "scram-sha-256",
}

ROLES = """
set password_encryption = 'md5';
create role md5_user login password 'pass word''s';
set password_encryption = 'scram-sha-256';
create role scram_user login password 'pass word''s';
create role nobody_may login;
create role trust_user login;
create role app login;
grant create on database postgres to app;
grant all on schema public to public;
"""


class Postgres:
    """Started at once, ended by stop() or with the process. `hba` says who gets in, `settings` go into its
    configuration."""

    OWNER = OWNER

    def __init__(self, hba=HBA, **settings):
        self._find_places()
        self._initialize(hba, {**SETTINGS, **settings})
        self.start()
        self.version = int(self.value("show server_version_num")) // 10000
        assert "PGSLUICE_SERVER_BIN" in os.environ or str(self.version) == machine.POSTGRES, self.version
        self.run(ROLES)

    @classmethod
    def of_backup(cls, backup, **settings):
        """One that begins with the data folder that a backup made, which it takes over."""
        server = cls.__new__(cls)
        server._find_places()
        os.rename(backup, server.data)
        server._configure(settings)
        server.start()
        server.version = int(server.value("show server_version_num")) // 10000
        return server

    def _find_places(self):
        self.bin = machine.server_bin(OWNER)
        self.folder = machine.new_folder(OWNER)
        self.port = machine.free_port()
        self.data = os.path.join(self.folder, "data")
        self.socket = os.path.join(self.folder, f".s.PGSQL.{self.port}")
        self.log_path = os.path.join(self.folder, "log")

    def _initialize(self, words, settings):
        command = [f"{self.bin}/initdb", "-D", self.data, "-U", OWNER, "-A", "trust", "-E", "UTF8",
                   "--locale=C", "--no-sync"]
        initdb = machine.spawn(command, user=OWNER, cwd=self.folder, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
        said, _ = initdb.communicate(timeout=60)
        if initdb.returncode != 0:
            raise RuntimeError(said.decode())
        self._configure(settings)
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="ascii") as hba:
            hba.write(words)

    def _configure(self, settings):
        settings = {**settings, "port": self.port, "unix_socket_directories": self.folder,
                    "listen_addresses": "127.0.0.1, ::1"}
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="ascii") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = machine.spawn([f"{self.bin}/postgres", "-D", self.data], user=OWNER,
                                         death=signal.SIGQUIT, cwd=self.folder, stdout=log, stderr=log)
        machine.wait_for(self._is_ready, "PostgreSQL starts", 30)

    def _is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.log())
        try:
            self.connect().close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop(self, how=signal.SIGINT):
        machine.end(self.process, how)

    def restart(self):
        self.stop()
        self.start()

    def connect(self, **how):
        connection = psycopg2.connect(**{"host": self.folder, "port": self.port, "user": OWNER,
                                         "dbname": "postgres", **how})
        connection.autocommit = True
        return connection

    def run(self, sql, database="postgres"):
        """Runs SQL directly; returns the rows of the last statement, if it has any."""
        connection = self.connect(dbname=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def value(self, sql, database="postgres"):
        return self.run(sql, database)[0][0]

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def errors(self):
        """(application_name, user, database, SQLSTATE) of each error in its log."""
        return re.findall(r"^([^|\n]*)\|([^|\n]*)\|([^|\n]*)\|ERROR:  ([0-9A-Z]{5}):", self.log(), re.MULTILINE)

    def catalog(self, database="postgres"):
        """What a schema change would change."""
        return self.run("""
            select (select count(*) from pg_class), (select max(oid) from pg_class),
                   (select count(*) from pg_attribute), (select count(*) from pg_constraint),
                   (select count(*) from pg_proc), (select count(*) from pg_type), (select count(*) from pg_roles),
                   (select count(*) from pg_namespace where nspname !~ 'temp'), (select count(*) from pg_index),
                   (select md5(string_agg(relname || relowner || relnatts || relkind::text || coalesce(relacl::text, ''),
                               ',' order by oid)) from pg_class)""", database)
