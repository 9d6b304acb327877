"""Count the processor cores and the memory that this process may use.

A job of a cluster, a container or ``taskset`` gets a share of the machine. Two mechanisms say so
on Linux: the affinity of the process, and the limits of its control group (cgroup v2), of which
every level from the process's own up to the root counts.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

ROOT = Path("/")


def usable_cores(root: Path = ROOT) -> int:
    """Return how many cores this process may use, at least 1.

    Args:
        root: where ``proc`` and ``sys`` are.

    Example:
        >>> 1 <= usable_cores() <= os.cpu_count()
        True
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity
        cores = os.cpu_count() or 1
    for limit in _limits("cpu.max", root):
        with suppress(ValueError):  # "max 100000" is no limit
            quota, period = map(int, limit.split())
            cores = min(cores, math.ceil(quota / period))
    return max(1, cores)


def usable_memory(root: Path = ROOT) -> float:
    """Return how many bytes of memory this process's group may use, infinity where nobody says.

    Example:
        >>> usable_memory() > 1e6
        True
    """
    sizes = [math.inf]
    with suppress(AttributeError, ValueError, OSError):  # Windows has no sysconf
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in _limits("memory.max", root):
        with suppress(ValueError):  # "max"
            sizes.append(int(limit))
    return min(sizes)


def usable_jobs(each: float = 5e8) -> int:
    """Return how many processes that need ``each`` bytes of memory may run at once, at least 1.

    Example:
        >>> usable_jobs(each=1e300)
        1
    """
    return max(1, int(min(usable_cores(), usable_memory() // each)))


def _limits(name: str, root: Path) -> list[str]:
    """Return the content of one file of limits at every level of the process's control group."""
    found = []
    with suppress(OSError, ValueError):  # not Linux, or nothing to be seen in this container
        lines = (root / "proc/self/cgroup").read_text().splitlines()
        own = next((line[3:] for line in lines if line.startswith("0::")), "/")
        top = root / "sys/fs/cgroup"
        folder = Path(os.path.normpath(top / own.lstrip("/")))
        levels = [level for level in (folder, *folder.parents) if level.is_relative_to(top)]
        for level in levels or [top]:  # a path that leads out of what this container sees
            with suppress(OSError):
                found.append((level / name).read_text())
    return found
