import subprocess
import sys

import pytest
from oracle import implementations as known

from minisam.adapters.plain import plain
from minisam.adapters.reason import Reason
from minisam.oracle.checking import check
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch

CAUSES = {
    "raises": "raises KeyError",
    "exits": "raises SystemExit",
    "hangs": "hangs",
    "asks_for_ever": "asks too often",
    "wrong_shapes": "wrong shapes",
    "one_tensor_too_few": "wrong shapes",
    "wrong_dtype": "wrong dtype",
    "not_deterministic": "not deterministic",
    "returns_nothing": "wrong type",
    "skips": "nothing ran",
}
VERDICTS = {
    "does_nothing": "bug: R13-does-nothing",
    "echoes": "bug: R14-returns-the-gradient",
    "returns_nan": "bug: R15-returns-nan",
    "prints": "undeclared convention: output",
    "changes_its_inputs": "undeclared convention: inputs",
}


@pytest.mark.parametrize("name", CAUSES)
def test_an_awkward_adapter_is_an_adapter_error_with_its_own_cause(name):
    report = check(getattr(known, name), timeout=0.3)
    assert report.verdict == "adapter error"
    assert report.cause == CAUSES[name]
    assert report.exit_code == (4 if name == "skips" else 2)
    assert CAUSES[name] in str(report)


@pytest.mark.parametrize("name", VERDICTS)
def test_an_awkward_adapter_that_runs_has_its_own_verdict(name):
    report = check(getattr(known, name))
    assert report.verdict == VERDICTS[name]
    assert report.exit_code == (3 if report.verdict.startswith("undeclared") else 1)


@pytest.mark.parametrize(
    ("name", "line"),
    [("prints", {"output": "prints"}), ("changes_its_inputs", {"inputs": "changed"})],
)
def test_manners_can_be_declared(name, line):
    assert check(getattr(known, name), declare=line).verdict == "conforms as declared"


def test_what_an_adapter_cannot_do_is_not_run():
    trace = watch(plain(known.right), PROBES["sam-momentum"], "float64")
    assert trace.skipped == Reason("it does not take", "momentum")
    frozen = watch(plain(known.right), PROBES["sam-frozen"], "float64")
    assert frozen.skipped == Reason("it has no", "frozen")


def test_a_raw_adapter_that_changes_the_lent_arrays_is_noticed():
    def adapter(params, hp):
        def run(grad_fn):
            for w, g in zip(params, grad_fn(params), strict=True):
                w -= hp["lr"] * g
            return params

        return run

    assert watch(adapter, PROBES["sam-one-tensor"], "float64").changed_inputs


BROWSER = """
import os, signal, sys, threading
import numpy as np

def refuses(self):
    raise RuntimeError("can't start new thread")

for module, names in ((signal, ("setitimer", "getitimer", "SIGALRM", "SIGKILL", "alarm")),
                      (os, ("fork", "killpg", "setsid", "kill"))):
    for name in names:
        delattr(module, name)
threading.Thread.start = refuses
sys.modules["subprocess"] = sys.modules["multiprocessing"] = None
from minisam import grade
from minisam.oracle import check

def step(w, grad_fn, *, rho, lr):
    g = grad_fn(w)
    n = np.sqrt(sum(np.sum(x * x) for x in g))
    b = [x + rho * y / n if n else x for x, y in zip(w, g)]
    return [x - lr * y for x, y in zip(w, grad_fn(b))]

print(check(step, dtype="float64").verdict)
grade(step, points=4)
"""


@pytest.mark.fault("missing-from-the-platform", "oracle.check", "minisam.grade")
def test_a_right_step_conforms_where_there_are_no_timers_threads_and_processes():
    done = subprocess.run([sys.executable, "-c", BROWSER], capture_output=True, text=True)
    assert (done.stdout.splitlines()[:1], done.stderr) == (["conforms"], "")
    assert "\n4 of 4 points\n" in done.stdout
