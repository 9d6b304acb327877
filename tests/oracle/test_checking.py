import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.library import library
from minisam.adapters.plain import as_adapter
from minisam.optim import METHODS
from minisam.oracle.checking import check
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.report import NotConforming
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS


def test_a_right_implementation_conforms():
    report = check(known.right)
    assert report.verdict == "conforms"
    assert report.exit_code == 0
    assert report.conforms
    report.raise_for_failures()
    assert report.ran + sum(count for count, _ in report.not_run()) == len(report.results)
    assert f"ran {report.ran} of {len(report.results)}; " in report.summary()


def test_a_result_says_how_far_it_is_off():
    for step, agrees in ((known.right, True), (known.half_climb, False)):
        results = check(step, "float64", probes=["sam-three-tensors"]).results
        (result,) = [one for one in results if one.dtype == "float64"]
        trace = watch(as_adapter(step), PROBES["sam-three-tensors"], "float64")
        assert result.error == judge(trace).ratio > 0
        assert (result.error <= 1) == agrees


def test_the_reference_conforms_in_every_method_and_dtype():
    report = check(library)
    assert report.verdict == "conforms"
    asked = [name for name, row in METHODS.items() if row.needs != "hessian_product"]
    assert report.counts()["pass"] == sum(map(known.results_of_the_library, asked))


def test_a_function_with_state_is_checked_with_momentum():
    report = check(known.right_with_momentum, dtype="float64")
    assert report.verdict == "conforms"
    assert {r.probe for r in report.results if r.status == "pass"} >= {"sam-momentum"}


def test_an_undeclared_convention_prints_the_line_to_declare():
    report = check(known.with_epsilon)
    assert report.verdict == "undeclared convention: norm_epsilon"
    assert report.found == {"norm_epsilon": 1e-12}
    assert "declare={'norm_epsilon': 1e-12}" in str(report)
    assert report.exit_code == 3
    declared = check(known.with_epsilon, declare=report.found)
    assert declared.verdict == "conforms as declared"
    assert declared.exit_code == 0


def test_what_is_declared_is_strict():
    for function, value in ((known.with_epsilon, 1e-12), (known.right, 0.0)):
        report = check(function, dtype="float64", declare={"norm_epsilon": 1e-10})
        assert report.verdict == "undeclared convention: norm_epsilon"
        assert report.found == {"norm_epsilon": value}


def test_declaring_the_default_changes_nothing():
    assert check(known.right, dtype="float64", declare={"restore": "copy"}).verdict == "conforms"


def test_a_known_mistake_is_named_with_what_to_do():
    report = check(MUTANTS["M08-gradients-added"].adapter, dtype="float64", method="sam")
    assert report.verdict == "bug: M08-gradients-added"
    assert report.exit_code == 1
    assert "not zeroed" in str(report)
    with pytest.raises(NotConforming, match="M08-gradients-added"):
        report.raise_for_failures()


def test_a_mistake_without_a_name_is_described_and_can_be_reproduced():
    probes = ["sam-one-tensor", "sam-three-tensors", "sam-rho-large", "sam-gradient-1e-6"]

    def shorter(w, grad_fn, *, rho, lr):
        return known.right(w, grad_fn, rho=0.75 * rho, lr=lr)

    report = check(shorter, dtype="float64", probes=probes)
    assert report.verdict == "bug: unidentified"
    assert "In every step: ε = 3/4 ρ d1/‖d1‖, should be ρ d1/‖d1‖." in " ".join(report.advice)
    assert "B = A + ε" in report.text(verbose=True)
    lines = report.reproduction.splitlines()
    assert len(lines) <= 10
    assert "minisam" not in report.reproduction


def test_the_reproduction_runs_and_shows_the_difference(capsys):
    report = check(known.half_climb, dtype="float32", probes=["sam-one-tensor"])
    exec(report.reproduction, {"half_climb": known.half_climb})
    printed = capsys.readouterr().out
    assert "should be" in printed
    is_, should_be = (eval(part, {"array": np.array, "float32": np.float32}) for part in (
        printed.split(":", 1)[1].split("should be")
    ))  # fmt: skip
    start = known_start(report)
    np.testing.assert_allclose(is_[0] - start, (np.array(should_be[0]) - start) / 2, rtol=1e-4)


def known_start(report):
    space = {}
    exec("\n".join(report.reproduction.splitlines()[:2]), space)
    return space["w"][0]


def test_several_mistakes_at_once_are_all_explained():
    probes = [
        "one-tensor",
        "three-tensors",
        "rho-large",
        "gradient-zero",
        "gradient-1e-3",
        "lr-zero",
    ]
    report = check(known.three_mistakes, "float64", probes=[f"sam-{slug}" for slug in probes])
    assert report.verdict == "bug: M01-not-restored"
    assert report.found == {"norm_scope": "per_tensor", "zero_gradient": "nan"}
    assert "divides every tensor by its own norm" in " ".join(report.advice)


def test_a_nan_that_a_decay_in_the_loss_spreads_is_not_taken_for_a_subtraction():
    report = check(known.decay_in_the_loss)
    assert "sam-nan-then-sound" in {r.probe for r in report.results if r.status == "fail"}
    assert report.verdict == "undeclared convention: weight_decay"
    assert report.found == {"weight_decay": "in_loss"}
    assert check(known.decay_in_the_loss, declare=report.found).verdict == "conforms as declared"


def test_a_nan_that_a_decay_at_b_spreads_is_part_of_that_mistake():
    report = check(known.decay_at_b, dtype="float64")
    assert "sam-nan-then-sound" in {r.probe for r in report.results if r.status == "fail"}
    assert report.verdict == "bug: M17-decay-at-B"
    assert report.found == {}


def test_a_nan_that_nothing_known_keeps_gets_no_name():
    report = check(known.keeps_nan)
    failing = {r.probe for r in report.results if r.status == "fail"}
    assert failing == {"sam-nan-then-sound"}
    assert report.verdict == "bug: unidentified"
    assert "is nan, should be" in " ".join(report.advice)
    assert "rounding explains" not in " ".join(report.advice)


@pytest.mark.fault("shape", "minisam check")
def test_a_velocity_that_is_kept_in_a_global_is_told_as_one():
    kept = {}

    def step(w, grad_fn, *, rho, lr, momentum):
        return known.right_with_momentum(w, grad_fn, rho=rho, lr=lr, momentum=momentum, state=kept)

    report = check(step, dtype="float64")
    assert (report.verdict, report.cause) == ("adapter error", "raises ValueError")
    assert "could not be broadcast" in report.headline
    assert "a global holds what another run left" in " ".join(report.advice)


def test_shapes_that_do_not_fit_each_other_are_no_sign_of_a_global():
    def step(w, grad_fn, *, rho, lr):
        grads = grad_fn(w)
        return [x - lr * g for x, g in zip(w, grads[::-1], strict=True)]  # the wrong way round

    report = check(step, dtype="float64")
    assert "could not be broadcast" in report.headline
    assert report.advice == []


FOR_AN_ARRAY = {
    "times": lambda w, g, lr: lr * g,
    "minus": lambda w, g, lr: w - g,
    "plus": lambda w, g, lr: w + lr,
    "over": lambda w, g, lr: g / lr,
    "squared": lambda w, g, lr: g**2,
    "negative": lambda w, g, lr: -g,
    "a method": lambda w, g, lr: g.copy() and g.sum(),
    "a norm": lambda w, g, lr: [np.linalg.norm(g)],
}


@pytest.mark.fault("said-of-the-code", "oracle.check")
@pytest.mark.parametrize("way", FOR_AN_ARRAY)
def test_a_list_that_is_taken_for_an_array_is_told_to_be_one(way):
    def step(w, grad_fn, *, rho, lr):
        return FOR_AN_ARRAY[way](w, grad_fn(w), lr)

    report = check(step, dtype="float64", probes=["sam-three-tensors"])
    assert report.verdict == "adapter error"
    assert "`w` is a list of arrays" in " ".join(report.advice)


@pytest.mark.parametrize("mistake", [lambda w: w[0] + "1", lambda w: w(), lambda w: w["a"]])
def test_other_errors_get_no_advice_about_lists(mistake):
    def step(w, grad_fn, *, rho, lr):
        return mistake(w)

    report = check(step, dtype="float64", probes=["sam-three-tensors"])
    assert report.verdict == "adapter error"
    assert report.advice == []


def test_known_failures_do_not_count_but_are_listed():
    probes = ["sam-one-tensor", "sam-rho-zero", "sam-gradient-zero"]
    reason = {"sam-one-tensor": "issue 7"}
    report = check(known.half_climb, dtype="float64", probes=probes, known=reason)
    assert report.verdict == "conforms"
    assert "issue 7" in str(report)
    assert report.counts()["known"] == 1


def test_a_known_failure_that_passes_says_so():
    report = check(known.right, dtype="float64", known={"sam-one-tensor": "old"})
    (result,) = [r for r in report.results if r.probe == "sam-one-tensor" and r.status == "pass"]
    assert "passes" in result.reason


def test_a_difference_at_the_edge_of_the_range_is_not_a_mistake():
    report = check(known.right, dtype="float64")
    assert {r.probe for r in report.results if r.status == "out of range"}
    assert report.verdict == "conforms"
    only = check(known.right, dtype="float64", probes=["sam-gradient-tiny"])
    assert only.verdict == "out of range"
    assert only.exit_code == 1


def test_every_dtype_and_probe_is_accounted_for():
    report = check(known.right)
    assert len(report.results) == 3 * len(PROBES)
    assert {r.dtype for r in report.results} == {"float64", "float32", "bfloat16"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "float16"}, "dtype must be among float64, float32, bfloat16, got 'float16'"),
        ({"method": "adam"}, "method must be among sgd, sam, asam, .*, got 'adam'"),
        ({"declare": {"norm": 1}}, "declare has no convention 'norm'"),
        ({"declare": {"restore": "undo"}}, "must be one of 'copy', 'subtract'"),
        ({"declare": {"norm_epsilon": -1.0}}, "must be a number ≥ 0"),
        ({"known": {"sam-nothing": ""}}, "known names no probe: 'sam-nothing'"),
        ({"probes": ["x"]}, "probes names no probe: 'x'"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        check(known.right, **arguments)


def test_something_that_cannot_be_called_is_no_adapter():
    with pytest.raises(ValueError, match="adapter must be a function"):
        check(42)


def test_an_implementation_of_both_methods_is_checked_in_both():
    def both(w, grad_fn, *, rho, lr, adaptive, eta):
        d1 = grad_fn(w)
        names = ["weight" if x.ndim > 1 else "bias" for x in w]
        T = [
            abs(x) + eta if n == "weight" and adaptive else 1.0
            for x, n in zip(w, names, strict=True)
        ]
        length = known.length_of([t * g for t, g in zip(T, d1, strict=True)])
        b = [
            x + rho * t * t * g / length if length else x for x, t, g in zip(w, T, d1, strict=True)
        ]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    report = check(both, dtype="float64", probes=["sam-three-tensors", "asam-three-tensors"])
    assert report.verdict == "conforms"
    assert report.ran == 2
