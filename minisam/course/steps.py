"""Watch a submission's step as the oracle watches any other's, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import AdapterError, Arrays, Observation, copies, listed
from minisam.course.child import Other
from minisam.course.desk import Desk, NoAnswer
from minisam.oracle.guarding import Fault
from minisam.oracle.probes import Probe
from minisam.oracle.script import script
from minisam.oracle.teller import Teller, checked
from minisam.oracle.watch import Trace


class Seen(NamedTuple):
    """What one probe saw of a submission.

    Attributes:
        trace: for the oracle.
        failure: what stopped it, if anything.
        dtype: what is wrong with the dtype, if anything.
    """

    trace: Trace
    failure: NoAnswer | None = None
    dtype: str = ""


class Listener:
    """The ``grad_fn`` of one step: it forgives a wrong dtype, and remembers it."""

    def __init__(self, teller: Teller) -> None:
        self.teller, self.dtype = teller, ""
        self.fault: AdapterError | None = None

    def __call__(self, point: Any) -> Arrays:
        """Return the scripted gradient at a point."""
        try:
            return self.teller(self.forgiven(point, "the point at which a gradient is asked for"))
        except AdapterError as error:
            self.fault = self.fault or error
            raise

    def forgiven(self, arrays: Any, what: str) -> Arrays:
        """Return arrays in the dtype that they should have."""
        like = self.teller.start
        others = [one for one in (arrays, *several(arrays)) if isinstance(one, Other)]
        if others:  # only its name came through the pipe
            raise AdapterError(f"{what} must be a list of arrays, and one is {others[0].kind}")
        got = listed(arrays, what, like)
        wrong = [g.dtype for g, x in zip(got, like, strict=False) if g.dtype != x.dtype]
        if wrong and not self.dtype and all(dtype.kind in "fiu" for dtype in wrong):
            self.dtype = f"{like[0].dtype} went in, and {what} came as {wrong[0]}."
        cast = [g.astype(x.dtype) if g.dtype.kind in "fiu" else g
                for g, x in zip(got, like, strict=False)]  # fmt: skip
        return checked(cast if len(cast) == len(got) else got, like, what)


def several(arrays: Any) -> Sequence[Any]:
    """Return what is in a list; nothing, if it is none."""
    return arrays if isinstance(arrays, list | tuple) else ()


def watched(
    desk: Desk,
    name: str,
    probe: Probe,
    dtype: str,
    seed: int,
    arguments: Callable[[HyperParameters], tuple[Sequence[Any], Mapping[str, Any]]],
) -> Seen:
    """Put a submission's step through a probe.

    Args:
        desk: where it is called.
        name: of its function, which takes the weights and what ``arguments`` returns.
        probe: the situation.
        dtype: "float64" or "float32".
        seed: of the probe's script.
        arguments: returns what stands between weights and ``grad_fn``, and what is named.
    """
    drawn = script(probe, dtype, seed)
    hp = HyperParameters.of({**probe.settings, "names": list(probe.shapes), "dtype": dtype})
    between, named = arguments(hp)
    steps: list[Observation] = []
    start, failure, wrong = drawn.params, None, ""
    for gradients in drawn.gradients:
        listener = Listener(Teller(gradients, start, dtype))
        try:
            with np.errstate(all="ignore"):
                value, _ = desk.call(name, copies(start), *between, listener, **named)
                if listener.fault is not None:
                    raise listener.fault
                end = listener.forgiven(value, "the new weights")
        except AdapterError as error:
            failure = NoAnswer("raises", f"{error}.")
        except NoAnswer as error:
            told = listener.fault is not None and error.kind == "raises"
            failure = NoAnswer("raises", f"{listener.fault}.") if told else error
        wrong = wrong or listener.dtype
        if failure is not None:
            break
        teller = listener.teller
        asked = tuple(teller.asked)
        steps.append(Observation(copies(start), teller.queries, teller.answers, end, asked))
        start = end
    fault = None if failure is None else Fault(failure.kind, str(failure))
    return Seen(Trace(probe, dtype, hp, steps, fault), failure, wrong)
