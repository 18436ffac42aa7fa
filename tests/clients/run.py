# SPDX-License-Identifier: PostgreSQL
"""Runs one client twice, directly and through the sluice; what it says must be the same to the byte.

usage: run.py CLIENT [--tls WHERE] [--direct]
       --tls       which connections are encrypted: off (the default), both, those of the client or of the server.
                   With both, the sluice has the server's certificate, so that channel binding holds
       --direct    directly both times: whether the client itself says the same twice

PGSLUICE names the program; PGSLUICE_CLIENT_LIBPQ that of the client libpq."""
import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent / "integration")  # not this folder: its files are named as the libraries are

from harness import machine  # noqa: E402
from harness.certificate import Certificate  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.sluice import Sluice  # noqa: E402

BUILD = machine.ROOT / "build" / "clients"
PASSWORD = "pass word's ü"
HBA = """
local   all all     trust
hostssl all shopper all scram-sha-256
host    all shopper all {host}
host    all all     all reject
"""
SECTIONS = ("connect", "simple", "prepared", "copy", "notify", "large", "errors", "transactions", "cancel", "refused",
            "terminated", "closed")
DEADLINE = 240


def python(name):
    return ["/usr/bin/python3", "-P", "-B", str(HERE / f"{name}.py")]


def node(name):
    return ["node", "--no-deprecation", str(HERE / f"{name}.js")]


def go():
    program = os.path.join(machine.new_folder(), "lib_pq")
    built = subprocess.run(["go", "build", "-o", program, str(HERE / "lib_pq.go")], check=False, env={
        **os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(BUILD / "go"), "GOFLAGS": ""})
    if built.returncode != 0:
        sys.exit("lib_pq.go does not compile")
    return [program]


def java():
    classes = machine.new_folder()
    if subprocess.run(["javac", "-cp", JAR, "-d", classes, str(HERE / "pgjdbc.java")], check=False).returncode != 0:
        sys.exit("pgjdbc.java does not compile")
    return ["java", "-cp", f"{classes}:{JAR}", "-Xmx3g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "Client"]


JAR = "/usr/share/java/postgresql.jar"
CLIENTS = {  # the command, sections besides those of all, and the file that is there once the client is installed
    "psql": (lambda: ["psql", "-X", "-a", "-w", "-v", "ON_ERROR_STOP=0", "-f", str(HERE / "psql.sql")],
             (), "/usr/bin/psql"),
    "libpq": (lambda: [os.environ["PGSLUICE_CLIENT_LIBPQ"]], ("pipeline",), os.environ.get("PGSLUICE_CLIENT_LIBPQ", "")),
    "psycopg2": (lambda: python("psycopg2"), (), "/usr/lib/python3/dist-packages/psycopg2/__init__.py"),
    "psycopg": (lambda: python("psycopg"), ("pipeline",), "/usr/lib/python3/dist-packages/psycopg/__init__.py"),
    "asyncpg": (lambda: python("asyncpg"), ("pipeline",), "/usr/lib/python3/dist-packages/asyncpg/__init__.py"),
    "pg": (lambda: node("pg"), (), f"{BUILD}/node_modules/pg/package.json"),
    "postgres": (lambda: node("postgres"), ("pipeline",), f"{BUILD}/node_modules/postgres/package.json"),
    "pgjdbc": (java, ("pipeline",), JAR),
    "lib_pq": (go, (), "/usr/share/gocode/src/github.com/lib/pq/conn.go"),
    "dbd_pg": (lambda: ["/usr/bin/perl", str(HERE / "dbd_pg.pl")], (), "/usr/share/doc/libdbd-pg-perl"),
    "ruby_pg": (lambda: ["/usr/bin/ruby", str(HERE / "ruby_pg.rb")], ("pipeline",), "/usr/share/doc/ruby-pg"),
}


class Bench:
    """The server, and the sluice before it."""

    def __init__(self, where):
        self.megabytes = int(os.environ.get("LARGE_MEGABYTES", "10" if machine.is_sanitized() else "100"))
        self.client_has_tls = where in ("both", "client")
        self.server_has_tls = where in ("both", "server")
        self.certificate = Certificate(Postgres.OWNER)
        how = {} if where == "off" else {
            "ssl": "on", "ssl_cert_file": self.certificate.path, "ssl_key_file": self.certificate.key}
        self.postgres = Postgres(hba=HBA.format(host="reject" if where == "both" else "scram-sha-256"), **how)
        self.postgres.run(f"""create role shopper login password '{PASSWORD.replace("'", "''")}';
                              grant pg_signal_backend, pg_read_all_stats to shopper""")
        self.postgres.run("create database shop_template")
        self.postgres.run((HERE / "statements" / "schema.sql").read_text(), "shop_template")

    def start_sluice(self):
        address = {"address": f"127.0.0.1:{machine.free_port()}", "upstream": "main"}
        upstream = {"name": "main", "hosts": [f"127.0.0.1:{self.postgres.port}"]}
        if self.client_has_tls:
            address["tls"] = {"mode": "require", "certificate": self.certificate.path, "key": self.certificate.key}
        if self.server_has_tls:
            upstream["tls"] = {"mode": "verify-full", "ca": self.certificate.authority}
        return Sluice(self.postgres, listen=[address], upstreams=[upstream], guard={"mode": "enforce"})

    def renew_database(self):
        self.postgres.run("drop database if exists shop with (force)")
        self.postgres.run("create database shop template shop_template")

    def environment(self, port):
        """What the client gets to know: libpq's variables, which not only libpq reads."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        home = machine.new_folder()
        return {**own, "HOME": home, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC", "PGHOST": "127.0.0.1",
                "PGPORT": str(port), "PGUSER": "shopper", "PGPASSWORD": PASSWORD, "PGDATABASE": "shop",
                "PGAPPNAME": "client", "PGCONNECT_TIMEOUT": "20", "PGCLIENTENCODING": "UTF8",
                "PGSSLMODE": "verify-full" if self.client_has_tls else "disable", "PGSSLROOTCERT": self.certificate.authority,
                "LARGE_BYTES": str(self.megabytes << 20), "STATEMENTS": str(HERE / "statements"),
                "NODE_PATH": str(BUILD / "node_modules")}

    def transcript(self, command, port):
        self.renew_database()
        environment = self.environment(port)
        client = machine.spawn(command, env=environment, cwd=environment["HOME"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said, _ = client.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            client.kill()
            said = client.communicate()[0] + f"\nnot done within {DEADLINE} s\n".encode()
        return client.returncode, mask(said.decode("utf-8", "backslashreplace"), port)


def mask(said, port):
    """Some show the port where they may not connect, psql the process behind a notification, and the server says whether
    its own connection is encrypted."""
    said = re.sub(r"(server process with PID) \d+", r"\1 N", said.replace(f"port {port} ", "port PORT "))
    return said.replace("no encryption", "MAYBE encryption").replace("SSL encryption", "MAYBE encryption")


def compare(direct, through, sections):
    """What is wrong, in lines; nothing if the two runs say the same and all that is to be said."""
    wrong = [f"== {name}: this section is missing" for name in sections
             if not re.search(f"^== {name}$", direct[1], re.MULTILINE)]
    if wrong or direct[0] != 0:
        wrong += [f"directly, the client ended with status {direct[0]} and said:", direct[1][-6000:]]
    if through[0] != direct[0]:
        wrong.append(f"through the sluice, the client ended with status {through[0]}")
    lines = difflib.unified_diff(direct[1].splitlines(), through[1].splitlines(), "direct", "through", lineterm="")
    return wrong + [line[:400] for line in lines]


def check_followed(sluice):
    counters = sluice.counters()
    for name in ("unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_refused"):
        if counters[name] != 0:
            yield f"the sluice counts {name}: {counters[name]}"
    if counters["sessions_opened"] < 4:
        yield "the client did not come through the sluice"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("--tls", choices=("off", "both", "client", "server"), default="off")
    parser.add_argument("--direct", action="store_true")
    how = parser.parse_args()
    command, more, proof = CLIENTS[how.client]
    if not os.path.exists(proof):
        machine.skip(f"{how.client} is not installed ({proof}); tests/install.sh clients would install it")
    if not machine.BINARY:
        sys.exit("set PGSLUICE to the program that is to be tested")
    bench = Bench(how.tls)
    command = command()
    direct = bench.transcript(command, bench.postgres.port)
    if how.direct:
        print(direct[1])
        wrong = compare(direct, bench.transcript(command, bench.postgres.port), (*SECTIONS, *more))
    else:
        sluice = bench.start_sluice()
        wrong = compare(direct, bench.transcript(command, sluice.port), (*SECTIONS, *more))
        wrong += check_followed(sluice)
        sluice.stop()
    print("\n".join(wrong) or f"{how.client} says the same {len(direct[1].splitlines())} lines")
    sys.exit(1 if wrong else 0)


main()
