"""Adapt a program in any language, over the lines of JSON that `minisam.adapters.wire` has."""

from __future__ import annotations

import shlex
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from minisam.adapters.harness import Harness
from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    ALL_DTYPES,
    FEATURES,
    MOST_GRADIENTS,
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
)
from minisam.adapters.reading import ReadingDict
from minisam.adapters.wire import (
    AWKWARD,
    AWKWARD_STEP,
    as_arrays,
    checked_reply,
    flat_lists,
    start_message,
)
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS


def process(
    command: str | Sequence[str],
    timeout: float = 10.0,
    features: Iterable[str] = (),
    startup: float = 60.0,
) -> Adapter:
    """Make an adapter of a harness: a program that speaks the messages of `minisam.adapters.wire`.

    Before its first use the harness is tried with a message that any harness can answer, so that a
    broken harness is not taken for a broken optimizer. If it dies or hangs it is started again,
    once, and everything is repeated.

    Args:
        command: program and arguments, as a list, or as a string in shell syntax (no shell runs).
        timeout: seconds that one reply may take.
        features: what the harness takes beyond the plain messages: ``"frozen"`` tensors,
            ``"missing-gradient"`` (null for a tensor's gradient), ``"shards"``,
            ``"hessian-product"``, ``"groups"``, ``"saved"``, ``"scheduler"``: see
            `minisam.adapters.protocol`. Nothing of this is sent unless it is named here.
        startup: seconds that the first reply may take, for programs that are slow to start.

    Returns:
        An adapter for `minisam.oracle.check`. Its ``close()`` ends the process, which otherwise
        ends with the adapter.

    Raises:
        ValueError: if the command is empty, or a time is none from 0.001 s to a day.

    Example:
        >>> adapter = process("node harness.js")
        >>> adapter.close()
    """
    arguments = shlex.split(command) if isinstance(command, str) else [str(one) for one in command]
    if not arguments:
        raise ValueError(f"command must name a program, got {command!r}")
    for name, value in (("timeout", timeout), ("startup", startup)):
        check_seconds(name, value)
    features = frozenset(features)
    unknown = features - set(FEATURES)
    if unknown:
        raise ValueError(f"features must be among {FEATURES}, got {sorted(unknown)}")
    return ProcessAdapter(Harness(arguments, timeout, startup), features)


class History(NamedTuple):
    """One run of a harness's optimizer, as far as it has come.

    Attributes:
        hp: its hyper-parameters.
        start: the message that it began with.
        steps: every ``run`` message since, with its reply.
        read: where to note what the harness has read: all but what a reply calls ``unread``.
    """

    hp: HyperParameters
    start: dict[str, Any]
    steps: list[tuple[dict, dict]]
    read: ReadingDict

    def arrays(self, point: list) -> Arrays:
        """Return a point of a reply as arrays."""
        return as_arrays(point, self.start["shapes"], self.start["dtype"])


class ProcessAdapter:
    """An adapter of a harness, which holds the optimizer of one run at a time.

    Args:
        harness: the harness, which need not run yet.
        features: what it takes beyond the plain messages.

    Attributes:
        works: whether the harness has shown that it speaks the messages.
        held: the run that the harness is ready to go on with; None when in doubt.
        hopeless: why the harness, which never worked, is not started again.
    """

    dtypes = ALL_DTYPES
    kind = "process"

    def __init__(self, harness: Harness, features: frozenset[str]) -> None:
        self.harness, self.features = harness, features
        self.name = Path(harness.command[-1]).name
        self.works = False
        self.held: History | None = None
        self.hopeless: AdapterError | None = None
        weakref.finalize(self, harness.stop)

    def __call__(self, params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        """Make a new optimizer; see `minisam.adapters.protocol`."""
        read = ReadingDict.of(hyperparameters)
        hp = read.asked
        if hp.shards > 1 and "shards" not in self.features:
            raise Unsupported("the harness does not split a batch")
        past = History(hp, start_message(params, hp), [], read)
        self.twice(partial(self.rewind, past))  # so that it refuses now what it does not have
        return partial(self.run, past)

    def close(self) -> None:
        """End the process; it starts again when it is needed."""
        self.held = None
        self.harness.stop()

    def twice(self, action: Callable[[], Any]) -> Any:
        """Do ``action``; if the harness breaks, start it again and do it once more."""
        if self.hopeless:
            raise self.hopeless
        try:
            return action()
        except AdapterError:
            self.close()
            try:
                return action()
            except AdapterError as error:
                self.close()
                if not self.works:  # nor will it the next time
                    self.hopeless = error
                raise

    def rewind(self, past: History) -> None:
        """Bring the harness to where a run was: start again, and repeat every step."""
        self.held = None
        if not self.works:
            self.try_out(past.start)
            self.works = True
        checked_reply(self.harness.ask(past.start), past.start, "params")
        for message, before in past.steps:
            if self.harness.ask(message) != before:
                raise AdapterError(
                    "the same messages gave different replies: the implementation is not "
                    "deterministic, or its start does not forget the run before"
                )
        self.held = past

    def try_out(self, start: dict[str, Any]) -> None:
        """Try what any harness can do, whatever its optimizer: hold numbers, answer in form."""
        message = {**start, **AWKWARD}
        try:
            checked_reply(self.harness.ask(message), message, "params")
            if start["method"] not in METHODS or not METHODS[start["method"]].needs:
                checked_reply(self.harness.ask(AWKWARD_STEP), message, "points", "params")
        except Unsupported:
            pass  # that, too, is an answer in form

    def ask(self, past: History, message: dict[str, Any]) -> dict[str, Any]:
        """Send a ``run`` message from where a run is; it is not held any more afterwards."""

        def action() -> dict[str, Any]:
            if self.held is not past:
                self.rewind(past)
            self.held = None
            return checked_reply(self.harness.ask(message), past.start, "points", "params")

        return self.twice(action)

    def run(self, past: History, grad_fn: Any) -> Arrays:
        """Do one step of a run."""
        now = past.hp.at(len(past.steps))
        message = {"type": "run", "lr": float(now.lr), "rho": float(now.rho)}
        if hasattr(grad_fn, "message"):  # all answers are known beforehand
            message.update(grad_fn.message())
            reply = self.ask(past, message)
            grad_fn.was_asked([past.arrays(point) for point in reply["points"]])
        else:
            message, reply = self.discover(past, message, grad_fn)
        past.steps.append((message, reply))
        past.read.read_all_but(reply.get("unread", ()))
        self.held = past
        return past.arrays(reply["params"])

    def discover(
        self, past: History, message: dict[str, Any], grad_fn: GradFn
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Find out one by one where gradients are asked for; return the last message and its reply.

        Where the k-th question is asked depends on the first k − 1 answers only. So send those that
        are known, look where the next question is asked, find its answer, and start over.
        """
        if getattr(grad_fn, "shards", None):
            raise Unsupported("shards need gradients that are written down beforehand")
        answers: list[list] = []
        placeholder = [[1.0] * len(one) for one in past.start["params"]]
        before: list = []
        while True:
            scripted = {**message, "gradients": answers or [placeholder]}
            reply = self.ask(past, scripted)
            points = reply["points"]
            if points[: len(before)] != before:
                raise AdapterError("the same gradients were asked for at different points")
            if len(points) <= len(answers) or not points:
                return scripted, reply
            if len(answers) == MOST_GRADIENTS:
                raise AdapterError(f"one step asks for more than {MOST_GRADIENTS} gradients")
            before = points[: len(answers) + 1]
            answers.append(flat_lists(grad_fn(past.arrays(before[-1]))))
            if any(x is None for one in answers[-1] if one is not None for x in one):
                raise Unsupported("JSON has no number for a gradient that is not finite")
