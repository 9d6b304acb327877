import numpy as np
import pytest
from oracle import implementations as known

from minisam.oracle.checking import check


@pytest.mark.fault("said-of-the-data", "oracle.check")
def test_a_single_result_agrees_in_the_singular():
    one = check(known.right, "float64", probes=["sam-three-tensors"])
    assert one.headline.startswith("The only result agrees; ")
    two = check(known.right, "float64", probes=["sam-three-tensors", "sam-six-tensors"])
    assert two.headline.startswith("All 2 results agree; ")


def asam(epsilon, eta, everywhere):
    def step(w, grad_fn, *, rho, lr, names):
        T = [
            abs(x) + eta if everywhere or name.endswith("weight") else np.ones_like(x)
            for x, name in zip(w, names, strict=True)
        ]
        d1 = grad_fn(w)
        scale = rho / (known.length_of([t * g for t, g in zip(T, d1, strict=True)]) + epsilon)
        b = [x + scale * t * t * g for x, t, g in zip(w, T, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    return step


def test_an_asam_that_is_checked_as_sam_is_told_so():
    probes = ["sam-three-tensors", "sam-six-tensors", "sam-gradient-1e-10"]
    for step, more in ((asam(0, 0.01, False), ""), (asam(1e-12, 0, True), ", declare={'eta': 0.0")):
        report = check(step, "float64", probes=probes)
        assert report.verdict == "bug: unidentified"
        assert f'method="asam"{more}' in " ".join(report.advice)
    other = check(known.half_climb, "float64", probes=probes)
    assert "asam" not in " ".join(other.advice)


def test_why_nothing_ran_is_told():
    report = check(known.right, "float64", probes=["sam-p-1", "sam-momentum", "sam-frozen"])
    assert report.exit_code == 4
    for why in ("2 not run because it does not take p, momentum", "it has no frozen"):
        assert why in report.headline
