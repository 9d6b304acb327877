import pytest
from oracle import implementations as known

from minisam.adapters.library import adapter_of, optimizer_of
from minisam.adapters.plain import plain
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported, mark
from minisam.oracle.checking import check
from minisam.oracle.coverage import climbs, depended_on, unshown
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch


def one_radius(w, grad_fn, *, lr):
    return known.right(w, grad_fn, rho=0.05, lr=lr)


def one_rate(w, grad_fn, *, rho):
    return known.right(w, grad_fn, rho=rho, lr=0.1)


def neither(w, grad_fn, *, names=()):
    return known.right(w, grad_fn, rho=0.05, lr=0.1)


def no_radius(w, grad_fn, *, rho, lr, momentum, state):
    if rho:
        raise Unsupported("only for rho = 0")
    return known.right_with_momentum(w, grad_fn, rho=0.0, lr=lr, momentum=momentum, state=state)


@pytest.mark.fault("cannot-fail", "minisam check")
@pytest.mark.parametrize(
    ("step", "lack"),
    [
        (one_radius, "sam ran with no rho but 0.05"),
        (one_rate, "sam ran with no lr but 0.1"),
        (neither, "sam ran with no rho but 0.05"),
        (no_radius, "no step of sam that ran has a second gradient elsewhere"),
    ],
)
def test_what_runs_in_a_corner_only_is_not_shown_to_be_right(step, lack):
    report = check(step, "float64")
    assert (report.verdict, report.cause, report.exit_code) == ("adapter error", "nothing shown", 4)
    assert lack in report.headline
    assert not report.conforms
    assert not [result for result in report.results if result.status == "fail"]


def test_a_radius_that_is_taken_and_not_used_is_a_bug():
    def step(w, grad_fn, *, rho, lr):
        return known.right(w, grad_fn, rho=0.05, lr=lr)

    assert check(step, "float64").verdict.startswith("bug")


def test_who_picks_the_probes_is_not_asked_for_others():
    assert check(one_radius, "float64", probes=["sam-one-tensor"]).conforms
    only_zero = check(known.right_with_momentum, "float64", probes=["sam-rho-zero"])
    assert only_zero.cause == "nothing shown"


def test_a_convention_that_nothing_depends_on_is_not_said_to_be_followed():
    report = check(known.right, "float64", declare={"scope": "all", "momentum_form": "ema"})
    assert report.verdict == "conforms"
    assert "No probe that ran depends on scope='all', momentum_form='ema'" in report.headline
    both = check(known.with_epsilon, "float64", declare={"norm_epsilon": 1e-12, "scope": "all"})
    assert both.verdict == "conforms as declared"
    assert "under norm_epsilon=1e-12;" in both.headline
    assert "depends on scope='all'" in both.headline


def test_a_trace_climbs_if_it_asks_elsewhere():
    asked = [watch(plain(known.right), PROBES[slug], "float64") for slug in (
        "sam-one-tensor", "sam-gradient-zero")]  # fmt: skip
    assert [climbs(trace) for trace in asked] == [True, False]
    assert unshown(asked, [trace.probe for trace in asked]) == ""
    assert depended_on({"norm_epsilon": 1e-12, "eta": 0.0}, asked) == {"norm_epsilon": 1e-12}


def test_sgd_climbs_nowhere_and_needs_no_radius_but_a_learning_rate():
    def sgd(w, grad_fn, *, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    def at_one_rate(w, grad_fn, *, rho):
        return sgd(w, grad_fn, lr=0.1)

    assert check(mark(plain(sgd), methods=("sgd",)), "float64").verdict == "conforms"
    one = check(mark(plain(at_one_rate), methods=("sgd",)), "float64")
    assert "sgd ran with no lr but 0.1" in one.headline


@pytest.mark.parametrize("method", ["gsam", "wsam"])
def test_a_follow_up_takes_its_radius_too(method):
    def make(hp):
        if hp.rho != HYPERPARAMETERS.rho:
            raise Unsupported("one radius")
        return optimizer_of(hp)

    report = check(adapter_of(make), "float64", method=method)
    assert f"{method} ran with no rho but 0.05" in report.headline
    assert check(adapter_of(optimizer_of), "float64", method=method).conforms
