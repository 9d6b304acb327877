"""An η of one's own is found by its number, and is a convention where it cannot be set."""

from types import SimpleNamespace

import numpy as np
import pytest

from minisam.adapters.plain import plain
from minisam.adapters.protocol import mark
from minisam.oracle import check
from minisam.oracle.probes import PROBES
from minisam.oracle.stabilizers import (
    ROUNDINGS,
    Entries,
    eta_between,
    eta_parts,
    first_climbs,
    stabilizers,
)
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS

FEW = ("asam-one-tensor", "asam-three-tensors", "asam-eta")


def asam(w, grad_fn, rho, lr, names, eta):
    d1 = grad_fn(w)
    T = [
        np.abs(x) + x.dtype.type(eta) if name.endswith("weight") else np.ones_like(x)
        for x, name in zip(w, names, strict=True)
    ]
    length = np.sqrt(sum(np.sum((t * g) ** 2) for t, g in zip(T, d1, strict=True)))
    b = [
        x + rho * (t * t * g) / length if length else x
        for x, t, g in zip(w, T, d1, strict=True)
    ]  # fmt: skip
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def without_eta(eta):
    """An ASAM whose stabilizer cannot be set."""

    def step(w, grad_fn, *, rho, lr, names):
        return asam(w, grad_fn, rho, lr, names, eta)

    return mark(plain(step), methods=("asam",))


def deaf(used):
    """One that is given η, and takes another."""

    def step(w, grad_fn, *, rho, lr, names, eta):
        return asam(w, grad_fn, rho, lr, names, used(eta))

    return mark(plain(step), methods=("asam",))


def traces(adapter, dtype="float64"):
    return [watch(adapter, PROBES[slug], dtype) for slug in FEW[:2]]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("eta", [0.1, 0.02, 0.375, 1.0])
def test_the_number_is_solved_for(eta, dtype):
    assert stabilizers(traces(without_eta(eta), dtype)) == [eta]


@pytest.mark.parametrize(
    "name", ["A01-T-once", "A08-no-absolute-value", "A17-larger-of-weight-and-eta"]
)
def test_what_is_no_line_has_no_number(name):
    assert stabilizers(traces(MUTANTS[name].adapter)) == []


def test_it_is_solved_for_where_the_operator_is_taken_once():
    """ε = ρ T d1/‖d1‖, of which the entries, not their roots, are a line in |w|."""

    def once(w, grad_fn, *, rho, lr, names):
        d1 = grad_fn(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        b = [x + (rho / length) * (np.abs(x) + 0.02) * g for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    assert stabilizers(traces(mark(plain(once), methods=("asam",)))) == [0.02]


@pytest.mark.parametrize("share", [1.0, 2.0**-6, 2.0**-12])
def test_a_short_climb_is_known_to_fewer_digits(share):
    rng, eta = np.random.default_rng(8), 0.25
    (trace,) = traces(without_eta(eta), "float32")[:1]
    hp = trace.hp.having(names=["a.weight"])
    for _ in range(20):
        w = rng.uniform(0.5, 4.0, 8).astype(np.float32)
        above = (w + share * (w.astype(float) + eta) ** 2).astype(np.float32)
        step = SimpleNamespace(queries=([w], [above]), answers=([np.ones_like(w)],))
        (entries,) = first_climbs(trace._replace(hp=hp, steps=[step]))
        found = eta_between(entries, 0.5)
        assert found.low < eta < found.high


def test_a_number_below_zero_is_no_stabilizer():
    assert stabilizers(traces(without_eta(-(2.0**-10)))) == []


def test_a_tensor_that_is_frozen_or_empty_or_leaves_the_range_says_nothing():
    w, g, n = np.array([1.0, 2.0, 4.0]), np.array([1.0, 1.0, 1.0]), np.array([])
    eps = 0.1 * (w + 0.5) ** 2
    (trace,) = traces(without_eta(0.5))[:1]

    def told(name, w, above, g, trace=trace, **settings):
        step = SimpleNamespace(queries=([w], [above]), answers=([g],))
        hp = trace.hp.having(names=[name], **settings)
        return stabilizers([trace._replace(hp=hp, steps=[step])])

    assert told("a.weight", w, w + eps, g) == [0.5]
    assert told("a.weight", w, w + eps, g, frozen=("a.weight",)) == []
    assert told("a.weight", w, w + eps, g, p=1) == []
    assert told("a.bias", w, w + eps, g) == []  # its operator may be 1
    assert told("a.weight", w, w + eps, g, shards=2) == []
    for probe in (trace.probe._replace(special="NaN"), trace.probe._replace(extreme=True)):
        assert told("a.weight", w, w + eps, g, trace=trace._replace(probe=probe)) == []
    assert told("a.weight", n, n, n) == []
    for odd in (np.inf, np.nan):
        assert told("a.weight", w, w + eps + np.array([0.0, odd, 0.0]), g) == []


def test_what_is_asked_for_is_not_found_again():
    followed = deaf(lambda eta: eta)
    assert stabilizers([watch(followed, PROBES[slug], "float64") for slug in FEW]) == []
    assert eta_parts(traces(without_eta(0.1)), {"eta"}) == []


def test_one_that_cannot_be_set_is_a_convention():
    adapter = without_eta(0.02)
    report = check(adapter, "float64", probes=FEW)
    assert report.verdict == "undeclared convention: eta"
    assert report.found == {"eta": 0.02}
    assert not any("whatever" in line for line in report.advice)
    assert check(adapter, "float64", report.found, probes=FEW).verdict == "conforms as declared"
    assert check(adapter, "float64", {"eta": 0.5}, probes=FEW).found == {"eta": 0.02}


def test_the_default_cannot_be_told_from_one_that_cannot_be_set():
    report = check(without_eta(0.01), "float64", probes=FEW)
    assert report.verdict == "conforms"
    assert "eta" in report.text().split("Not tried: ")[1]


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize("eta", [0.01, 0.02, 0.0])
def test_one_that_is_set_and_not_followed_does_not_conform(eta):
    report = check(deaf(lambda asked: eta), "float64", probes=FEW)
    assert report.found == {"eta": eta}
    told = f"If it is not meant: it is given eta, and takes {eta!r} whatever that is."
    assert told in report.advice


def test_a_multiple_of_it_is_no_convention():
    assert check(deaf(lambda asked: 2 * asked), "float64", probes=FEW).verdict.startswith("bug")


def test_what_rounding_cannot_tell_from_zero_is_no_stabilizer():
    size, error = np.array([1.0, 2.0, 4.0]), np.full(3, 2.0**-24)
    assert eta_between(Entries(size, (size + 2.0**-12) ** 2, error), 0.5).low > 0
    assert eta_between(Entries(size, (size + 2.0**-22) ** 2, error), 0.5) is None
    assert eta_between(Entries(size, (size - 2.0**-1) ** 2, error), 0.5) is None


@pytest.mark.parametrize("eta", [0.25, 16.0])
def test_what_the_ends_of_a_line_may_be_off_the_number_may_be_off_by_its_slope(eta):
    size, error = np.array([1.0, 2.0, 4.0]), 2.0**-24

    def told(*off):
        roots = (size + eta) * (1 + np.array(off) * ROUNDINGS * error)
        return eta_between(Entries(size, roots**2, np.full(3, error)), 0.5)

    for off in ((1, 0, -1), (-1, 0, 1), (0, 1, 0)):
        found = told(*off)
        assert found.low < eta < found.high
    assert told(0, 4, 0) is None  # off the line
