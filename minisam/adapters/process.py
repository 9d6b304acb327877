"""An implementation in any language, over lines of JSON on its standard input and output.

A harness reads one message a line and answers with one line. Gradients are scripted, so that it
never has to call back: a ``run`` message carries the answers to the first, the second, … question
(the last one goes for all later questions too), and the reply tells at which points they were put.

    {"type": "start", "method": "sam", "dtype": "float64", "names": [...], "shapes": [...],
     "frozen": [], "params": [[1, 2], [3]], "hyperparameters": {"rho": 0.5, ...}}
    -> {"params": [[1, 2], [3]]}                 a new optimizer; the weights as it has them
    {"type": "run", "lr": 0.1, "rho": 0.5, "gradients": [[[3, 4], [0]], [[1, 1], [2]]]}
    -> {"points": [[[1, 2], [3]], [[1.3, 2.4], [3]]], "params": [[0.9, 1.9], [2.8]]}
    {"type": "stop"}                             no answer; the harness ends

Instead of these a reply may be ``{"unsupported": "reason"}`` or ``{"error": "text"}``. A tensor is
a flat list in row-major order, a number that is not finite is null, and standard error is free
text. `SCHEMA` has every message.
"""

from __future__ import annotations

import json
import math
import queue
import shlex
import subprocess
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    described,
)
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS

SCHEMA = Path(__file__).with_name("messages.schema.json")
FEATURES = ("frozen", "missing-gradient", "shards", "hessian-product")
MOST_GRADIENTS = 64  # a step that asks for more is not followed

# Numbers that a harness with a poor JSON library, or single precision, does not hand back.
AWKWARD = {"names": ["weight", "bias"], "shapes": [[3, 1], [1]], "frozen": []}
AWKWARD["params"] = [[0.1, -1 / 3, 2.5e-300], [9007199254740991.0]]


class Harness:
    """A running harness: `ask` sends a message and returns the reply.

    Args:
        command: program and arguments.
        timeout: seconds that one reply may take.
        startup: seconds that the first one may take.
    """

    def __init__(self, command: Sequence[str], timeout: float, startup: float) -> None:
        self.command, self.timeout, self.startup = list(command), timeout, startup
        self.patience = startup
        self.process: Any = None  # a Popen while it runs
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.stderr: deque[str] = deque(maxlen=20)

    def start(self) -> None:
        """Start the process, and threads that read what it writes."""
        try:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            self.process = None
            raise AdapterError(f"cannot start {shlex.join(self.command)}: {error}") from error
        self.lines, self.stderr = queue.Queue(), deque(maxlen=20)
        self.patience = self.startup
        for stream, take in ((self.process.stdout, self.lines.put), (self.process.stderr, None)):
            keep = take or self.stderr.append
            threading.Thread(target=_read, args=(stream, keep, take), daemon=True).start()

    def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """Send one message and return the reply.

        Raises:
            AdapterError: if the harness ends, hangs, or answers with something else than one line
                of JSON.
        """
        if self.process is None:
            self.start()
        with suppress(OSError):  # it has ended; what it wrote before says why
            self.process.stdin.write(json.dumps(message, allow_nan=False) + "\n")
            self.process.stdin.flush()
        try:
            line = self.lines.get(timeout=self.patience)
        except queue.Empty:
            raise self.failure(f"gave no answer within {self.patience:g} s", message) from None
        self.patience = self.timeout
        if line is None:
            code = self.process.wait()
            raise self.failure(f"ended with exit code {code}", message)
        try:
            reply = json.loads(line)
            if not isinstance(reply, dict):
                raise ValueError
        except ValueError:
            raise self.failure(
                f"wrote {line.strip()[:80]!r} to standard output, which is for replies, one JSON "
                "object a line; print to standard error instead",
                message,
            ) from None
        return reply

    def failure(self, what: str, message: dict[str, Any]) -> AdapterError:
        """Return an error about the harness, with the end of its standard error."""
        text = f"the harness {shlex.join(self.command)} {what} (asked to {message['type']})"
        told = "".join(self.stderr).strip()
        return AdapterError(text + (f"; its standard error ends with:\n{told}" if told else ""))

    def stop(self) -> None:
        """End the process: ask it to stop, and kill it if it does not."""
        if self.process is None:
            return
        process, self.process = self.process, None
        with suppress(OSError, ValueError):
            process.stdin.write('{"type": "stop"}\n')
            process.stdin.close()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                stream.close()


def _read(stream: Any, keep: Any, end: Any) -> None:
    """Pass on every line of a stream, and None at its end to ``end`` if that is given."""
    with suppress(ValueError):  # closed while reading
        for line in stream:
            keep(line)
    if end:
        end(None)


def process(
    command: str | Sequence[str],
    timeout: float = 10.0,
    features: Iterable[str] = (),
    startup: float = 60.0,
) -> Adapter:
    """Make an adapter of a harness: any program that speaks the messages above.

    Before its first use the harness is tried with a message that any harness can answer, so that a
    broken harness is not taken for a broken optimizer. If it dies or hangs it is started again,
    once, and everything is repeated.

    Args:
        command: program and arguments, as a list, or as a string in shell syntax (no shell runs).
        timeout: seconds that one reply may take.
        features: what the harness takes beyond the plain messages: ``"frozen"`` tensors,
            ``"missing-gradient"`` (null for a tensor's gradient), ``"shards"``,
            ``"hessian-product"``. Nothing of this is sent unless it is named here.
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
    harness = Harness(arguments, timeout, startup)
    tried = False  # whether the harness has shown that it speaks the messages
    current: object = None  # the run whose optimizer the harness holds; None when in doubt

    hopeless: list[AdapterError] = []

    def guarded(action: Callable[[], Any]) -> Any:
        """Do ``action``; if the harness breaks, start it again and do it once more."""
        if hopeless:
            raise hopeless[0]
        try:
            return action()
        except AdapterError:
            harness.stop()
            try:
                return action()
            except AdapterError as error:
                harness.stop()
                if not tried:  # it has never worked, and will not the next time
                    hopeless.append(error)
                raise

    def adapter(params: Arrays, hyperparameters: Mapping[str, Any]) -> Run:
        hp = HyperParameters.of(hyperparameters)
        if hp.shards > 1 and "shards" not in features:
            raise Unsupported("the harness does not split a batch")
        start = _start(params, hp)
        history: list[tuple[dict, dict]] = []
        me = object()

        def rewind() -> None:
            """Bring the harness to where this run was: start again, and repeat every step."""
            nonlocal tried, current
            current = None
            if not tried:
                _smoke(harness, start)
                tried = True
            _checked(harness.ask(start), start, "params")
            for message, before in history:
                if harness.ask(message) != before:
                    raise AdapterError(
                        "the same messages gave different replies: the implementation is not "
                        "deterministic, or its start does not forget the run before"
                    )
            current = me

        def ask(message: dict[str, Any], again: bool = False) -> dict[str, Any]:
            """Send a ``run`` message, from the state that this run's history leads to."""

            def action() -> dict[str, Any]:
                nonlocal current
                if current is not me or again or harness.process is None:
                    rewind()
                current = None  # until it has answered
                return _checked(harness.ask(message), start, "points", "params")

            return guarded(action)

        def run(grad_fn: Any) -> Arrays:
            nonlocal current
            now = hp.at(len(history))
            message = {"type": "run", "lr": float(now.lr), "rho": float(now.rho)}
            if hasattr(grad_fn, "message"):  # all answers are known beforehand
                message.update(grad_fn.message())
                reply = ask(message)
                grad_fn.told([_arrays(point, start) for point in reply["points"]])
            else:
                message, reply = _discover(message, grad_fn, start, ask)
            history.append((message, reply))
            current = me
            return _arrays(reply["params"], start)

        guarded(rewind)  # here, so that what the harness refuses shows before the first step
        return run

    described(
        adapter,
        features=features,
        dtypes=("float64", "float32", "bfloat16"),
        name=Path(arguments[-1]).name,
        close=harness.stop,
    )
    weakref.finalize(adapter, harness.stop)
    return adapter


def _start(params: Arrays, hp: HyperParameters) -> dict[str, Any]:
    """Return the ``start`` message."""
    aside = {"method", "names", "frozen", "dtype"}
    plain = {key: value for key, value in hp.at(0).items() if key not in aside}
    names = hp.names or [f"w{k}" for k in range(len(params))]
    return {
        "type": "start",
        "method": hp.method,
        "dtype": hp.dtype,
        "names": list(names),
        "shapes": [list(np.shape(one)) for one in params],
        "frozen": list(hp.frozen),
        "params": _lists(params),
        "hyperparameters": {k: "inf" if v == math.inf else v for k, v in plain.items()},
    }


def _lists(arrays: Sequence[Any]) -> list[list[float | None] | None]:
    """Return arrays as flat lists; None stays None, and so becomes what is not finite."""
    return [
        None
        if one is None
        else [float(x) if math.isfinite(x) else None for x in np.ravel(np.asarray(one, float))]
        for one in arrays
    ]


def _arrays(point: list[list[float | None]], start: dict[str, Any]) -> Arrays:
    """Return flat lists as arrays; null is NaN."""
    kind = np.float64 if start["dtype"] == "float64" else np.float32
    return [
        np.array([math.nan if x is None else x for x in one], kind).reshape(shape)
        for one, shape in zip(point, start["shapes"], strict=True)
    ]


def _checked(reply: dict[str, Any], start: dict[str, Any], *keys: str) -> dict[str, Any]:
    """Return a reply that has the promised keys and shapes; raise for any other."""
    if "unsupported" in reply:
        raise Unsupported(str(reply["unsupported"]))
    if "error" in reply:
        raise AdapterError(f"the harness reported an error: {reply['error']}")
    sizes = [math.prod(shape) for shape in start["shapes"]]
    for key in keys:
        if key not in reply:
            raise AdapterError(f"a reply has no {key!r}, only {sorted(reply)}")
        points = reply[key] if key == "points" else [reply[key]]
        if not isinstance(points, list) or not all(_fits(point, sizes) for point in points):
            raise AdapterError(
                f"{key} must hold flat lists of {sizes} numbers or nulls, got {points!r:.200}"
            )
    if keys == ("params",) and reply["params"] != start["params"]:
        raise AdapterError(
            f"the harness does not hand back the numbers that it was given: sent "
            f"{start['params']}, got {reply['params']}"
        )
    return reply


def _fits(point: Any, sizes: list[int]) -> bool:
    """Return whether a value is one flat list of numbers or nulls for each tensor."""
    return (
        isinstance(point, list)
        and all(isinstance(one, list) for one in point)
        and [len(one) for one in point] == sizes
        and all(x is None or type(x) in (int, float) for one in point for x in one)
    )


def _smoke(harness: Harness, start: dict[str, Any]) -> None:
    """Try what any harness can do, whatever its optimizer does: hold numbers, answer in form."""
    message = {**start, **AWKWARD, "dtype": "float64"}
    gradient = [[1.0, 2.0, 3.0], [4.0]]
    try:
        _checked(harness.ask(message), message, "params")
        step = {"type": "run", "lr": 0.5, "rho": 0.5, "gradients": [gradient, gradient]}
        if start["method"] not in METHODS or not METHODS[start["method"]].needs:
            _checked(harness.ask(step), message, "points", "params")
    except Unsupported:
        pass  # that, too, is an answer in form


def _discover(
    message: dict[str, Any], grad_fn: GradFn, start: dict[str, Any], ask: Callable[..., dict]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Find out one by one where gradients are asked for; return the last message and its reply.

    Where the k-th question is asked depends on the first k − 1 answers only. So send those that
    are known, look where the next question is asked, find its answer, and start over.
    """
    if getattr(grad_fn, "shards", None):
        raise Unsupported("shards need gradients that are written down beforehand")
    answers: list[list] = []
    placeholder = [[1.0] * len(one) for one in start["params"]]
    before: list = []
    while True:
        scripted = {**message, "gradients": answers or [placeholder]}
        reply = ask(scripted, again=bool(answers))
        points = reply["points"]
        if points[: len(before)] != before:
            raise AdapterError("the same gradients were asked for at different points")
        if len(points) <= len(answers) or not points:
            return scripted, reply
        if len(answers) == MOST_GRADIENTS:
            raise AdapterError(f"one step asks for more than {MOST_GRADIENTS} gradients")
        before = points[: len(answers) + 1]
        answers.append(_lists(grad_fn(_arrays(before[-1], start))))
        if any(x is None for one in answers[-1] if one is not None for x in one):
            raise Unsupported("JSON has no number for a gradient that is not finite")
