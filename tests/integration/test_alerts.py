# SPDX-License-Identifier: PostgreSQL
"""Incidents, from the violations that make them to whoever is told: log, console, webhook and command."""
import contextlib
import datetime
import http.server
import json
import os
import signal
import sqlite3
import stat
import threading
import time

import psycopg2

from harness import machine
from harness.case import Case, main

SETUP = """
drop schema public cascade;
create schema public;
create table orders (id int primary key, status text constraint orders_status_check check (status in ('new', 'done')));
"""
QUICK = {"learning": "0s", "calm": "1m"}
SECRET = "s3cr3t-of-the-hook"


class Hook:
    """A receiver that answers with these statuses, one after the other, the last one for ever; None hangs."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)
        self.bodies = []
        self.headers = []
        self.is_over = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                hook.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/{SECRET}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, request):
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        body = request.rfile.read(int(request.headers["Content-Length"]))
        self.headers.append(dict(request.headers))
        self.bodies.append(json.loads(body))
        if status is None:
            self.is_over.wait(60)
            return
        request.send_response(status)
        request.send_header("Content-Length", "0")
        request.end_headers()

    def close(self):
        self.is_over.set()
        self.server.shutdown()
        self.server.server_close()


def when(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Alerts(Case):
    SETUP = SETUP

    def hook(self, *statuses):
        hook = Hook(*statuses)
        self.addCleanup(hook.close)
        return hook

    def storm(self, count, service="kds"):
        connection = self.sluice.connect(application_name=service)
        with connection.cursor() as cursor:
            for _ in range(count):
                with self.assertRaises(psycopg2.IntegrityError):
                    cursor.execute("insert into orders values (1, 'canary-8842')")
        connection.close()

    def program(self, script):
        """A command, and the file that it may write."""
        folder = machine.new_folder()
        path = os.path.join(folder, "page")
        out = os.path.join(folder, "out")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n" + script.replace("OUT", out))
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        os.chmod(folder, 0o777)
        return path, out

    def told(self, name):
        return self.sluice.events(name)

    def test_a_storm_is_one_incident_with_its_constraint_service_and_start(self):
        hook = self.hook(500, 500, 200)
        self.sluice = self.new_sluice(incidents={**QUICK, "first": False},
                                      alerts={"webhook": {"url": hook.url, "headers": ["X-Token: abc"]}})
        began = time.time()
        self.storm(50)
        self.wait_for(lambda: self.told("alert_delivered"), "it is delivered", 20)
        line, = self.told("incident_started")
        self.assertEqual((line["service"], line["schema"], line["table"], line["constraint"], line["sqlstate"]),
                         ("kds", "public", "orders", "orders_status_check", "23514"))
        self.assertAlmostEqual(when(line["started"]), began, delta=1)
        self.assertLess(when(line["time"]) - began, 5)

        self.assertEqual(len(hook.bodies), 3)
        self.assertEqual([line["attempts"] for line in self.told("alert_failed")], ["1", "2"])
        self.assertEqual({line["reason"] for line in self.told("alert_failed")}, {"HTTP status 500"})
        body = hook.bodies[-1]
        self.assertEqual(hook.headers[-1]["X-Token"], "abc")
        self.assertEqual(hook.headers[-1]["Content-Type"], "application/json")
        self.assertEqual((body["version"], body["news"], body["subject"], body["service"], body["schema"],
                          body["table"], body["constraint"], body["family"], body["kind"], body["database"]),
                         (1, "started", "constraint", "kds", "public", "orders", "orders_status_check", None,
                          "check", "postgres"))
        self.assertAlmostEqual(when(body["started"]), began, delta=1)
        self.assertIsNone(body["ended"])
        self.assertEqual(body["suspects"], [])
        self.assertNotIn("canary", json.dumps(hook.bodies))

        row, = self.sluice.console("SHOW INCIDENTS")
        self.assertEqual((row["state"], row["service"], row["constraint_name"], row["count"]),
                         ("spike", "kds", "orders_status_check", "50"))
        self.assertNotIn(SECRET, self.sluice.log())
        self.assertNotIn(SECRET, json.dumps(self.sluice.console("SHOW SETTINGS")))

    def test_an_incident_ends_and_its_end_is_told(self):
        hook = self.hook(200)
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"webhook": {"url": hook.url}, "news": ["ended"]})
        self.storm(1)
        self.wait_for(lambda: self.told("incident_started"), "it is told")
        self.assertEqual(self.sluice.console("SHOW INCIDENTS")[0]["state"], "first seen")
        self.storm(49)
        self.wait_for(lambda: hook.bodies, "its end is told", 120)
        body, = hook.bodies
        self.assertEqual((body["news"], body["count"], body["is_first"]), ("ended", 50, True))
        self.assertEqual(body["ended"], self.told("incident_ended")[0]["ended"])
        self.assertEqual(self.sluice.console("SHOW INCIDENTS")[0]["state"], "ended")

    def test_nothing_is_an_incident_while_it_learns_or_where_it_is_not_wanted(self):
        for settings in ({"learning": "1h"}, {**QUICK, "record": False}):
            self.sluice = self.new_sluice(incidents=settings)
            self.storm(50)
            time.sleep(2)
            self.assertEqual(self.told("incident_started"), [])
            self.assertEqual(self.sluice.console("SHOW INCIDENTS"), [])

    def test_a_past_without_violations_is_known_after_a_new_start(self):
        self.sluice = self.new_sluice(incidents={"learning": "1h"}, history={"file": "past.history"})
        self.sluice.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(self.sluice.folder, "past.history"))) as past:
            past.execute("update runs set started = datetime('now', '-2 days')")
            past.commit()
        self.sluice.start()
        self.storm(1)
        self.wait_for(lambda: self.told("incident_started"), "it is told")
        self.assertEqual(self.told("incident_started")[0]["first_ever"], "true")

    def test_a_webhook_that_hangs_holds_up_neither_traffic_nor_the_end(self):
        hook = self.hook(None)
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"webhook": {"url": hook.url}})
        self.storm(1)
        self.wait_for(lambda: hook.bodies, "it is asked")
        began = time.time()
        self.storm(1, "other")
        self.assertEqual(len(self.sluice.console("SHOW INCIDENTS")), 2)
        self.assertLess(time.time() - began, 5)
        self.sluice.stop()
        self.assertLess(time.time() - began, 10)
        self.assertEqual(self.told("alerts_lost")[0]["count"], "2")

    def test_a_webhook_that_hangs_is_tried_again(self):
        hook = self.hook(None, 200)
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"webhook": {"url": hook.url, "timeout": "1s"}})
        self.storm(1)
        self.wait_for(lambda: self.told("alert_delivered"), "it is delivered")
        self.assertEqual(self.told("alert_failed")[0]["reason"], "Timeout was reached")
        self.assertEqual(self.told("alert_delivered")[0]["to"], "127.0.0.1")
        counters = self.sluice.counters()
        self.assertEqual({name: counters[name] for name in counters if name.startswith("alerts_")},
                         {"alerts_delivered": 1, "alerts_failed": 1, "alerts_given_up": 0, "alerts_lost": 0})

    def test_a_refusal_is_final_and_a_redirect_is_not_followed(self):
        for status in (400, 302):
            hook = self.hook(status)
            self.sluice = self.new_sluice(incidents=QUICK, alerts={"webhook": {"url": hook.url}})
            self.storm(1)
            self.wait_for(lambda: self.told("alert_given_up"), "it is given up")
            self.assertEqual(self.told("alert_given_up")[0]["reason"], f"HTTP status {status}")
            self.assertEqual(len(hook.bodies), 1)
            self.assertEqual(self.sluice.counter("alerts_given_up"), 1)

    def test_a_command_gets_the_incident_and_nothing_of_ours(self):
        path, out = self.program('cat > OUT.part\nenv > OUT.env\nls -l /proc/self/fd > OUT.fd\necho "$1" > OUT.word\n'
                                 "mv OUT.part OUT\n")
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"command": [path, "a; word"]})
        self.storm(1)
        self.wait_for(lambda: self.told("alert_delivered"), "it was taken")
        with open(out, encoding="utf-8") as file:
            self.assertEqual(json.load(file)["constraint"], "orders_status_check")
        with open(out + ".word", encoding="utf-8") as file:
            self.assertEqual(file.read(), "a; word\n")
        with open(out + ".env", encoding="utf-8") as file:
            names = {line.split("=")[0] for line in file.read().splitlines()}
        self.assertLessEqual(names, {"PATH", "LANG", "PWD", "OLDPWD", "SHLVL", "_"})
        with open(out + ".fd", encoding="utf-8") as file:
            self.assertNotIn("socket", file.read())

    def test_a_command_that_fails_is_tried_again(self):
        path, _ = self.program("[ -e OUT ] && exit 0\ntouch OUT\nexit 7\n")
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"command": [path]})
        self.storm(1)
        self.wait_for(lambda: self.told("alert_delivered"), "it was taken")
        self.assertEqual(self.told("alert_failed")[0]["reason"], "exit status 7")
        self.assertEqual(self.told("alert_delivered")[0]["attempts"], "2")

    def test_it_fails_too_where_whoever_started_us_ignored_the_ends_of_processes(self):
        path, _ = self.program("[ -e OUT ] && exit 0\ntouch OUT\nexit 7\n")
        before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        try:
            self.sluice = self.new_sluice(incidents=QUICK, alerts={"command": [path]})
        finally:
            signal.signal(signal.SIGCHLD, before)
        self.storm(1)
        self.wait_for(lambda: self.told("alert_delivered"), "it was taken")
        self.assertEqual(self.told("alert_failed")[0]["reason"], "exit status 7")

    def test_a_command_that_hangs_is_killed_with_all_it_started(self):
        path, out = self.program('[ -e OUT ] && exit 0\nsleep 600 &\necho "$!" > OUT\nwait\n')
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"command": [path], "command_timeout": "1s"})
        self.storm(1)
        self.wait_for(lambda: self.told("alert_delivered"), "it was taken")
        self.assertIn("killed", self.told("alert_failed")[0]["reason"])
        with open(out, encoding="utf-8") as file:
            child = int(file.read())
        self.wait_for(lambda: not self.is_running(child), "its child is gone")

    @staticmethod
    def is_running(process):
        try:
            with open(f"/proc/{process}/stat", encoding="utf-8") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_a_command_that_is_not_there_says_so(self):
        self.sluice = self.new_sluice(incidents=QUICK, alerts={"command": ["/nowhere/page"]})
        self.storm(1)
        self.wait_for(lambda: self.told("alert_failed"), "it fails")
        self.assertEqual(self.told("alert_failed")[0]["reason"], "No such file or directory")


if __name__ == "__main__":
    main()
