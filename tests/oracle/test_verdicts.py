import re
from functools import partial

import numpy as np
import pytest
from oracle import implementations as known
from oracle.printed import printed_by
from oracle.seen import adapter_with

from minisam.adapters.plain import plain
from minisam.adapters.protocol import mark
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


def test_where_it_stops_is_told_beside_what_is_wrong():
    def step(w, grad_fn, *, rho, lr):
        if len(w) == 6:
            raise ValueError("six are too many")
        return known.half_climb(w, grad_fn, rho=rho, lr=lr)

    report = check(step, ["float64", "float32"])
    told = next(line for line in report.advice if line.startswith("It stops in "))
    assert told.startswith("It stops in sam-six-tensors, float64, and in 1 more of ")
    assert "ValueError: six are too many (test_verdicts.py, line" in told
    assert "It stops in sam-six-tensors" in str(report)  # on the one screen that is shown
    assert "It stops" not in " ".join(check(known.half_climb, "float64").advice)


def test_why_nothing_ran_is_told():
    report = check(known.right, "float64", probes=["sam-p-1", "sam-momentum", "sam-frozen"])
    assert report.exit_code == 4
    for why in ("2 not run because it does not take p, momentum", "it has no frozen"):
        assert why in report.headline


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
