# SPDX-License-Identifier: PostgreSQL
"""Backups, WAL and logical changes flow as they do directly while the gate is closed, and the connections that carry them
are no way around it."""
import filecmp
import io
import os
import re
import select
import signal
import struct
import subprocess
import tarfile
import time
import unittest

import psycopg2
import psycopg2.extras

from harness import case, machine, secured, wire
from harness.case import REFUSED, Case, main
from harness.certificate import Certificate
from harness.postgres import HBA, OWNER, Postgres
from harness.sluice import Sluice
from harness.wire import Wire
from pipeline_model import MODEL_DATABASES, compare_with_model
from random_pipeline import ReplicationPipeline
from test_differential import new_databases

ROUNDS = int(os.environ.get("PIPELINES", "1000"))
KEYWORDS = ("create", "drop", "alter", "truncate", "grant", "revoke", "reindex")
SETUP = """
drop table if exists kept;
create table kept (id serial primary key, note text);
insert into kept (note) values ('kept');
"""


def replicating_postgres():
    """One for the file, that replicates and speaks TLS."""
    if "replicating" not in case.shared:
        certificate = Certificate(Postgres.OWNER)
        hba = HBA + "local replication all trust\nhost replication all all trust\n"
        server = Postgres(hba, wal_level="logical", max_wal_senders="20", max_replication_slots="20",
                          wal_sender_timeout="0", wal_keep_size="0", **secured.postgres_words(certificate))
        case.shared["replicating"] = server, certificate
    return case.shared["replicating"]


class Replicating(Case):
    """Two sluices with a closed gate: one without TLS, one with TLS on both legs."""

    settings = {"guard": {"mode": "enforce"}}

    @classmethod
    def setUpClass(cls):
        cls.postgres, cls.certificate = replicating_postgres()
        cls.postgres.run(SETUP)
        cls.sluice = Sluice(cls.postgres, **cls.settings)
        cls.addClassCleanup(cls.sluice.stop)
        cls.encrypted = Sluice(cls.postgres, **cls.settings, **secured.sluice_words(cls.certificate, cls.postgres))
        cls.addClassCleanup(cls.encrypted.stop)

    def setUp(self):
        self.before = self.postgres.catalog()

    def tearDown(self):
        """Nothing has changed, and the sluice could follow all of it."""
        self.assertEqual(self.postgres.catalog(), self.before)
        for sluice in (self.sluice, self.encrypted):
            counters = sluice.counters()
            for name in ("unfollowed", "protocol_errors_client", "protocol_errors_server"):
                self.assertEqual(counters[name], 0, name)
        for (name,) in self.postgres.run("select slot_name from pg_replication_slots where not active"):
            self.postgres.run(f"select pg_drop_replication_slot('{name}')")

    def ways(self):
        """The sluices, and what clients of each need."""
        return ((self.sluice, secured.environment()), (self.encrypted, secured.environment(self.certificate)))

    def replica(self, port=None, replication="database", **startup):
        """A raw client of replication, through the sluice unless another port is given."""
        raw = Wire(("127.0.0.1", port or self.sluice.port), timeout=60)
        self.addCleanup(raw.close)
        raw.login(replication=replication, **startup)
        return raw

    def both(self, **how):
        """The same client directly and through."""
        return self.replica(self.postgres.port, **how), self.replica(**how)

    def session(self, sluice, name):
        """The row of SHOW SESSIONS of the client that calls itself so."""
        rows = [row for row in sluice.console("SHOW SESSIONS") if row["application_name"] == name]
        self.assertEqual(len(rows), 1, rows)
        return rows[0]

    def assert_refused(self, messages):
        self.assertEqual([error["C"] for error in wire.errors(messages)], [REFUSED], messages)
        self.assertEqual(messages[-1], ("Z", b"I"))

    def begin_stream(self, raw, command):
        raw.send(wire.query(command))
        self.assertEqual(wire.errors(raw.until("W")), [])

    def lsn(self):
        return self.postgres.value("select pg_current_wal_flush_lsn()::text")


def kinds(messages):
    """The kinds of messages, each row of equal ones as one."""
    return re.sub(r"(.)\1+", r"\1", wire.kinds(messages))


def answer(messages):
    """What must be equal directly and through: rows aside, which hold positions and times."""
    return kinds(messages), wire.errors(messages), [body for kind, body in messages if kind in "CTZ"]


def end_copy(raw):
    """Ends CopyBoth from this side; what comes up to ReadyForQuery."""
    raw.send(wire.copy_done())
    return raw.until("Z")


def standby_status(lsn):
    """A standby's word on how far it is."""
    return wire.copy_data(b"r" + struct.pack("!QQQQb", lsn, lsn, lsn, 0, 0))


def number_of(lsn):
    high, low = lsn.split("/")
    return (int(high, 16) << 32) + int(low, 16)


@unittest.skipIf(int(machine.POSTGRES) > 15, "the programs at hand are those of PostgreSQL 15")
class Programs(Replicating):
    """The server's own programs."""

    def program(self, name, *options, sluice, env, **how):
        command = [name, "-h", "localhost", "-p", str(sluice.port), "-U", "postgres", "-w", *options]
        return machine.spawn(command, user=OWNER, cwd="/tmp", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env={**env, "PGAPPNAME": name, "PGCONNECT_TIMEOUT": "20"}, **how)

    def run_program(self, name, *options, **how):
        program = self.program(name, *options, **how)
        said, wrong = program.communicate(timeout=120)
        self.assertEqual(program.returncode, 0, wrong)
        return said

    def backup(self, sluice, env, *options):
        folder = os.path.join(machine.new_folder(OWNER), "backup")
        self.run_program("pg_basebackup", "-D", folder, "-c", "fast", *options, sluice=sluice, env=env)
        return folder

    def test_a_base_backup_starts_as_a_server(self):
        for sluice, env in self.ways():
            for options in (("-X", "fetch"), ("-X", "stream", "-S", f"truncate_{sluice.port}", "-C")):
                with self.subTest(options):
                    note = f"{sluice.port} {' '.join(options)}"
                    self.postgres.run(f"insert into kept (note) values ('{note}')")
                    folder = self.backup(sluice, env, *options)
                    self.assert_is_whole(folder)
                    restored = Postgres.of_backup(folder)
                    self.assertEqual(restored.value("select note from kept order by id desc limit 1"), note)
                    restored.stop()

    def assert_is_whole(self, folder):
        subprocess.run([f"{self.postgres.bin}/pg_verifybackup", "-q", folder], check=True, timeout=60)
        missing = set(os.listdir(self.postgres.data)) - set(os.listdir(folder))
        self.assertEqual(missing, {"postmaster.opts", "postmaster.pid"})  # by design

    def test_a_compressed_backup_in_tar_format_is_whole(self):
        folder = self.backup(self.sluice, secured.environment(), "-Ft", "-X", "none", "--compress", "server-gzip:1")
        with tarfile.open(os.path.join(folder, "base.tar.gz")) as archive:
            names = archive.getnames()
        self.assertIn("global/pg_control", names)

    def test_pg_receivewal_receives_what_the_server_wrote(self):
        for sluice, env in self.ways():
            folder = machine.new_folder(OWNER)
            self.run_program("pg_receivewal", "--create-slot", "-S", "alter", sluice=sluice, env=env)
            program = self.program("pg_receivewal", "-D", folder, "-S", "alter", "-s", "1", "--no-loop", sluice=sluice,
                                   env=env)
            self.wait_for(lambda: self.postgres.value("select count(*) from pg_stat_replication") == 1, "it streams")
            segment = self.postgres.value("select pg_walfile_name(pg_current_wal_lsn())")
            before = int(self.session(sluice, "pg_receivewal")["bytes_sent"])
            self.postgres.run("insert into kept (note) select repeat(md5(n::text), 30) from generate_series(1, 4000) n; "
                              "select pg_switch_wal()")
            path = os.path.join(folder, segment)
            self.wait_for(lambda: os.path.exists(path), "the segment is there")
            row = self.session(sluice, "pg_receivewal")
            self.assertEqual((row["phase"], row["in_flight"], row["errors"]), ("active", "1", "0"))
            self.assertGreater(int(row["bytes_sent"]), before + 4000 * 960)
            self.assertEqual(row["client_tls"] != "", sluice is self.encrypted)
            self.assertTrue(filecmp.cmp(path, os.path.join(self.postgres.data, "pg_wal", segment), shallow=False))
            program.send_signal(signal.SIGINT)
            _, wrong = program.communicate(timeout=30)
            self.assertEqual(program.returncode, 0, wrong)
            self.run_program("pg_receivewal", "--drop-slot", "-S", "alter", sluice=sluice, env=env)

    def test_logical_changes_are_the_same_as_directly(self):
        for sluice, env in self.ways():
            ways = ((self.postgres, "drop"), (sluice, "create"))
            for server, slot in ways:
                self.run_program("pg_recvlogical", "-d", "postgres", "--create-slot", "-S", slot, sluice=server, env=env)
            self.postgres.run("insert into kept (note) select repeat(md5(n::text), n) from generate_series(1, 800) n; "
                              "update kept set note = 'drop table kept; --' where id % 7 = 0; delete from kept where id > 1")
            end = self.lsn()
            said = [self.run_program("pg_recvlogical", "-d", "postgres", "--start", "-S", slot, "-f", "-", "-E", end,
                                     "--no-loop", "-o", "include-timestamp=0", sluice=server, env=env)
                    for server, slot in ways]
            self.assertGreater(len(said[0]), 10_000_000)
            self.assertEqual(said[0], said[1])
            for server, slot in ways:
                self.run_program("pg_recvlogical", "-d", "postgres", "--drop-slot", "-S", slot, sluice=server, env=env)


class Streams(Replicating):
    """CopyBoth, by raw clients and by psycopg2."""

    def test_psycopg2_reads_changes_and_tells_how_far_it_is(self):
        for sluice, env in self.ways():
            connection = self.connect_replica(sluice, env, psycopg2.extras.LogicalReplicationConnection)
            cursor = connection.cursor()
            cursor.create_replication_slot("reader", output_plugin="test_decoding")
            cursor.start_replication(slot_name="reader", decode=True, options={"include-xids": "0"}, status_interval=1)
            for number in range(3):
                self.postgres.run(f"insert into kept (note) values ('change {number}')")
                self.assertEqual(self.read(cursor, 3)[1].split("note[text]:")[1], f"'change {number}'")
            self.assertEqual(self.session(sluice, "reader")["phase"], "active")
            self.wait_for(lambda: self.confirmed("reader") >= number_of(self.lsn()) - 200_000, "its word has come through")
            connection.close()
            self.wait_for(lambda: not self.postgres.value("select active from pg_replication_slots"), "the server noticed")
            self.postgres.run("select pg_drop_replication_slot('reader')")

    def connect_replica(self, sluice, env, factory):
        connection = psycopg2.connect(host="localhost", port=sluice.port, user="postgres", dbname="postgres",
                                      sslmode=env["PGSSLMODE"], sslrootcert=env.get("PGSSLROOTCERT"),
                                      application_name="reader", connection_factory=factory)
        self.addCleanup(connection.close)
        return connection

    def read(self, cursor, count):
        found = []
        while len(found) < count:
            message = cursor.read_message()
            if message is None:
                self.assertTrue(select.select([cursor], [], [], 20)[0], "no change came")
                continue
            message.cursor.send_feedback(flush_lsn=message.data_start, force=True)
            found.append(message.payload)
        return found

    def confirmed(self, slot):
        return number_of(self.postgres.value(f"""select confirmed_flush_lsn::text from pg_replication_slots
                                                 where slot_name = '{slot}'"""))

    def test_the_client_ends_the_stream_and_goes_on(self):
        for replication in ("true", "database"):
            raw = self.replica(replication=replication, application_name=replication)
            for _ in range(3):
                self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.lsn()}")
                self.postgres.run("update kept set note = 'kept'")
                self.assertEqual(raw.read_message()[0], "d")
                self.assertEqual(self.session(self.sluice, replication)["phase"], "active")
                raw.send(standby_status(number_of(self.lsn())))
                messages = end_copy(raw)
                self.assertEqual(wire.kinds(messages).replace("d", ""), "cCCZ")
                row = self.session(self.sluice, replication)
                self.assertEqual((row["phase"], row["in_flight"]), ("idle", "0"))
                self.assertEqual(kinds(raw.ask(wire.query("IDENTIFY_SYSTEM"))), "TDCZ")

    def test_what_the_client_sends_behind_the_end_of_the_stream_is_answered_in_turn(self):
        raw = self.replica()
        self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.lsn()}")
        raw.send(wire.copy_done(), wire.query("select 'next'"), wire.query("drop table kept"), wire.query("select 'last'"))
        messages = [message for message in raw.until("Z", 4) if message[0] != "d"]
        self.assertEqual(kinds(messages), "cCZTDCZEZTDCZ")
        self.assertEqual(wire.rows(messages), [["next"], ["last"]])
        self.assertEqual(wire.errors(messages)[0]["C"], REFUSED)

    def test_an_error_ends_the_stream_and_the_client_goes_on(self):
        self.postgres.run("select pg_switch_wal(); checkpoint; select pg_switch_wal(); checkpoint")
        for replication in ("true", "database"):
            for end in ((), (wire.copy_done(),), (standby_status(0), wire.copy_fail("given up"))):
                direct, through = self.both(replication=replication)
                said = []
                for raw in (direct, through):
                    self.begin_stream(raw, "START_REPLICATION PHYSICAL 0/1000000")
                    messages = raw.until("Z")
                    raw.send(*end)
                    messages += raw.ask(wire.query("IDENTIFY_SYSTEM"))
                    said.append(answer([message for message in messages if message[0] != "d"]))
                self.assertEqual(said[0], said[1])
                self.assertEqual([error["C"] for error in said[0][1]], ["58P01"])
                if replication == "database":
                    self.assert_refused(through.ask(wire.query("drop table kept")))

    def test_the_stream_ends_where_a_timeline_does(self):
        """The server ends it, and tells which timeline is next."""
        server = Postgres(HBA + "host replication all all trust\n")
        self.addCleanup(server.stop)
        begin = server.value("select pg_current_wal_lsn()::text")
        server.stop()
        with open(os.path.join(server.data, "standby.signal"), "w", encoding="ascii"):
            pass
        server.start()
        self.assertTrue(server.value("select pg_promote()"))
        sluice = self.new_sluice(server, **self.settings)
        said = []
        for port in (server.port, sluice.port):
            raw = self.replica(port, replication="true")
            self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.page(begin)} TIMELINE 1")
            messages = raw.until("c")
            messages += end_copy(raw)
            self.assertEqual(wire.rows(messages)[0][0], "2")
            messages += raw.ask(wire.query("TIMELINE_HISTORY 2"))
            said.append((answer([message for message in messages if message[0] != "d"]), wire.rows(messages)))
            self.assertEqual(wire.errors(messages), [])
        self.assertEqual(said[0], said[1])

    @staticmethod
    def page(lsn):
        """The beginning of the WAL segment before this position, which is on the first timeline."""
        high, low = lsn.split("/")
        return f"{high}/{int(low, 16) & ~0xFFFFFF:X}"

    def test_a_server_that_goes_away_in_the_midst_of_a_stream_says_so(self):
        raw = self.replica(replication="true", application_name="cut")
        self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.lsn()}")
        self.postgres.run("select pg_terminate_backend(pid) from pg_stat_replication where application_name = 'cut'")
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["57P01"])

    def test_much_wal_flows_without_a_gap(self):
        """From a position on, through TLS and without: as many bytes as there are, in their order."""
        begin = self.lsn()
        self.postgres.run("insert into kept (note) select repeat(md5(n::text), 300) from generate_series(1, 6000) n")
        end = number_of(self.lsn())
        for sluice, env in self.ways():
            connection = self.connect_replica(sluice, env, psycopg2.extras.PhysicalReplicationConnection)
            cursor = connection.cursor()
            cursor.start_replication(start_lsn=begin)
            at = number_of(begin)
            while at < end:
                message = cursor.read_message()
                if message is None:
                    self.assertTrue(select.select([cursor], [], [], 20)[0], "nothing came")
                    continue
                self.assertEqual(message.data_start, at)
                at += len(message.payload)
            connection.close()
        self.postgres.run("delete from kept where id > 1")

    def test_the_end_of_a_stream_holds_up_no_shutdown(self):
        sluice = self.new_sluice(limits={"drain_timeout": "20s"})
        raw = self.replica(sluice.port)
        self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.lsn()}")
        end_copy(raw)
        begun = time.monotonic()
        sluice.stop()
        self.assertLess(time.monotonic() - begun, 5)
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["57P01"])

    def test_a_stream_is_not_idle_but_its_end_is(self):
        sluice = self.new_sluice(limits={"idle_timeout": "300ms"})
        raw = self.replica(sluice.port)
        self.begin_stream(raw, f"START_REPLICATION PHYSICAL {self.lsn()}")
        time.sleep(1)
        self.assertEqual(wire.errors(end_copy(raw)), [])
        self.assertEqual([error["C"] for error in wire.errors(raw.rest_messages())], ["57P05"])


class Commands(Replicating):
    """The commands of replication are none of the guard's business; SQL is."""

    def assert_same(self, text, **how):
        """The answer, which is the same through the sluice as directly."""
        direct, through = self.both(**how)
        said = [answer(raw.ask(wire.query(text))) for raw in (direct, through)]
        self.assertEqual(said[0], said[1], text)
        return said[0]

    def test_plain_commands_say_the_same(self):
        direct, through = self.both()
        for text in ("IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM;", "identify_system", "SHOW wal_segment_size", "SHOW create",
                     "SHOW \"drop\"", "show port", "SHOW a.b", "READ_REPLICATION_SLOT \"create\"",
                     "READ_REPLICATION_SLOT alter", "TIMELINE_HISTORY 99", "TIMELINE_HISTORY 'x'",
                     "START_REPLICATION SLOT \"create\" LOGICAL 0/0", "START_REPLICATION SLOT drop PHYSICAL 0/0",
                     "START_REPLICATION SLOT \"create\" LOGICAL 0/0 (\"drop\" 'drop table kept', \"create\" 'x''; drop y')",
                     "DROP_REPLICATION_SLOT drop", "DROP_REPLICATION_SLOT \"drop table kept\" WAIT",
                     "CREATE_REPLICATION_SLOT \"create table x ()\" PHYSICAL", "CREATE_REPLICATION_SLOT",
                     "ALTER_REPLICATION_SLOT \"alter\" (failover true)", "UPLOAD_MANIFEST 1", "", ";",
                     "\n\t IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM -- drop table kept", "select 1; select 2",
                     "show port; select 1", "insert into kept (note) values ('a'); delete from kept where note = 'a'"):
            with self.subTest(text):
                said = [answer(raw.ask(wire.query(text))) for raw in (direct, through)]
                self.assertEqual(said[0], said[1])

    def test_slots_may_be_called_what_schema_changes_are(self):
        before = self.sluice.counter("ddl_refused")
        for number, name in enumerate(KEYWORDS):
            with self.subTest(name):
                self.use_slot(f'"{name}"' if number % 2 else name)
        self.assertEqual(self.sluice.counter("ddl_refused"), before)

    def use_slot(self, slot):
        raw = self.replica()
        for kind, stream in (("PHYSICAL RESERVE_WAL", f"PHYSICAL {self.lsn()}"),
                             ("LOGICAL test_decoding NOEXPORT_SNAPSHOT", "LOGICAL 0/0 (\"include-xids\" 'off')")):
            created = raw.ask(wire.query(f"CREATE_REPLICATION_SLOT {slot} {kind}"))
            self.assertEqual(kinds(created)[-4:], "TDCZ")  # the server may send a keepalive before
            self.begin_stream(raw, f"START_REPLICATION SLOT {slot} {stream}")
            self.assertEqual(wire.errors(end_copy(raw)), [])
            self.assertEqual(kinds(raw.ask(wire.query(f"READ_REPLICATION_SLOT {slot}")))[-1], "Z")
            self.assertEqual(kinds(raw.ask(wire.query(f"DROP_REPLICATION_SLOT {slot}"))), "CZ")

    def test_a_snapshot_of_a_slot_can_be_used(self):
        """CREATE_REPLICATION_SLOT within a transaction, as tools that copy tables do."""
        raw = self.replica()
        raw.ask(wire.query("begin isolation level repeatable read read only"))
        messages = raw.ask(wire.query("CREATE_REPLICATION_SLOT \"create\" TEMPORARY LOGICAL test_decoding USE_SNAPSHOT"))
        self.assertEqual(wire.errors(messages), [])
        self.assertEqual(messages[-1], ("Z", b"T"))
        self.assertEqual(wire.kinds(raw.ask(wire.query("copy kept to stdout")))[-2:], "CZ")
        self.assertEqual(raw.ask(wire.query("commit"))[-1], ("Z", b"I"))

    def test_sql_is_guarded_where_there_is_a_database(self):
        raw = self.replica()
        for text in ("drop table kept", "create table x ()", "/* BASE_BACKUP */ drop table kept", ";drop table kept",
                     "-- IDENTIFY_SYSTEM\ndrop table kept", "select 1; drop table kept", "alter table kept add x int",
                     "do $$ begin drop table kept; end $$; drop table kept", "create role replicator"):
            with self.subTest(text):
                self.assert_refused(raw.ask(wire.query(text)))
        self.assertEqual(wire.rows(raw.ask(wire.query("select count(*) from kept where id = 1"))), [["1"]])

    def test_no_text_that_begins_as_a_command_changes_anything(self):
        """The server parses it as a command or as SQL, never as both; nor is an answer lost."""
        raw = self.replica()
        for word in ("BASE_BACKUP", "base_backup", "IDENTIFY_SYSTEM", "SHOW port", "show port", "DROP_REPLICATION_SLOT x",
                     "READ_REPLICATION_SLOT x", "TIMELINE_HISTORY 1", "\"BASE_BACKUP\"", "'BASE_BACKUP'", "U&\"SHOW\" port",
                     "BASE_BACKUP (LABEL 'a\\')", "BASE_BACKUP (LABEL 'a''')", "BASE_BACKUP (LABEL E'\\'", "SHOW \"port",
                     "BASE_BACKUP (LABEL $$", "SHOW /*", "SHOW --", "START_REPLICATION 0/0", "UPLOAD_MANIFEST"):
            for joint in ("; ", ";\n", " ;; ", "\n", " ", "';", "\";", "*/;", "$$;", "'); ", "\\'; "):
                text = f"{word}{joint}drop table kept"
                self.assertEqual(wire.kinds(raw.ask(wire.query(text)))[-2:], "EZ", text)
            self.assertEqual(self.postgres.catalog(), self.before, word)

    def test_labels_of_backups_may_hold_anything(self):
        for label in ("drop table kept", "a''; drop table kept; --", "it''s; create table x ()", "\"; drop table kept; \"",
                      "$$; drop table kept; $$", "/* ; drop table kept", "a\n; drop table kept", "\\", "\\\\"):
            with self.subTest(label):
                said = self.assert_same(f"BASE_BACKUP (LABEL '{label}', CHECKPOINT 'fast', TARGET 'blackhole', WAIT false)")
                self.assertEqual(said[1], [])

    def test_a_backup_read_by_hand_is_whole(self):
        archives = []
        for raw in self.both(replication="true"):
            messages = raw.ask(wire.query("BASE_BACKUP (LABEL 'create', CHECKPOINT 'fast', MANIFEST 'yes', WAIT false)"))
            self.assertEqual(wire.errors(messages), [])
            self.assertEqual(kinds(messages), "TDCTDCHdcTDCZ")
            data = b"".join(body[1:] for kind, body in messages if kind == "d" and body[:1] == b"d")
            archive = data[:data.index(b"{ \"PostgreSQL-Backup-Manifest-Version\"")]
            with tarfile.open(fileobj=io.BytesIO(archive), mode="r:", ignore_zeros=True) as tar:
                archives.append({member.name: member.size for member in tar})
        for name in ("global/pg_control", "backup_label", "PG_VERSION"):
            self.assertIn(name, archives[1])
        self.assertEqual(archives[0], archives[1])

    @unittest.skipIf(int(machine.POSTGRES) < 17, "it came with PostgreSQL 17")
    def test_a_manifest_can_be_uploaded(self):
        said = []
        for raw in self.both(replication="true"):
            messages = raw.ask(wire.query("BASE_BACKUP (CHECKPOINT 'fast', MANIFEST 'yes', WAIT false)"))
            data = b"".join(body[1:] for kind, body in messages if kind == "d" and body[:1] == b"d")
            raw.send(wire.query("UPLOAD_MANIFEST"))
            self.assertEqual(kinds(raw.until("G")), "G")
            manifest = data[data.index(b"{ \"PostgreSQL-Backup-Manifest-Version\""):]
            raw.send(wire.copy_data(manifest[:1000]), wire.copy_data(manifest[1000:]), wire.copy_done())
            messages = raw.until("Z") + raw.ask(wire.query("IDENTIFY_SYSTEM"))
            self.assertEqual(wire.errors(messages), [])
            said.append(answer(messages))
        self.assertEqual(said[0], said[1])

    def test_a_physical_connection_takes_no_sql_as_directly(self):
        for text in ("select 1", "insert into kept (note) values ('x')", "SHOW port; select 1", "vacuum", "begin"):
            with self.subTest(text):
                said = self.assert_same(text, replication="true")
                self.assertEqual(len(said[1]), 1)
        self.assertEqual(self.assert_same("select 1", replication="true")[1][0]["C"], "0A000")
        raw = self.replica(replication="true")
        for text in ("drop table kept", "create table x ()"):
            self.assert_refused(raw.ask(wire.query(text)))
        self.assertEqual(kinds(raw.ask(wire.query("IDENTIFY_SYSTEM"))), "TDCZ")

    def test_with_the_guard_off_the_servers_own_words_are_heard(self):
        sluice = self.new_sluice(guard={"mode": "off"})
        said = [answer(self.replica(port, replication="true").ask(wire.query("drop table kept")))
                for port in (self.postgres.port, sluice.port)]
        self.assertEqual(said[0], said[1])
        self.assertEqual(said[0][1][0]["C"], "0A000")

    def test_every_word_for_replication_means_what_it_means_directly(self):
        for word in ("true", "TRUE", "on", "1", "yes", "t", "tr", "y", "database", "DATABASE", "false", "off", "0", "no", "n",
                     "", "o", "maybe", "databas", "2"):
            with self.subTest(word):
                said = [self.log_in(port, word) for port in (self.postgres.port, self.sluice.port)]
                self.assertEqual(said[0], said[1])
                self.assertIn(self.log_in(self.sluice.port, word, "drop table kept")[1][-1]["C"],
                              (REFUSED, "22023"))

    def log_in(self, port, word, text="select 1"):
        """What a client gets to hear that asks for replication by this word: at its login, and of two texts."""
        with Wire(("127.0.0.1", port)) as raw:
            raw.send(wire.startup(replication=word))
            messages = raw.until("Z") if word not in ("", "o", "maybe", "databas", "2", "DATABASE") else raw.rest_messages()
            if wire.kinds(messages)[-1] == "Z":
                messages += raw.ask(wire.query("IDENTIFY_SYSTEM")) + raw.ask(wire.query(text))
            return [(kind if kind not in "SK" else "") for kind, _ in messages], wire.errors(messages)

    def test_the_extended_protocol_is_refused_as_directly(self):
        direct, through = self.both()
        for raw in (direct, through):
            raw.send(wire.parse("select 1"), wire.bind(), wire.execute(), wire.sync())
        said = [answer(raw.until("Z") + raw.ask(wire.query("select 'goes on'"))) for raw in (direct, through)]
        self.assertEqual(said[0], said[1])
        self.assertEqual(said[0][1][0]["C"], "08P01")
        self.assert_refused(through.ask(wire.parse("drop table kept"), wire.bind(), wire.execute(), wire.sync()))
        self.assertEqual(wire.rows(through.ask(wire.query("select 'goes on'"))), [["goes on"]])


class Model(Replicating):
    """Random Queries on a connection of replication, with schema changes among them, do what they do where those simply
    fail."""

    settings = {"guard": {"mode": "enforce"}, "limits": {"message_memory": "1KiB"}}

    def test_random_conversations_with_changes_go_on_as_after_an_error(self):
        new_databases(self.postgres, MODEL_DATABASES)
        self.before = self.postgres.catalog()
        before = self.postgres.catalog("model_guarded")
        refused, saved = compare_with_model(self, ReplicationPipeline, ROUNDS, replication="database")
        self.assertGreater(refused, ROUNDS / 5)
        self.assertGreater(saved, ROUNDS / 50)
        self.assertEqual(self.postgres.catalog("model_guarded"), before)
        self.assertEqual(self.sluice.counter("ddl_unseen"), 0)


if __name__ == "__main__":
    main()
