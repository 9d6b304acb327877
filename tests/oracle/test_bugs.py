import re

import numpy as np
import pytest
from oracle import implementations as known
from oracle.printed import printed_by

from minisam.oracle.checking import check
from minisam.trees import scale
from minisam.variants.changes import in_shards
from minisam.variants.mutants import mutant_adapter
from minisam.variants.recipe import only, piece


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
    assert printed.startswith("new weights:")
    seen, right = printed.split(":")[1].split("should be")
    apart = eval(seen, {"array": np.array})[0] - np.array(eval(right)[0])
    assert np.max(np.abs(apart)) > 1e-6


def test_the_evidence_of_a_convention_is_its_own():
    report = check(known.with_epsilon, "float64", probes=["sam-one-tensor", "sam-gradient-1e-10"])
    assert report.found == {"norm_epsilon": 1e-12}
    assert "(B = A + ε) (probe sam-gradient-1e-10" in " ".join(report.advice)  # where it shows


def test_a_convention_that_can_be_seen_is_shown_as_well():
    def step(w, grad_fn, *, rho, lr):
        b = [x + rho * g / (known.length_of([g]) or 1.0)
             for x, g in zip(w, grad_fn(w), strict=True)]  # fmt: skip
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    report = check(step, "float64")
    assert report.found == {"norm_scope": "per_tensor"}
    assert printed_by(report.reproduction, {"step": step}) == ([[1.5], [2.5]], [[1.3], [2.4]])
    small = check(known.with_epsilon, "float64", probes=["sam-three-tensors"])
    assert (small.found, small.reproduction) == ({"norm_epsilon": 1e-12}, "")


def test_a_mistake_without_a_name_is_told_by_its_parts():
    shorter = piece(adjust=lambda now, climb: scale(0.75, climb))
    report = check(mutant_adapter(shorter), "float64", method="sam")
    first, wrong, right = report.advice
    assert first.endswith("In every step: ε = 3/4 ρ d1/‖d1‖, should be ρ d1/‖d1‖.")
    assert right.startswith("What it does right: it asks first at A, takes a second gradient")
    assert wrong.startswith("First wrong: the point of the second gradient")
    assert [one.name for one in report.skills if one.status == "wrong"] == ["length"]


def test_a_mistake_that_costs_no_skill_is_told_by_where_it_shows():
    shortened = only(in_shards, lambda r: r.having(direction=lambda now: scale(0.7, now.d2)))
    slugs = ("sam-three-tensors", "sam-momentum", "sam-shards")
    report = check(mutant_adapter(shortened), "float64", probes=slugs)
    assert report.verdict == "bug: unidentified"
    assert report.advice[0] == "It goes wrong only with a batch in parts."
    assert "wrong" not in {one.status for one in report.skills}


@pytest.mark.parametrize(
    ("method", "where"),
    [("gsam", "With alpha = 0"), ("looksam", "With every = 1"), ("wsam", "With gamma = 0.5")],
)
def test_a_follow_up_with_an_epsilon_is_told_where_it_can_be_declared(method, where):
    def step(w, grad_fn, *, rho, lr, alpha=0, gamma=0, every=0):
        d1 = grad_fn(w)
        factor = rho / (known.length_of(d1) + 1e-3)
        d2 = grad_fn([x + factor * g for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    report = check(step, "float64", method=method, probes=[f"{method}-three-tensors"])
    assert report.verdict == "bug: unidentified"
    (told,) = [line for line in report.advice if "cannot be declared" in line]
    assert f'{where} it is SAM: check that as method="sam"' in told


def test_what_a_name_does_not_explain_is_told_with_its_condition():
    def step(w, grad_fn, *, rho, lr):
        far = 3 if w[0].dtype == np.float32 else 2
        return known.right(w, grad_fn, rho=far * rho, lr=lr)

    slugs = ["sam-one-tensor", "sam-three-tensors", "sam-rho-small"]
    report = check(step, ["float64", "float32"], probes=slugs)
    assert report.verdict == "bug: M12-twice-the-radius"
    assert report.advice[-1].startswith("That does not explain everything: 3 of the 6 results that")
    assert report.advice[-1].endswith("sam-one-tensor in float32; all of them are in float32.")
