from copy import deepcopy
from functools import partial

import numpy as np
import pytest

from minisam.adapters.library import own
from minisam.adapters.protocol import HYPERPARAMETERS, AdapterError, Unsupported, observe
from minisam.adapters.torch import torch as adapt
from minisam.adapters.torch import two_steps
from minisam.oracle.checking import check
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


def climbed_copy(optimizer, model):
    """Fill the gradients of a model with those of a copy, A + ε."""
    params = list(model.parameters())
    there = deepcopy(model)
    with torch.no_grad():
        length = torch.stack([p.grad.norm() for p in params]).norm()
        for q, p in zip(there.parameters(), params, strict=True):
            q += optimizer.rho * p.grad / length if length else 0.0
    there(None).backward()
    for q, p in zip(there.parameters(), params, strict=True):
        p.grad = q.grad


def climbed_call(optimizer, model):
    """Fill the gradients of a model that is called with other parameters, A + ε."""
    params = dict(model.named_parameters())
    length = torch.stack([p.grad.norm() for p in params.values()]).norm()
    climb = {k: optimizer.rho * p.grad / length if length else 0.0 for k, p in params.items()}
    optimizer.zero_grad()
    there = {name: p + climb[name] for name, p in params.items()}
    torch.func.functional_call(model, there, (None,)).backward()


@pytest.mark.parametrize("second_pass", [climbed_copy, climbed_call])
def test_a_model_that_is_copied_or_called_elsewhere_has_its_gradient_there(second_pass):
    def make(params, hp):
        optimizer = torch.optim.SGD(params, **hp.base)
        optimizer.model, optimizer.rho = hp["model"], hp["rho"]
        return optimizer

    def step(optimizer, loss):
        optimizer.zero_grad()
        optimizer.model(None).backward()
        second_pass(optimizer, optimizer.model)
        optimizer.step()

    probes = ["sam-one-tensor", "sam-six-tensors", "sam-momentum", "sam-lr-zero"]
    assert check(adapt(make, step), "float64", probes=probes).verdict == "conforms"


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


@pytest.mark.fault("special-value", "oracle.torch")
def test_a_step_that_looks_at_its_loss_sees_one():
    losses = []

    def looks(optimizer, loss):
        value = loss()
        losses.append(value.item())
        if value:  # a loss of exactly 0 would skip the step
            value.backward()
            optimizer.first_step(zero_grad=True)
            with torch.no_grad():
                losses.append(loss().item())  # which asks for no gradient
            loss().backward()
            optimizer.second_step(zero_grad=True)

    report = check(made(SAM, looks), "float64", probes=["sam-three-tensors", "sam-momentum"])
    assert report.conforms
    assert all(1 < A < B < 3 for A, B in zip(losses[::2], losses[1::2], strict=True))


class Elsewhere:
    """PyTorch's ways to make and read tensors, as on a device that is not the CPU."""

    def __init__(self, monkeypatch):
        self.made, self.read = [], []
        tensor, zeros, cpu = torch.tensor, torch.zeros, torch.Tensor.cpu

        def made_there(function):
            def make(*values, device=None, **options):
                self.made.append(device)
                return function(*values, **options)

            return make

        def read_there(one):
            self.read.append(one.dtype)
            return cpu(one)

        monkeypatch.setattr(torch, "tensor", made_there(tensor))
        monkeypatch.setattr(torch, "zeros", made_there(zeros))
        monkeypatch.setattr(torch.Tensor, "cpu", read_there)


@pytest.mark.parametrize("dtype", DTYPES)
def test_parameters_and_gradients_are_made_on_the_device_and_read_back(monkeypatch, dtype):
    there = Elsewhere(monkeypatch)
    adapter = adapt(
        lambda params, hp: SAM(params, torch.optim.SGD, hp["rho"], **hp.base), device="npu:1"
    )
    kind = np.float64 if dtype == "float64" else np.float32
    w = [np.ones((2, 2), kind), np.ones(3, kind)]
    run = adapter(w, {**HYPERPARAMETERS, "dtype": dtype, "rho": 2.0, "lr": 0.5})
    start = there.made[:]
    del there.made[:], there.read[:]
    seen = observe(run, w, lambda point: [np.ones_like(x) for x in point])
    assert start == 5 * ["npu:1"]  # to try it in every dtype, and the parameters
    assert there.made == 4 * ["npu:1"]  # two gradients of two tensors
    assert {*there.read} == {torch.float64 if dtype == "float64" else torch.float32}
    assert [x.tolist() for x in seen.end] == [[[0.5, 0.5]] * 2, [0.5] * 3]


def test_a_device_may_be_what_tensors_take_for_one():
    make = lambda params, hp: torch.optim.SGD(params, **hp.base)  # noqa: E731
    assert adapt(make, device=torch.device("cpu", 0)).arguments == {"device": "cpu:0"}
    assert adapt(make, device=torch.device("cpu")).arguments == {}
    for device in ("cpu", torch.device("cpu"), "cpu:0"):
        report = check(adapt(make, device=device), "float64", method="sgd", probes=["sgd-plain"])
        assert report.conforms


def test_a_dtype_that_the_device_has_not_is_not_tried(monkeypatch):
    zeros = torch.zeros

    def single_precision_only(*size, dtype, device):
        if dtype == torch.float64:
            raise TypeError("this device has no float64")
        return zeros(*size, dtype=dtype)

    monkeypatch.setattr(torch, "zeros", single_precision_only)
    assert adapt(made_sam, device="mps").dtypes == ("float32", "bfloat16")


@pytest.mark.fault("option-value", "oracle.torch")
@pytest.mark.parametrize("device", ["meta", "nowhere", "cuda:99", 1.5])
def test_a_device_that_is_not_here_is_named(device):
    with pytest.raises(ValueError, match=f"device must be one that PyTorch has here.*{device!r}"):
        adapt(SAM, device=device)


@pytest.mark.parametrize("options", [{"foreach": True}, {"fused": True}])
def test_foreach_and_fused_updates_conform(options):
    def make(params, hp):
        return SAM(params, partial(torch.optim.SGD, **options), hp["rho"], **hp.base)

    slugs = ("three-tensors", "momentum", "tensor-missing", "frozen")
    report = check(adapt(make), ["float64", "float32"], probes=[f"sam-{slug}" for slug in slugs])
    assert report.conforms


@pytest.mark.slow
def test_a_compiled_step_conforms():
    compiled = torch.compile(two_steps, backend="eager")
    assert check(adapt(made_sam, compiled), "float64", probes=["sam-three-tensors"]).conforms


def made_sam(params, hp):
    return SAM(params, torch.optim.SGD, hp["rho"], **hp.base)


class Scheduled:
    """A right SAM around any base optimizer, which has no parameter groups of its own."""

    def __init__(self, params, rho, **base):
        self.optim, self.rho = torch.optim.SGD(params, **base), rho
        self.leaves = [leaf for group in self.optim.param_groups for leaf in group["params"]]

    def zero_grad(self):
        self.optim.zero_grad()

    @torch.no_grad()
    def step(self, closure):
        with torch.enable_grad():
            closure()
        given = [leaf for leaf in self.leaves if leaf.grad is not None]
        old = [leaf.clone() for leaf in given]
        norm = torch.stack([leaf.grad.norm() for leaf in given]).norm()
        for leaf in given:
            leaf.add_(leaf.grad * (self.rho / norm) if norm > 0 else 0.0)
        with torch.enable_grad():
            closure()
        for leaf, before in zip(given, old, strict=True):
            leaf.copy_(before)
        self.optim.step()


GROUPS = ({"names": ["b"], "lr": 0.25}, {"names": ["c"], "lr": 0.125, "weight_decay": 0.5})


def ran(adapter, steps=2, **hp):
    w = [np.full(2, 1.0), np.full(3, 2.0), np.full(1, 4.0)]
    run = adapter(w, {"names": ("a", "b", "c"), "lr": 0.5, "rho": 0.0, **hp})
    for _ in range(steps):
        w = run(lambda point: [np.ones_like(x) for x in point])
    return [x.tolist() for x in w]


def test_parameter_groups_have_their_own_rate_and_decay():
    for maker in (made_sam, lambda params, hp: Scheduled(params, hp["rho"], **hp.base)):
        assert ran(adapt(maker), 1, groups=GROUPS) == [[0.5] * 2, [1.75] * 3, [3.625]]
    drops = adapt(lambda params, hp: made_sam([p for g in params for p in g["params"]], hp))
    with pytest.raises(Unsupported, match="no parameter groups with their own weight_decay"):
        ran(adapt(lambda params, hp: Bare(params)), groups=GROUPS)
    assert ran(drops, 1, groups=GROUPS) == [[0.5] * 2, [1.5] * 3, [3.5]]


class Bare(torch.optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {"lr": 0.5})

    def step(self, closure):
        closure()


@pytest.mark.fault("signature", "oracle.torch")
def test_who_takes_no_parameter_groups_is_not_asked_to():
    def from_the_model(params, hp):
        return torch.optim.SGD(hp["model"].parameters(), **hp.base)

    def one_by_one(params, hp):
        assert all(leaf.requires_grad for leaf in params)

    def holds_them(optimizer, loss):
        loss().backward()
        assert [leaf.grad for leaf in optimizer.kept]

    def keeps(params, hp):
        optimizer = torch.optim.SGD(params, **hp.base)
        optimizer.kept = params
        return optimizer

    for adapter in (adapt(from_the_model), adapt(one_by_one), adapt(keeps, holds_them)):
        with pytest.raises(Unsupported, match="it has no groups"):
            ran(adapter, groups=GROUPS)
    own_rho = ({"names": ["b"], "rho": 0.5},)
    with pytest.raises(Unsupported, match="no parameter groups with their own rho"):
        ran(adapt(lambda params, hp: Scheduled(params, hp["rho"], **hp.base)), groups=own_rho)
    ran(adapt(made_sam), groups=own_rho)


def test_a_saved_state_goes_on_with_new_parameters():
    seen = []

    def make(params, hp):
        seen.append(params)
        return torch.optim.SGD(params, **hp.base)

    heavy = {"momentum": 0.5, "saved": True}
    assert ran(adapt(make), 3, **heavy) == ran(adapt(make), 3, momentum=0.5)
    assert len(seen) == 5
    assert not {*map(id, seen[0])} & {*map(id, seen[1])}
    with pytest.raises(Unsupported, match="it has no state_dict"):
        ran(adapt(lambda params, hp: Scheduled(params, 0.0, **hp.base)), saved=True)


def test_a_state_that_is_not_saved_is_lost():
    # The momentum is the wrapped optimizer's, whose state is not in the wrapper's state_dict.
    heavy = {"momentum": 0.5, "rho": 0.5}
    assert ran(adapt(made_sam), 2, **heavy, saved=True) != ran(adapt(made_sam), 2, **heavy)
    report = check(adapt(made_sam), "float64", probes=["sam-momentum", "sam-saved"])
    assert report.verdict == "undeclared convention: saved_state"
    assert check(adapt(made_sam), "float64", report.found, probes=["sam-saved"]).conforms


def test_a_scheduler_writes_into_the_parameter_groups_alone():
    hp = {"lr": [0.5, 0.25], "scheduler": True}
    assert ran(adapt(lambda params, hp: torch.optim.SGD(params, **hp.base)), **hp)[0] == [0.25] * 2
    bare = adapt(lambda params, hp: Scheduled(params, hp["rho"], **hp.base))
    with pytest.raises(Unsupported, match="has no rho that can be scheduled"):
        ran(bare, rho=[0.5, 0.25], scheduler=True)
    assert ran(bare, rho=[0.5, 0.25])


def test_a_group_keeps_its_own_rate_beside_a_schedule():
    hp = {"lr": [0.5, 0.25], "groups": GROUPS[:1]}
    assert ran(adapt(lambda params, hp: torch.optim.SGD(params, **hp.base)), **hp)[:2] == [
        [0.25] * 2,
        [1.5] * 3,
    ]


class AsItIsCopied(torch.optim.Optimizer):
    """The wrapper that most repositories have: the gradient that is there now decides."""

    def __init__(self, params, rho, **options):
        super().__init__(params, {"rho": rho, **options})
        self.base_optimizer = torch.optim.SGD(self.param_groups, **options)
        self.param_groups = self.base_optimizer.param_groups

    @torch.no_grad()
    def move(self, sign):
        held = [(p, g) for g in self.param_groups for p in g["params"] if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p, _ in held]).norm() + 1e-12
        for p, group in held:
            if sign > 0:
                self.state[p]["e_w"] = p.grad * (group["rho"] / norm)
            p.add_(self.state[p]["e_w"], alpha=sign)

    def first_step(self, zero_grad):
        self.move(1)
        self.zero_grad()

    def second_step(self, zero_grad):
        self.move(-1)
        self.base_optimizer.step()
        self.zero_grad()


def test_the_wrapper_that_most_repositories_have_is_told_all_that_it_does():
    ordinary = ("three-tensors", "momentum", "lr-schedule", "gradient-1e-10", "lr-zero")
    missing = ("tensor-missing-at-B", "tensor-comes-and-goes", "tensor-at-one-pass")
    loaded = ("saved", "scheduler", "saved-schedule")
    probes = [f"sam-{name}" for name in (*ordinary, *missing, *loaded)]
    report = check(
        adapt(lambda params, hp: AsItIsCopied(params, hp["rho"], **hp.base)), "float64",
        probes=probes,
    )  # fmt: skip
    (names,) = report.explanations
    both = {"R16-missing-second-gradient-no-restore", "R10-learning-rate-stays"}
    assert set(names.split(" + ")) == both
    declare = {"norm_epsilon": 1e-12, "restore": "subtract", "saved_state": "without_base"}
    assert report.found == declare
    assert "That does not explain everything" not in " ".join(report.advice)
