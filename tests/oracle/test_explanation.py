import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.oracle.explanation import combination, first_wrong, looks_like, reproduction
from minisam.oracle.judge import judge
from minisam.oracle.mutants import MUTANTS, mutant_adapter
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch


def seen(adapter, slug="sam-three-tensors", dtype="float64"):
    trace = watch(adapter, PROBES[slug], dtype)
    return trace, judge(trace)


def changed(**pieces):
    return mutant_adapter(lambda recipe: recipe.having(**pieces))


def test_a_combination_of_one_or_two_is_found_and_no_more():
    rng = np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 9))
    basis = {"a": a, "b": b, "c": c}
    assert combination(2 * a, basis, 1e-9) == "2 × a"
    assert combination(a - 0.25 * c, basis, 1e-9) == "a − 0.25 × c"
    assert combination(a + b + c, basis, 1e-9) == ""
    assert combination(np.zeros(9), basis, 1e-9) == ""
    assert combination(a[:2], {"b": b[:2], "c": c[:2]}, 1e-9) == ""  # two numbers fit anything


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_factor_of_the_climb_is_recognized(dtype):
    trace, judgement = seen(changed(radius=lambda now: 0.7 * now.rho), dtype=dtype)
    assert judgement.quantity == "point 1"
    assert looks_like(trace, judgement) == "ε = 0.7 × expected ε"


def test_a_mixture_of_gradients_is_recognized():
    def mixed(now):
        return {key: now.d2[key] + 0.3 * now.d1[key] for key in now.d2}

    trace, judgement = seen(changed(direction=mixed))
    assert judgement.quantity == "end"
    assert looks_like(trace, judgement) == "w − new w = (expected update) + 0.3 × lr·d1"


def test_a_factor_per_tensor_is_recognized():
    def uneven(now, eps):
        return {key: (k + 2) * leaf for k, (key, leaf) in enumerate(eps.items())}

    trace, judgement = seen(changed(adjust=uneven))
    assert looks_like(trace, judgement).endswith("fc1.weight: 2, fc1.bias: 3, fc2.weight: 4")


def test_what_is_not_a_number_is_said():
    trace, judgement = seen(as_adapter(known.returns_nan))
    assert "NaN" in looks_like(trace, judgement)


def test_too_few_gradients_are_said():
    trace, judgement = seen(as_adapter(known.does_nothing))
    assert judgement.quantity == "fewer gradients"
    assert "0 gradient(s) asked for" in looks_like(trace, judgement)


def test_small_differences_are_shown_in_full():
    trace, judgement = seen(as_adapter(known.with_epsilon), "sam-one-tensor")
    text = first_wrong(trace, judgement)
    is_, should_be = text.split(" is ")[1].split(";")[0].split(", should be ")
    assert float(is_) != float(should_be)
    assert "where rounding explains" in text


@pytest.mark.parametrize("slug", ["sam-one-tensor", "sam-momentum", "sam-lr-schedule"])
def test_a_reproduction_is_short_and_runs_alone(slug, capsys):
    trace, judgement = seen(changed(radius=lambda now: 0.7 * now.rho), slug, "float32")
    text = reproduction(trace, judgement)
    assert len(text.splitlines()) <= 10
    assert "minisam" not in text
    calls = []

    def step(w, grad_fn, **settings):
        calls.append(settings)
        return known.right(w, grad_fn, rho=settings["rho"], lr=settings["lr"])

    exec(text, {"step": step})
    assert all(isinstance(settings["lr"], float) for settings in calls)
    assert "should be" in capsys.readouterr().out


def test_a_missing_gradient_is_missing_in_the_reproduction_too(capsys):
    trace, judgement = seen(
        MUTANTS["R16-missing-second-gradient-no-restore"].adapter, "sam-tensor-missing-at-B"
    )
    text = reproduction(trace, judgement)
    assert "missing" not in text.splitlines()[-2]
    answers = []

    def step(w, grad_fn, **settings):
        answers.append([grad_fn(w), grad_fn([x + 1 for x in w])])
        assert settings.keys() == {"method", "rho", "lr"}
        return w

    exec(text, {"step": step})
    assert [g is None for g in answers[0][0]] == [False, False, False]
    assert [g is None for g in answers[0][1]] == [True, False, False]
    assert "should be" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["averaged", "one by one"])
def test_a_split_batch_is_split_in_the_reproduction_too(how, capsys):
    def step(w, grad_fn, *, rho, lr, momentum, state, shards):
        def mean(point):
            if shards == 1 or how == "averaged":
                return grad_fn(point)
            parts = zip(*(one(point) for one in grad_fn.shards), strict=True)
            return [sum(part) / shards for part in parts]

        return known.right_with_momentum(
            w, mean, rho=rho / 2, lr=lr, momentum=momentum, state=state
        )

    trace, judgement = seen(as_adapter(step), "sam-shards")
    text = reproduction(trace, judgement, accepts=frozenset({"rho", "lr", "momentum", "shards"}))
    assert len(text.splitlines()) <= 10
    asked = []

    def again(w, grad_fn, **settings):
        new = step(w, grad_fn, state={}, **settings)
        asked.append(new)
        return new

    exec(text, {"step": again})
    np.testing.assert_array_equal(asked[0][0], trace.steps[0].end[0])
    assert "should be" in capsys.readouterr().out
