"""What the cells of the sweep tests do; importable, as workers in other processes need it."""

import os
import signal
import time
from pathlib import Path

import numpy as np


def square(x, log=None, seconds=0.0):
    time.sleep(seconds)
    if log:
        with open(log, "a") as file:
            file.write(f"{x}\n")
    return {"square": np.float64(x * x), "pid": os.getpid()}


def work(cpu_seconds):
    end = time.process_time() + cpu_seconds
    while time.process_time() < end:
        pass


def curve(points):
    return {"curve": np.array([*range(points - 1), np.nan])}


def fail_on_odd(x):
    if x % 2:
        raise ArithmeticError(f"{x} is odd")
    return x


def die_once(x, marker, seconds=0.0):
    """Kill the worker the first time that x = 2 is run."""
    time.sleep(seconds)
    if x == 2 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def always_die_on_two(x):
    time.sleep(0.05)
    if x == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def blas_threads(cell):
    return {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
