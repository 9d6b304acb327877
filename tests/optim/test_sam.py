import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam import trees
from minisam.optim import (
    add_l2,
    asam,
    asam_perturbation,
    sam,
    sam_perturbation,
    sgd,
    unnormalized_perturbation,
)
from minisam.optim.sam import SAMState, sam_parts

CURVATURE = np.array([1.0, 10.0, 0.1])


def quadratic(params):
    w = params["w.weight"]
    return 0.5 * float(w @ (CURVATURE * w)), {"w.weight": CURVATURE * w}


def recorded(value_and_grad):
    calls = []

    def spy(params):
        calls.append({key: leaf.copy() for key, leaf in params.items()})
        return value_and_grad(params)

    return spy, calls


def start(seed=0):
    return {"w.weight": np.random.default_rng(seed).normal(size=3)}


@pytest.mark.parametrize(
    ("opt", "perturb"),
    [
        (sam(sgd(lr=0.1), rho=0.3), lambda w, g: sam_perturbation(w, g, 0.3)),
        (sam(sgd(lr=0.1), rho=0.3, p=3), lambda w, g: sam_perturbation(w, g, 0.3, 3)),
        (asam(sgd(lr=0.1), rho=0.3), lambda w, g: asam_perturbation(w, g, 0.3)),
        (
            sam(sgd(lr=0.1), rho=0.3, perturb=unnormalized_perturbation),
            lambda w, g: trees.scale(0.3, g),
        ),
    ],
)
def test_a_step_is_two_gradients_and_one_update_from_a(opt, perturb):
    w = start()
    spy, calls = recorded(quadratic)
    new, state, step = opt.step(w, opt.init(w), spy)
    assert len(calls) == 2
    np.testing.assert_array_equal(calls[0]["w.weight"], w["w.weight"])
    d1 = quadratic(w)[1]
    epsilon = perturb(w, d1)
    b = trees.add(w, epsilon)
    d2 = quadratic(b)[1]
    np.testing.assert_array_equal(calls[1]["w.weight"], b["w.weight"])
    np.testing.assert_array_equal(step.ascent_gradient["w.weight"], d1["w.weight"])
    np.testing.assert_array_equal(step.perturbation["w.weight"], epsilon["w.weight"])
    np.testing.assert_array_equal(step.perturbed_params["w.weight"], b["w.weight"])
    np.testing.assert_array_equal(step.descent_gradient["w.weight"], d2["w.weight"])
    np.testing.assert_array_equal(new["w.weight"], w["w.weight"] - 0.1 * d2["w.weight"])
    assert step.loss == quadratic(w)[0]
    assert step.perturbed_loss == quadratic(b)[0]
    assert state.count == 1


bases = st.builds(
    sgd,
    lr=st.floats(0, 0.2),
    momentum=st.sampled_from([0.25, 0.9]),
    nesterov=st.booleans(),
    weight_decay=st.sampled_from([0.0, 0.1]),
    decay=st.sampled_from(["coupled", "decoupled"]),
)


@given(base=bases, seed=st.integers(0, 1000))
def test_rho_zero_is_the_base_optimizer_bit_for_bit(base, seed):
    for wrapped in (sam(base, rho=0.0), asam(base, rho=0.0)):
        w, v = start(seed), start(seed)
        state, base_state = wrapped.init(w), base.init(v)
        for _ in range(5):
            w, state, _ = wrapped.step(w, state, quadratic)
            v, base_state, _ = base.step(v, base_state, quadratic)
            np.testing.assert_array_equal(w["w.weight"], v["w.weight"])


@given(base=bases, seed=st.integers(0, 1000))
def test_base_state_sees_the_descent_gradient_once(base, seed):
    opt = sam(base, rho=0.5)
    w = start(seed)
    state, base_state = opt.init(w), base.init(w)
    for _ in range(5):
        new, state, step = opt.step(w, state, quadratic)
        expected, base_state = base.update(w, base_state, step.descent_gradient)
        np.testing.assert_array_equal(new["w.weight"], expected["w.weight"])
        np.testing.assert_array_equal(
            state.base.velocity["w.weight"], base_state.velocity["w.weight"]
        )
        w = new


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_zero_learning_rate_restores_a_exactly(dtype):
    w = {"w.weight": np.array([0.1, 1e-9, 1e9], dtype)}
    opt = sam(sgd(lr=0.0), rho=0.7)
    gradient = {"w.weight": np.array([1.0, -2.0, 3.0], dtype)}
    new, _, _ = opt.step(w, opt.init(w), lambda params: (0.0, gradient))
    np.testing.assert_array_equal(new["w.weight"], w["w.weight"])


def test_arguments_are_left_alone_and_a_step_can_be_repeated():
    opt = sam(sgd(lr=0.1, momentum=0.9), rho=0.5)
    w = start()
    before = w["w.weight"].copy()
    w1, state1, _ = opt.step(w, opt.init(w), quadratic)
    first, _, _ = opt.step(w1, state1, quadratic)
    again, _, _ = opt.step(w1, state1, quadratic)
    np.testing.assert_array_equal(w["w.weight"], before)
    np.testing.assert_array_equal(first["w.weight"], again["w.weight"])


def test_rho_may_follow_a_schedule():
    opt = sam(sgd(lr=0.0), rho=lambda count: 0.5 * (count + 1))
    w = start()
    state = opt.init(w)
    lengths = []
    for _ in range(3):
        w, state, step = opt.step(w, state, quadratic)
        lengths.append(float(trees.norm(step.perturbation)))
    assert lengths == pytest.approx([0.5, 1.0, 1.5], rel=1e-15)


def test_auxiliary_results_of_both_passes_are_kept_apart():
    passes = iter(["first", "second"])
    opt = sam(sgd(lr=0.1))
    w = start()
    _, _, step = opt.step(w, opt.init(w), lambda params: (*quadratic(params), next(passes)))
    assert (step.auxiliary, step.perturbed_auxiliary) == ("first", "second")


def test_decay_in_the_loss_tilts_the_climb_and_is_taken_at_b():
    decay = 0.3
    w = start()
    inside = sam(sgd(lr=0.1), rho=0.5)
    _, _, step = inside.step(w, inside.init(w), add_l2(quadratic, decay))
    d1 = quadratic(w)[1]["w.weight"] + decay * w["w.weight"]
    np.testing.assert_allclose(step.ascent_gradient["w.weight"], d1, rtol=1e-15)
    b = step.perturbed_params
    d2 = quadratic(b)[1]["w.weight"] + decay * b["w.weight"]
    np.testing.assert_allclose(step.descent_gradient["w.weight"], d2, rtol=1e-15)
    assert step.loss == pytest.approx(quadratic(w)[0] + 0.15 * trees.inner(w, w), rel=1e-15)


def test_decay_in_the_loss_is_coupled_decay_for_sgd():
    w = start()
    coupled, inside = sgd(lr=0.1, weight_decay=0.3), sgd(lr=0.1)
    first, _, _ = coupled.step(w, coupled.init(w), quadratic)
    second, _, _ = inside.step(w, inside.init(w), add_l2(quadratic, 0.3))
    np.testing.assert_array_equal(first["w.weight"], second["w.weight"])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dtype_is_kept(dtype):
    gradient = {"weight": np.array([1.0, 2.0], dtype), "bias": np.array([3.0], dtype)}
    w = {"weight": np.ones(2, dtype), "bias": np.ones(1, dtype)}
    for opt in (sam(sgd(lr=0.1, momentum=0.9)), sam(sgd(lr=0.1), p=3), asam(sgd(lr=0.1))):
        new, _, step = opt.step(w, opt.init(w), lambda params: (0.0, gradient))
        for tree in (new, step.perturbation, step.perturbed_params):
            assert {leaf.dtype for leaf in tree.values()} == {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: sam(sgd(lr=0.1), rho=-0.05), r"rho must be a number in \[0, inf\), got -0.05"),
        (lambda: sam(sgd(lr=0.1), p=0), r"p must be a number in \[1, inf\], got 0"),
        (lambda: sam(0.1), "base must be a base optimizer such as sgd"),
        (lambda: sam(sam(sgd(lr=0.1))), "base must be a base optimizer"),
        (lambda: sam(sgd(lr=0.1), perturb="asam"), "perturb must be a function"),
        (lambda: asam(sgd(lr=0.1), eta=-1), "eta must be"),
        (lambda: asam(sgd(lr=0.1), scope="none"), "scope must be one of"),
        (lambda: asam(sgd(lr=0.1), granularity="x"), "granularity must be one of"),
        (lambda: asam(sgd(lr=0.1), p=float("nan")), "p must be"),
    ],
)
def test_bad_arguments_are_refused_when_the_optimizer_is_made(make, message):
    with pytest.raises(ValueError, match=message):
        make()


WEIGHTS = {"w": np.array([3.0, -4.0])}


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_the_parts_are_those_of_sam(p):
    base = sgd(lr=0.1, momentum=0.9)
    radius, climb, init = sam_parts(base, lambda count: 0.5 / (count + 1), p)
    assert [radius(count) for count in range(2)] == [0.5, 0.25]
    np.testing.assert_array_equal(
        climb(WEIGHTS, WEIGHTS, 0.5)["w"], sam_perturbation(WEIGHTS, WEIGHTS, 0.5, p)["w"]
    )
    assert init(WEIGHTS) == SAMState(0, base.init(WEIGHTS))


def test_another_climb_takes_the_place_of_sams():
    def stay(params, grads, rho):
        return {"w": np.zeros(2)}

    assert sam_parts(sgd(lr=0.1), 0.5, perturb=stay).climb is stay
