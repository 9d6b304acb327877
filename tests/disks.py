"""Disks that are full: a limit on the size of a file, which the system enforces."""

import signal
from contextlib import contextmanager

import pytest


@contextmanager
def full_disk(limit=10_000):
    """Let no file of this process grow beyond ``limit`` bytes, as on a disk that is full."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
