# SPDX-License-Identifier: PostgreSQL
"""What follows a schema change: the service that it hurts is told within seconds, the others are not."""
import threading
import time

import psycopg2

from harness.case import Case, main

SETUP = """
drop schema if exists d cascade;
create schema d;
create table d.orders (id int primary key, state text constraint orders_state check (state in ('new', 'paid', 'cancelled')),
    total int constraint orders_total check (total >= 0));
insert into d.orders values (0, 'new', 0);
create table d.other (id int primary key);
insert into d.other values (1);
"""
NARROWING = """alter table d.orders drop constraint orders_state,
    add constraint orders_state check (state in ('new', 'paid')) not valid"""


class Service(threading.Thread):
    """Inserts until it is told to stop; counts what was refused."""

    def __init__(self, sluice, name, statement, pause):
        super().__init__(daemon=True)
        self.connection = sluice.connect(application_name=name)
        self.statement, self.pause = statement, pause
        self.refused = 0
        self.is_over = threading.Event()

    def run(self):
        with self.connection.cursor() as cursor:
            while not self.is_over.wait(self.pause):
                try:
                    cursor.execute(self.statement)
                except psycopg2.IntegrityError:
                    self.refused += 1

    def stop(self):
        self.is_over.set()
        self.join()
        self.connection.close()


class Deploys(Case):
    SETUP = SETUP
    settings = {"guard": {"mode": "observe"}, "deploys": {"settle": "3s", "together": "1s"}}

    def start(self, name, statement, pause):
        service = Service(self.sluice, name, statement, pause)
        service.start()
        self.addCleanup(service.stop)
        return service

    def verdicts(self):
        """Of the newest deploy, by service."""
        rows = self.sluice.console("SHOW DEPLOYS")
        return {row["service"]: row for row in rows if row["number"] == rows[0]["number"]}

    def test_a_check_made_narrower_hurts_one_service_and_not_the_other(self):
        shop = self.start("shop", "insert into d.orders select max(id) + 1, 'cancelled', 1 from d.orders", 0.02)
        self.start("billing", "insert into d.orders values (-1, 'new', -1)", 0.4)
        time.sleep(12)
        self.assertEqual(shop.refused, 0)
        changed = time.time()
        self.run_sql(NARROWING, application_name="migrate")
        self.wait_for(lambda: self.sluice.events("deploy_worse"), "the log says that it is worse", 10)
        self.assertLess(time.time() - changed, 8)
        time.sleep(3)
        self.check_log()
        verdicts = self.verdicts()
        row = verdicts["shop"]
        self.assertEqual((row["verdict"], row["violations_before"]), ("worse", "0.00"))
        self.assertGreater(float(row["violations_after"]), 100)
        self.assertIn("last of orders_state", row["reason"])
        self.assertEqual(row["changes"], "1")
        self.assertEqual(row["objects"], "d.orders")
        self.assertEqual(row["application_name"], "migrate")
        self.assertEqual(row["command"], "ALTER TABLE")
        self.assertEqual(verdicts["billing"]["verdict"], "ok", verdicts["billing"])
        self.assertGreater(float(verdicts["billing"]["violations_before"]), 30)

    def check_log(self):
        lines = self.sluice.events("deploy_worse")
        self.assertEqual(len(lines), 1)
        self.assertEqual(lines[0]["service"], "shop")
        self.assertEqual(lines[0]["objects"], "d.orders")
        self.assertEqual(lines[0]["application_name"], "migrate")
        self.assertIn("violations: 0.00 a minute before", lines[0]["reason"])

    def test_what_was_undone_or_failed_is_no_deploy(self):
        self.run_sql("begin; alter table d.other add column x int; rollback", application_name="undone")
        self.fails("alter table d.nowhere add column x int", application_name="failed")
        self.run_sql("begin; alter table d.other add column y int; commit", application_name="kept")
        self.wait_for(lambda: "kept" in {row["application_name"] for row in self.sluice.console("SHOW DEPLOYS")},
                      "the change is shown")
        shown = {row["application_name"]: row for row in self.sluice.console("SHOW DEPLOYS")}
        self.assertFalse({"undone", "failed"} & set(shown))
        self.assertEqual(shown["kept"]["objects"], "d.other")


if __name__ == "__main__":
    main()
