# SPDX-License-Identifier: PostgreSQL
"""Four incidents as they happened elsewhere, among the traffic of other services: the report says who, what, since when and
after which change."""
import datetime
import json
import random
import threading
import time

from harness import leaks, machine
from harness.case import REFUSED, Case, main, postgres
from harness.incidents import STATUSES, TABLES, attempt

# Where the report (and SHOW INCIDENTS) says what: the one place to change when a key is called otherwise.
INCIDENT = {"service": "service", "state": "state", "started": "started", "kind": "kind", "subject": "subject", "table": "table",
            "sqlstate": "sqlstate", "statement": "statement", "count": "count", "definition": "definition",
            "difference": "difference", "suspects": "suspects"}
SUSPECT = {"time": "time", "was_seen": "was_seen", "command": "command", "user": "user", "service": "service",
           "statement": "statement", "difference": "difference", "window": "window"}
SHOWN = {"service": "service", "constraint": "constraint_name", "table": "table_name", "started": "started",
         "difference": "difference", "suspect": "suspect", "statement": "statement"}

SETUP = TABLES + """
create extension if not exists btree_gist;
drop table if exists "Job", bookings, payments;
create table "Job" (id serial primary key, customer_id int);
insert into "Job" (customer_id) values (7), (8);
create table bookings (id serial primary key, room int not null, during int4range not null, reference text);
create table payments (id serial primary key, amount int constraint payments_amount check (amount > 0));
alter table "Job" owner to app;
alter table bookings owner to app;
alter table payments owner to app;
"""


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def moment(text):
    """An RFC 3339 time, as the report and the console write it."""
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "T"))


class Bystanders:
    """Other services that work meanwhile, each in a thread: what succeeds, and errors that are no violation."""

    WORK = {"billing-1": "insert into payments (amount) values (5)", "reports-1": "select count(*) from orders",
            "stock-1": "insert into inventory_transactions (reference_type) values ('order')", "search-1": "select 1 / 0"}

    def __init__(self, sluice):
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self._work, args=(sluice, name, sql)) for name, sql in self.WORK.items()]
        for thread in self.threads:
            thread.start()

    def _work(self, sluice, name, sql):
        connection = sluice.connect(application_name=name, user="app")
        while not self.is_over.wait(0.02):
            attempt(connection, sql)
        connection.close()

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()


class FourIncidents(Case):
    """One sluice and one PostgreSQL for all of them, in their order; each test begins with traffic that is well."""

    SETUP = SETUP

    @classmethod
    def setUpClass(cls):
        connection = f"host=127.0.0.1 port={postgres().port} dbname=postgres user=postgres"
        cls.settings = {
            "guard": {"mode": "enforce"},
            "services": [{"name": name, "when": {"application_name": f"{name}*"}} for name in
                         ("kds", "booking", "programs", "crm", "billing", "reports", "stock", "search", "deploy")],
            "incidents": {"learning": "0s"},
            "deploys": {"together": "1s"},  # each test has deploys of its own
            "catalog": [{"database": "postgres", "connection": connection, "interval": "1s"}],
        }
        super().setUpClass()
        cls.others = Bystanders(cls.sluice)
        cls.addClassCleanup(cls.others.stop)

    # ── what is done

    def change(self, *changes, window="deploy", allow="modifying"):
        """Carries out schema changes in a window made for them; refused before. When they were made."""
        self.assertEqual(self.fails(changes[0], application_name="deploy 42", user="app").pgcode, REFUSED)
        self.sluice.console(f"OPEN WINDOW {window} FOR '10m' ALLOW {allow} REASON 'ticket 42'")
        before = now()
        for sql in changes:
            self.run_sql(sql, application_name="deploy 42", user="app")
        after = now()
        self.sluice.console(f"CLOSE WINDOW {window}")
        self.wait_for_catalog()
        return before, after

    def wait_for_catalog(self):
        """Until a reading is over that began behind the change."""
        time.sleep(2.5)

    def violate(self, service, sessions, statements, rounds, sqlstate):
        """Sessions of a service run statements at once; the moments around the first violation, and how many there were."""
        first, counts, lock = [], [], threading.Lock()

        def session(number):
            connection = self.sluice.connect(application_name=f"{service}-{number}", user="app")
            for step in range(rounds):
                sql, *values = statements[(number + step) % len(statements)]
                before = now()
                code = attempt(connection, sql, *values)
                with lock:
                    if code == sqlstate:
                        first.append((before, now()))
                        counts.append(service)
            connection.close()

        threads = [threading.Thread(target=session, args=(number,)) for number in range(sessions)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertGreater(len(counts), 0)
        return (min(before for before, _ in first), min(after for _, after in first)), len(counts)

    # ── what is said

    def report(self):
        done = leaks.report(self.sluice, "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def incident_in_report(self, service, subject, table, count=1):
        """The one of this service and constraint (or column's table), once the history has all violations of it."""
        def find():
            found = [row for row in self.report()["incidents"]
                     if row[INCIDENT["service"]] == service and row[INCIDENT["table"]].split(".")[-1].strip('"') == table
                     and (not subject or row[INCIDENT["subject"]] == subject)]
            return found if found and found[0][INCIDENT["count"]] >= count else None
        found = machine.wait_for(find, f"the report has the incident of {service} and {subject or table}", 20, 0.5)
        self.assertEqual(len(found), 1, found)
        return found[0]

    def assert_reported(self, service, subject, table, sqlstate, kind, statement, began, suspect=None, difference=(), count=1):
        """The report and the console name all of it; the start to the second."""
        row = self.incident_in_report(service, subject, table, count)
        self.assertEqual((row[INCIDENT["sqlstate"]], row[INCIDENT["kind"]], row[INCIDENT["statement"]]), (sqlstate, kind, statement))
        self.assert_within_a_second(row[INCIDENT["started"]], began)
        shown = [line for line in self.sluice.console("SHOW INCIDENTS") if line[SHOWN["service"]] == service
                 and line[SHOWN["table"]] == table and (not subject or line[SHOWN["constraint"]] == subject)]
        self.assertEqual(len(shown), 1, shown)
        self.assert_within_a_second(shown[0][SHOWN["started"]], began)
        self.assertEqual(shown[0][SHOWN["statement"]], statement)
        for word in difference:
            self.assertIn(word, row[INCIDENT["difference"]])
            self.assertIn(word, shown[0][SHOWN["difference"]])
        if suspect:
            self.assert_suspected(row[INCIDENT["suspects"]], *suspect)
        return row

    def assert_suspected(self, suspects, statement, changed):
        """The first suspect is the change that was made."""
        self.assertGreater(len(suspects), 0)
        first = suspects[0]
        self.assertTrue(first[SUSPECT["was_seen"]])
        self.assertEqual((first[SUSPECT["service"]], first[SUSPECT["user"]], first[SUSPECT["window"]]), ("deploy", "app", "deploy"))
        self.assertTrue(first[SUSPECT["statement"]].startswith(statement), first[SUSPECT["statement"]])
        self.assert_within_a_second(first[SUSPECT["time"]], changed)

    def assert_within_a_second(self, said, between):
        """Not before the second in which it began, not behind the one in which it was over."""
        second = datetime.timedelta(seconds=1)
        self.assertTrue(between[0].replace(microsecond=0) <= moment(said) <= between[1] + second, f"{said}: {between}")

    def others_are_not_blamed(self):
        for row in self.sluice.violations():
            self.assertNotIn(row["service"], ("billing", "reports", "stock", "search"))
        for row in self.report()["incidents"]:
            if row[INCIDENT["sqlstate"]][:2] == "23":
                self.assertNotIn(row[INCIDENT["service"]], ("billing", "reports", "stock", "search"))

    # ── the incidents

    def test_1_constraint_drift(self):
        """The application knows eight states, the constraint five."""
        statements = [("update orders set status = %s where id = %s", STATUSES[order % 8], order) for order in range(1, 41)]
        began, count = self.violate("kds", 4, statements, 40, "23514")
        row = self.assert_reported("kds", "orders_status_check", "orders", "23514", "check",
                                   "update orders set status = ? where id = ?", began, count=60)
        self.assertEqual(count, 60)
        self.assertEqual(row[INCIDENT["count"]], count)
        for allowed in STATUSES[:5]:
            self.assertIn(f"'{allowed}'", row[INCIDENT["definition"]])
        self.assertNotIn("refunded", row[INCIDENT["definition"]])
        constraints = [line for line in self.sluice.console("SHOW CONSTRAINTS") if "orders_status_check" in line.values()]
        self.assertEqual(len(constraints), 1)
        self.others_are_not_blamed()

    def test_2_a_narrowing_change(self):
        """A list got one more value and lost another, which a trigger needs."""
        programs = self.connect(application_name="programs-1", user="app")
        self.assertIsNone(attempt(programs, "insert into program_items default values"))
        self.postgres.run("truncate inventory_transactions")
        change = ("alter table inventory_transactions drop constraint inventory_reference, add constraint "
                  "inventory_reference check (reference_type in ('order', 'transfer', 'count_session'))")
        changed = self.change(change)
        began, count = self.violate("programs", 3, [("insert into program_items default values",)], 20, "23514")
        row = self.assert_reported("programs", "inventory_reference", "inventory_transactions", "23514", "check",
                                   "insert into program_items default values", began,
                                   ("alter table inventory_transactions", changed),
                                   ("member_program_item_schedule", "count_session"), count)
        self.assertEqual(row[INCIDENT["count"]], count)
        self.assertIn("count_session", row[INCIDENT["definition"]])
        self.assertIn("member_program_item_schedule", row[INCIDENT["suspects"]][0][SUSPECT["difference"]])
        refused = [line for line in self.sluice.console("SHOW DDL") if line["statement"].startswith("alter table inventory_transactions")]
        self.assertEqual([line["decision"] for line in refused], ["passed", "refused"])
        self.deploy_got_worse("inventory_transactions", "programs")
        self.others_are_not_blamed()

    def deploy_got_worse(self, table, service):
        """SHOW DEPLOYS says so of the service that suffers and of none else."""
        def verdicts():
            rows = [row for row in self.sluice.console("SHOW DEPLOYS") if table in row["objects"]]
            return {row["service"]: row["verdict"] for row in rows if row["verdict"] == "worse"}
        self.assertEqual(list(machine.wait_for(verdicts, "the deploy got worse")), [service])

    def test_3_a_tightening(self):
        """The first NOT NULL violation behind it is an incident."""
        changed = self.change('alter table "Lead" alter column customer_id set not null',
                              'alter table "Job" alter column customer_id set not null')
        began, _ = self.violate("crm", 1, [('insert into "Lead" (customer_id) values (null)',)], 1, "23502")
        self.assert_reported("crm", None, "Lead", "23502", "not_null", 'insert into "Lead" (customer_id) values (null)', began,
                             ('alter table "Lead"', changed))
        self.assertEqual([row for row in self.sluice.violations() if row["table_name"] == "Job"], [])
        self.others_are_not_blamed()

    def test_4_a_strict_constraints_rollout(self):
        """Writes of one service are held back during the cut-over; then overlaps and duplicates fail; the rollback is let through."""
        self.sluice.console("SET READONLY ON FOR '10m' SERVICE billing REASON 'cut-over'")
        billing = self.connect(application_name="billing-2", user="app")
        self.assertEqual(attempt(billing, "insert into payments (amount) values (1)"), REFUSED)
        changed = self.change("alter table bookings add constraint bookings_overlap exclude using gist (room with =, during with &&)",
                              "alter table bookings add constraint bookings_reference unique (reference)")
        self.sluice.console("SET READONLY OFF SERVICE billing")
        self.assertIsNone(attempt(billing, "insert into payments (amount) values (1)"))
        booking = self.connect(application_name="booking-0", user="app")
        for room in range(20):
            self.assertIsNone(attempt(booking, "insert into bookings (room, during, reference) values (%s, '[1,5)', %s)", room, f"r{room}"))
        chance = random.Random(4)
        overlap = "insert into bookings (room, during, reference) values (%s, '[3,9)', null)"
        began, overlaps = self.violate("booking", 3, [(overlap, chance.randrange(20)) for _ in range(20)], 20, "23P01")
        twice = "insert into bookings (room, during, reference) values (%s, '[50,51)', 'r1')"
        began_twice, duplicates = self.violate("booking", 3, [(twice, room) for room in range(20)], 20, "23505")
        shown = "insert into bookings (room, during, reference) values (?"
        for subject, sqlstate, kind, count, start in (("bookings_overlap", "23P01", "exclusion", overlaps, began),
                                                      ("bookings_reference", "23505", "unique", duplicates, began_twice)):
            row = self.incident_in_report("booking", subject, "bookings", count)
            self.assertEqual((row[INCIDENT["sqlstate"]], row[INCIDENT["kind"]], row[INCIDENT["count"]]), (sqlstate, kind, count))
            self.assertTrue(row[INCIDENT["statement"]].startswith(shown), row[INCIDENT["statement"]])
            self.assert_within_a_second(row[INCIDENT["started"]], start)
            self.assert_suspected(row[INCIDENT["suspects"]], "alter table bookings add constraint", changed)
        self.deploy_got_worse("bookings", "booking")
        watched = [row for row in self.sluice.console("SHOW DEPLOYS") if "bookings" in row["objects"] and row["service"] == "booking"]
        self.assertGreater(int(watched[0]["p95_after"]), 0)
        self.change("alter table bookings drop constraint bookings_overlap", "alter table bookings drop constraint bookings_reference",
                    window="rollback")
        self.assertIsNone(attempt(booking, overlap, 1))
        self.others_are_not_blamed()


if __name__ == "__main__":
    main()
