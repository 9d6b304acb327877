"""Convolution, pooling and batch norm against PyTorch, forward and backward, in float64.

Both sum the same products in another order, so that they differ by at most 2 γₙ Σ|terms|.
"""

import numpy as np
import pytest
from autograd.core import make_vjp

from minisam.nn.gradients import training_objective
from minisam.nn.kernels.convolution import convolve
from minisam.nn.kernels.pooling import average_pool, max_pool
from minisam.nn.layers import batch_norm
from minisam.nn.losses import cross_entropy
from minisam.nn.models import resnet

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.backends

functional = torch.nn.functional


def to_torch(x):
    """Channels last to channels first, as a leaf that wants a gradient."""
    return torch.tensor(np.moveaxis(x, -1, 1).copy(), requires_grad=True)


def from_torch(x):
    return np.moveaxis(x.detach().numpy(), 1, -1)


def kernel_to_torch(w):
    return torch.tensor(w.transpose(3, 2, 0, 1).copy(), requires_grad=True)


def assert_within(ours, theirs, of_magnitudes, terms):
    gamma = terms * 2.0**-53 / (1 - terms * 2.0**-53)
    assert np.all(np.abs(ours - theirs) <= 2 * gamma * of_magnitudes)


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 5), (7, 7)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("padding", [(0, 0), (1, 1), (3, 2)])
def test_convolution(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((3, 11, 10, 4)), rng.standard_normal((*kernel, 4, 5))
    vjp, y = make_vjp(lambda xw: convolve(*xw, stride, padding), (x, w))
    g = rng.standard_normal(y.shape)
    dx, dw = vjp(g)

    tx, tw = to_torch(x), kernel_to_torch(w)
    ty = functional.conv2d(tx, tw, stride=stride, padding=padding)
    ty.backward(torch.tensor(np.moveaxis(g, -1, 1).copy()))

    vjp, of_y = make_vjp(lambda xw: convolve(*xw, stride, padding), (np.abs(x), np.abs(w)))
    of_x, of_w = vjp(np.abs(g))
    assert_within(y, from_torch(ty), of_y, kernel[0] * kernel[1] * 4)
    assert_within(dx, from_torch(tx.grad), of_x, kernel[0] * kernel[1] * 5)
    assert_within(dw, tw.grad.numpy().transpose(2, 3, 1, 0), of_w, g[..., 0].size)


@pytest.mark.parametrize(
    ("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), ((2, 3), (1, 2), (1, 0)), (3, 1, 1)]
)
def test_pooling(kernel, stride, padding):
    rng = np.random.default_rng(0)
    x = rng.integers(-3, 4, (3, 9, 8, 4)).astype(float)  # many ties
    for ours, theirs in (
        (max_pool, functional.max_pool2d),
        (average_pool, functional.avg_pool2d),
    ):
        vjp, y = make_vjp(lambda x, pool=ours: pool(x, kernel, stride, padding), x)
        g = rng.standard_normal(y.shape)
        tx = to_torch(x)
        ty = theirs(tx, kernel, stride, padding)
        ty.backward(torch.tensor(np.moveaxis(g, -1, 1).copy()))
        np.testing.assert_allclose(y, from_torch(ty), rtol=4 * 2.0**-53, atol=0)
        np.testing.assert_allclose(vjp(g), from_torch(tx.grad), rtol=0, atol=1e-14)


def test_batch_norm():
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 6, 5, 4, 3))
    weight, bias = rng.uniform(0.5, 2, 3), rng.standard_normal(3)
    statistics = {"bn.running_mean": np.zeros(3), "bn.running_var": np.ones(3)}
    new = {}

    def ours(args):
        x, w, b = args
        y, updated = batch_norm({"bn.weight": w, "bn.bias": b}, "bn", x, statistics, training=True)
        new.update(updated)
        return y

    vjp, y = make_vjp(ours, (x, weight, bias))
    dx, dw, db = vjp(g)

    layer = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
        layer.bias.copy_(torch.tensor(bias))
    tx = to_torch(x)
    ty = layer(tx)
    ty.backward(torch.tensor(np.moveaxis(g, -1, 1).copy()))
    tolerance = {"rtol": 0, "atol": 120 * 2.0**-53 * 10}  # 120 terms of size below 10
    np.testing.assert_allclose(y, from_torch(ty), **tolerance)
    np.testing.assert_allclose(dx, from_torch(tx.grad), **tolerance)
    np.testing.assert_allclose(dw, layer.weight.grad.numpy(), **tolerance)
    np.testing.assert_allclose(db, layer.bias.grad.numpy(), **tolerance)
    np.testing.assert_allclose(new["bn.running_mean"], layer.running_mean.numpy(), **tolerance)
    np.testing.assert_allclose(new["bn.running_var"], layer.running_var.numpy(), **tolerance)


class TorchResNet(torch.nn.Module):
    """The same network from PyTorch's own layers, with the same names."""

    def __init__(self, width, stages):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.bn1 = torch.nn.BatchNorm2d(width)
        previous = width
        self.names = []
        for stage in range(stages):
            outputs, stride = width * 2**stage, 2 if stage else 1
            block = torch.nn.Module()
            block.conv1 = torch.nn.Conv2d(previous, outputs, 3, stride, padding=1, bias=False)
            block.bn1 = torch.nn.BatchNorm2d(outputs)
            block.conv2 = torch.nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
            block.bn2 = torch.nn.BatchNorm2d(outputs)
            if stage:
                block.downsample = torch.nn.Sequential(
                    torch.nn.Conv2d(previous, outputs, 1, stride, bias=False),
                    torch.nn.BatchNorm2d(outputs),
                )
            self.add_module(f"layer{stage + 1}", torch.nn.Sequential(block))
            previous = outputs
        self.stages = stages
        self.fc = torch.nn.Linear(previous, 10)

    def forward(self, x):
        relu = torch.relu
        x = relu(self.bn1(self.conv1(x)))
        for stage in range(self.stages):
            block = getattr(self, f"layer{stage + 1}")[0]
            y = block.bn2(block.conv2(relu(block.bn1(block.conv1(x)))))
            x = relu(y + (block.downsample(x) if stage else x))
        return self.fc(x.mean(dim=(2, 3)))


def to_torch_layout(value):
    if value.ndim == 4:
        return value.transpose(3, 2, 0, 1)
    return value.T


def test_a_whole_residual_network_by_parameter_name():
    """Every name of one exists in the other, and logits, gradients and statistics agree."""
    rng = np.random.default_rng(0)
    model, theirs = resnet(width=4), TorchResNet(4, 3).double()
    params = model.init(1, np.float64)
    images, labels = rng.standard_normal((6, 16, 16, 3)), np.arange(6)
    own = dict(theirs.named_parameters())
    assert own.keys() == params.keys()
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(torch.tensor(to_torch_layout(params[name]).copy()))
    statistics = {k: v.astype(np.float64) for k, v in model.initial_statistics().items()}
    loss, grads, new = training_objective(model, cross_entropy, images, labels, statistics)(params)
    their_loss = functional.cross_entropy(theirs(to_torch(images)), torch.tensor(labels))
    their_loss.backward()
    assert abs(loss - their_loss.item()) < 1e-12
    for name, tensor in own.items():
        expected = tensor.grad.numpy()
        scale = np.abs(expected).max()
        np.testing.assert_allclose(to_torch_layout(grads[name]), expected, atol=1e-10 * scale)
    buffers = dict(theirs.named_buffers())
    for name, value in new.items():
        np.testing.assert_allclose(value, buffers[name].numpy(), rtol=1e-12, atol=1e-14)
