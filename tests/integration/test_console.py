# SPDX-License-Identifier: PostgreSQL
"""psql is the console's client; what it may, what it shows, and what a reload does."""
import asyncio
import contextlib
import json
import os
import re
import socket
import time
import unittest

import psycopg2

try:
    import asyncpg
    import psycopg
except ImportError:
    asyncpg = psycopg = None

from harness import machine, wire
from harness.case import REFUSED, Case, main
from harness.sluice import parse_logfmt
from harness.wire import Wire


class Commands(Case):
    settings = {"guard": {"mode": "enforce", "windows": [
        {"name": "sunday", "days": ["sun"], "from": "02:00", "to": "04:00", "timezone": "America/New_York",
         "allow": "modifying"}]}}

    def test_every_command_that_help_lists_runs(self):
        commands = [row["command"] for row in self.sluice.console("HELP")]
        self.assertIn("SHOW VIOLATIONS [LIMIT count]", commands)
        for syntax in commands:
            command = syntax.replace("[", "").replace("]", "").replace("COLUMNS FROM name", "COLUMNS FROM runs")
            for word, value in {"count": "5", "'duration'": "'30m'", "level": "modifying", "query": "1", "order": "time", "'reason'": "'why'",
                                "name": "helped", "SET setting": "SET extra_float_digits = 3"}.items():
                command = command.replace(word, value)
            with self.subTest(command):
                done = self.sluice.console_psql(command)
                self.assertEqual((done.returncode, done.stderr.count("ERROR")), (0, 0), done.stderr)

    def test_commands_without_their_optional_words_run(self):
        for command in ("SHOW VIOLATIONS", "show ddl;", "  show windows  ", "SHOW SESSIONS; SHOW STATS", "help", ""):
            self.assertEqual(self.sluice.console_psql(command).returncode, 0, command)

    def test_unknown_commands_get_an_error_with_a_hint(self):
        for command in ("SHOW VIOLATION", "DELETE 1", "OPEN WINDOW FOR 'x' ALLOW modifying REASON 'r'",
                        "OPEN WINDOW FOR '30m' ALLOW everything REASON 'r'", "CLOSE WINDOW nowhere", "SHOW STATS; nonsense"):
            done = self.sluice.console_psql(command, "-v", "ON_ERROR_STOP=1")
            self.assertEqual(done.returncode, 1, command)
            self.assertRegex(done.stderr, "ERROR:  [0-9A-Z]{5}:", command)
            self.assertNotIn("server closed", done.stderr)

    def test_sessions_are_shown_with_who_they_are(self):
        connection = self.connect(application_name="shown", user="app")
        row = [row for row in self.sluice.console("SHOW SESSIONS") if row["application_name"] == "shown"][0]
        self.assertEqual((row["user_name"], row["database"], row["service"], row["upstream"]),
                         ("app", "postgres", "shown", "main"))
        self.assertTrue(row["address"].startswith("127.0.0.1"))
        connection.close()
        self.wait_for(lambda: "shown" not in {row["application_name"] for row in self.sluice.console("SHOW SESSIONS")},
                      "the session is gone")

    def test_counters_count(self):
        before = self.sluice.counters()
        raw = self.wire()
        raw.ask(wire.query("select 1"))
        raw.ask(wire.parse("select 1"), wire.bind(), wire.execute(), wire.sync())
        raw.ask(wire.query("select 1/0"))
        raw.close()
        self.wait_for(lambda: self.sluice.counter("sessions_closed") > before["sessions_closed"], "it is closed")
        after = self.sluice.counters()
        more = {name: after[name] - before[name] for name in after}
        self.assertEqual((more["sessions_opened"], more["queries"], more["parses"], more["executes"], more["errors"]),
                         (1, 2, 1, 1, 1))
        self.assertGreater(more["bytes_from_servers"], more["bytes_from_clients"])

    def test_windows_say_when_they_open(self):
        row = self.sluice.console("SHOW WINDOWS")[0]
        self.assertEqual((row["name"], row["kind"], row["timezone"]), ("sunday", "weekly", "America/New_York"))
        self.assertLess(row["opens"], row["closes"])

    def test_drivers_that_speak_the_extended_protocol_get_the_same_rows(self):
        with Wire(("127.0.0.1", self.sluice.console_port)) as raw:
            raw.login("operator", "pgsluice")
            simple = wire.rows(raw.ask(wire.query("SHOW HELP")))
            messages = raw.ask(wire.parse("SHOW HELP"), wire.bind(), wire.describe("P"), wire.execute(), wire.sync())
            self.assertEqual(wire.rows(messages), simple)
            self.assertEqual(wire.kinds(messages).replace("D", ""), "12TCZ")
            failed = raw.ask(wire.parse("SHOW NOTHING"), wire.bind(), wire.execute(), wire.sync())
            self.assertEqual(wire.kinds(failed), "EZ")

    def test_psycopg2_reads_the_console(self):
        for autocommit in (True, False):
            connection = psycopg2.connect(host="127.0.0.1", port=self.sluice.console_port, user="operator",
                                          dbname="pgsluice")
            connection.autocommit = autocommit
            with connection.cursor() as cursor:
                cursor.execute("SHOW VERSION")
                self.assertRegex(cursor.fetchone()[0], r"^\d+\.\d+")
                connection.commit()
                cursor.execute("SELECT %s, count(*) FROM runs WHERE run >= %s", ("it's", 0))
                self.assertEqual(cursor.fetchone()[0], "it's")
            connection.close()

    @unittest.skipIf(psycopg is None, "psycopg is not installed: see tests/install.sh clients")
    def test_psycopg_reads_the_console(self):
        """In transactions and without, parameters in text and binary, prepared, and in a pipeline."""
        for autocommit in (True, False):
            with psycopg.connect(host="127.0.0.1", port=self.sluice.console_port, user="operator", dbname="pgsluice",
                                 autocommit=autocommit) as connection:
                for _ in range(7):
                    rows = connection.execute("SELECT %s + 1, %s, %s, %s", (41, "it's", None, 1.5)).fetchall()
                    self.assertEqual(rows, [(42, "it's", None, 1.5)])
                self.assertEqual(connection.execute("SELECT 'a', 1, 1.5, NULL", binary=True).fetchone(), ("a", 1, 1.5, None))
                self.assertEqual(connection.execute("SELECT count(*) >= %s FROM runs", (0,), prepare=True).fetchone(), (1,))
                with connection.transaction(), connection.transaction():
                    self.assertEqual(connection.execute("SHOW VERSION").rowcount, 1)
                with connection.pipeline():
                    first, second = connection.execute("SELECT 1"), connection.execute("SELECT %s", (2,))
                    self.assertEqual((first.fetchone(), second.fetchone()), ((1,), (2,)))

    @unittest.skipIf(asyncpg is None, "asyncpg is not installed: see tests/install.sh clients")
    def test_asyncpg_fetches_in_portions(self):
        numbers = "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 1000) SELECT n FROM many"

        async def fetch():
            connection = await asyncpg.connect(host="127.0.0.1", port=self.sluice.console_port, user="operator",
                                               database="pgsluice", ssl=False)
            async with connection.transaction():
                each = [int(row["n"]) async for row in connection.cursor(numbers, prefetch=7)]
                cursor = await connection.cursor(numbers)
                async with connection.transaction():
                    some = [[int(row["n"]) for row in await cursor.fetch(count)] for count in (3, 2)]
                await cursor.fetch(900)
                some.append([int(row["n"]) for row in await cursor.fetch(500)])
            one = await connection.fetchrow(numbers)
            commands = {row["command"] for row in await connection.fetch("HELP")}
            await connection.close()
            return each, some, one["n"], commands

        each, some, one, commands = asyncio.run(fetch())
        self.assertEqual(each, list(range(1, 1001)))
        self.assertEqual(some, [[1, 2, 3], [4, 5], list(range(906, 1001))])
        self.assertEqual(one, "1")
        self.assertIn("SAVEPOINT", commands)

    def test_a_described_portal_holds_to_its_types(self):
        """Behind a Sync it is asked again; what it answers then may be of another type, which is not sent as it is."""
        changing = "SELECT CASE WHEN count(*) > 1 THEN 'many' ELSE count(*) END FROM live_sessions"
        with Wire(("127.0.0.1", self.sluice.console_port)) as raw:
            self.wire()
            raw.login("operator", "pgsluice")
            raw.ask(wire.query("BEGIN"))
            told = raw.ask(wire.parse(changing), wire.bind("c", results=(1,)), wire.describe("P", "c"), wire.sync())
            self.assertEqual(wire.kinds(told), "12TZ")
            self.wire()
            errors = wire.errors(raw.ask(wire.execute("c"), wire.sync()))
            self.assertEqual([error["C"] for error in errors], ["22P02"])

    def test_who_asks_sees_what_was_done_before(self):
        """However shortly before: the control thread is asked in the 10 ms in which it lets events wait."""
        raw = self.wire()
        with Wire(("127.0.0.1", self.sluice.console_port)) as console:
            console.login("operator", "pgsluice")
            for number in range(30):
                raw.ask(wire.query(f"create table seen_{number} (a int)"))
                rows = console.ask(wire.query("SHOW DDL LIMIT 1000"))
                self.assertIn(f"seen_{number}".encode(), b"".join(body for kind, body in rows if kind == "D"))

    def test_what_portals_keep_for_later_is_bounded(self):
        wide = "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < 300) SELECT hex(zeroblob(49000)) FROM many"
        with Wire(("127.0.0.1", self.sluice.console_port), timeout=30) as raw:
            raw.login("operator", "pgsluice")
            raw.ask(wire.query("BEGIN"))
            for portal in ("first", "second", "third"):
                told = raw.ask(wire.parse(wide), wire.bind(portal=portal), wire.execute(portal, 1), wire.sync())
                if portal != "third":
                    self.assertEqual(wire.kinds(told), "12DsZ")
            self.assertEqual(wire.errors(told)[0]["C"], "54000")
            self.assertEqual(wire.kinds(raw.ask(wire.execute("second", 2), wire.close("P", "first"), wire.sync())), "DDs3Z")
            self.assertEqual(wire.kinds(raw.ask(wire.parse(wide), wire.bind(portal="fourth"), wire.execute("fourth", 1), wire.sync())),
                             "12DsZ")

    def test_garbage_on_the_console_disturbs_nobody(self):
        for garbage in (b"\0" * 9, b"\xff" * 50, b"GET / HTTP/1.1\r\n\r\n", wire.startup() + b"Q\x7f\xff\xff\xff",
                        wire.startup() + b"Q\0\0\0\0", wire.startup() + wire.message("B"), wire.SSL_REQUEST * 3):
            with Wire(("127.0.0.1", self.sluice.console_port), timeout=3) as raw:
                raw.send(garbage)
                raw.socket.shutdown(socket.SHUT_WR)
                raw.rest()
        self.assertTrue(self.sluice.console("SHOW VERSION"))


class Roles(Case):
    @classmethod
    def setUpClass(cls):
        cls.settings = {"console": {"address": f"127.0.0.1:{machine.free_port()}", "password": "open sesame"}}
        super().setUpClass()

    def test_the_password_is_asked_for_and_checked_by_scram(self):
        right = self.sluice.console_psql("SHOW VERSION", password="open sesame")
        self.assertEqual(right.returncode, 0, right.stderr)
        wrong = self.sluice.console_psql("SHOW VERSION", password="open says me")
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("password authentication failed", wrong.stderr)
        none = self.sluice.console_psql("SHOW VERSION")
        self.assertEqual(none.returncode, 2)
        with Wire(("127.0.0.1", self.sluice.console_port)) as raw:
            raw.send(wire.startup("operator", "pgsluice"))
            kind, body = raw.read_message()
            self.assertEqual((kind, body[:4]), ("R", b"\0\0\0\x0a"))
            self.assertIn(b"SCRAM-SHA-256", body)

    def test_a_wrong_password_shuts_the_door_for_a_second(self):
        """And it is in the log, without the password."""
        begun = time.monotonic()
        for _ in range(3):
            self.assertIn("password authentication failed",
                          self.sluice.console_psql("SHOW VERSION", user="mallory", password="open says me").stderr)
        self.assertGreater(time.monotonic() - begun, 2)
        self.assertEqual(self.sluice.console_psql("SHOW VERSION", password="open sesame").returncode, 0)
        self.assertGreater(time.monotonic() - begun, 3)
        refused = [line for line in self.sluice.events("console_refused") if line["user"] == "mallory"]
        self.assertEqual(len(refused), 3)
        self.assertRegex(refused[0]["address"], r"127\.0\.0\.1:\d+")
        self.assertNotIn("open says me", str(refused))

    def test_who_does_not_log_in_keeps_nobody_out(self):
        silent = [socket.create_connection(("127.0.0.1", self.sluice.console_port)) for _ in range(32)]
        self.assertEqual(self.sluice.console_psql("SHOW VERSION", password="open sesame").returncode, 0)
        silent[0].settimeout(5)
        self.assertEqual(silent[0].recv(1), b"", "it was the first and gave way")
        for one in silent:
            one.close()

    def test_a_viewer_sees_and_changes_nothing(self):
        for row in self.sluice.console("HELP", user="viewer", password="open sesame"):
            command = row["command"].split("[")[0].strip()
            command = {"OPEN WINDOW": "OPEN WINDOW v FOR '30m' ALLOW additive REASON 'r'",
                       "CLOSE WINDOW name": "CLOSE WINDOW v", "SHOW COLUMNS FROM name": "SHOW COLUMNS FROM runs",
                       "SELECT query": "SELECT 1", "SET setting": "SET timezone = 1",
                       "SET READONLY ON": "SET READONLY ON REASON 'r'"}.get(command, command)
            done = self.sluice.console_psql(command, user="viewer", password="open sesame")
            if row["role"] == "viewer":
                self.assertEqual(done.returncode, 0, command)
            else:
                self.assertIn("42501", done.stderr, command)
        self.assertNotIn("open sesame", self.sluice.console("SHOW SETTINGS", user="viewer",
                                                           password="open sesame").__repr__())


class Waiting(Case):
    settings = {"limits": {"login_timeout": "1s"}}

    def test_a_login_that_takes_too_long_ends(self):
        with Wire(("127.0.0.1", self.sluice.console_port)) as silent:
            self.assertEqual([error["C"] for error in wire.errors(silent.rest_messages())], ["57014"])

    def test_who_has_logged_in_may_take_his_time_and_keeps_his_place(self):
        with contextlib.ExitStack() as stack:
            wires = [stack.enter_context(Wire(("127.0.0.1", self.sluice.console_port))) for _ in range(32)]
            for raw in wires:
                raw.login("operator", "pgsluice")
            with Wire(("127.0.0.1", self.sluice.console_port)) as late:
                self.assertEqual(late.rest_messages(), [])
            time.sleep(1.5)
            for raw in wires:
                self.assertEqual(wire.kinds(raw.ask(wire.query("SHOW VERSION"))), "TDCZ")


class Reload(Case):
    SETUP = "drop table if exists made_by_reload"

    def setUp(self):
        self.sluice = self.new_sluice(guard={"mode": "enforce"})

    def mode(self):
        return {row["setting"]: row["value"] for row in self.sluice.console("SHOW SETTINGS")}["guard.mode"]

    def test_a_good_file_takes_effect_for_sessions_that_are_open(self):
        raw = self.wire()
        self.assertEqual(wire.errors(raw.ask(wire.query("create table made_by_reload ()")))[0]["C"], REFUSED)
        self.sluice.settings["guard"]["mode"] = "off"
        self.sluice.write()
        self.sluice.console("RELOAD")
        self.assertEqual(self.mode(), "off")
        self.wait_for(lambda: not wire.errors(raw.ask(wire.query("create table if not exists made_by_reload ()"))),
                      "the workers follow")
        raw.ask(wire.query("drop table made_by_reload"))

    def test_services_change_by_reload(self):
        raw = self.wire(application_name="renamed")
        violate = wire.query("do $$ begin raise exception 'x' using errcode = '23505', table = 'reload'; end $$")
        raw.ask(violate)
        self.sluice.settings["services"] = [{"name": "new name", "when": {"application_name": "ren*"}}]
        self.sluice.write()
        self.sluice.console("RELOAD")
        raw.ask(violate)
        self.assertEqual({row["service"] for row in self.sluice.violations()}, {"renamed", "new name"})

    def bad_file(self):
        text = json.dumps({**self.sluice.settings, "guard": {"mode": "off"}}, indent=1)
        lines = text.splitlines()
        at = [number for number, line in enumerate(lines, 1) if '"mode"' in line][0]
        self.sluice.write(text.replace('"mode": "off"', '"mode": "of"'))
        return at

    def test_a_bad_file_is_refused_with_its_line_and_the_old_settings_stay(self):
        line = self.bad_file()
        done = self.sluice.console_psql("RELOAD")
        self.assertIn("F0000", done.stderr)
        self.assertIn(f"pgsluice.yaml:{line}:", done.stderr)
        self.assertEqual(self.mode(), "enforce")
        self.assertEqual(self.fails("create table made_by_reload ()").pgcode, REFUSED)
        self.assertTrue(self.sluice.events("reload_refused"))

    def test_a_refusal_names_what_is_wrong_and_not_what_is_only_odd(self):
        del self.sluice.settings["guard"]  # so that the warning that there is no window stands first
        self.sluice.settings["listen"][0]["routes"] = [{"database": "orders", "upstream": "nowhere"}]
        self.sluice.write()
        self.assertIn('there is no upstream "nowhere"', self.sluice.console_psql("RELOAD").stderr)

    def test_only_what_needs_a_restart_is_said_to_need_one(self):
        def answer(**settings):
            self.sluice.write(json.dumps({**self.sluice.settings, **settings}))
            done = self.sluice.console_psql("RELOAD")
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stderr
        listen = [{**self.sluice.settings["listen"][0], "tls": {"mode": "disable", "version_least": "1.3"}}]
        for names, fixed in (("worker_slice", {"worker_slice": "20ms"}), ("io", {"io": "uv"}), ("listen", {"listen": listen}),
                             ("workers, worker_slice", {"workers": 3, "worker_slice": "20ms"}),
                             ("limits", {"limits": {"drain_timeout": "77s"}}),
                             ("violations.entries", {"violations": {"entries": 777}}),
                             ("statements, history", {"statements": {"record": False}, "history": {"detail_age": "7d"}})):
            self.assertRegex(answer(**fixed), rf"these take effect at the next start: {re.escape(names)}\n")
            self.wait_for(lambda expected=names: self.sluice.events("reloaded")[-1].get("restart") == expected, "the log says it, too")
        for free in ({}, {"guard": {"mode": "observe"}}, {"log": {"level": "debug"}}, {"services": []}):
            self.assertNotIn("next start", answer(**free), free)
        self.wait_for(lambda: "restart" not in self.sluice.events("reloaded")[-1], "the log says nothing of one")

    def test_another_password_of_a_probe_waits_for_the_next_start(self):
        upstream = {**self.sluice.settings["upstreams"][0], "probe": "password=one"}
        self.sluice = self.new_sluice(upstreams=[upstream])
        self.sluice.settings["upstreams"][0]["probe"] = "password=other"
        self.sluice.write()
        self.assertIn("take effect at the next start: upstreams\n", self.sluice.console_psql("RELOAD").stderr)

    def test_another_secret_of_a_webhook_waits_for_the_next_start(self):
        webhook = {"url": "http://127.0.0.1:1/one", "headers": ["X-Token: one"]}
        for other in ({**webhook, "url": "http://127.0.0.1:1/two"}, {**webhook, "headers": ["X-Token: two"]}):
            self.sluice = self.new_sluice(alerts={"webhook": webhook})
            self.assertNotIn("next start", self.sluice.console_psql("RELOAD").stderr)
            self.sluice.settings["alerts"] = {"webhook": other}
            self.sluice.write()
            self.assertIn("take effect at the next start: alerts\n", self.sluice.console_psql("RELOAD").stderr)

    def test_sighup_reloads_likewise(self):
        line = self.bad_file()
        self.sluice.hang_up()
        self.wait_for(lambda: self.sluice.events("reload_refused"), "the reload is refused")
        problem = self.sluice.events("problem")[-1]
        self.assertEqual((problem["level"], problem["file"], problem["line"]), ("error", self.sluice.path, str(line)))
        self.assertEqual(self.mode(), "enforce")
        self.sluice.settings["guard"]["mode"] = "observe"
        self.sluice.write()
        self.sluice.hang_up()
        self.wait_for(lambda: self.sluice.events("reloaded"), "the settings are reloaded")
        self.assertEqual(self.mode(), "observe")

    def test_a_file_that_is_gone_is_refused(self):
        os.rename(self.sluice.path, self.sluice.path + ".gone")
        self.assertIn("F0000", self.sluice.console_psql("RELOAD").stderr)
        self.assertEqual(self.fails("create table made_by_reload ()").pgcode, REFUSED)

    def test_an_opening_outlives_a_reload(self):
        self.sluice.console("OPEN WINDOW kept FOR '10m' ALLOW modifying REASON 'reload'")
        self.sluice.console("RELOAD")
        self.run_sql("create table made_by_reload ()")
        self.run_sql("drop table made_by_reload")

    def test_a_log_file_that_was_rotated_away_is_opened_anew(self):
        path = os.path.join(self.sluice.folder, "own.log")
        self.sluice.settings["log"] = {"file": path, "level": "info"}
        self.sluice.write()
        self.sluice.console("RELOAD")
        self.wait_for(lambda: os.path.exists(path), "the log goes to its file")
        os.rename(path, path + ".1")
        self.sluice.hang_up()
        self.wait_for(lambda: os.path.exists(path), "the file is opened anew")


class Logs(Case):
    """Each line is one event that a program can read."""

    def make_events(self):
        for name in ("plain", 'quo"ted = \\ app', "n\u00e4me\u2028", "new\tline"):
            self.fails("do $$ begin raise exception 'x' using errcode = '23505', table = E'a\\nb \"c\" = d'; end $$",
                       application_name=name)
            self.fails("drop table \"odd\n= 'name'\"", application_name=name)
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(b"garbage\n" * 10)
            raw.rest()
        with Wire(("127.0.0.1", self.sluice.port)) as raw:
            raw.send(wire.startup(b"no\nbody\xff\x1b[31m".decode("latin-1"), application_name="\x07\x1b"))
            raw.rest()
        self.sluice.console("OPEN WINDOW logged FOR '10m' ALLOW modifying REASON 'a \"reason\" = x'")
        self.sluice.console("CLOSE WINDOW logged")
        self.sluice.hang_up()
        self.wait_for(lambda: self.sluice.has_logged("reloaded"), "the reload is logged")

    def assert_lines(self, rows):
        events = {row["event"] for row in rows}
        self.assertLessEqual({"started", "session_opened", "session_closed", "violation", "ddl_refused", "reloaded",
                              "window_opened", "window_closed"}, events)
        for row in rows:
            self.assertEqual(list(row)[:3], ["time", "level", "event"])
            self.assertRegex(row["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        for character in ("\x1b", "\x07"):
            self.assertNotIn(character, self.sluice.log())

    def test_logfmt_lines_parse(self):
        self.sluice = self.new_sluice(log={"format": "logfmt", "level": "debug"})
        self.make_events()
        self.assert_lines([parse_logfmt(line) for line in self.sluice.log().split("\n")[:-1]])

    def test_json_lines_parse(self):
        self.sluice = self.new_sluice(log={"format": "json", "level": "debug"})
        self.make_events()
        self.assert_lines([json.loads(line) for line in self.sluice.log().split("\n")[:-1]])

    def test_a_higher_level_writes_less(self):
        self.sluice = self.new_sluice(log={"level": "error"}, start=False)
        self.sluice.launch()
        self.wait_for(lambda: machine.accepts(("127.0.0.1", self.sluice.port)), "it listens")
        self.fails("drop table x")
        self.assertEqual(self.sluice.log(), "")


if __name__ == "__main__":
    main()
