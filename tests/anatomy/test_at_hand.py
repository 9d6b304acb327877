import numpy as np
import pytest
from anatomy.test_measuring import facts
from oracle.slipped.fresh_steps import hides_nan

from minisam.anatomy.at_hand import climb_at_hand, descent_at_hand
from minisam.trees import norm
from minisam.variants.mutants import MUTANTS

REFERENCE = MUTANTS["M35-shadowed-gradient"].adapter


def close(x, y):
    return np.linalg.norm(x - y) <= 1e-12 * np.linalg.norm(y)


@pytest.mark.parametrize(("slug", "vector", "scalar"), [
    ("sam-rho-schedule", "d1", ("ρ", "‖d1‖")),
    ("asam-eta", "T²d1", ("ρ", "‖T d1‖")),
])  # fmt: skip
def test_the_right_climb_is_at_hand(slug, vector, scalar):
    before = None
    for now in facts(REFERENCE, slug):
        for wanted in (False, True):
            found = climb_at_hand(now, before, list(now.start), wanted)
            assert close(found.scalars[scalar][0] * found.basis[vector], found.target)
        before = now


def test_the_right_descent_is_at_hand():
    first, second, *_ = facts(REFERENCE, "sam-weight-decay-momentum")
    found = descent_at_hand(second, first, list(second.start))
    sums = {"d2": ("lr", ""), "A": ("lr λ", ""), "v": ("lr μ", "")}
    total = sum(found.scalars[scalar][0] * found.basis[name] for name, scalar in sums.items())
    assert close(-total, found.target)
    assert not np.any(descent_at_hand(first, None, list(first.start)).basis["v"])


def test_some_tensors_are_laid_out_by_themselves():
    (one, *_) = facts(REFERENCE)
    found = climb_at_hand(one, None, ["fc1.bias"])
    assert {x.shape for x in found.basis.values()} == {(3,)}


def test_what_a_third_gradient_was_is_at_hand():
    (one, *_) = facts(MUTANTS["M34-two-climbs"].adapter)
    assert {"d3", "(point 3 − A)"} <= set(descent_at_hand(one, None, list(one.start)).basis)


def test_a_gradient_of_nan_has_no_spectral_norm():
    several = facts(hides_nan, "sam-nan-then-sound")
    laid = [climb_at_hand(now, None, list(now.start)).scalars for now in several]
    there = [("ρ", "‖d1 with spectral norms of matrices‖") in scalars for scalars in laid]
    assert there == [bool(np.isfinite(norm(now.d1))) for now in several]
    assert {*there} == {True, False}
