from oracle.seen import adapter_with, traces_of

from minisam.oracle.probes import PROBES
from minisam.oracle.strata import features, strata
from minisam.oracle.watch import watch


def of(slug, dtype="float64"):
    return watch(adapter_with(), PROBES[slug], dtype)


def test_any_radius_and_any_learning_rate_is_plain_but_zero_and_schedules_are_not():
    assert features(of("sam-rho-large")) == frozenset()
    assert features(of("sam-lr-zero")) == {"lr=0"}
    assert features(of("sam-rho-schedule")) == {"rho"}


def test_what_is_rare_is_named_by_its_value():
    assert features(of("sam-tensor-missing-at-B")) == {"missing", "special=one tensor zero at B"}
    assert features(of("sam-frozen")) == {"momentum", "frozen"}


def test_the_plain_comes_first_then_the_rare_then_other_dtypes():
    traces = [
        trace
        for dtype in ("float32", "float64")
        for trace in traces_of(
            adapter_with(),
            ("sam", "asam"),
            dtype,
            ("sam-gradient-1e-3", "sam-nesterov", "sam-momentum", "sam-one-tensor", "asam-momentum",
             "sam-three-tensors"),
        )
    ]  # fmt: skip
    found = [(one.dtype, one.method, sorted(one.features)) for one in strata(traces)]
    order = [
        ("sam", []),
        ("sam", ["momentum"]),
        ("sam", ["momentum", "nesterov"]),
        ("asam", ["momentum"]),
        ("sam", ["scale=0.001"]),
    ]
    assert found == [(dtype, *one) for dtype in ("float64", "float32") for one in order]
    assert [one.ordinary for one in strata(traces)] == [True] * 4 + [False] + [True] * 4 + [False]
    assert len(strata(traces)[0].traces) == 2
