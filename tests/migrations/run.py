# SPDX-License-Identifier: PostgreSQL
"""Runs a migration of two steps by one tool through the sluice, in a window and outside, and holds the tool to what
tools.py says of it.

usage: run.py TOOL [--show]        --show: what the tool said, each time

PGSLUICE names the program."""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import psycopg2

import tools

HERE = pathlib.Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent / "integration")  # not this folder: its folders are named as the libraries are

from harness import machine  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.sluice import Sluice  # noqa: E402

DEADLINE = 60
SIGNS = {"message": "schema change refused: ", "detail": "class=modifying", "hint": "an operator can open one",
         "SQLSTATE": "42501"}
SHOP = """
select coalesce((select string_agg(pg_get_constraintdef(oid), ', ' order by contype desc) from pg_constraint
                 where conrelid = to_regclass('orders') and contype in ('p', 'c')), 'no constraint'),
       coalesce((select string_agg(status::text, ', ' order by status::text) from
                 (select unnest(xpath('//status/text()', query_to_xml('table orders', false, false, ''))) as status) as row),
                'no row')"""
OWN = """
select coalesce(array_agg(nspname || '.' || relname order by nspname, relname collate "C"), '{}')
from pg_class join pg_namespace as schema on schema.oid = relnamespace
where relkind = 'r' and nspname <> 'information_schema' and nspname !~ '^pg_' and relname <> 'orders'"""
REMOVED = "drop database if exists shop with (force)"


def version_of(package):
    if package.startswith("npm:"):
        about = tools.NODE / package[4:] / "package.json"
        return json.loads(about.read_text())["version"] if about.exists() else ""
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package], capture_output=True,
                           text=True, check=False)
    status, _, version = asked.stdout.partition(" ")
    return version.rpartition(":")[2] if status == "installed" else ""


class Bench:
    """The server, the sluice before it, and the folder in which the tool works."""

    def __init__(self, name, is_shown):
        self.tool = tools.TOOLS[name]
        self.is_shown = is_shown
        self.postgres = Postgres()
        self.postgres.run("create role migrator login")
        self.sluice = Sluice(self.postgres, guard={"mode": "enforce"})
        self.source = HERE / (self.tool.folder or name)
        self.folder = os.path.join(machine.new_folder(), "work")
        self.archive = os.path.join(machine.new_folder(), "archive")
        self.faults = []
        shutil.copytree(self.source, self.folder)
        os.symlink(tools.NODE, os.path.join(self.folder, "node_modules"))

    # ── what happens

    def environment(self):
        own = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**own, "HOME": machine.new_folder(), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "UTC",
                "PGHOST": "127.0.0.1", "PGPORT": str(self.sluice.port), "PGUSER": "migrator", "PGDATABASE": "shop",
                "PGSSLMODE": "disable", "NODE_PATH": str(tools.NODE),
                "DATABASE_URL": f"postgres://migrator@127.0.0.1:{self.sluice.port}/shop?sslmode=disable",
                # of Prisma: ask nobody for news; download neither the engine that is not used nor the one that it asks
                # whether the server is there before it goes on with the one in JavaScript
                "CHECKPOINT_DISABLE": "1", "PRISMA_HIDE_UPDATE_MESSAGE": "1", "PRISMA_QUERY_ENGINE_LIBRARY": "/dev/null",
                "PRISMA_SCHEMA_ENGINE_BINARY": "/bin/true"}

    def run(self, what, command):
        """What the tool ends with and says."""
        command = [word.format(port=self.sluice.port, archive=self.archive) for word in command]
        program = machine.spawn(command, env=self.environment(), cwd=self.folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        try:
            said = program.communicate(timeout=DEADLINE)[0].decode("utf-8", "backslashreplace")
        except subprocess.TimeoutExpired:
            program.kill()
            said = program.communicate()[0].decode("utf-8", "backslashreplace")
            self.faults.append(f"{what}: not done within {DEADLINE} s")
        self.said = f"{what}: status {program.returncode}\n{said}"
        if self.is_shown:
            print(self.said)
        return program.returncode, said

    def open(self, allow):
        self.sluice.console(f"OPEN WINDOW release FOR '10m' ALLOW {allow} REASON 'release 42'")

    def close(self):
        self.sluice.console("CLOSE WINDOW release")

    def allow_own_tables(self):
        """A rule for each table of the tool's own: they need no window from here on."""
        rules = [{"name": f"own-{number}", "when": {"object": pattern}, "action": "allow"}
                 for number, pattern in enumerate(self.tool.patterns)]
        self.sluice.settings["guard"]["rules"] = rules
        self.sluice.write()
        self.sluice.stop()
        self.sluice.start()

    def hide_second(self):
        """As it was before the second step was written."""
        for file in self.tool.second:
            path = os.path.join(self.folder, file)
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
        if self.tool.index:
            path = pathlib.Path(self.folder, self.tool.index)
            index = json.loads(path.read_text())
            path.write_text(json.dumps({**index, "entries": index["entries"][:1]}))

    def write_second(self):
        shutil.copytree(self.source, self.folder, dirs_exist_ok=True)

    def dump(self):
        """pg_dump only reads, which no gate holds up."""
        self.postgres.run("create database shop owner migrator")
        for file in ("1.sql", "2.sql"):
            self.postgres.run((HERE / "psql" / file).read_text(), "shop")
        self.postgres.run("alter table orders owner to migrator; insert into orders values (1, 'open')", "shop")
        self.expect_status("dump", ("pg_dump", "-w", "-Fc", "-f", self.archive), 0)
        self.postgres.run(REMOVED)

    # ── what is expected

    def expect(self, what, got, wanted):
        if got != wanted:
            self.faults.append(f"{what}: {got!r}, not {wanted!r}; the tool said last\n{self.said[-6000:]}")

    def expect_status(self, what, command, wanted):
        status, said = self.run(what, command)
        self.expect(f"{what}: status", status, wanted)
        return said

    def expect_refusal(self, what, command):
        refused = self.sluice.counter("ddl_refused")
        said = self.expect_status(what, command, self.tool.status)
        self.expect(f"{what}: it was refused", self.sluice.counter("ddl_refused") > refused, True)
        self.expect(f"{what}: the message is shown", SIGNS["message"] in said, "message" in self.tool.shows)
        return said

    def shop(self):
        return self.postgres.run(SHOP, "shop")[0]

    def journal(self):
        return sorted(map(str, self.postgres.run(self.tool.journal, "shop"))) if self.tool.journal else []

    def expect_shop(self, what, constraints, statuses):
        self.expect(f"{what}: the shop", self.shop(), (constraints, statuses))


CHECK = "CHECK ((status = ANY (ARRAY['open'::text, 'paid'::text])))"
KEY = "PRIMARY KEY (id)"


def refuse_first(bench):
    """On an empty database: the tool cannot create its own tables either."""
    bench.postgres.run("create database shop owner migrator")
    before = bench.postgres.catalog("shop")
    bench.expect_refusal("the first step, gate closed", bench.tool.first or bench.tool.run)
    bench.expect("the catalog", bench.postgres.catalog("shop"), before)


def apply_first(bench, is_restored):
    bench.open("modifying")
    bench.expect_status("the first step, in a window", bench.tool.first or bench.tool.run, 0)
    bench.close()
    bench.expect("its tables", tuple(bench.postgres.value(OWN, "shop")), bench.tool.own)
    if is_restored:
        return bench.expect_shop("the first step", CHECK, "no row")
    bench.postgres.run("insert into orders values (1, 'OPEN')", "shop")
    return bench.expect_shop("the first step", KEY, "OPEN")


def do_nothing(bench):
    """Most deployments run the tool although nothing is pending."""
    command = bench.tool.first or bench.tool.run
    before = bench.journal()
    if bench.tool.idle_refused:
        bench.expect_refusal("nothing to do, gate closed", command)
        bench.allow_own_tables()
    bench.expect_status("nothing to do", command, 0)
    bench.expect("with nothing to do, the journal", bench.journal(), before)


def refuse_second(bench):
    tool = bench.tool
    before, remembered = bench.shop(), bench.journal()
    said = bench.expect_refusal("the second step, gate closed", tool.run)
    bench.expect("it shows", tuple(name for name in SIGNS if SIGNS[name] in said), tool.shows)
    kept = (before[0], "open") if tool.keeps_earlier else before
    bench.expect("after the refusal, the shop", bench.shop(), kept)
    bench.expect("after the refusal, the journal", bench.journal(),
                 sorted([*remembered, *(str(row) for row in tool.remembers)]))


def apply_second(bench):
    tool = bench.tool
    bench.open("modifying")
    if tool.repair:
        status, said = bench.run("the second step without repair, in a window", tool.run)
        bench.expect("without repair it fails", (status != 0, tool.until_repaired in said), (True, True))
        bench.expect_status("repair", tool.repair, 0)
    bench.expect_status("the second step, in a window", tool.again or tool.run, 0)
    bench.close()
    bench.expect_shop("the second step", f"{KEY}, {CHECK}", "open")


def check_followed(bench):
    counters = bench.sluice.counters()
    for name in ("unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_unseen"):
        bench.expect(f"the sluice counts {name}", counters[name], 0)


def migrate(bench):
    is_restored = "{archive}" in bench.tool.run
    if is_restored:
        bench.dump()
    bench.hide_second()
    refuse_first(bench)
    apply_first(bench, is_restored)
    if bench.tool.journal:
        do_nothing(bench)
    bench.write_second()
    refuse_second(bench)
    apply_second(bench)
    check_followed(bench)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=tools.TOOLS)
    parser.add_argument("--show", action="store_true")
    how = parser.parse_args()
    tool = tools.TOOLS[how.tool]
    version = version_of(tool.package)
    if not version:
        sys.exit(f"{tool.package} is not installed; tests/install.sh migrations would install it")
    if not machine.BINARY:
        sys.exit("set PGSLUICE to the program that is to be tested")
    bench = Bench(how.tool, how.show)
    if not re.match(f"{re.escape(tool.version)}([.-]|$)", version):
        bench.faults.append(f"this is {tool.title} {version}, the page says {tool.version}")
    try:
        migrate(bench)
    except psycopg2.Error as error:
        bench.faults.append(f"{error}; the tool said last\n{bench.said[-6000:]}")
    bench.sluice.stop()
    print("\n".join(bench.faults) or f"{tool.title} {version} does what docs/migrations.md says")
    sys.exit(1 if bench.faults else 0)


main()
