# SPDX-License-Identifier: PostgreSQL
"""pgbench, which fails at the first error, in all its protocols and with many clients."""
import os
import re
import subprocess

from harness.case import Case, main

PIPELINE = r"""\set id random(1, 10000)
\startpipeline
select abalance from pgbench_accounts where aid = :id;
update pgbench_accounts set abalance = abalance + 1 where aid = :id;
select 1;
\endpipeline
"""


class Pgbench(Case):
    settings = {"guard": {"mode": "enforce"}, "workers": 2}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        subprocess.run(["pgbench", "-i", "-q", "-s", "1", "-h", cls.postgres.folder, "-p", str(cls.postgres.port), "-U",
                        "postgres", "postgres"], check=True, capture_output=True, timeout=60)

    def pgbench(self, *options, port=None, transactions=400):
        done = subprocess.run(["pgbench", "-n", "-h", "127.0.0.1", "-p", str(port or self.sluice.port), "-U", "postgres",
                               "-t", str(transactions), *options, "postgres"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("number of failed transactions: 0 (0.000%)", done.stdout)
        return int(re.search(r"actually processed: (\d+)", done.stdout).group(1))

    def test_every_protocol_runs_without_an_error(self):
        for protocol in ("simple", "extended", "prepared"):
            for clients in (1, 16):
                with self.subTest(protocol=protocol, clients=clients):
                    self.assertEqual(self.pgbench("-S", "-M", protocol, "-c", str(clients), "-j", "2"), 400 * clients)
                    self.assertEqual(self.pgbench("-M", protocol, "-c", str(clients), transactions=50), 50 * clients)

    def test_pipelines_and_new_connections_run_without_an_error(self):
        path = os.path.join(self.sluice.folder, "pipeline.sql")
        with open(path, "w", encoding="ascii") as script:
            script.write(PIPELINE)
        for protocol in ("extended", "prepared"):
            self.assertEqual(self.pgbench("-f", path, "-M", protocol, "-c", "8"), 3200)
        self.assertEqual(self.pgbench("-S", "-C", "-c", "4", transactions=50), 200)

    def test_the_books_balance_direct_and_through(self):
        """The same seed does the same to both: the balances are equal afterwards."""
        sums = []
        for port in (self.postgres.port, self.sluice.port):
            self.postgres.run("truncate pgbench_history; update pgbench_accounts set abalance = 0; "
                              "update pgbench_tellers set tbalance = 0; update pgbench_branches set bbalance = 0")
            for protocol in ("simple", "extended", "prepared"):
                self.pgbench("-M", protocol, "-c", "1", "--random-seed=7", port=port, transactions=200)
            sums.append(self.postgres.run(
                "select (select sum(abalance) from pgbench_accounts), (select sum(tbalance) from pgbench_tellers), "
                "(select sum(bbalance) from pgbench_branches), count(*), sum(delta), "
                "md5(string_agg(format('%s %s %s', tid, aid, delta), ',' order by mtime, tid, aid)) from pgbench_history"))
        self.assertEqual(sums[0], sums[1])

    def test_a_refused_initialization_changes_nothing(self):
        before = self.postgres.catalog()
        done = subprocess.run(["pgbench", "-i", "-s", "1", "-h", "127.0.0.1", "-p", str(self.sluice.port), "-U", "postgres",
                               "postgres"], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema change refused", done.stderr)
        self.assertEqual(self.postgres.catalog(), before)


if __name__ == "__main__":
    main()
