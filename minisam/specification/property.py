"""A property: a statement, why it is true, problems to try it on, and clauses that compare."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.hyperparameters import DEFAULTS
from minisam.adapters.protocol import Adapter, Unsupported
from minisam.adapters.reading import refusing_unread
from minisam.specification.clause import Clause
from minisam.specification.problem import Problem, UnsuitableProblem
from minisam.specification.source import NumberSource, RandomSource
from minisam.specification.steps import MalformedStep

Clauses = Callable[[Adapter, Problem], Iterable[Clause]]


class Outcome(NamedTuple):
    """Whether a property held on one problem.

    Attributes:
        slug: the property's name.
        clauses: every comparison that was made.
        broken: why none could be made, or empty.
        problem: the problem.
    """

    slug: str
    clauses: tuple[Clause, ...]
    broken: str
    problem: Problem

    @property
    def holds(self) -> bool:
        """Whether every comparison held, and there was one."""
        return not self.broken and bool(self.clauses) and all(c.holds for c in self.clauses)

    @property
    def failures(self) -> tuple[Clause, ...]:
        """The comparisons that did not hold."""
        return tuple(clause for clause in self.clauses if not clause.holds)

    def explain(self) -> str:
        """Say in a few lines what did not hold, by how much, and on what."""
        if self.holds:
            return f"{self.slug} holds"
        property_ = PROPERTIES[self.slug]
        lines = [f"{self.slug}: {property_.statement}", f"    {property_.equation}"]
        lines += [f"  broken: {self.broken}"] if self.broken else []
        for clause in self.failures[:3]:
            lines.append(
                f"  {clause.name}: off by {clause.residual:.3g}, allowed {clause.bound:.3g}"
            )
        hp, always = self.problem.hp, {"rho", "lr", *self.problem.hp.own}
        shown = {k: v for k, v in hp.items() if k in always or v != DEFAULTS[k]}
        lines.append(f"  with {shown}")
        with np.printoptions(threshold=12, precision=17):
            lines.append("  from w = " + ", ".join(str(array) for array in self.problem.start))
        return "\n".join(lines)

    def raise_if_broken(self) -> None:
        """Raise AssertionError, with the explanation, unless the property held."""
        if not self.holds:
            raise AssertionError(self.explain())


class Property(NamedTuple):
    """One statement of the specification.

    Attributes:
        slug: its immutable name.
        section: the chapter of the specification.
        statement: what must be true, in words.
        equation: the same as an equation.
        source: the proof, in a line or two, or where to find it.
        bound: where the tolerance comes from.
        methods: the methods that it speaks of, ``("sam",)``, ``("asam",)``, ….
        draw: makes a problem from a source of random numbers.
        clauses: compares, for an adapter and a problem.
        picture: the name of a picture of it for ``minisam reproduce``, or empty.
        requires: a feature that the adapter must have, such as ``"shards"``, or empty.
    """

    slug: str
    section: str
    statement: str
    equation: str
    source: str
    bound: str
    methods: tuple[str, ...]
    draw: Callable[[NumberSource], Problem]
    clauses: Clauses
    picture: str = ""
    requires: str = ""

    @property
    def number(self) -> int:
        """Its place in the specification, from 1."""
        return list(PROPERTIES).index(self.slug) + 1

    def check(self, adapter: Adapter, problem: Problem) -> Outcome:
        """Try the property on one problem.

        Args:
            adapter: the optimizer, see `minisam.adapters.protocol`.
            problem: from ``draw``.

        Returns:
            An `Outcome`; ``outcome.raise_if_broken()`` turns it into an assertion.

        Raises:
            Unsupported: if the adapter cannot do what the property speaks of.
        """
        if self.requires and self.requires not in getattr(adapter, "features", ()):
            raise Unsupported(f"it needs an adapter with {self.requires}")
        methods = getattr(adapter, "methods", ("sam",))
        if problem.hp.method not in methods:
            shared = [method for method in self.methods if method in methods]
            if not shared:
                raise Unsupported(f"it is about {', '.join(self.methods)}")
            problem = problem.having(method=shared[0])
        try:
            with np.errstate(all="ignore"), refusing_unread(adapter) as watched:
                clauses = tuple(self.clauses(watched, problem))
        except MalformedStep as reason:
            return Outcome(self.slug, (), str(reason), problem)
        return Outcome(self.slug, clauses, "", problem)

    def problem(self, rng: np.random.Generator) -> Problem:
        """Draw a problem that meets the property's preconditions."""
        for _ in range(100):
            try:
                return self.draw(RandomSource(rng))
            except UnsuitableProblem:
                continue
        raise UnsuitableProblem(f"{self.slug}: a hundred draws met no precondition")

    def try_on(
        self, adapter: Adapter, trials: int = 20, seed: int = 0, norm_epsilon: float = 0.0
    ) -> Outcome:
        """Try the property on problems drawn from a seed; return the first failure, or the last.

        Args:
            adapter: the optimizer, see `minisam.adapters.protocol`.
            trials: number of problems; those that the adapter cannot do are passed over.
            seed: seed of the problems.
            norm_epsilon: the constant that the implementation says it adds to ‖g‖.

        Raises:
            Unsupported: if the adapter could do none of them.

        Example:
            >>> from minisam.specification import PROPERTIES
            >>> from minisam.adapters.library import library
            >>> PROPERTIES["quadratic-step"].try_on(library, trials=3).holds
            True
        """
        rng = np.random.default_rng(seed)
        outcome, reason = None, Unsupported(f"{self.slug}: no trials")
        for _ in range(trials):
            problem = self.problem(rng)._replace(norm_epsilon=norm_epsilon)
            try:
                outcome = self.check(adapter, problem)
            except Unsupported as unsupported:
                reason = unsupported
                continue
            if not outcome.holds:
                break
        if outcome is None:
            raise reason
        return outcome


PROPERTIES: dict[str, Property] = {}


def find(names: Sequence[str]) -> list[Property]:
    """Return the properties of these slugs or numbers, or all if there are none.

    Raises:
        ValueError: if there is no such property, with the nearest name.

    Example:
        >>> from minisam.specification import find
        >>> [statement.slug for statement in find(["1", "bounce"])]
        ['two-gradients', 'bounce']
    """
    every = list(PROPERTIES)
    by_name = PROPERTIES | {str(n): PROPERTIES[slug] for n, slug in enumerate(every, start=1)}
    for name in names:
        if name not in by_name:
            near = difflib.get_close_matches(name, every, n=1)
            hint = (
                f"; did you mean {near[0]!r}?" if near else f"; they have numbers 1 to {len(every)}"
            )
            raise ValueError(f"there is no statement {name!r}{hint}")
    return [by_name[name] for name in names] or list(PROPERTIES.values())


def register(statement: Property) -> None:
    """Add a property to the specification.

    Raises:
        ValueError: if there is one of this name.
    """
    if statement.slug in PROPERTIES:
        raise ValueError(f"the property {statement.slug!r} is stated twice")
    PROPERTIES[statement.slug] = statement


def state(**fields: Any) -> Callable[[Clauses], Clauses]:
    """Register a property, with the function below for its clauses."""

    def with_clauses(clauses: Clauses) -> Clauses:
        register(Property(clauses=clauses, **fields))
        return clauses

    return with_clauses


def chapter(section: str, methods: tuple[str, ...] = ("sam",)) -> Callable[..., Any]:
    """Return `state` for the statements of one section, which are about ``methods`` by default."""
    return partial(state, section=section, methods=methods)
