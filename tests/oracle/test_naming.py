from functools import partial

import numpy as np
import pytest
from oracle import implementations as known
from oracle.seen import adapter_with

from minisam.adapters.plain import plain
from minisam.adapters.protocol import mark
from minisam.oracle.checking import check


def test_what_costs_more_comes_first():
    """An ASAM that rescales all tensors, and leaves one at B that has no gradient there."""

    def step(w, grad_fn, *, rho, lr, eta):
        T = [abs(x) + eta for x in w]
        d1 = [np.zeros_like(x) if g is None else g for x, g in zip(w, grad_fn(w), strict=True)]
        length = known.length_of([t * g for t, g in zip(T, d1, strict=True)])
        scale = rho / length if length else 0.0
        b = [x + scale * t * t * g for x, t, g in zip(w, T, d1, strict=True)]
        d2 = grad_fn(b)
        ends = zip(w, b, d2, strict=True)
        return [y if g is None else x - lr * g for x, y, g in ends]

    adapter = mark(plain(step), methods=("asam",), features=("missing-gradient",))
    slugs = ("three-tensors", "six-tensors", "tensor-zero-at-B", "tensor-missing-at-B")
    report = check(adapter, "float64", probes=[f"asam-{slug}" for slug in slugs])
    assert report.verdict == "bug: R16-missing-second-gradient-no-restore"
    assert report.found == {"scope": "all"}
    named = "conventions that are not the papers': scope. It leaves a tensor at B"
    assert report.headline.startswith(f"Above all, it has {named}")
    assert report.advice[1] == "What it does by convention: declare={'scope': 'all'}"


def rounded_climb(w, grad_fn, *, rho, lr, all_of_it, added=0.0):
    """A SAM of which ε, or only its norm, is computed in float32."""
    d1 = grad_fn(w)
    narrow = [g.astype(np.float32) for g in d1]
    length = np.sqrt(sum(np.sum(g * g) for g in narrow)) + np.float32(added)
    kept = narrow if all_of_it else d1
    climb = [g * (kept[0].dtype.type(rho) / length) if length else 0 * g for g in kept]
    b = [x + e.astype(x.dtype) for x, e in zip(w, climb, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


@pytest.mark.fault("said-of-the-code", "oracle.check")
@pytest.mark.parametrize(("all_of_it", "told"), [
    (False, "it computes the norm in float32."),
    (True, "it computes ε, not its norm alone, in float32."),
])  # fmt: skip
@pytest.mark.parametrize("added", [0.0, 1e-8])
def test_what_is_computed_in_float32_is_told_as_what_it_is(all_of_it, told, added):
    step = partial(rounded_climb, all_of_it=all_of_it, added=added)
    report = check(
        step, "float64", probes=["sam-one-tensor", "sam-three-tensors", "sam-gradient-1e-6"]
    )
    assert report.found["norm_dtype"] == "float32"
    assert any(line.startswith(f"If it is not meant: {told}") for line in report.advice)


def test_a_convention_beside_a_mistake_is_told_as_a_mistake_too():
    def step(w, grad_fn, *, rho, lr):
        return known.with_epsilon(w, grad_fn, rho=rho / 2, lr=lr)

    slugs = ("sam-one-tensor", "sam-three-tensors", "sam-gradient-1e-10")
    report = check(step, "float64", probes=slugs)
    assert report.found == {"norm_epsilon": 1e-12}
    assert any(line.startswith("It also adds 1e-12 to the norm.") for line in report.advice)


def test_what_is_declared_is_part_of_the_direction_of_a_norm_in_float32():
    declared, every = {"scope": "all"}, {"scope": "all", "norm_dtype": "float32"}
    report = check(
        adapter_with(declare=every), "float64", declared, method="asam",
        probes=["asam-three-tensors", "asam-six-tensors"],
    )  # fmt: skip
    assert report.found == {"norm_dtype": "float32"}
    assert any("it computes the norm in float32." in line for line in report.advice)
