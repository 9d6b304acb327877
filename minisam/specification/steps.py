"""One step of an optimizer, seen through the protocol, and what a right one may differ by."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minisam.adapters.protocol import Adapter, Observation, Run, observe
from minisam.rounding import Rounded, exact, norm, unit_roundoff
from minisam.specification.problem import Problem


class Broken(Exception):
    """The step is not of the form that the property speaks of."""


class Clause(NamedTuple):
    """One comparison: it holds when the residual is at most the bound."""

    name: str
    residual: float
    bound: float

    @property
    def holds(self) -> bool:
        """Whether residual ≤ bound; not if either is NaN."""
        return bool(self.residual <= self.bound)


class Seen(NamedTuple):
    """One step, all tensors in one vector.

    Attributes:
        problem: the problem at the step's own start.
        start: w, exact.
        end: w', exact.
        observation: what the protocol recorded.
    """

    problem: Problem
    start: Rounded
    end: Rounded
    observation: Observation

    @property
    def landing(self) -> Rounded:
        """w', as far from a right one as rounding allows."""
        return self.end.known_to(expected_end(self.problem, self.start).bound)

    def _query(self, index: int, what: str) -> np.ndarray:
        if len(self.observation.queries) <= index:
            asked = len(self.observation.queries)
            raise Broken(f"asked for {asked} gradients, so that there is no {what}")
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
        """ε = B − A, as far from a right one as rounding allows."""
        return self.climb_along(self.ascent_gradient)

    @property
    def climb_from_loss(self) -> Rounded:
        """ε = B − A, where also d1's own distance from ∇L(A) is allowed for."""
        g = self.problem.field(self.start)
        return self.climb_along(g.widened(unit_roundoff(self.problem.dtype) * np.abs(g.value)))

    def climb_along(self, gradient: Rounded) -> Rounded:
        """ε = B − A, as far from a right one along ``gradient`` as rounding allows."""
        right = exact_climb(self.problem, self.start, gradient)
        slack = climb_slack(self.problem) * np.abs(right.value)
        # B = fl(A + ε̂): half a unit in B's last place, and ε̂'s own error
        u = unit_roundoff(self.problem.dtype)
        slack = slack + u * (np.abs(self.start.value + right.value) + right.bound + slack)
        climb = self.perturbed - self.start
        return climb.known_to(climb.bound + right.bound).widened(slack)


def climb_slack(problem: Problem) -> float:
    """The relative error of a right ε: (n + 16 + 4q) u.

    A sum of n squares in any order, tensor by tensor if one likes, a root, a quotient and a
    product come to less than (n/2 + 12) u; ρ rounded to the dtype is one more; powers |g|^(q−1)
    and |g|^q multiply the error of their argument by at most q, twice, and have one of their own.
    """
    p = problem.hyperparameters["p"]
    q = p / (p - 1) if 1 < p < np.inf and p != 2 else 0.0
    return (problem.vector().size + 16 + 4 * q) * unit_roundoff(problem.dtype)


def base_step_slack(right: Any, lr: float, direction: Any, u: float) -> np.ndarray:
    """How far fl(w − ηd) may be from w' = w − ηd: u(|w'| + 3η|d|), entry by entry.

    η is rounded to the dtype or comes out of a schedule, the product with d is rounded, and so is
    the difference: fl = (w − ηd(1 + δ₁)(1 + δ₂))(1 + δ₃), |δ| ≤ u. That is off by at most
    u|w'| + η|d|((1 + u)² − 1)(1 + u), and ((1 + u)² − 1)(1 + u) = 2u + 3u² + u³ ≤ 3u for u ≤ ¼:
    two roundings of ηd, and what is of second order in them.

    Args:
        right: w' as it should be; of it and of ``direction`` the values count.
        lr: η, or the length of any other multiple of a direction that is added to a point.
        direction: d.
        u: unit roundoff of the optimizer's dtype.
    """
    return u * (np.abs(right.value) + 3 * lr * np.abs(direction.value))


def next_velocity(velocity: Rounded | None, momentum: float, fed: Rounded, u: float) -> Rounded:
    """Return μv + d, or d in the first step, as `base_step_slack` derives it for w − ηd."""
    if velocity is None:
        return fed
    size = momentum * np.abs(velocity.value) + np.abs(fed.value)
    return (momentum * velocity + fed).widened(3 * u * size)


def scaling(problem: Problem, w: Rounded) -> Rounded:
    """T: |w| + η on the tensors in scope if the method is ASAM, 1 elsewhere."""
    hyper = problem.hyperparameters
    if hyper["method"] != "asam":
        return exact(np.ones(w.size))
    inside = np.concatenate(
        [
            np.full(array.size, hyper["scope"] == "all" or name.endswith("weight"))
            for name, array in zip(hyper["names"], problem.start, strict=True)
        ]
    )
    T: Any = np.where(inside, abs(w) + hyper["eta"], 1.0)
    return T


def exact_climb(problem: Problem, w: Rounded, g: Rounded) -> Rounded:
    """ε for the gradient g, for any p, with T for ASAM.

    Where rounding leaves the direction of g open, ε still lies in the ball: |εᵢ| ≤ ρTᵢ.
    """
    T = scaling(problem, w)
    climb = steepest(problem, T, T * g)
    ball = problem.hyperparameters["rho"] * (T.value + T.bound)
    return climb.known_to(np.minimum(climb.bound, np.abs(climb.value) + ball))


def steepest(problem: Problem, T: Rounded, g: Rounded) -> Rounded:
    """T times the climb of length ρ that rises fastest along g, the gradient times T.

    A declared ``norm_epsilon`` e makes ε shorter by the factor ‖g‖/(‖g‖ + e), which is allowed for.
    """
    rho, p = problem.hyperparameters["rho"], problem.hyperparameters["p"]
    g, exponent = near_one(g)
    if not np.any(g.value):
        return exact(np.zeros(g.size))
    if p == 2:
        length = norm(g)
        climb = T * (rho * (g / length))
        epsilon = float(np.ldexp(problem.norm_epsilon, -exponent))
        shortened = 1 / (1 + float(length.value) / epsilon) if epsilon else 0.0
        return climb.widened(shortened * np.abs(climb.value))
    top = float(np.max(np.abs(g.value)))
    if p == 1:
        largest = np.abs(g.value) == top
        return T * exact(rho * np.sign(g.value) * largest / np.count_nonzero(largest))
    if p == np.inf:
        return T * exact(rho * np.sign(g.value))
    q = p / (p - 1)
    a = abs(g) / top
    return T * (np.sign(g.value) * a ** (q - 1) * (rho / norm(a, q) ** (q - 1)))


def near_one(g: Rounded) -> tuple[Rounded, int]:
    """Return g/2ᵉ with its largest entry in [½, 1), and e; exact."""
    top = float(np.max(np.abs(g.value), initial=0.0))
    exponent = int(np.frexp(top)[1])
    near: Any = np.ldexp(g, -exponent)
    return near, exponent


def expected_end(problem: Problem, w: Rounded) -> Rounded:
    """The w' that a right implementation may find in the problem's dtype (no momentum, p = 2).

    Each stored quantity is rounded once to the dtype: d1 and d2 by half a unit in the last place,
    ε by `climb_slack`, B and w' by half a unit, η d2 by two.
    """
    u = unit_roundoff(problem.dtype)
    lr = problem.hyperparameters["lr"]
    d = problem.field(w)
    d = d.widened(u * np.abs(d.value))
    if problem.hyperparameters["method"] != "sgd" and problem.hyperparameters["rho"]:
        climb = exact_climb(problem, w, d)
        climb = climb.widened(climb_slack(problem) * np.abs(climb.value))
        B = w + climb
        B = B.widened(u * np.abs(B.value))
        d = problem.field(B)
        d = d.widened(u * np.abs(d.value))
    move = lr * d
    end = w - move.widened(2 * u * np.abs(move.value))
    return end.widened(u * np.abs(end.value))


def watch(run: Run, problem: Problem, start: np.ndarray | None = None, step: int = 0) -> Seen:
    """Let a run do its next step, from the problem's start or from ``start``."""
    here = problem if start is None else problem.at(start)
    here = here._replace(hyperparameters=here.hyperparameters.at(step))
    observation = observe(run, here.start, here.gradient)
    check_form(here, observation)
    end = here.vector(observation.end)
    return Seen(here, exact(here.vector()), exact(end), observation)


def check_form(problem: Problem, observation: Observation) -> None:
    """Refuse what is not a list of arrays of the right shapes."""
    for what, arrays in [("end", observation.end), *(("query", q) for q in observation.queries)]:
        shapes = [np.shape(array) for array in arrays]
        if shapes != [array.shape for array in problem.start]:
            raise Broken(f"{what} has shapes {shapes}")


def one_step(adapter: Adapter, problem: Problem) -> Seen:
    """Start an adapter on a problem and watch its first step."""
    return watch(adapter(problem.tensors(problem.vector()), dict(problem.hyperparameters)), problem)


def walk(adapter: Adapter, problem: Problem, steps: int) -> list[Seen]:
    """Watch several steps of one run, each judged from where the run itself had come to."""
    run = adapter(problem.tensors(problem.vector()), dict(problem.hyperparameters))
    seen = [watch(run, problem)]
    for step in range(1, steps):
        seen.append(watch(run, problem, seen[-1].end.value, step))
    return seen


def path(adapter: Adapter, problem: Problem, steps: int) -> np.ndarray:
    """Return w₀ … w_T, of shape (steps + 1, n), with no rounding analysis of each step."""
    run = adapter(problem.tensors(problem.vector()), dict(problem.hyperparameters))
    points = [problem.vector()]
    for _ in range(steps):
        points.append(problem.vector(run(problem.gradient)))
        if not np.all(np.isfinite(points[-1])):
            raise Broken(f"reached {points[-1]} after {len(points) - 1} steps")
    return np.stack(points)


def compare(name: str, residual: np.ndarray, bound: np.ndarray) -> Clause:
    """Hold residuals against their bounds, entry by entry; the worst entry is the clause."""
    excess = residual - bound
    worst = int(np.argmax(np.where(np.isnan(excess), np.inf, excess)))
    return Clause(name, float(np.ravel(residual)[worst]), float(np.ravel(bound)[worst]))


def equal(name: str, left: Any, right: Any) -> Clause:
    """Compare left = right, to within what the two are known to."""
    difference = left - right
    return compare(name, np.abs(difference.value), difference.bound)


def at_most(name: str, left: Any, right: Any) -> Clause:
    """Compare left ≤ right, to within what the two are known to."""
    difference = left - right
    return compare(name, difference.value, difference.bound)


def identical(name: str, left: np.ndarray, right: np.ndarray) -> Clause:
    """Compare the bits of left and right (a zero's sign aside)."""
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        difference = np.where(left == right, 0.0, np.abs(left - right))
    return Clause(name, float(np.max(difference, initial=0.0)), 0.0)


def true(name: str, condition: bool) -> Clause:
    """A condition that is either met or not."""
    return Clause(name, 0.0 if condition else 1.0, 0.0)
