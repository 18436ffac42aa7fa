# SPDX-License-Identifier: PostgreSQL
"""A thread of another process that stands still for a while, as one that is stuck does, while the others go on."""
import contextlib
import ctypes
import os

from . import machine

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WAIT_ALL = 0x40000000  # __WALL: threads that are not the first of their process too


def threads(pid):
    """The threads of a process: number by name. Some may end meanwhile."""
    named = {}
    for number in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{pid}/task/{number}/comm", encoding="utf-8") as comm:
            named[comm.read().strip()] = int(number)
    return named


def trace(request, thread):
    zero = ctypes.c_void_p(0)
    if machine.LIBC.ptrace(ctypes.c_long(request), ctypes.c_int(thread), zero, zero) != 0:
        raise OSError(f"ptrace {request:#x} of thread {thread} failed")


def may_trace():
    """Whether the kernel lets this process stop threads of others."""
    child = machine.spawn(["sleep", "10"])
    try:
        with Stopped(child.pid):
            return True
    except OSError:
        return False
    finally:
        child.kill()
        child.wait()


class Stopped:
    """Within it the thread stands still. It has to be entered and left by the same thread of this process. A process that
    ends within it can be waited for when it was left."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        trace(SEIZE, self.thread)
        trace(INTERRUPT, self.thread)
        os.waitpid(self.thread, WAIT_ALL)
        return self

    def __exit__(self, *_):
        try:
            trace(DETACH, self.thread)
        except OSError:  # it has ended
            os.waitpid(self.thread, WAIT_ALL)
