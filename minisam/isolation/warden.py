"""Stay above code that is not trusted, so that no process of it is left when it ends.

A process may leave its group and its session and empty its environment, but not its ancestors: on
Linux it goes to the nearest one that asks for orphans when its parent ends. The *warden* asks for
them. It forks the process that is to run the code, and ends with it, or with the grader:

    parent ── warden ── child ── what the code starts, whatever it does to get away

Only a child that has the warden's user, and ends the warden itself, gets away.

This file needs the standard library only: a child may be started with it, by its path:
``python -I -S warden.py child.py …``.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36  # of Linux
LOOK = 0.5  # seconds between two looks whether the parent is still there
ROUNDS = 200  # of ending what others start meanwhile
PAUSE = 0.005  # seconds between two of them


def stand() -> bool:
    """Return in a fork of this process, and stay above it; return False where orphans stay lost."""
    if not takes_orphans():
        return False
    above = os.getppid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return True
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for pipe in range(3):  # the child's, which end with it
            os.dup2(nothing, pipe)
        code = waited_for(child, above)
        end_below(os.getpid())
        end_as(code)
    finally:
        os._exit(code)


def takes_orphans() -> bool:
    """Ask for the orphans below this process; return whether it gets them."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        import ctypes  # for this only

        return ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    except (ImportError, OSError, AttributeError):
        return False


def waited_for(child: int, above: int) -> int:
    """Wait until the child ends, and return its exit code; 1 if the parent has gone."""
    while os.getppid() == above:
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == child:
                    return os.waitstatus_to_exitcode(found[1])
        signal.sigtimedwait({signal.SIGCHLD}, LOOK)
    return 1


def end_as(code: int) -> None:
    """End this process as another has ended, by a signal if its exit code is negative."""
    if code < 0:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource  # not everywhere

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


def below(process: int) -> dict[int, bool]:
    """Return the processes that descend from one, and whether each is still alive.

    Example:
        >>> below(os.getpid()).get(os.getpid())
    """
    children: dict[int, list[int]] = {}
    alive = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if name.isdecimal():
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b") ")[2].split()[:2]
                children.setdefault(int(parent), []).append(int(name))
                alive[int(name)] = state not in (b"Z", b"X")
    found: dict[int, bool] = {}
    waiting = [process]
    while waiting:
        for one in children.get(waiting.pop(), []):
            if one not in found:
                found[one] = alive[one]
                waiting.append(one)
    return found


def end_below(process: int) -> None:
    """End every process that descends from one, and those that they start meanwhile."""
    for _ in range(ROUNDS):
        found = below(process)
        for one in found:
            with contextlib.suppress(OSError):  # it has ended, or is another user's
                os.kill(one, signal.SIGKILL)
        if not any(found.values()):
            return
        time.sleep(PAUSE)


if __name__ == "__main__":
    stand()
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
