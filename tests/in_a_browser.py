"""Run scripts without what a browser's Python lacks: ``python in_a_browser.py SCRIPT …``.

What Pyodide does not have is taken away before anything else is imported: timers, threads,
processes, and the modules that its documentation lists as removed.
"""

import os
import signal
import subprocess
import sys
import threading
from importlib.abc import MetaPathFinder

REMOVED = (
    "fcntl",
    "grp",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "_multiprocessing",
    "_posixshmem",
)
TIMERS = ("setitimer", "getitimer", "alarm", "ITIMER_REAL", "SIGALRM")
PROCESSES = ("fork", "forkpty", "posix_spawn", "register_at_fork", "sched_getaffinity", "killpg")


class Removed(MetaPathFinder):
    """Refuse the modules that are removed."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REMOVED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def refuse(*_, **__):
    raise RuntimeError("can't start new thread or process")


def take_away():
    sys.meta_path.insert(0, Removed())
    for name in REMOVED:
        sys.modules.pop(name, None)
    for module, names in ((signal, TIMERS), (os, PROCESSES)):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    threading.Thread.start = subprocess.Popen.__init__ = refuse


if __name__ == "__main__":
    take_away()
    for script in sys.argv[1:]:
        with open(script, encoding="utf-8") as file:
            exec(compile(file.read(), script, "exec"), {"__name__": "__main__"})
