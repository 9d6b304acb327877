import numpy as np
import pytest
from oracle import implementations as known
from oracle.seen import judged

from minisam.adapters.plain import as_adapter
from minisam.oracle.looks import combination, looks_like
from minisam.variants.mutants import mutant_adapter


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
    trace, judgement = judged(changed(radius=lambda now: 0.7 * now.rho), dtype=dtype)
    assert judgement.quantity == "point 1"
    assert looks_like(trace, judgement) == "ε = 0.7 × expected ε"


def test_a_mixture_of_gradients_is_recognized():
    def mixed(now):
        return {key: now.d2[key] + 0.3 * now.d1[key] for key in now.d2}

    trace, judgement = judged(changed(direction=mixed))
    assert judgement.quantity == "end"
    assert looks_like(trace, judgement) == "w − new w = (expected update) + 0.3 × lr·d1"


def test_a_factor_per_tensor_is_recognized():
    def uneven(now, eps):
        return {key: (k + 2) * leaf for k, (key, leaf) in enumerate(eps.items())}

    trace, judgement = judged(changed(adjust=uneven))
    assert looks_like(trace, judgement).endswith("fc1.weight: 2, fc1.bias: 3, fc2.weight: 4")


@pytest.mark.parametrize(("slug", "share"), [("one-tensor", 0.5), ("three-tensors", 0.25)])
def test_where_entries_are_cut_off_is_recognized(slug, share):
    def box(now, eps):
        return {k: np.clip(leaf, -share * now.rho, share * now.rho) for k, leaf in eps.items()}

    def one_entry(now, eps):
        return {k: leaf * np.where(np.arange(leaf.size) == 0, 0.5, 1.0).reshape(leaf.shape)
                for k, leaf in eps.items()}  # fmt: skip

    told = f"ε is the expected one with every entry cut off at ±{share} ρ"
    assert looks_like(*judged(changed(adjust=box), f"sam-{slug}")) == told
    assert "cut off" not in looks_like(*judged(changed(adjust=one_entry), "sam-three-tensors"))


def test_what_is_not_a_number_is_said():
    trace, judgement = judged(as_adapter(known.returns_nan))
    assert "NaN" in looks_like(trace, judgement)


def test_too_few_gradients_are_said():
    trace, judgement = judged(as_adapter(known.does_nothing))
    assert judgement.quantity == "fewer gradients"
    assert "0 gradient(s) asked for" in looks_like(trace, judgement)


def test_where_a_gradient_too_many_is_asked_for_is_said():
    def logs(w, grad_fn, *, rho, lr):
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        grad_fn(new)
        return new

    def strays(w, grad_fn, *, rho, lr):
        new = known.right(w, grad_fn, rho=rho, lr=lr)
        grad_fn([x + 1 for x in w])
        return new

    for step, where in ((logs, "the new weights"), (strays, "a point")):
        told = f"a gradient is asked for at {where}, where none is expected"
        assert looks_like(*judged(as_adapter(step))) == told


def test_that_a_climb_is_the_expected_one_is_not_told():
    trace, judgement = judged(as_adapter(known.with_epsilon))
    assert judgement.quantity == "point 1"
    assert looks_like(trace, judgement) == ""

    def nearly(w, grad_fn, *, rho, lr):
        return known.right(w, grad_fn, rho=rho, lr=lr * (1 + 1e-11))

    trace, judgement = judged(as_adapter(nearly))
    assert judgement.quantity == "end"
    assert looks_like(trace, judgement) == ""


def test_a_climb_that_is_left_out_is_told_as_one():
    def careful(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w) and grad_fn(w), strict=True)]

    told = "all gradients of a step are asked for at the same point"
    assert looks_like(*judged(as_adapter(careful), "sam-one-tensor")) == told


def test_one_gradient_alone_is_told_as_one():
    def once(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    told = "1 gradient(s) asked for in a step, where one at A and one at B are expected"
    assert looks_like(*judged(as_adapter(once), "sam-one-tensor")) == told
