"""Hold a user's file against the statements for ``minisam specification --try``, in a process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from minisam.adapters.plain import as_adapter
from minisam.adapters.protocol import (
    Adapter,
    AdapterError,
    Arrays,
    GradFn,
    Run,
    Unsupported,
    listed,
    mark,
)
from minisam.adapters.targets import imported
from minisam.checks import check_number, check_whole
from minisam.isolation.limits import check_seconds
from minisam.optim.methods import METHODS
from minisam.oracle.guarding import guarded
from minisam.specification import find
from minisam.specification.steps import MalformedStep


def hold(
    target: str,
    names: Sequence[str],
    method: str | None,
    trials: int,
    seed: int,
    norm_epsilon: float,
    timeout: float,
) -> Iterator[dict[str, Any]]:
    """Hold what a target names against statements of the specification.

    Args:
        target: ``FILE_OR_MODULE:NAME``.
        names: slugs or numbers of statements; all if there is none.
        method: what it implements, a name in `minisam.optim.METHODS`; if None what it says, or SAM.
        trials: random problems for each statement.
        seed: of the random problems.
        norm_epsilon: what it adds to ‖g‖ by convention.
        timeout: seconds that one step may take.

    Returns:
        One by one, for each statement its ``"slug"`` with ``"failure"``, the explanation, empty if
        it holds; or ``"skipped"``, why it was not tried; or ``"fault"``, what went wrong. Or, as
        `judge`, ``{"refused": why}``, or a fault without a slug.
    """
    try:
        chosen = find(names)
        if method is not None and method not in METHODS:
            raise ValueError(f"--method must be among {', '.join(METHODS)}, got {method!r}")
        check_whole("--trials", trials, 1)
        check_whole("--seed", seed)
        check_number("--norm-epsilon", norm_epsilon, open_high=True)
        check_seconds("--timeout", timeout)
    except ValueError as error:
        yield {"refused": str(error)}
        return
    try:
        adapter = limited(as_adapter(imported(target, timeout)), timeout)
        if method is not None:
            mark(adapter, methods=(method,))
    except (AdapterError, ValueError) as fault:
        yield {"fault": str(fault)}
        return
    for statement in chosen:
        try:
            outcome = statement.try_on(adapter, trials, seed, norm_epsilon)
        except Unsupported as reason:
            yield {"slug": statement.slug, "skipped": str(reason)}
        except AdapterError as fault:
            yield {"slug": statement.slug, "fault": str(fault)}
            if getattr(fault, "cause", "") == "hangs":
                return  # the others would hang, too
        else:
            text = "" if outcome.holds else outcome.explain()
            yield {"slug": statement.slug, "failure": text}


def limited(adapter: Adapter, timeout: float) -> Adapter:
    """Return the adapter with a time limit for each step, which raises nothing but a `Fault`."""

    def make(params: Arrays, hyperparameters: dict[str, Any]) -> Run:
        run = guarded(timeout, lambda: adapter(params, hyperparameters))

        def step(grad_fn: GradFn) -> Arrays:
            return guarded(
                timeout, lambda: listed(run(grad_fn), "the new weights"), (MalformedStep,)
            )

        return step

    for name in ("methods", "features", "dtypes"):
        if hasattr(adapter, name):
            setattr(make, name, getattr(adapter, name))
    return make
