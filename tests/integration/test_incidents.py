# SPDX-License-Identifier: PostgreSQL
"""Whole stories: what the operator finds on the console when constraints and code have drifted apart."""
import threading

from harness.case import REFUSED, Case, main
from harness.incidents import STATUSES, TABLES, attempt


class Incidents(Case):
    SETUP = TABLES
    settings = {"guard": {"mode": "enforce"}, "services": [
        {"name": "kds", "when": {"application_name": "kds*"}},
        {"name": "booking", "when": {"application_name": "booking*"}},
        {"name": "deploy", "when": {"application_name": "deploy*"}}]}

    def violations_of(self, constraint, table):
        return [row for row in self.sluice.violations()
                if row["constraint_name"] == constraint and row["table_name"] == table]

    def test_a_state_machine_that_knows_more_states_than_the_check_is_found_by_its_service(self):
        codes = []

        def kitchen(number):
            connection = self.sluice.connect(application_name=f"kds-{number}", user="app")
            for order in range(1, 41):
                codes.append(attempt(connection, "update orders set status = %s where id = %s", STATUSES[order % 8], order))
            connection.close()

        threads = [threading.Thread(target=kitchen, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(codes.count("23514"), 60)
        rows = self.violations_of("orders_status_check", "orders")
        self.assertEqual(len(rows), 1)
        row = rows[0]
        self.assertEqual((row["kind"], row["service"], row["count"], row["user_name"]), ("check", "kds", "60", "app"))
        self.assertEqual(row["statement"], "update orders set status = ? where id = ?")
        self.assertLessEqual(row["first_seen"], row["last_seen"])

    def test_a_narrowing_change_waits_for_the_gate_and_its_violations_name_the_service(self):
        change = ("alter table inventory_transactions drop constraint inventory_reference, add constraint "
                  "inventory_reference check (reference_type in ('order', 'count_session'))")
        refused = self.fails(change, application_name="deploy 42", user="app")
        self.assertEqual(refused.pgcode, REFUSED)
        self.assertIn("level 3", refused.diag.message_primary)
        connection = self.connect(application_name="booking-api", user="app")
        self.assertIsNone(attempt(connection, "insert into program_items values (1)"))
        self.postgres.run("truncate inventory_transactions")
        self.sluice.console("OPEN WINDOW deploy FOR '10m' ALLOW modifying REASON 'ticket 42'")
        self.run_sql(change, application_name="deploy 42", user="app")
        self.sluice.console("CLOSE WINDOW deploy")
        self.assertEqual(attempt(connection, "insert into program_items values (2)"), "23514")
        rows = self.violations_of("inventory_reference", "inventory_transactions")
        self.assertEqual([(row["service"], row["kind"], row["statement"]) for row in rows],
                         [("booking", "check", "insert into program_items values (?)")])
        changes = [(row["decision"], row["service"], row["user_name"]) for row in self.sluice.console("SHOW DDL")
                   if row["statement"].startswith("alter table inventory_transactions")]
        self.assertEqual(changes, [("passed", "deploy", "app"), ("refused", "deploy", "app")])

    def test_after_a_tightening_the_first_violation_names_service_and_column(self):
        tighten = 'alter table "Lead" alter column customer_id set not null'
        self.assertEqual(self.fails(tighten, application_name="deploy 43", user="app").pgcode, REFUSED)
        self.sluice.console("OPEN WINDOW tighten FOR '10m' ALLOW modifying REASON 'ticket 43'")
        self.run_sql(tighten, application_name="deploy 43", user="app")
        self.sluice.console("CLOSE WINDOW tighten")
        connection = self.connect(application_name="booking-api", user="app")
        self.assertEqual(attempt(connection, 'insert into "Lead" (id) values (3)'), "23502")
        rows = [row for row in self.sluice.violations() if row["table_name"] == "Lead"]
        self.assertEqual([(row["kind"], row["column_name"], row["service"], row["count"], row["statement"]) for row in rows],
                         [("not_null", "customer_id", "booking", "1", 'insert into "Lead" (id) values (?)')])


if __name__ == "__main__":
    main()
