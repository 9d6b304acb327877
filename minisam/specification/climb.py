"""What the climb must be: the steepest, of exactly the length ρ, whatever the gradient's size."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minisam.adapters.protocol import Adapter
from minisam.rounding import Rounded, exact, inner, norm
from minisam.specification.families import (
    Scripted,
    draw_gradient,
    draw_quadratic,
    draw_scripted,
)
from minisam.specification.problem import (
    DTYPES,
    Problem,
    Source,
    draw_order,
    draw_size,
    make_problem,
    power_of_ten,
)
from minisam.specification.property import state
from minisam.specification.steps import Clause, Seen, equal, near_one, one_step, walk

SECTION = "The climb"
ROUNDING = (
    "ε to (n + 16 + 4q)u for its sum, root, powers and quotient, and half a unit of B = A + ε"
)


def dual_norm_clauses(seen: Seen, g: Rounded, climb: Rounded) -> Iterable[Clause]:
    """⟨g, ε⟩ = ρ‖g‖_q and ‖ε‖_p = ρ for the gradient and the climb in the ball's coordinates."""
    hyper = seen.problem.hyperparameters
    rho, p = hyper["rho"], hyper["p"]
    q = dual(p)
    g, _ = near_one(g)
    yield equal("⟨g, ε⟩ = ρ‖g‖_q", inner(g, climb), rho * norm(g, q))
    length = norm(climb, p)
    # a declared norm_epsilon shortens ε, which its error already allows for
    yield equal("‖ε‖_p = ρ", length, exact(rho))


def dual(p: float) -> float:
    """Q with 1/p + 1/q = 1."""
    return np.inf if p == 1 else 1.0 if p == np.inf else p / (p - 1)


@state(
    slug="steepest-climb",
    section=SECTION,
    statement="The climb is along the gradient and of length ρ, with one norm over all tensors.",
    equation="ε = ρ g/‖g‖₂",
    source="Foret et al. 2020, eq. (2); equality in Cauchy-Schwarz's ⟨g, ε⟩ ≤ ρ‖g‖₂.",
    bound=ROUNDING,
    methods=("sam",),
    draw=draw_scripted,
    picture="figure2",
)
def _steepest_climb(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen = one_step(adapter, problem)
    g, _ = near_one(seen.ascent_gradient)
    yield equal("ε = ρ g/‖g‖", seen.climb, problem.hyperparameters["rho"] * (g / norm(g)))
    yield from dual_norm_clauses(seen, g, seen.climb)


@state(
    slug="dual-norm-climb",
    section=SECTION,
    statement="For every p the climb uses the whole radius, and no other rises faster.",
    equation="‖ε‖_p = ρ, ⟨g, ε⟩ = ρ‖g‖_q, 1/p + 1/q = 1",
    source="Foret et al. 2020, eq. (2); equality in Hölder's ⟨g, ε⟩ ≤ ‖g‖_q‖ε‖_p.",
    bound=ROUNDING,
    methods=("sam",),
    draw=lambda source: draw_scripted(source, p=draw_order(source)),
)
def _dual_norm_climb(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen = one_step(adapter, problem)
    yield from dual_norm_clauses(seen, seen.ascent_gradient, seen.climb)


def draw_extreme(source: Source) -> Problem:
    """A gradient of any representable size, the smallest subnormal included, seen from the origin.

    The descent gradient is zero: only the climb is in question.
    """
    dtype = source.choice(DTYPES)
    n = draw_size(source)
    info = np.finfo(dtype)
    low = info.minexp - info.nmant
    shape = draw_gradient(source, n, dtype, widest=0)
    with np.errstate(all="ignore"):
        top = source.integer(low, info.maxexp - 3)
        g = np.ldexp(shape / np.max(np.abs(shape)), top).astype(dtype).astype(np.float64)
    zero = np.zeros(n)

    def field(w: Rounded) -> Rounded:
        return exact(zero if np.any(w.value) else g)

    return make_problem(
        source, zero, field, Scripted(g, zero), dtype, rho=power_of_ten(source, -2, 1)
    )


@state(
    slug="scale-safe-norm",
    section=SECTION,
    statement="The climb has length ρ for every gradient that can be written down, also where its "
    "squares would vanish or overflow, or an added constant would swallow it.",
    equation="‖ε‖₂ = ρ for 2^-1074 ≤ ‖g‖∞ < 2^1021",
    source="With s a power of two, ρ(sg)/‖sg‖ = ρ g/‖g‖ exactly.",
    bound=ROUNDING,
    methods=("sam",),
    draw=draw_extreme,
)
def _scale_safe_norm(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    seen = one_step(adapter, problem)
    yield from dual_norm_clauses(seen, seen.ascent_gradient, seen.climb)


@state(
    slug="every-step-climbs-anew",
    section=SECTION,
    statement="Every step climbs along its own gradient at A: not the velocity, not the gradient, "
    "the scaling or the weights of an earlier step, and without weight decay.",
    equation="εₜ = ρ g(wₜ)/‖g(wₜ)‖ in step t = 0, 1, 2",
    source="Foret et al. 2020, Algorithm 1: the climb has no state.",
    bound=ROUNDING,
    methods=("sam",),
    draw=lambda source: draw_quadratic(source, stable=0.5).having(
        momentum=source.choice((0.0, 0.5)), weight_decay=source.choice((0.0, 0.25))
    ),
)
def _every_step_climbs_anew(adapter: Adapter, problem: Problem) -> Iterable[Clause]:
    for seen in walk(adapter, problem, 3):
        g, _ = near_one(seen.ascent_gradient)
        yield equal("ε = ρ g/‖g‖", seen.climb, problem.hyperparameters["rho"] * (g / norm(g)))
