# SPDX-License-Identifier: PostgreSQL
"""Folders, ports and processes that leave nothing behind, also when a test is killed."""
import atexit
import ctypes
import errno
import itertools
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BINARY = os.environ.get("PGSLUICE", "")
IO = os.environ.get("PGSLUICE_IO", "")  # how its sessions' bytes move: uv or uring; empty: as it chooses itself
ROOT = pathlib.Path(__file__).resolve().parents[3]
POSTGRES = os.environ.get("PGSLUICE_POSTGRES", "15")  # its major version; others than Debian's by tests/install.sh servers
SERVER_BIN = os.environ.get("PGSLUICE_SERVER_BIN") or (
    "/usr/lib/postgresql/15/bin" if POSTGRES == "15" else
    f"{ROOT}/build/servers/node_modules/postgres-{POSTGRES}/native/bin")
SKIPPED = 77  # exit status of a test that cannot run here
DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG
LIBC = ctypes.CDLL(None, use_errno=True)


def skip(why):
    print(f"skipped: {why}", file=sys.stderr)
    sys.exit(SKIPPED)


def has_uring():
    """Whether the kernel lets us have io_uring: it gets as far as to miss its parameters."""
    ctypes.set_errno(0)
    LIBC.syscall(425, 1, None)  # io_uring_setup
    return ctypes.get_errno() == errno.EFAULT


def is_sanitized():
    """Whether the program was built with AddressSanitizer: it is slower then, and its memory says nothing."""
    with open(BINARY, "rb") as binary:
        return b"__asan_init" in binary.read()


def new_folder(owner=None):
    folder = tempfile.mkdtemp(prefix="pgsluice-test-", dir="/tmp")
    os.chmod(folder, 0o755)
    if owner and os.geteuid() == 0:
        shutil.chown(folder, owner, owner)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def server_bin(owner):
    """The folder of the server's programs; of a copy where its owner may not enter the folder of this tree."""
    if os.geteuid() != 0:
        return SERVER_BIN
    seen = subprocess.run(["test", "-x", f"{SERVER_BIN}/postgres"], user=owner, group=owner, extra_groups=[], cwd="/",
                          check=False)
    if seen.returncode == 0:
        return SERVER_BIN
    copy = os.path.join(new_folder(), "server")
    shutil.copytree(os.path.dirname(SERVER_BIN), copy, symlinks=True)
    return os.path.join(copy, "bin")


PORTS = 12000
next_port = itertools.count(os.getpid() * 197)  # processes that run side by side begin far from each other


def reserve(port):
    """Whether the port is this process's own from now on: no other process of these tests is given it while this one runs.
    The name of an abstract socket has one owner at a time, and is free again when its owner ends, however it ends."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0pgsluice-test-port-{port}")
    except OSError:
        mark.close()
        return False
    mark.detach()  # open to the end of this process
    return True


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port():
    """A port below those the kernel hands out, so that no other test's connection takes it meanwhile; never one that this
    process has been given before, nor one that was given to another that still runs."""
    for number in itertools.islice(next_port, PORTS):
        port = 20000 + number % PORTS
        if reserve(port) and is_free(port):
            return port
    raise RuntimeError("no free port")


def spawn(arguments, user=None, death=signal.SIGKILL, **more):
    """Starts a process that ends with this one, as another user when this one is root."""
    if user and os.geteuid() == 0:
        more.update(user=user, group=user, extra_groups=[])
    process = subprocess.Popen(arguments, preexec_fn=lambda: LIBC.prctl(DEATH_SIGNAL, death), **more)
    atexit.register(end, process, death)
    return process


def end(process, how, wait=20):
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def wait_for(condition, what, seconds=15, pause=0.02):
    """Waits until condition() is true and returns what it said."""
    deadline = time.monotonic() + seconds
    while True:
        said = condition()
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain: {what}")
        time.sleep(pause)


def accepts(address):
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError("the process is gone")
