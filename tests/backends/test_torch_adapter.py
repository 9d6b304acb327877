import numpy as np
import pytest

from minisam.adapters.library import own
from minisam.adapters.protocol import HYPERPARAMETERS, AdapterError, Unsupported, observe
from minisam.adapters.torch import torch as adapt
from minisam.vectors import load_vectors, replay

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.backends
VECTORS = {vector["slug"]: vector for vector in load_vectors()}
DTYPES = ("float64", "float32", "bfloat16")


class SAM(torch.optim.Optimizer):
    """The paper's SAM in every style there is; what is wrong is put in its place."""

    zero = True
    restore = "copy"

    def __init__(self, params, base, rho, **options):
        super().__init__(params, {"rho": rho, **options})
        self.base_optimizer = base(self.param_groups, **options)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        leaves = [p for p in self.param_groups[0]["params"] if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p in leaves]).norm()
        for p in leaves:
            e = p.grad * (self.param_groups[0]["rho"] / norm) if norm > 0 else 0.0
            self.state[p]["old"] = (p.clone(), e)
            p.add_(e)
        if zero_grad and self.zero:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        for p in self.param_groups[0]["params"]:
            if "old" in self.state[p]:
                old, e = self.state[p].pop("old")
                p.copy_(old if self.restore == "copy" else p - e)
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def ascent_step(self):
        self.first_step(zero_grad=True)

    def descent_step(self):
        self.second_step(zero_grad=True)

    def step(self, closure):  # after a first backward pass
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            closure()
        self.second_step()


class AllInOne(SAM):
    def step(self, closure):
        closure()
        super().step(closure)


class Forgetful(SAM):
    zero = False


class Subtracting(SAM):
    restore = "subtract"


def made(cls, style="auto"):
    def make(params, hp):
        if hp["p"] != 2 or hp["method"] != "sam":
            raise Unsupported("p = 2 only")
        return cls(params, torch.optim.SGD, rho=hp["rho"], **hp.base)

    return adapt(make, style)


def failures(adapter, *methods):
    outcomes = [
        replay(adapter, vector, dtype)
        for vector in load_vectors(methods)
        for dtype in vector["dtypes"]
    ]
    assert sum(one.passed is True for one in outcomes) >= 30
    return {one.slug for one in outcomes if one.passed is False}


def test_torch_sgd_agrees_to_the_last_bit_in_every_dtype():
    assert failures(adapt(lambda params, hp: torch.optim.SGD(params, **hp.base)), "sgd") == set()


@pytest.mark.parametrize(
    "style", ["two_steps", "ascent_descent", "closure", "backward_then_closure"]
)
def test_every_style_of_a_right_sam_agrees_to_the_last_bit(style):
    failed = failures(made(AllInOne if style == "closure" else SAM, style), "sam")
    assert failed <= {"sam-huge", "sam-tiny", "sam-tiny-float64", "sam-huge-float64"}


@pytest.mark.parametrize("style", ["two_steps", "backward_then_closure"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_that_are_not_cleared_add_up(style, dtype):
    outcome = replay(made(Forgetful, style), VECTORS["sam-opposite-gradients"], dtype)
    assert (outcome.passed, outcome.quantity) == (False, "end")


@pytest.mark.parametrize("dtype", DTYPES)
def test_restoring_by_subtraction_shows(dtype):
    assert replay(made(SAM), VECTORS["restore-absorbed"], dtype).passed
    assert not replay(made(Subtracting), VECTORS["restore-absorbed"], dtype).passed


def test_a_gradient_belongs_to_the_weights_of_its_forward_pass():
    def both_forward_first(optimizer, loss):
        first, second = loss(), loss()
        first.backward()
        optimizer.first_step(zero_grad=True)
        second.backward()
        optimizer.second_step(zero_grad=True)

    outcome = replay(made(SAM, both_forward_first), VECTORS["sam-norm-4"])
    assert (outcome.passed, outcome.quantity) == (False, "B")
    np.testing.assert_array_equal(outcome.actual[0], VECTORS["sam-norm-4"]["start"][0])


def test_a_scaled_loss_has_a_scaled_gradient():
    def scaled(optimizer, loss):
        (4 * loss()).backward()
        optimizer.step()

    w = [np.array([1.0, 2.0])]
    run = adapt(lambda params, hp: torch.optim.SGD(params, **hp.base), scaled)
    seen = observe(run(w, {**HYPERPARAMETERS, "lr": 0.5}), w, lambda point: [np.ones(2)])
    np.testing.assert_array_equal(seen.end[0], [-1.0, 0.0])


def test_the_model_has_the_parameters_by_name_and_returns_the_loss():
    names = ("conv.weight", "conv.bias", "head.fc.weight")
    kept = {}

    def make(params, hp):
        kept.update(params=params, model=hp["model"])
        return torch.optim.SGD(hp["model"].parameters(), **hp.base)

    def through_the_model(optimizer, loss):
        optimizer.zero_grad()
        kept["model"](torch.zeros(1)).backward()
        optimizer.step()

    w = [np.ones((2, 2)), np.zeros(2), np.full(3, 2.0)]
    run = adapt(make, through_the_model)(w, {**HYPERPARAMETERS, "names": names, "lr": 0.5})
    seen = observe(run, w, lambda point: [np.ones_like(x) for x in point])
    assert [name for name, _ in kept["model"].named_parameters()] == list(names)
    assert [x.mean() for x in seen.end] == [0.5, -0.5, 1.5]


def test_a_maker_sees_what_will_be_scheduled_and_the_first_value():
    seen = []

    def make(params, hp):
        seen.append((hp["lr"], hp["rho"], hp.scheduled))
        return torch.optim.SGD(params, lr=hp["lr"])

    hp = {**HYPERPARAMETERS, "method": "sgd", "lr": [0.5, 0.25], "dtype": "float64"}
    adapt(make, style="step")([np.ones(2)], hp)
    assert seen == [(0.5, 0.05, {"lr"})]


def test_schedules_reach_the_groups_of_a_wrapped_optimizer():
    class Wrapper:
        def __init__(self, optim):
            self.optim = optim

        def zero_grad(self):
            self.optim.zero_grad()

        def step(self, closure):
            closure()
            self.optim.step()

    adapter = adapt(lambda params, hp: Wrapper(torch.optim.SGD(params, **hp.base)))
    assert replay(adapter, VECTORS["sgd-lr-schedule"]).passed
    reads_rho = adapt(
        lambda params, hp: (hp["rho"], Wrapper(torch.optim.SGD(params, **hp.base)))[1]
    )
    run = reads_rho([np.ones(2)], {**HYPERPARAMETERS, "rho": [0.1, 0.2]})
    with pytest.raises(Unsupported, match="no rho that can be scheduled"):
        run(lambda point: [np.ones(2)])


def test_other_weight_decays_are_unsupported_not_wrong():
    adapter = adapt(lambda params, hp: torch.optim.SGD(params, **hp.base))
    outcome = replay(adapter, VECTORS["sgd-decoupled-decay"])
    assert outcome.passed is None
    assert "no decoupled weight decay" in outcome.quantity


def test_what_is_no_optimizer_is_said():
    w = [np.ones(2)]
    with pytest.raises(AdapterError, match="returned None"):
        adapt(lambda params, hp: None)(w, HYPERPARAMETERS)
    with pytest.raises(AdapterError, match="has no step, first_step or ascent_step"):
        adapt(lambda params, hp: object())(w, HYPERPARAMETERS)


def test_a_trajectory_is_the_librarys():
    rng = np.random.default_rng(0)
    w = [rng.normal(size=(3, 2)), rng.normal(size=4)]
    h = {**HYPERPARAMETERS, "names": ("a.weight", "a.bias"), "momentum": 0.9, "nesterov": True}
    ours, theirs = own()(w, h), made(SAM)(w, h)

    def gradient(point):
        return [np.sin(3 * x) + x for x in point]

    x = y = w
    for _ in range(5):
        x, y = observe(ours, x, gradient).end, observe(theirs, y, gradient).end
        for a, b in zip(x, y, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
