"""The rivals compute what is compared: the same steps from the same weights, in float64."""

import numpy as np
import pytest
from benchmarks.report import batch_of, our_step
from benchmarks.rivals_jax import (
    HAS_JAX,
    convolutional_network,
    dense_network,
    jax_sam_step,
)
from benchmarks.rivals_torch import HAS_TORCH, torch_cnn, torch_mlp, torch_step

from minisam.nn import cnn, mlp

pytestmark = pytest.mark.backends
needs_torch = pytest.mark.skipif(not HAS_TORCH, reason="needs torch")
needs_jax = pytest.mark.skipif(not HAS_JAX, reason="needs jax")
CHANNELS = ((4, 4), (8,))
# Four steps move the loss by a tenth. A wrong radius, momentum or order of things changes the later
# losses in their third digit, rounding in the fourteenth.
SAME = {"rtol": 1e-9}


def losses(step):
    return [step() for _ in range(4)]


@needs_jax
@pytest.mark.parametrize(
    ("model", "network"),
    [
        (mlp((8, 8)), dense_network),
        (cnn(CHANNELS), lambda w, x: convolutional_network(CHANNELS, w, x)),
    ],
)
def test_jax_takes_our_steps(model, network):
    images, labels = batch_of(32, 8, np.float64)
    rival = jax_sam_step(network, model.init(0, np.float64), images, labels)
    ours = our_step(model, images, labels, "sam")
    np.testing.assert_allclose(losses(rival), losses(ours), **SAME)


@needs_torch
@pytest.mark.parametrize("method", ["sgd", "sam", "asam"])
def test_torch_takes_our_steps(method):
    import torch

    images, labels = batch_of(32, 8, np.float64)
    # PyTorch's images have their channels first, and so have the rows of its first weight.
    rows = np.moveaxis(np.arange(3072).reshape(32, 32, 3), -1, 0).ravel()
    params = mlp((8, 8)).init(0, np.float64)
    params["fc1.weight"] = params["fc1.weight"][rows]
    network = torch_mlp(8).double()
    with torch.no_grad():
        for tensor, leaf in zip(network.parameters(), params_in_order(params), strict=True):
            tensor.copy_(torch.tensor(leaf.T))
    rival = torch_step(network, images, labels, method)
    np.testing.assert_allclose(
        losses(rival), losses(our_step(mlp((8, 8)), images, labels, method)), **SAME
    )


def params_in_order(params):
    return [params[f"fc{k}.{kind}"] for k in (1, 2, 3) for kind in ("weight", "bias")]


@needs_torch
def test_torch_with_channels_last_takes_the_same_steps():
    import torch

    images, labels = batch_of(32, 8, np.float64)
    runs = []
    for channels_last in False, True:
        torch.manual_seed(0)
        network = torch_cnn(CHANNELS)
        runs.append(losses(torch_step(network, images, labels, "sam", channels_last)))
    np.testing.assert_allclose(*runs, **SAME)
