"""PyTorch's own layers, autograd and optimizers against the model-level vectors."""

import numpy as np
import pytest

from minisam.vectors.networks import MODEL_NAMES, POLICIES, check_model

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.backends
nn = torch.nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, images):
        x = torch.relu(self.fc1(images.flatten(1)))
        return self.fc3(torch.relu(self.fc2(x)))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 5, 3, padding=1), nn.BatchNorm2d(5)
        self.fc = nn.Linear(5, 3)

    def forward(self, images):
        x = images.permute(0, 3, 1, 2)
        x = nn.functional.avg_pool2d(torch.relu(self.bn1(self.conv1(x))), 2)
        x = nn.functional.avg_pool2d(torch.relu(self.bn2(self.conv2(x))), 3)
        return self.fc(x.flatten(1))


def to_torch(x):
    axes = (3, 2, 0, 1) if x.ndim == 4 else (1, 0) if x.ndim == 2 else (0,)
    return torch.tensor(x.transpose(axes).copy())


def from_torch(x):
    axes = (2, 3, 1, 0) if x.ndim == 4 else (1, 0) if x.ndim == 2 else (0,)
    return x.detach().numpy().transpose(axes)


def loaded(name, params, statistics=()):
    dtype = torch.tensor(next(iter(params.values()))).dtype
    model = {"mlp": MLP, "cnn": CNN}[name]().to(dtype)
    tensors = {**params, **dict(statistics)}
    model.load_state_dict({k: to_torch(x) for k, x in tensors.items()}, strict=False)
    return model


def backward(model, images, labels):
    loss = nn.functional.cross_entropy(model(torch.tensor(images)), torch.tensor(labels))
    loss.backward()
    return loss


def running(model, momentum):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = momentum


def backend(name, policy):
    def loss_and_grad(params, images, labels):
        model = loaded(name, params)
        loss = backward(model, images, labels)
        return loss.item(), {k: from_torch(p.grad) for k, p in model.named_parameters()}

    def train(method, params, statistics, batches, h):
        model = loaded(name, params, statistics)
        base = torch.optim.SGD(
            model.parameters(), h["lr"], h["momentum"], weight_decay=h["weight_decay"]
        )
        for images, labels in batches:
            base.zero_grad()
            running(model, 0.1 if policy in ("first", "both") or method == "sgd" else 0.0)
            backward(model, images, labels)
            if method != "sgd":
                climb(model, method, h)
                running(model, 0.1 if policy in ("second", "both") else 0.0)
                backward(model, images, labels)
                with torch.no_grad():
                    for p in model.parameters():
                        p.copy_(p.saved)
            base.step()
        state = {k: x for k, x in model.state_dict().items() if "num_batches" not in k}
        return (
            {k: from_torch(p) for k, p in model.named_parameters()},
            {k: from_torch(x) for k, x in state.items() if "running" in k},
        )

    return loss_and_grad, train


@torch.no_grad()
def climb(model, method, h):
    scale = {
        p: p.abs() + h["eta"] if method == "asam" and name.endswith("weight") else 1.0
        for name, p in model.named_parameters()
    }
    norm = torch.stack([(t * p.grad).norm() for p, t in scale.items()]).norm()
    for p, t in scale.items():
        p.saved = p.clone()
        p.add_(h["rho"] * t * t * p.grad / norm)
        p.grad = None


@pytest.mark.parametrize("name", MODEL_NAMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch_conforms(name, dtype):
    report = check_model(name, *backend(name, "first"), dtype=dtype)
    assert report.verdict == "conforms"
    assert report.ran >= 50


@pytest.mark.parametrize("policy", ["second", "both", "neither"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_wrong_batch_norm_policy_is_named(policy, dtype):
    report = check_model("cnn", *backend("cnn", policy), dtype=dtype)
    assert report.policy == policy
    assert f"updated {POLICIES[policy]}, not" in report.verdict


def test_a_forgotten_restore_is_seen():
    _, train = backend("mlp", "first")

    def stays(method, params, statistics, batches, h):
        after, statistics = train(method, params, statistics, batches, h)
        moved = {k: x + 1e-9 * np.sign(x) for k, x in after.items()} if method == "sam" else after
        return moved, statistics

    report = check_model("mlp", train=stays)
    assert {place.split("/")[0] for place, _ in report.failures} == {"sam"}
