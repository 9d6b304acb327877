"""Run the script that a report prints, and read what it says."""

import contextlib
import io

import numpy as np

from minisam.oracle.bugs import look_again
from minisam.oracle.checking import choose_probes, examine
from minisam.oracle.matters import entry_size
from minisam.oracle.parts import convention_part
from minisam.oracle.reproduction import reproduction
from minisam.oracle.shrinking import smallest_failure
from minisam.oracle.watch import watch


def shrunk(adapter, method="sam", dtype="float64", declare=None, probes=None):
    """The first failure, shrunk, without a search for its name; None if all is well."""
    base = convention_part(declare or {})
    failing = []
    for probe in choose_probes(probes, {}, [method]):
        if probe.method == method:
            entry = examine(watch(adapter, probe, dtype, base.settings), base, {})
            failing += [entry] if entry.result.status == "fail" else []
    if not failing:
        return None
    failures = [(entry.trace, entry.judgement) for entry in failing]
    trace, judgement = min(failures, key=lambda failure: entry_size(failure[0]))
    look = lambda probe, drawn: look_again(adapter, base, dtype, 60.0, probe, drawn)  # noqa: E731
    return smallest_failure(trace, judgement, look, failures)


def script_of(adapter, call, method="sam", **rest):
    """The script for that failure."""
    return reproduction(*shrunk(adapter, method, **rest), adapter, call)


def printed_by(script, space):
    """What a script prints: the two values that should be one, as lists or numbers."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), np.errstate(all="ignore"):
        exec(script, space)
    _, _, rest = output.getvalue().strip().partition(": ")
    seen, _, right = rest.partition("should be")
    names = {
        "array": lambda x, dtype=None: x,
        "float32": None,
        "np": np,
        "nan": np.nan,
        "inf": np.inf,
    }
    if "at least" in right:
        return eval(seen), f">={right.split()[-1]}"
    return eval(seen, names), eval(right, names)


def flat(value):
    """All numbers of nested lists."""
    if isinstance(value, (list, tuple)):
        return [number for one in value for number in flat(one)]
    return [float(value)]


def agree(seen, right):
    """Whether the two printed values are one, but for the digits that are not printed."""
    if isinstance(right, str):
        return seen >= int(right.removeprefix(">="))
    a, b = flat(seen), flat(right)
    return len(a) == len(b) and bool(np.allclose(a, b, rtol=1e-5, atol=1e-12, equal_nan=True))


def differ(seen, right):
    """Whether a reader sees that the two printed values are not one."""
    if isinstance(right, str):
        return not agree(seen, right)
    return flat(seen) != flat(right)
