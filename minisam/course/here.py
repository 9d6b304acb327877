"""Call a student's functions in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from minisam.course.child import Seeded, error_report, seeded_generator, signature_of
from minisam.course.desk import NoAnswer, answered, failure_of, no_function
from minisam.isolation.limits import Late, within


class Here:
    """Call a student's functions in this process: fast, everywhere, and without any protection.

    Args:
        functions: by name.
        wanted: the functions that the assignment asks for, ``{name: how it is called}``.
        timeout: seconds that one call may take, where there are timers or threads.
    """

    def __init__(
        self, functions: Mapping[str, Any], wanted: Mapping[str, str], timeout: float = 10.0
    ) -> None:
        self.functions, self.wanted, self.timeout = functions, wanted, timeout
        self.late: dict[str, NoAnswer] = {}  # the functions that took too long

    def begin(self, group: str) -> None:
        """Do nothing: there is no child to start; see `Desk`."""

    def call(self, name: str, *args: Any, **named: Any) -> tuple[Any, list]:
        """Call a function, unless it took too long before; see `Desk`."""
        if name in self.late:
            raise self.late[name]
        function = self.functions.get(name)
        if not callable(function):
            raise no_function(name, self.wanted, [])
        given = [seeded_generator(one.seed) if isinstance(one, Seeded) else one for one in args]
        report: dict[str, Any] = {}

        def call() -> Any:
            try:
                with np.errstate():
                    value = function(*given, **named)
                    return list(value) if isinstance(value, Iterator) else value
            except Exception as error:
                report.update(error_report(error, own_file(function)), error=error)

        try:
            value = within(self.timeout, call, name)
        except Late as late:
            self.late[name] = NoAnswer("timed out", str(late))
            raise self.late[name] from None
        if report:
            raise failure_of(name, report, self.wanted, signature_of(name, function))
        return answered(name, value), given


def own_file(function: Any) -> str:
    """Return the file, or the cell, that a function is written in."""
    return getattr(getattr(function, "__code__", None), "co_filename", "\0")
