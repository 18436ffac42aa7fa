# SPDX-License-Identifier: PostgreSQL
"""The program under test."""
import copy
import csv
import io
import json
import os
import re
import signal
import subprocess

import psycopg2

from . import machine

REPORT = re.compile(r"ERROR: \w+Sanitizer|runtime error:|WARNING: ThreadSanitizer|Assertion .* failed")


def port_of(place):
    return int(place["address"].rsplit(":", 1)[1])


class Sluice:
    """Writes a configuration, starts the program and waits until it listens.

    `upstream` is a Postgres or a list of host words; `settings` are those of the file, besides the ones that
    stand here by default."""

    wrapper = ()  # words of a command that runs the program

    def __init__(self, upstream, start=True, **settings):
        hosts = upstream if isinstance(upstream, list) else [f"127.0.0.1:{upstream.port}"]
        self.folder = machine.new_folder()
        self.path = os.path.join(self.folder, "pgsluice.yaml")
        self.log_path = os.path.join(self.folder, "log")
        self.settings = {
            "listen": [{"address": f"127.0.0.1:{machine.free_port()}", "upstream": "main"}],
            "upstreams": [{"name": "main", "hosts": hosts}],
            "console": {"address": f"127.0.0.1:{machine.free_port()}"},
            "log": {"level": "debug"},
            **({"io": machine.IO} if machine.IO else {}),
            **copy.deepcopy(settings),
        }
        self.port = port_of(self.settings["listen"][0])
        self.console_port = port_of(self.settings["console"])
        self.process = None
        self.write()
        if start:
            self.start()

    # ── the process

    def write(self, text=None):
        """Writes the settings, or another text, to the configuration file."""
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text if text is not None else json.dumps(self.settings, indent=1))

    def launch(self):
        with open(self.log_path, "ab") as log:
            self.process = machine.spawn([*self.wrapper, machine.BINARY, "run", "--config", self.path], stdout=log, stderr=log,
                                         cwd=self.folder)

    def start(self):
        self.launch()
        machine.wait_for(self._listens, "the sluice listens")

    def _listens(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the sluice ended with status {self.process.returncode}:\n{self.log()}")
        return machine.accepts(("127.0.0.1", self.port)) and self.has_logged("started")

    def stop(self):
        """Ends it as a service manager does, and holds it to a clean end."""
        if self.process is None:
            return
        machine.end(self.process, signal.SIGTERM, 60)
        self.check_end()

    def check_end(self):
        status = self.process.wait(60)
        log = self.log()
        self.process = None
        assert not REPORT.search(log), log[-20000:]
        assert status == 0, f"exit status {status}:\n{log[-4000:]}"

    def check(self):
        """What `pgsluice check` says: its status and words."""
        done = subprocess.run([machine.BINARY, "check", "--config", self.path], capture_output=True, text=True,
                              timeout=20, check=False)
        return done.returncode, done.stdout + done.stderr

    def hang_up(self):
        self.process.send_signal(signal.SIGHUP)

    def resident_kib(self):
        return machine.resident_kib(self.process.pid)

    # ── its log

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def has_logged(self, event):
        return f"event={event}" in self.log() or f'"event":"{event}"' in self.log()

    def events(self, name=None):
        """The lines of its logfmt log as mappings, those of one event if named. What is written may be seen before its end."""
        rows = [parse_logfmt(line) for line in self.log().splitlines(keepends=True) if line.endswith("\n")]
        return [row for row in rows if name is None or row.get("event") == name]

    # ── connections

    def connect(self, **how):
        connection = psycopg2.connect(**{"host": "127.0.0.1", "port": self.port, "user": "postgres",
                                         "dbname": "postgres", "connect_timeout": 20, **how})
        connection.autocommit = True
        return connection

    def console(self, command, user="operator", **how):
        """What psql gets to see of a console command: its rows as mappings."""
        done = self.console_psql(command, "--csv", user=user, **how)
        assert done.returncode == 0, done.stderr
        return parse_csv(done.stdout)

    def console_psql(self, command, *options, user="operator", password=None):
        environment = {**os.environ, "PGCONNECT_TIMEOUT": "10"}
        if password is not None:
            environment["PGPASSWORD"] = password
        words = ["psql", "-X", "-w", "-h", "127.0.0.1", "-p", str(self.console_port), "-U", user, "-d", "pgsluice",
                 "-v", "VERBOSITY=verbose", *options, "-c", command]
        return subprocess.run(words, capture_output=True, text=True, timeout=30, env=environment, check=False)

    def counters(self):
        return {row["name"]: int(row["value"]) for row in self.console("SHOW STATS")}

    def counter(self, name):
        return self.counters()[name]

    def violations(self):
        return self.console("SHOW VIOLATIONS LIMIT 100000")


LOGFMT = re.compile(r'([A-Za-z_]+)=("(?:[^"\\]|\\.)*"|[^ "]*)(?: |$)')


ESCAPE = re.compile(rb'\\(x[0-9a-f]{2}|["\\])')


def unquote(value):
    """A quoted value of logfmt: \\" \\\\ and \\xNN for a byte."""
    def byte(match):
        word = match.group(1)
        return bytes([int(word[1:], 16)]) if word[:1] == b"x" else word

    inner = value[1:-1].encode()
    if b"\\" in ESCAPE.sub(b"", inner):
        raise ValueError(f"an unknown escape: {value}")
    return ESCAPE.sub(byte, inner).decode("utf-8", "replace")


def parse_logfmt(line):
    """One line of key=value pairs; raises ValueError when it is not."""
    row, at, line = {}, 0, line.removesuffix("\n")
    while at < len(line):
        pair = LOGFMT.match(line, at)
        if not pair or pair.group(1) in row:
            raise ValueError(f"not logfmt at {at}: {line}")
        value = pair.group(2)
        row[pair.group(1)] = unquote(value) if value.startswith('"') else value
        at = pair.end()
    if line.endswith(" ") or not row:
        raise ValueError(f"not logfmt: {line!r}")
    return row


def parse_csv(text):
    return list(csv.DictReader(io.StringIO(text)))
