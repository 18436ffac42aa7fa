# SPDX-License-Identifier: PostgreSQL
"""All that the program says to anybody but the clients themselves, and all that it leaves behind."""
import os
import subprocess

from . import machine

REPORTS = ("text", "json", "md")


def show_commands(sluice, password=None):
    """Every SHOW of the console, without what may be left out; those that need a name are asked otherwise."""
    found = []
    for row in sluice.console("HELP", password=password):
        command = row["command"].split("[")[0].strip()
        if command.startswith("SHOW") and command == command.upper():
            found.append(command)
    return found


def tables(sluice, password=None):
    """The names of the tables that can be asked in SQL."""
    if "SHOW TABLES" not in show_commands(sluice, password):
        return []
    return [next(iter(row.values())) for row in sluice.console("SHOW TABLES", password=password)]


def console_says(sluice, password=None):
    said = []
    questions = show_commands(sluice, password) + [f"SELECT * FROM {name}" for name in tables(sluice, password)]
    for question in questions:
        done = sluice.console_psql(question, "-x", password=password)
        said += [f"\n{question}\n", done.stdout, done.stderr]
    return "".join(said).encode()


def has_report():
    usage = subprocess.run([machine.BINARY, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    return "pgsluice report" in usage


def knows(section):
    """Whether the program has a section of settings."""
    sample = subprocess.run([machine.BINARY, "check", "--print-sample"], capture_output=True, text=True, timeout=20, check=True)
    return any(line.lstrip("# ").startswith(f"{section}:") for line in sample.stdout.splitlines())


def report(sluice, form):
    """What `pgsluice report` makes of the last hour."""
    history = os.path.join(sluice.folder, "pgsluice-history.db")
    return subprocess.run([machine.BINARY, "report", "--history", history, "--since", "1h", "--format", form],
                          capture_output=True, text=True, timeout=60, check=False)


def report_says(sluice):
    """The reports of all forms, where the program makes any."""
    said = []
    for form in REPORTS if has_report() else ():
        done = report(sluice, form)
        said += [f"\nreport {form}\n", done.stdout, done.stderr]
    return "".join(said).encode()


def files_hold(sluice, without=()):
    """The raw bytes of every file in its folder but the settings."""
    held = b""
    for folder, _, names in os.walk(sluice.folder):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if path != sluice.path and name not in without and os.path.isfile(path):
                with open(path, "rb") as file:
                    held += b"\nfile " + name.encode() + b"\n" + file.read()
    return held


def command_lines(sluice):
    with open(f"/proc/{sluice.process.pid}/cmdline", "rb") as line, open(f"/proc/{sluice.process.pid}/task/"
                                                                         f"{sluice.process.pid}/comm", "rb") as name:
        return line.read() + name.read()


def everything(sluice, password=None):
    """The console is asked first, as that makes the program write down what it knows."""
    return console_says(sluice, password) + report_says(sluice) + files_hold(sluice) + command_lines(sluice)
