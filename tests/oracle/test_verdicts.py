import re

import numpy as np
from oracle import implementations as known

from minisam.oracle.checking import check


def off_by(report):
    return float(re.search(r"off by (\S+),", " ".join(report.advice)).group(1))


def test_the_evidence_of_a_mistake_is_not_that_of_an_undeclared_convention(capsys):
    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        scale = rho / (known.length_of(d1) + 1e-12)
        b = [x + scale * g for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(b, grad_fn(b), strict=True)]  # from B

    slugs = ("one-tensor", "three-tensors", "gradient-1e-10", "lr-zero")
    report = check(step, "float64", probes=[f"sam-{slug}" for slug in slugs])
    assert report.verdict == "bug: M01-not-restored"
    assert report.found == {"norm_epsilon": 1e-12}
    assert "First wrong: the new weights" in " ".join(report.advice)
    assert off_by(report) > 1e-6
    exec(report.reproduction, {"step": step})
    printed = capsys.readouterr().out
    assert printed.startswith("the new weights:")
    seen, right = printed.split(":")[1].split("should be")
    apart = eval(seen, {"array": np.array})[0] - np.array(eval(right)[0])
    assert np.max(np.abs(apart)) > 1e-6


def test_the_evidence_of_a_convention_is_its_own():
    report = check(known.with_epsilon, "float64", probes=["sam-one-tensor", "sam-gradient-1e-10"])
    assert report.found == {"norm_epsilon": 1e-12}
    assert off_by(report) < 1e-6
