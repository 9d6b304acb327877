"""Serve any adapter as a harness, for an implementation that lives in another environment.

A file ``harness.py`` with two lines, run by the other environment's Python,

    from minisam.adapters.serve import serve
    serve(adapter)

is what `minisam.oracle.process` takes: ``process(["other/bin/python", "harness.py"])``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.protocol import Adapter, Arrays, Unsupported
from minisam.adapters.reading import ReadingDict
from minisam.adapters.wire import as_arrays, flat_lists
from minisam.isolation.child import in_words
from minisam.isolation.lines import line_of


def serve(
    adapter: Adapter, source: Iterable[str] | None = None, sink: TextIO | None = None
) -> None:
    """Answer messages with what an adapter does, until told to stop.

    Args:
        adapter: the implementation.
        source: the messages, one a line; standard input by default.
        sink: where replies are written, standard output by default; meanwhile what the
            implementation prints goes to standard error.

    Example:
        >>> from minisam.adapters.library import own
        >>> start = {"type": "start", "method": "sgd", "dtype": "float64", "hyperparameters":
        ...     {"lr": 0.5}, "names": ["w"], "shapes": [[1]], "frozen": [], "params": [[1.0]]}
        >>> run = {"type": "run", "lr": 0.5, "rho": 0.0, "gradients": [[[1.0]]]}
        >>> serve(own(), map(json.dumps, (start, run)), sys.stdout)
        {"params": [[1.0]]}
        {"points": [[[1.0]]], "params": [[0.5]]}
    """
    source, sink = source or sys.stdin, sink or sys.stdout
    if sink is sys.__stdout__:
        sys.stdout = sys.stderr
    start: dict[str, Any] = {}
    run: Any = None
    hp: Any = None
    for line in source:
        message = json.loads(line)
        if message["type"] == "stop":
            break
        try:
            if message["type"] == "start":
                start, hp = message, lent(message)
                run = adapter(as_arrays(start["params"], start["shapes"], hp.asked.dtype), hp)
                reply = {"params": message["params"]}
            else:
                reply = _step(run, start, message)
                reply |= {"unread": hp.unread()} if hp.unread() else {}
        except Unsupported as reason:
            reply = {"unsupported": str(reason)}
        except Exception as error:
            reply = {"error": in_words(error) + line_of(error)}
        print(json.dumps(reply, allow_nan=False), file=sink, flush=True)


def lent(start: dict[str, Any]) -> ReadingDict:
    """Return the hyper-parameters of a message that asks for a new optimizer."""
    about = {key: start[key] for key in ("method", "dtype", "names", "frozen")}
    return ReadingDict(HyperParameters.of({**start["hyperparameters"], **about}))


def _step(run: Any, start: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """Do one step."""
    for key in ("lr", "rho"):
        if message[key] != start["hyperparameters"].get(key, message[key]):
            raise Unsupported("schedules are not served")
    script, points = message["gradients"], []

    def grad_fn(point: Arrays) -> Arrays:
        points.append(flat_lists(point))
        answer = script[min(len(points), len(script)) - 1]
        return as_arrays(answer, start["shapes"], start["dtype"])

    end = run(grad_fn)
    return {"points": points, "params": flat_lists(end)}
