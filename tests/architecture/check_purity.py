#!/usr/bin/env python3
# SPDX-License-Identifier: PostgreSQL
"""Holds the built libraries of the core areas against their promise: no socket, clock, thread, file or output, no
writable global, and memory from the heap only where a reason stands below.

usage: check_purity.py FOLDER (with libbase.a and so on, built without sanitizers) | check_purity.py --self-test
"""
import fnmatch
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CORE_AREAS = ("base", "wire", "sql", "observe", "catalog", "policy", "session")

FORBIDDEN = {
    "a socket": "socket connect bind listen accept accept4 shutdown setsockopt getsockopt getpeername getsockname send "
    "sendto sendmsg recv recvfrom recvmsg getaddrinfo poll ppoll select pselect epoll_* uv_*",
    "a file": "open open64 openat creat close read write pread pwrite readv writev lseek fopen fopen64 fdopen freopen "
    "fclose fread fwrite fgets fgetc getc unlink rename stat fstat lstat opendir readdir mmap dlopen dlsym",
    "output": "printf vprintf fprintf vfprintf dprintf vdprintf puts fputs putchar fputc putc perror stdout stderr "
    "stdin syslog vsyslog fflush",
    "a clock": "time clock clock_gettime gettimeofday localtime localtime_r gmtime gmtime_r mktime timegm strftime "
    "nanosleep usleep sleep",
    "a thread": "pthread_* thrd_* mtx_* cnd_* sem_*",
    "the process": "exit _exit abort fork exec* system signal sigaction raise kill getenv secure_getenv setenv setlocale "
    "rand random srand getrandom",
    "TLS": "SSL_* EVP_* BIO_* RAND_*",
}

HEAP = {"malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup", "aligned_alloc", "posix_memalign",
        "memalign", "asprintf", "vasprintf"}

# area/object: why it owns heap memory
HEAP_OWNERS = {
    "base/buffer.c": "grows up to a limit that its owner sets",
    "base/shared_text.c": "each text that is in use, once",
    "base/slab.c": "things that their owners bound: sessions, and what they need while they are at work",
    "base/ring.c": "its records, once, at the start",
    "base/table.c": "its slots",
    "catalog/catalog.c": "databases and constraints, within the catalog's bound",
    "catalog/catalog_parts.c": "partitions and their parents, within the same bound",
    "catalog/changes.c": "a fixed number of changes, once, at the start",
    "catalog/version.c": "one version of one constraint, counted by the catalog",
    "observe/harvest.c": "one for each time a worker is asked, on the control thread",
    "observe/incident_book.c": "the notes of incidents under way and of a fixed number that ended, on the control thread",
    "observe/journal.c": "a fixed number of events, once, at the start",
    "observe/deploys.c": "a fixed number of deploys, each with a row for each service followed",
    "observe/pulse.c": "an hour by minute of a fixed number of services, on the control thread",
    "observe/snapshot.c": "the rows of one snapshot, on the control thread",
    "observe/suspects.c": "a fixed number of changes, once, at the start",
    "observe/tally.c": "one entry for each distinct thing counted, up to the tally's bound",
    "observe/watched.c": "one entry for each key watched, up to the bound of the settings",
    "policy/calendar.c": "the times that one window's settings name, on the control thread",
    "policy/calendar_file.c": "where the events of a file begin, while it is read",
    "policy/calendar_lines.c": "the components of one file, up to a bound of events, and its line that is read",
    "policy/census.c": "one entry for each session, service and address, within the limits of the settings",
    "policy/gate.c": "the spans of one gate, computed on the control thread",
    "policy/policy.c": "a policy lives as long as the settings it was made from",
    "policy/rule.c": "gives back what libical allocated",
    "policy/series.c": "the rules and times of one event",
    "policy/turnstile.c": "one table for the whole program, made at its start",
    "sql/statement.c": "statement texts, within the bound of the settings",
    "session/tracking.c": "refusals that are settled",
    "session/flight.c": "a queue of many requests in flight, up to a limit of the settings",
    "session/changes.c": "what is known of one session's schema changes, once",
    "session/names.c": "prepared statements by name, up to a limit of the settings",
    "session/poison.c": "one refusal",
    "session/outbox.c": "what waits to be sent in place of something else",
    "session/session.c": "the report of an error that comes in pieces",
    "session/stream.c": "the state of a statement that is being scanned",
}

# area/object: symbols it may use although they are forbidden: why
EXCEPTIONS = {}

WRITABLE_SECTIONS = re.compile(r"^\.t?(data|bss)(\.(?!rel\.ro)\S*)?$")


def reason_forbidden(symbol):
    for reason, patterns in FORBIDDEN.items():
        if any(fnmatch.fnmatchcase(symbol, pattern) for pattern in patterns.split()):
            return reason
    return None


def plain_symbol(symbol):
    """The function as it stands in the source: without version and without the dress of _FORTIFY_SOURCE."""
    symbol = symbol.split("@")[0]
    fortified = re.fullmatch(r"__(\w+)_chk", symbol)
    return fortified.group(1) if fortified else symbol


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def undefined_symbols(library):
    """Yields (object file as its source is named, symbol). Not by nm, which would show what the compiler kept for
    optimizing whole programs in place of what it made."""
    source = None
    for line in run("readelf", "-sW", str(library)).splitlines():
        words = line.split()
        if line.startswith("File: "):
            source = re.sub(r"\.o$", "", line[line.rindex("(") + 1:-1])
        elif len(words) == 8 and words[6] == "UND":
            yield source, plain_symbol(words[7])


def writable_sections(library):
    """Yields (object file as its source is named, section, bytes) for what is neither code nor constant."""
    source = None
    for line in run("size", "-A", "-d", str(library)).splitlines():
        words = line.split()
        if " (ex " in line:
            source = re.sub(r"\.o$", "", words[0])
        elif len(words) == 3 and WRITABLE_SECTIONS.match(words[0]) and words[1] != "0":
            yield source, words[0], words[1]


def check_library(area, library, owners, exceptions):
    for source, symbol in undefined_symbols(library):
        where = f"{area}/{source}"
        reason = reason_forbidden(symbol)
        if reason is not None and symbol not in exceptions.get(where, {}):
            yield f"src/{where}: {symbol}: the core uses no function of {reason}"
        if symbol in HEAP and where not in owners:
            yield f"src/{where}: {symbol}: not among the heap owners of check_purity.py"
    for source, section, size in writable_sections(library):
        yield f"src/{area}/{source}: {size} bytes of writable global data ({section})"


def check_owners(folder, areas, owners):
    """A reason that nobody needs any more goes."""
    users = set()
    for area in areas:
        symbols = undefined_symbols(folder / f"lib{area}.a")
        users |= {f"{area}/{source}" for source, symbol in symbols if symbol in HEAP}
    for where in sorted(set(owners) - users):
        yield f"src/{where}: uses no heap, but stands among the heap owners of check_purity.py"


def check_all(folder, areas=CORE_AREAS, owners=None, exceptions=None):
    owners = HEAP_OWNERS if owners is None else owners
    exceptions = EXCEPTIONS if exceptions is None else exceptions
    missing = [area for area in areas if not (folder / f"lib{area}.a").is_file()]
    for area in missing:
        yield f"{folder}: lib{area}.a has not been built"
    present = [area for area in areas if area not in missing]
    for area in present:
        yield from check_library(area, folder / f"lib{area}.a", owners, exceptions)
    if not missing:
        yield from check_owners(folder, areas, owners)


# source, the words of the finding (None: clean)
SNIPPETS = [
    ('#include <stdio.h>\nint f(char *a);\nint f(char *a) { return snprintf(a, 3, "%d", 7); }', None),
    ("static const char *const names[] = {\"a\", \"b\"};\nconst char *f(int i);\nconst char *f(int i) { return names[i]; }",
     None),
    ("#include <unistd.h>\nint f(void);\nint f(void) { return (int)write(1, \"\", 1); }", "write: the core uses no"),
    ("#include <time.h>\nlong f(void);\nlong f(void) { return time(0); }", "no function of a clock"),
    ('#include <stdio.h>\nint f(int a);\nint f(int a) { return printf("%d", a); }', "no function of output"),
    ("#include <stdio.h>\nint f(const char *a);\nint f(const char *a) { return fputs(a, stderr); }", "stderr"),
    ("#include <pthread.h>\nint f(pthread_mutex_t *m);\nint f(pthread_mutex_t *m) { return pthread_mutex_lock(m); }",
     "no function of a thread"),
    ("int uv_now(void);\nint f(void);\nint f(void) { return uv_now(); }", "uv_now"),
    ("#include <stdlib.h>\nvoid *f(void);\nvoid *f(void) { return malloc(9); }", "not among the heap owners"),
    ("int f(void);\nint f(void) { static int count; return ++count; }", "writable global data (.bss"),
    ("int count = 7;\n", "writable global data (.data"),
    ("extern _Thread_local int count;\n_Thread_local int count;\n", "writable global data (.tbss"),
]


def findings_of(folder, source, owners):
    (folder / "f.c").write_text(source)
    run("cc", "-O2", "-fPIC", "-D_FORTIFY_SOURCE=2", "-c", str(folder / "f.c"), "-o", str(folder / "f.c.o"))
    (folder / "libwire.a").unlink(missing_ok=True)
    run("ar", "rc", str(folder / "libwire.a"), str(folder / "f.c.o"))
    return list(check_all(folder, ["wire"], owners, {}))


def self_test():
    faults = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not any("has not been built" in finding for finding in check_all(folder, ["wire"], {}, {})):
            faults.append("a missing library was not found")
        for source, words in SNIPPETS:
            found = findings_of(folder, source, {})
            if (words is None and found) or (words is not None and not any(words in finding for finding in found)):
                faults.append(f"{source}: expected {words}, found {found}")
        owner = {"wire/f.c": "a reason"}
        if findings_of(folder, SNIPPETS[8][0], owner):
            faults.append("a heap owner with a reason was refused")
        if not any("uses no heap" in finding for finding in findings_of(folder, SNIPPETS[0][0], owner)):
            faults.append("a heap owner without need was not found")
    return faults


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 2
    faults = self_test() if arguments == ["--self-test"] else list(check_all(Path(arguments[0])))
    print("\n".join(faults) if faults else "the core is pure")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
