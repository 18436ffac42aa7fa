# SPDX-License-Identifier: PostgreSQL
"""Nothing that a row, a literal, a parameter or a password holds is ever written or shown, at default settings."""

import psycopg2

from harness import leaks, machine, wire
from harness.case import Case, main
from harness.encrypted import papers
from harness.scripted import ScriptedServer

CANARY = "canary7Q9"
SETUP = """
drop schema if exists s cascade;
create schema s;
create table s.people (id int primary key, name text, mail text unique, age int check (age > 0), state text not null);
create table s.late (mail text constraint late_mail unique deferrable initially deferred);
create domain s.short as text constraint short_enough check (length(value) < 5);
create function s.echo(what text) returns int language plpgsql as $$
begin raise exception 'about %', what using errcode = '23514', detail = what, hint = what, table = 'people'; end $$;
drop role if exists has_secret;
create role has_secret login;
"""


class Secrets(Case):
    SETUP = SETUP
    FORMAT = "logfmt"
    GUARD = "observe"

    @classmethod
    def setUpClass(cls):
        cls.password = f"{CANARY}console"
        cls.settings = {"log": {"format": cls.FORMAT}, "audit": {"file": "audit.jsonl"}, "guard": {"mode": cls.GUARD},
                        "console": {"address": f"127.0.0.1:{machine.free_port()}", "password": cls.password}}
        super().setUpClass()

    def canary(self):
        """A value that nothing else holds, so that what leaks says where from."""
        self.count = getattr(self, "count", 0) + 1
        return f"{CANARY}x{self.count}"

    def seen(self):
        return leaks.everything(self.sluice, self.password).decode("utf-8", "replace")

    def assert_silent(self):
        seen = self.seen()
        at = seen.find(CANARY)
        self.assertEqual(at, -1, seen[max(at - 300, 0):at + 100])
        self.assertIn("violation", seen)

    def test_rows_and_literals_of_violations_stay_secret(self):
        for sql in ("insert into s.people values (1, '{0}', '{0}', 1, 'x'), (1, '{0}', 'y', 1, 'x')",
                    "insert into s.people values (2, '{0}', '{0}', 1, 'x'), (3, 'n', '{0}', 1, 'x')",
                    "insert into s.people values (2, '{0}', '{0}', -1, 'x')", "insert into s.people values (2, '{0}', '{0}', 1, null)",
                    "insert into s.people values (2, E'{0}', U&'{0}', -1, $tag${0}$tag$)", "select '{0}'::s.short",
                    "/* {0} */ insert into s.people values (2, 'n', 'm', -1, 'x') -- {0}", "select s.echo('{0}')",
                    "do $$ begin perform s.echo('{0}'); end $$",
                    "insert into s.late values ('{0}'), ('{0}')", "begin; insert into s.late values ('{0}'), ('{0}'); commit",
                    "with x as (select '{0}') insert into s.people select 9, '{0}', '{0}', -1, '{0}'",
                    "insert into s.people values (2, '{0}', '{0}', -1, 'unterminated {0}", "select '{0}' / 0", "selec '{0}'",
                    "insert into s.people select 1, '{0}\\', '{0}', -1, 'x'"):
            raw = self.wire()
            raw.ask(wire.query(sql.format(self.canary())))
            raw.close()
        self.assert_silent()

    def test_parameters_stay_secret(self):
        raw = self.wire()
        raw.ask(wire.query("set log_parameter_max_length_on_error = -1"))
        for _ in range(3):
            value = self.canary()
            raw.ask(wire.parse("insert into s.people values ($1, $2, $3, $4, $5)"),
                    wire.bind(values=["2", value, value, "-1", value]), wire.execute(), wire.sync())
            raw.ask(wire.query(f"prepare p as select s.echo($1); execute p('{value}')"))
            raw.ask(wire.query("deallocate all"))
        self.assert_silent()

    def test_copy_data_stays_secret(self):
        raw = self.wire()
        for line in ("1\t{0}\t{0}\t-1\tx\n", "1\t{0}\n", "{0}\n", "5\t{0}\t{0}\t1\t\\N\n"):
            raw.send(wire.query("copy s.people from stdin"), wire.copy_data(line.format(self.canary()).encode()), wire.copy_done())
            raw.until("Z")
        raw.send(wire.query("copy s.people from stdin"), wire.copy_fail(self.canary()))
        raw.until("Z")
        raw.ask(wire.query("insert into s.people values (2, 'n', 'm', -1, 'x')"))
        self.assert_silent()

    def test_passwords_in_schema_changes_stay_secret(self):
        for sql in ("alter role has_secret password '{0}'", "alter role has_secret with encrypted password E'{0}'",
                    "create role other login password '{0}'", "alter user has_secret password $${0}$$",
                    "create user mapping for has_secret server s options (user 'x', password '{0}')",
                    "create server s foreign data wrapper w options (host '{0}')",
                    "create subscription s connection 'password={0}' publication p", "comment on table s.people is '{0}'",
                    "alter system set primary_conninfo = 'password={0}'", "create table s.t (a text default '{0}')",
                    "alter table s.people add check (name <> '{0}')", "create view s.v as select '{0}' as a",
                    "create index on s.people (id) where name = '{0}'", "/* {0} */ drop table s.people -- {0}",
                    "create type s.e as enum ('{0}')", "alter role has_secret password 'unterminated {0}", "security label on role x is '{0}'",
                    "create function s.f() returns text language sql as $f$ select '{0}' $f$"):
            for message in ("simple", "extended"):
                raw = self.wire()
                text = sql.format(self.canary())
                raw.ask(*([wire.query(text)] if message == "simple" else [wire.parse(text), wire.sync()]))
                raw.close()
        self.fails("insert into s.people values (2, 'n', 'm', -1, 'x')")
        self.assertGreater(self.sluice.console("SHOW STATS", password=self.password).__len__(), 0)
        self.assert_silent()

    def test_what_clients_log_in_with_stays_secret(self):
        self.fails("insert into s.people values (2, 'n', 'm', -1, 'x')")
        for user in ("md5_user", "scram_user"):
            try:
                psycopg2.connect(host="127.0.0.1", port=self.sluice.port, user=user, dbname="postgres", password=self.canary())
            except psycopg2.OperationalError:
                pass
        for parameters in ({"options": f"-c search_path={self.canary()}"}, {"_pq_.secret": self.canary()},
                           {"password": self.canary()}):
            with wire.Wire(("127.0.0.1", self.sluice.port)) as raw:
                raw.send(wire.startup(**parameters), wire.terminate())
                raw.rest()
        with wire.Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(self.canary().encode() * 3)
            raw.socket.shutdown(1)
            raw.rest()
        self.assert_silent()

    def test_the_consoles_password_stays_secret(self):
        self.fails("insert into s.people values (2, 'n', 'm', -1, 'x')")
        self.sluice.console_psql("SHOW STATS", password=self.canary())
        self.sluice.console_psql(f"SHOW NOTHING '{self.canary()}'", password=self.password)
        self.sluice.console("RELOAD", password=self.password)
        self.sluice.write(f"console: {{ password: {self.canary()}, address: 0.0.0.0:1 }}\nlisten: {{ password: x }}\n")
        self.sluice.console_psql("RELOAD", password=self.password)
        self.sluice.hang_up()
        status, said = self.sluice.check()
        self.sluice.write()
        self.assertEqual(status, 1)
        self.assertNotIn(CANARY, said)
        self.assert_silent()


class SecretsInJson(Secrets):
    FORMAT = "json"


class SecretsWhereAllIsRefused(Secrets):
    """The same where the audit and SHOW DDL have the refusals."""
    GUARD = "enforce"

    def test_a_refused_change_is_in_the_audit_without_what_it_says(self):
        self.fails(f"create role other login password '{self.canary()}'")
        self.fails(f"comment on table s.people is '{self.canary()}' -- {self.canary()}")
        self.fails("insert into s.people values (2, 'n', 'm', -1, 'x')")
        self.wait_for(lambda: self.seen().count('"event":"ddl_refused"') >= 2, "both are in the audit")
        self.assert_silent()


class Probes(Case):
    def test_a_stranger_in_place_of_a_server_gets_no_password(self):
        heard = []

        def ask_for_password(peer):
            heard.append(peer.read(8))
            peer.send(b"N")
            heard.append(peer.read_to_end())

        server = ScriptedServer(ask_for_password)
        self.addCleanup(server.close)
        sluice = self.new_sluice(upstreams=[{
            "name": "main", "hosts": [f"127.0.0.1:{server.port}"], "target": "read-write",
            "probe": f"user=asker password={CANARY}", "tls": {"mode": "verify-full", "ca": papers().authority}}])
        self.wait_for(lambda: len(heard) >= 2, "the host was asked")
        self.assertEqual(heard[:2], [wire.SSL_REQUEST, b""])
        self.assertIn("does not support SSL", sluice.log())
        self.assertNotIn(CANARY, sluice.log())


if __name__ == "__main__":
    main()
