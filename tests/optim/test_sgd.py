import numpy as np
import pytest

from minisam.optim import sgd


def constant_gradient(g):
    return lambda params: (0.0, {"w": np.asarray(g, params["w"].dtype)})


def run(opt, w, gradients):
    params = {"w": np.asarray(w, np.float64)}
    state = opt.init(params)
    path = []
    for g in gradients:
        params, state, _ = opt.step(params, state, constant_gradient([g]))
        path.append(float(params["w"][0]))
    return path


def test_plain():
    assert run(sgd(lr=0.5), [1.0], [2.0, -4.0]) == [0.0, 2.0]


def test_momentum_starts_as_the_first_gradient():
    # v = 1, then 0.5 + 1 = 1.5, then 0.75 + 0 = 0.75
    assert run(sgd(lr=1.0, momentum=0.5), [0.0], [1.0, 1.0, 0.0]) == [-1.0, -2.5, -3.25]


def test_nesterov_steps_along_gradient_plus_decayed_velocity():
    # steps 1 + 0.5·1 and 0 + 0.5·0.5
    assert run(sgd(lr=1.0, momentum=0.5, nesterov=True), [0.0], [1.0, 0.0]) == [-1.5, -1.75]


def test_coupled_decay_enters_the_velocity_and_decoupled_decay_does_not():
    coupled = sgd(lr=0.5, momentum=0.5, weight_decay=0.5)
    decoupled = sgd(lr=0.5, momentum=0.5, weight_decay=0.5, decay="decoupled")
    # coupled: v = 2, w = 4 − 1 = 3; v = 1 + 1.5 = 2.5, w = 3 − 1.25
    assert run(coupled, [4.0], [0.0, 0.0]) == [3.0, 1.75]
    # decoupled: w ← w (1 − ¼) alone
    assert run(decoupled, [4.0], [0.0, 0.0]) == [3.0, 2.25]


def test_without_momentum_both_decays_agree():
    kinds = [sgd(lr=0.5, weight_decay=0.25, decay=decay) for decay in ("coupled", "decoupled")]
    coupled, decoupled = (run(opt, [4.0], [1.0, 3.0]) for opt in kinds)
    assert coupled == decoupled


def test_learning_rate_schedule_counts_from_zero():
    seen = []

    def lr(count):
        seen.append(count)
        return 1.0 / (count + 1)

    assert run(sgd(lr=lr), [0.0], [1.0, 1.0]) == [-1.0, -1.5]
    assert seen == [0, 1]


def test_step_tells_what_it_saw_and_leaves_its_arguments_alone():
    opt = sgd(lr=1.0, momentum=0.9, weight_decay=0.1)
    params = {"w": np.array([1.0, 2.0])}
    grads = {"w": np.array([3.0, 4.0])}
    state = opt.init(params)
    for _ in range(3):
        new, state, step = opt.step(params, state, lambda w: (7.0, grads, "statistics"))
    np.testing.assert_array_equal(params["w"], [1.0, 2.0])
    np.testing.assert_array_equal(grads["w"], [3.0, 4.0])
    assert step.loss == step.perturbed_loss == 7.0
    assert step.auxiliary == "statistics"
    assert step.perturbation is None
    assert step.perturbed_params is params
    assert state.count == 3
    assert not np.shares_memory(new["w"], params["w"])


def test_float32_stays_float32():
    opt = sgd(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1)
    params = {"w": np.ones(3, np.float32)}
    params, state, _ = opt.step(params, opt.init(params), constant_gradient([1, 2, 3]))
    params, state, _ = opt.step(params, state, constant_gradient([1, 2, 3]))
    assert params["w"].dtype == np.float32
    assert state.velocity["w"].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": -0.1}, r"lr must be a number in \[0, inf\), got -0.1"),
        ({"lr": float("nan")}, "lr must be"),
        ({"lr": "fast"}, "lr must be a number.*got 'fast'"),
        ({"lr": True}, "lr must be"),
        ({"lr": 0.1, "momentum": 1.0}, r"momentum must be a number in \[0, 1\)"),
        ({"lr": 0.1, "weight_decay": -1}, "weight_decay must be"),
        ({"lr": 0.1, "decay": "l1"}, "decay must be one of 'coupled', 'decoupled', got 'l1'"),
        ({"lr": 0.1, "nesterov": True}, "nesterov needs momentum"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        sgd(**arguments)


def test_bad_schedule_value_is_named():
    opt = sgd(lr=lambda count: float("nan"))
    with pytest.raises(ValueError, match=r"lr\(0\) must be"):
        run(opt, [1.0], [1.0])


def test_gradient_of_another_shape_is_refused():
    opt = sgd(lr=0.1)
    with pytest.raises(ValueError, match=r"grads\['w'\] has shape \(3,\)"):
        opt.step({"w": np.zeros(2)}, opt.init({}), lambda w: (0.0, {"w": np.zeros(3)}))
