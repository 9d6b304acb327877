"""Trying a property: what is reported, and what counts as holding."""

import numpy as np
import pytest

from minisam.adapters.library import library
from minisam.adapters.plain import plain
from minisam.adapters.protocol import Unsupported
from minisam.specification import PROPERTIES, UnsuitableProblem
from minisam.specification.property import state
from minisam.variants.mutants import MUTANTS


def forgetful(w, grad_fn, *, rho, lr):
    return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]


def test_outcome_explains_a_failure_with_statement_size_and_problem():
    outcome = PROPERTIES["quadratic-step"].try_on(plain(forgetful))
    assert not outcome.holds
    with pytest.raises(AssertionError, match=r"off by .*, allowed"):
        outcome.raise_if_broken()
    assert PROPERTIES["quadratic-step"].equation in outcome.explain()
    assert "from w =" in outcome.explain()


def test_a_step_without_a_second_gradient_is_broken_not_a_crash():
    outcome = PROPERTIES["steepest-climb"].try_on(plain(forgetful))
    assert "asked for 1 gradients" in outcome.broken
    assert not outcome.holds


def test_a_wrong_shape_is_broken_not_a_crash():
    outcome = PROPERTIES["quadratic-step"].try_on(
        plain(lambda w, grad_fn, *, rho, lr: [np.zeros(7) for _ in w])
    )
    assert "end has shapes" in outcome.broken


def test_a_step_to_nan_does_not_hold():
    nan = PROPERTIES["descends-from-a"].try_on(
        plain(lambda w, grad_fn, *, rho, lr: [x * np.nan for x in grad_fn(grad_fn(w))])
    )
    assert not nan.holds


def test_no_comparison_is_no_success():
    statement = PROPERTIES["bounce"]._replace(clauses=lambda adapter, problem: ())
    assert not statement.try_on(library, trials=1).holds


def test_an_unsupported_method_is_not_held_against_anyone():
    adapter = plain(lambda w, grad_fn, *, rho, lr: w)
    adapter.methods = ("sam",)
    with pytest.raises(Unsupported, match="it is about asam"):
        PROPERTIES["adaptive-climb"].try_on(adapter)


def test_what_an_adapter_cannot_do_is_passed_over():
    """A step function without momentum is tried where a problem has none."""

    def sgd_at_rho_zero(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    assert PROPERTIES["rho-zero-is-sgd"].try_on(plain(sgd_at_rho_zero), trials=20).holds
    with pytest.raises(Unsupported, match="it does not take weight_decay"):
        PROPERTIES["decay-at-a"].try_on(plain(sgd_at_rho_zero))


def test_rho_zero_is_seen_to_differ_without_a_base_optimizer():
    def steps_twice(w, grad_fn, *, rho, lr):
        return [x - 2 * lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    assert not PROPERTIES["rho-zero-is-sgd"].try_on(plain(steps_twice)).holds


def test_slugs_are_unique():
    fields = PROPERTIES["bounce"]._asdict()
    clauses = fields.pop("clauses")
    with pytest.raises(ValueError, match="stated twice"):
        state(**fields)(clauses)


def test_a_property_that_no_draw_suits_says_so():
    def never(source):
        raise UnsuitableProblem("never")

    with pytest.raises(UnsuitableProblem, match="a hundred draws"):
        PROPERTIES["bounce"]._replace(draw=never).problem(np.random.default_rng(0))


def test_same_seed_same_problems():
    first = PROPERTIES["quadratic-step"].problem(np.random.default_rng(3))
    second = PROPERTIES["quadratic-step"].problem(np.random.default_rng(3))
    np.testing.assert_array_equal(first.vector(), second.vector())
    assert first.hp == second.hp


@pytest.mark.parametrize("slug", PROPERTIES)
def test_a_declared_norm_epsilon_is_allowed_for(slug):
    """Backends that add 1e-12 to the norm are held to the same text, once they say so."""
    adapter = MUTANTS["M14-epsilon-1e-12"].adapter
    if not {"sgd", "sam", "asam"} & set(PROPERTIES[slug].methods):
        with pytest.raises(Unsupported):
            PROPERTIES[slug].try_on(adapter)
        return
    assert PROPERTIES[slug].try_on(adapter, trials=24, norm_epsilon=1e-12).holds
