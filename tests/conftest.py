"""Profiles of hypothesis: how many examples, and whether they are the same in every run.

``fast`` (the default at one's desk), ``ci`` (the default where $CI is set; the same examples every
time), ``thorough`` (10,000 examples of each test, an hour or more). Choose one with
``pytest --hypothesis-profile NAME`` or $HYPOTHESIS_PROFILE.

The jitter run, ``PYTHONPATH=$PWD/tests/jitter python -m pytest``, moves the results of products,
sums and functions in their last place, as another machine would: see `jitter/sitecustomize.py`.
"""

import os
import signal
import sys

from hypothesis import HealthCheck, settings

if "PYTEST_XDIST_WORKER" in os.environ:  # several processes; NumPy has not been imported
    for library in "OPENBLAS", "OMP":
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # a shell does so for what it runs beside it
    # Else every process that a test starts would not hear of Ctrl-C, and the test would wait.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if hasattr(sys.modules.get("sitecustomize"), "come_first"):
    sys.modules["sitecustomize"].come_first()

ALWAYS = {
    "deadline": None,  # the machine may be busy
    "print_blob": True,  # a failure prints the line that reproduces it
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.differing_executors],
}

settings.register_profile("fast", max_examples=10, **ALWAYS)
settings.register_profile("ci", max_examples=100, derandomize=True, **ALWAYS)
settings.register_profile("thorough", max_examples=10_000, **ALWAYS)
DEFAULT = "ci" if os.environ.get("CI") else "fast"
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", DEFAULT))
