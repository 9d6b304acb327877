"""A follow-up is one function and one row: then it trains, and is compared, checked and stated.

The method here descends along d2 + β (d2 − d1). Nothing in the package knows it.
"""

import argparse
import json
import re
from pathlib import Path

import numpy as np
import pytest
from oracle.implementations import results_of_the_library

import minisam
from minisam.adapters.library import own
from minisam.cli import compare as command
from minisam.experiments.compared import table
from minisam.optim import METHODS, Method, Optimizer, sam, sgd
from minisam.optim.sam import SAMState, sam_parts, two_gradients
from minisam.oracle.checking import check
from minisam.oracle.probes import probes_of
from minisam.specification import PROPERTIES
from minisam.specification.followups import reduction
from minisam.trees import add_scaled, subtract

NAME = "extrapolated_sam"


def extrapolated_sam(base, rho=0.05, beta=0.5, p=2):
    radius, climb, init = sam_parts(base, rho, p)

    def step(params, state, value_and_grad):
        step = two_gradients(params, value_and_grad, climb, radius(state.count))
        d1, d2 = step.ascent_gradient, step.descent_gradient
        direction = add_scaled(d2, beta, subtract(d2, d1))
        params, base_state = base.update(params, state.base, direction)
        return params, SAMState(state.count + 1, base_state), step

    return Optimizer(init, step)


@pytest.fixture(autouse=True)
def row(monkeypatch):
    made = Method(extrapolated_sam, {"beta": 0.5, "p": 2}, {"beta": 0.0}, title="Extrapolated SAM")
    monkeypatch.setitem(METHODS, NAME, made)
    monkeypatch.setitem(PROPERTIES, f"{NAME}-contains-sam".replace("_", "-"), reduction(NAME))


def test_compare_trains_it(tmp_path):
    parser = argparse.ArgumentParser()
    command.configure(parser)
    options = f"--methods sgd,{NAME} --epochs 1 --train-size 50 --test-size 20 --seeds 1 --jobs 1"
    assert command.run(parser.parse_args(f"{options} --out {tmp_path}".split())) == 0
    results = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [run["method"] for run in results["runs"]] == ["SGD", "Extrapolated SAM"]
    assert results["settings"]["rho"].keys() == {NAME}
    assert "Extrapolated SAM − SGD, paired by seed" in table(results)


def step_with(direction):
    """An implementation of SAM whose ``direction(d1, d2, beta)`` moves the weights."""

    def step(w, grad_fn, *, rho, lr, beta):
        d1 = grad_fn(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        climb = rho / length if length else 0.0
        d2 = grad_fn([x + climb * g for x, g in zip(w, d1, strict=True)])
        pairs = zip(w, d1, d2, strict=True)
        return [x - lr * direction(one, two, beta) for x, one, two in pairs]

    return step


def test_a_right_implementation_conforms():
    report = check(step_with(lambda d1, d2, beta: d2 + beta * (d2 - d1)), method=NAME)
    assert report.verdict == "conforms"
    assert {one.probe for one in report.results if one.status == "pass"} <= {
        probe.slug for probe in probes_of(NAME)
    }
    assert report.counts()["pass"] > 30


@pytest.mark.parametrize(
    "direction",
    [
        lambda d1, d2, beta: d2 + beta * (d1 - d2),
        lambda d1, d2, beta: d2 + 2 * beta * (d2 - d1),
        lambda d1, d2, beta: d2,
    ],
    ids=["the other way", "twice as far", "plain SAM"],
)
def test_a_wrong_one_is_shown_what_is_wrong(direction):
    report = check(step_with(direction), method=NAME, name="step")
    assert report.verdict == "bug: unidentified"
    assert report.exit_code == 1
    assert "Only mistakes in SGD, SAM and ASAM are known by name" in report.headline
    assert "the new weights (probe extrapolated-sam-" in " ".join(report.advice)
    assert "beta=0.5" in report.reproduction


def test_what_does_not_take_its_own_hyper_parameter_is_not_held_against_it():
    def plain_sam(w, grad_fn, *, rho, lr):
        return step_with(lambda d1, d2, beta: d2)(w, grad_fn, rho=rho, lr=lr, beta=None)

    report = check(plain_sam, method=["sam", NAME], dtype="float64")
    assert report.verdict == "conforms"
    own = {one.reason for one in report.results if one.probe == "extrapolated-sam-one-tensor"}
    assert "it does not take beta" in own


def test_the_library_conforms_in_every_probe():
    report = check(own(), method=NAME)
    assert report.verdict == "conforms"
    assert report.counts()["pass"] == results_of_the_library(NAME)


def test_a_convention_of_sam_is_not_known_of_it():
    report = check(own(), method=NAME, declare={"norm_epsilon": 1e-12}, dtype="float64")
    assert report.verdict == "adapter error"
    assert "extrapolated_sam is not taken apart" in report.summary()


def test_where_it_is_sam_is_stated_and_holds():
    statement = reduction(NAME)
    assert statement.slug == "extrapolated-sam-contains-sam"
    assert statement.statement == "Extrapolated SAM with beta = 0 is SAM."
    statement.try_on(own()).raise_if_broken()


def test_the_statement_fails_where_it_is_not_sam(monkeypatch):
    monkeypatch.setitem(METHODS, NAME, METHODS[NAME]._replace(is_sam_at={"beta": 1e-6}))
    assert not reduction(NAME).try_on(own()).holds


def test_every_method_that_is_sam_somewhere_is_stated():
    for name, row in METHODS.items():
        stated = f"{name.replace('_', '-')}-contains-sam" in PROPERTIES
        assert stated == bool(row.is_sam_at), name


@pytest.mark.parametrize("name", ["wsam", "looksam", "friendly_sam"])
def test_a_follow_up_is_named_by_its_file_its_row_and_what_it_chooses_to_add(name):
    home = Path(minisam.__file__).parent
    naming = {
        path.name
        for path in home.rglob("*.py")
        if re.search(rf"\b{name}\b", path.read_text(encoding="utf-8"))
    }
    needed = {f"{name}.py", "methods.py"}
    chosen = {
        "__init__.py",  # to be imported from `minisam.optim`
        "followups.py",  # why it is SAM there, and what else is true of it
        "cases.py",  # exact vectors
        "derivation.py",
    }
    assert needed <= naming <= needed | chosen


def test_it_is_sam_where_its_row_says():
    def loss(params):
        return 0.0, {"w": np.sin(params["w"])}

    w = {"w": np.array([1.0, -2.0])}
    base = sgd(lr=0.1)
    ends = []
    for opt in (METHODS[NAME].optimizer(base, 0.3, {"beta": 0.0}), sam(base, 0.3)):
        ends.append(opt.step(w, opt.init(w), loss)[0]["w"])
    np.testing.assert_array_equal(*ends)
