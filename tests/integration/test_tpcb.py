# SPDX-License-Identifier: PostgreSQL
"""Half a minute of TPC-B by sixteen clients with TLS on both legs: not one error, and the books balance."""
import os
import re
import subprocess

from harness import secured
from harness.case import Case, main
from harness.certificate import Certificate
from harness.postgres import Postgres

SECONDS = int(os.environ.get("TPCB_SECONDS", "30"))
SCALE = 5


class TpcB(Case):
    settings = {"guard": {"mode": "enforce"}, "workers": 2}

    @classmethod
    def setUpClass(cls):
        cls.certificate = Certificate(Postgres.OWNER)
        cls.postgres = Postgres(**secured.postgres_words(cls.certificate))
        cls.addClassCleanup(cls.postgres.stop)
        subprocess.run(["pgbench", "-i", "-q", "-s", str(SCALE), "-h", cls.postgres.folder, "-p", str(cls.postgres.port),
                        "-U", "postgres", "postgres"], check=True, capture_output=True, timeout=60)

    def test_the_books_balance(self):
        sluice = self.new_sluice(**self.settings, **secured.sluice_words(self.certificate, self.postgres))
        environment = secured.environment(self.certificate)
        done = subprocess.run(["pgbench", "-n", "-h", "localhost", "-p", str(sluice.port), "-U", "postgres", "-c", "16", "-j",
                               "2", "-T", str(SECONDS), "-M", "prepared", "postgres"], capture_output=True, text=True,
                              timeout=SECONDS + 60, env=environment, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("number of failed transactions: 0 (0.000%)", done.stdout)
        transactions = int(re.search(r"actually processed: (\d+)", done.stdout).group(1))
        self.assertGreater(transactions, 10 * SECONDS)
        sums = self.postgres.run("""
            select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers),
                   (select sum(bbalance) from pgbench_branches), (select sum(delta) from pgbench_history)""")[0]
        self.assertEqual(len(set(sums)), 1, sums)
        self.assertEqual(self.postgres.value("select count(*) from pgbench_history"), transactions)
        self.assert_all_went_through(sluice, transactions)

    def assert_all_went_through(self, sluice, transactions):
        counters = sluice.counters()
        self.assertGreaterEqual(counters["transactions"], transactions)
        for name in ("errors", "unfollowed", "protocol_errors_client", "protocol_errors_server", "ddl_refused"):
            self.assertEqual(counters[name], 0, name)


if __name__ == "__main__":
    main()
