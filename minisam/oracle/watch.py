"""Put an implementation through a probe, and write down what it did.

An implementation may do anything: raise, hang, print, return nonsense. Whatever goes wrong on the
way is a `Fault` with a cause, kept in the `Trace`, never an exception out of the oracle.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    MOST_GRADIENTS,
    Adapter,
    AdapterError,
    Arrays,
    Observation,
    Run,
    Unsupported,
    copies,
    kind,
    listed,
)
from minisam.adapters.reading import ReadingDict
from minisam.adapters.reason import Reason
from minisam.isolation.child import in_words
from minisam.isolation.limits import Interruption, Late, within
from minisam.isolation.lines import line_of
from minisam.optim.methods import METHODS
from minisam.oracle.probes import Probe
from minisam.oracle.script import ANSWERS, Script, script
from minisam.rounding import UNITS, to_unit


class Fault(AdapterError):
    """What stopped a probe: a short ``cause``, and a sentence."""

    def __init__(self, cause: str, message: str):
        super().__init__(message)
        self.cause = cause


class Raised(Fault):
    """An exception of the implementation: its ``words``, and the line that it came from."""

    def __init__(self, error: BaseException):
        self.words = in_words(error)
        super().__init__(f"raises {type(error).__name__}", self.words + line_of(error))


class Trace(NamedTuple):
    """Record what a probe saw.

    Attributes:
        probe: the probe.
        dtype: the dtype it ran in.
        hp: the hyper-parameters that the adapter was given.
        steps: one `Observation` per step.
        fault: what stopped it, if anything.
        skipped: why it was not run, if it was not.
        printed: what was written to standard output.
        changed_inputs: whether arrays that were lent were changed.
        read: the hyper-parameters that the implementation has looked at.
    """

    probe: Probe
    dtype: str
    hp: HyperParameters
    steps: list[Observation]
    fault: Fault | None = None
    skipped: Reason | None = None
    printed: str = ""
    changed_inputs: bool = False
    read: frozenset[str] = frozenset()


def guarded(
    timeout: float, function: Callable[[], Any], own: tuple[type[Exception], ...] = ()
) -> Any:
    """Call an implementation, within a time limit; whatever it raises becomes a `Fault`.

    Args:
        timeout: in seconds.
        function: the call.
        own: exceptions that the caller's own ``grad_fn`` may raise on the way.

    Raises:
        Fault: with cause "hangs" or "raises ...".
        Unsupported: if the implementation does.
        AdapterError: if the adapter does.
    """
    passing: tuple[type[BaseException], ...] = (
        Interruption, KeyboardInterrupt, Unsupported, AdapterError, *own
    )  # fmt: skip

    def call() -> Any:
        try:
            return function()
        except passing:
            raise
        except BaseException as error:
            fault = Raised(error)
        raise fault  # here, where it does not keep the implementation's frames alive

    try:
        return within(timeout, call)
    except Late as late:
        raise Fault("hangs", str(late)) from None


def checked(arrays: Any, like: Arrays, what: str) -> Arrays:
    """Return copies of the arrays that were handed over, if they are what was agreed.

    Raises:
        WrongType: if they are no list of arrays.
        Fault: with cause "wrong shapes" or "wrong dtype".
    """
    got = listed(arrays, what)
    shapes, expected = [g.shape for g in got], [x.shape for x in like]
    if shapes != expected:
        lists = f"{what} must be a list of arrays of shapes {expected}"
        raise Fault("wrong shapes", f"{lists}, got {kind(arrays)}")
    for g, x in zip(got, like, strict=True):
        if g.dtype != x.dtype:
            raise Fault("wrong dtype", f"{what} must be {x.dtype}, got {g.dtype}")
    return copies(got)


class Teller:
    """The ``grad_fn`` of one step: it answers from the script, and remembers."""

    def __init__(
        self, gradients: list[list[Arrays]], start: Arrays, dtype: str, missing: bool = False
    ):
        self.gradients, self.start, self.dtype, self.missing = gradients, start, dtype, missing
        self.queries: list[Arrays] = []
        self.answers: list[Arrays] = []
        self.asked: list[int | None] = []
        self.known: dict[Any, int] = {}
        self.counts: dict[int, int] = {}
        number = len(gradients[0])
        self.shards = [self.one(shard) for shard in range(number)] if number > 1 else []

    def one(self, shard: int) -> Callable[[Arrays], Arrays]:
        """Return the gradient function of a shard."""
        return lambda point: copies(self.answer(point, shard))

    def answer(self, point: Any, shard: int) -> Arrays:
        """Return the scripted gradient of a shard at a point."""
        arrays = checked(point, self.start, "the point at which a gradient is asked for")
        if len(self.queries) >= MOST_GRADIENTS:
            raise Fault(
                "asks too often", f"one step asked for more than {MOST_GRADIENTS} gradients"
            )
        key = (shard, *(array.tobytes() for array in arrays))
        if key not in self.known:
            self.known[key] = self.counts.get(shard, 0)
            self.counts[shard] = self.known[key] + 1
        answer = self.gradients[self.known[key] % ANSWERS][shard]
        self.queries.append(arrays)
        self.answers.append(copies(answer))
        self.asked.append(shard)
        return answer

    def __call__(self, point: Arrays, shard: int | None = None) -> list[Any]:
        """Return the gradient at a point, of one shard or averaged over the batch."""
        number = len(self.gradients[0])
        if number == 1 or shard is not None:
            answer = copies(self.answer(point, shard or 0))
            return [g if g.any() or not self.missing else None for g in answer]
        parts = [self.answer(point, index) for index in range(number)]
        unit = UNITS[self.dtype]
        return [to_unit(sum(tensors) / number, unit) for tensors in zip(*parts, strict=True)]


FEATURE_OF = {  # the hyper-parameters that not all adapters take, and the feature that says it
    "frozen": "frozen",
    "shards": "shards",
    "missing": "missing-gradient",
    "groups": "groups",
    "saved": "saved",
    "scheduler": "scheduler",
}


def why_not(adapter: Adapter, probe: Probe, dtype: str, settings: dict[str, Any]) -> Reason | None:
    """Say why a probe is not run; None if it is."""
    if dtype not in getattr(adapter, "dtypes", ("float64", "float32")):
        return Reason("it has no", dtype)
    if METHODS[probe.method].needs == "hessian_product":
        return Reason("probes have no Hessian products; the exact vectors have")
    for setting, feature in FEATURE_OF.items():
        if probe.settings.get(setting) and feature not in getattr(adapter, "features", ()):
            return Reason("it has no", feature)
    for key, value in settings.items():
        if probe.settings.get(key, value) != value:
            return Reason(f"{key} is declared to be {value!r}")
    return None


def watch(
    adapter: Adapter,
    probe: Probe,
    dtype: str,
    settings: dict[str, Any] | None = None,
    timeout: float = 60.0,
    seed: int = 0,
    drawn: Script | None = None,
) -> Trace:
    """Run one probe.

    Args:
        adapter: the implementation.
        probe: the situation.
        dtype: "float64", "float32" or "bfloat16".
        settings: hyper-parameters that declared conventions fix.
        timeout: seconds that one step may take.
        seed: which of the probe's scripts; 0 is the one with a name.
        drawn: another script, in place of the probe's own.
    """
    drawn = drawn or script(probe, dtype, seed)
    given = {**probe.settings, "names": list(probe.shapes), "dtype": dtype}
    hp = HyperParameters.of(given)
    skipped = why_not(adapter, probe, dtype, settings or {})
    if skipped:
        return Trace(probe, dtype, hp, [], skipped=skipped)
    hp = hp.having(**(settings or {}), declared=tuple(settings or ()))
    steps: list[Observation] = []
    given = ReadingDict(hp)
    fault, output, changed = None, io.StringIO(), False
    try:
        with quiet(output):
            beside = script(probe, dtype, seed + 1) if probe.beside else None
            changed = take_steps(adapter, drawn, given, steps, timeout, beside)
    except Unsupported as error:
        skipped = error.reason
    except Fault as error:
        fault = error
    except AdapterError as error:
        fault = Fault(error.cause, str(error)) if error.cause else Raised(error)
    read = frozenset(given.read)
    return Trace(probe, dtype, hp, steps, fault, skipped, output.getvalue(), changed, read)


@contextlib.contextmanager
def quiet(output: io.StringIO) -> Iterator[None]:
    """Catch what is printed, and silence warnings."""
    errors = contextlib.redirect_stderr(io.StringIO())
    with contextlib.redirect_stdout(output), errors, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with np.errstate(all="ignore"):
            yield


def take_step(run: Run, teller: Teller) -> Arrays:
    """Take one step, and copy what it returns."""
    return checked(run(teller), teller.start, "the new weights")


def begin(adapter: Adapter, lent: Arrays, given: ReadingDict, timeout: float) -> Run:
    """Return what does the steps of a new run."""
    run = guarded(timeout, lambda: adapter(lent, given))
    if not callable(run):
        raise Fault("wrong type", f"the adapter must return a function, got {type(run).__name__}")
    return run


def take_steps(
    adapter: Adapter,
    drawn: Script,
    given: ReadingDict,
    steps: list[Observation],
    timeout: float,
    beside: Script | None = None,
) -> bool:
    """Take a probe's steps, add what is seen to ``steps``; return whether inputs were changed.

    Raises:
        Unsupported: also if by the end a hyper-parameter that matters was not read.
    """
    lent, hp = copies(drawn.params), given.asked
    run = begin(adapter, lent, given, timeout)
    start = drawn.params
    other = begin(adapter, copies(beside.params), ReadingDict(hp), timeout) if beside else None
    for number, gradients in enumerate(drawn.gradients):
        if beside and other:  # nobody judges this one
            teller = Teller(beside.gradients[number], start, hp.dtype, hp.missing)
            guarded(timeout, partial(take_step, other, teller))
        teller = Teller(gradients, start, hp.dtype, hp.missing)
        end = guarded(timeout, partial(take_step, run, teller))
        steps.append(
            Observation(copies(start), teller.queries, teller.answers, end, tuple(teller.asked))
        )
        start = end
    given.refuse_unread()
    kept = all(np.array_equal(a, b) for a, b in zip(lent, drawn.params, strict=True))
    return bool(getattr(run, "changed_inputs", False)) or not kept
