"""No convention is called a bug, and each one can be declared."""

import pytest

from minisam.adapters.library import adapter_of
from minisam.oracle.checking import check
from minisam.oracle.probes import PROBES
from minisam.variants.conventions import (
    CONVENTIONS,
    check_declared,
    declared_changes,
    declared_settings,
)
from minisam.variants.recipe import TAKEN_APART, optimizer

FOLLOWED = [
    (name, value)
    for name, convention in CONVENTIONS.items()
    for value in convention.values
    if name not in ("output", "inputs")
]
# Enough to tell every convention from the others; all probes in the slow test.
FEW = [
    f"{method}-{slug}"
    for method in ("sam", "asam")
    for slug in (
        "three-tensors",
        "momentum",
        "lr-schedule-momentum",
        "weight-decay",
        "weight-decay-momentum",
        "lr-zero",
        "shards",
        "gradient-1e-10",
        "gradient-1e-15",
        "gradient-1e-18",
        "gradient-zero",
        "zero-weights",
        "eta",
    )
    if f"{method}-{slug}" in PROBES
]


def follower(name, value):
    """The reference, but for one convention; it cannot do otherwise."""
    settings, changes = declared_settings({name: value}), declared_changes({name: value})
    adapter = adapter_of(lambda hp: optimizer({**hp, **settings}, changes))
    adapter.methods = TAKEN_APART if name not in ("eta", "scope", "asam_form") else ("asam",)
    return adapter


@pytest.mark.parametrize(("name", "value"), FOLLOWED)
def test_a_convention_is_recognized_and_conforms_once_declared(name, value):
    report = check(follower(name, value), "float64", probes=FEW)
    assert report.verdict == f"undeclared convention: {name}"
    assert report.found == {name: value}
    assert report.exit_code == 3
    declared = check(follower(name, value), "float64", probes=FEW, declare={name: value})
    assert declared.verdict == "conforms as declared"


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float64", "float32", None])
@pytest.mark.parametrize(("name", "value"), FOLLOWED)
def test_no_convention_is_called_a_bug_on_all_probes(name, value, dtype):
    report = check(follower(name, value), dtype)
    expected = "conforms" if (name, dtype) == ("norm_dtype", "float32") else "undeclared"
    assert report.verdict.startswith(expected), str(report)


def test_values_are_checked():
    check_declared({"norm_epsilon": 1e-9, "eta": 0, "scope": "all", "split": "sum"})
    for wrong in ({"eta": "0"}, {"norm_epsilon": True}, {"scope": None}, {"unknown": 1}):
        with pytest.raises(ValueError, match="declare"):
            check_declared(wrong)
