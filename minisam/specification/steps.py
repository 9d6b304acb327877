"""A step: one observed step of an implementation, and how far a right one may be from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter, Observation, Run, observe
from minisam.rounding import Rounded, exact
from minisam.specification.problem import Problem
from minisam.specification.right_step import base_step, climb_slack, exact_climb, right_end


class MalformedStep(Exception):
    """A step does not have the form that the property speaks of."""


class ObservedStep(NamedTuple):
    """One step, with all tensors in one vector.

    Attributes:
        problem: the problem at the step's start, with the hyper-parameters of this step.
        start: A, the weights before, exact.
        end: w', the weights after, exact.
        observation: what the protocol recorded.
    """

    problem: Problem
    start: Rounded
    end: Rounded
    observation: Observation

    @property
    def end_to_rounding(self) -> Rounded:
        """w', with the error that rounding may have put into a right one."""
        return self.end.known_to(right_end(self.problem, self.start).bound)

    def _query(self, index: int, what: str) -> np.ndarray:
        if len(self.observation.queries) <= index:
            asked = len(self.observation.queries)
            raise MalformedStep(f"asked for {asked} gradients, so that there is no {what}")
        return self.problem.vector(self.observation.queries[index])

    @property
    def ascent_gradient(self) -> Rounded:
        """d1 as it was given, exact."""
        self._query(0, "d1")
        return exact(self.problem.vector(self.observation.answers[0]))

    @property
    def descent_gradient(self) -> Rounded:
        """d2 as it was given, exact."""
        self._query(1, "d2")
        return exact(self.problem.vector(self.observation.answers[1]))

    @property
    def perturbed(self) -> Rounded:
        """B, exact."""
        return exact(self._query(1, "B"))

    @property
    def climb(self) -> Rounded:
        """ε = B − A, with the error that rounding may have put into a right one."""
        return self.climb_along(self.ascent_gradient)

    @property
    def climb_from_loss(self) -> Rounded:
        """ε = B − A, where also d1's distance from ∇L(A) is allowed for."""
        g = self.problem.field(self.start)
        return self.climb_along(g.off_by(self.problem.u))

    def climb_along(self, gradient: Rounded) -> Rounded:
        """Return ε = B − A, with the error of a right one along ``gradient``."""
        right = exact_climb(self.problem, self.start, gradient)
        slack = climb_slack(self.problem) * np.abs(right.value)
        # B = fl(A + ε̂): half a unit in B's last place, and the error of ε̂ itself
        u = self.problem.u
        slack = slack + u * (np.abs(self.start.value + right.value) + right.bound + slack)
        climb = self.perturbed - self.start
        return climb.known_to(climb.bound + right.bound).widened(slack)

    def descent_along(self, direction: Rounded) -> Rounded:
        """Return A − ηd, where ``end`` must be, with the error of one base step."""
        u = self.problem.u
        return base_step(self.start, self.problem.hp.lr, direction, u)


def start_run(adapter: Adapter, problem: Problem) -> Run:
    """Start an adapter on a copy of a problem's weights."""
    return adapter(problem.tensors(problem.vector()), dict(problem.hp))


def observe_step(run: Run, problem: Problem) -> ObservedStep:
    """Let a run do its next step, from the problem's start."""
    observation = observe(run, problem.start, problem.gradient)
    check_form(problem, observation)
    start, end = problem.vector(), problem.vector(observation.end)
    return ObservedStep(problem, exact(start), exact(end), observation)


def check_form(problem: Problem, observation: Observation) -> None:
    """Raise `MalformedStep` unless everything is a list of arrays of the right shapes."""
    for what, arrays in [("end", observation.end), *(("query", q) for q in observation.queries)]:
        shapes = [np.shape(array) for array in arrays]
        if shapes != [array.shape for array in problem.start]:
            raise MalformedStep(f"{what} has shapes {shapes}")


def first_step(adapter: Adapter, problem: Problem) -> ObservedStep:
    """Start an adapter on a problem and observe its first step."""
    return first_steps(adapter, problem, 1)[0]


def first_steps(adapter: Adapter, problem: Problem, count: int) -> list[ObservedStep]:
    """Observe several steps of one run, each judged from where the run itself had come to."""
    run, steps, here = start_run(adapter, problem), [], problem
    for index in range(count):
        here = here._replace(hp=problem.hp.at(index))
        steps.append(observe_step(run, here))
        here = here.at(steps[-1].end.value)
    return steps


def path(adapter: Adapter, problem: Problem, steps: int) -> np.ndarray:
    """Return w₀ … w_T, of shape (steps + 1, n), with no rounding analysis of each step."""
    run = start_run(adapter, problem)
    points = [problem.vector()]
    for _ in range(steps):
        points.append(problem.vector(run(problem.gradient)))
        if not np.all(np.isfinite(points[-1])):
            raise MalformedStep(f"reached {points[-1]} after {len(points) - 1} steps")
    return np.stack(points)
