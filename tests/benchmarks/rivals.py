"""What the networks are measured against: autograd's own convolution, and bare products."""

from __future__ import annotations

import importlib.util

import autograd
import autograd.numpy as anp
import numpy as np

from minisam.threads import over_batch

HAS_SCIPY = importlib.util.find_spec("scipy") is not None


def autograd_lenet(images: np.ndarray, labels: np.ndarray):
    """Return one gradient of a LeNet, conv 5×5 of 6 and 16, 120, 84, 10, in autograd's own ops."""
    from autograd.scipy.signal import convolve

    rng = np.random.default_rng(0)
    shapes = [(1, 6, 5, 5), (6, 16, 5, 5), (256, 120), (120, 84), (84, 10)]
    weights = [0.1 * rng.standard_normal(s) for s in shapes]
    x, onehot = np.moveaxis(images, -1, 1), np.eye(10)[labels]

    def pool(x):
        n, c, h, w = x.shape
        return anp.max(anp.max(anp.reshape(x, (n, c, h // 2, 2, w // 2, 2)), axis=5), axis=3)

    def loss(weights):
        z = x
        for w in weights[:2]:
            z = pool(convolve(z, w, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid"))
        z = anp.reshape(z, (len(images), -1))
        for w in weights[2:4]:
            z = anp.tanh(anp.dot(z, w))
        z = anp.dot(z, weights[4])
        z = z - anp.max(z, axis=1, keepdims=True)
        log_sum = anp.log(anp.sum(anp.exp(z), axis=1, keepdims=True))
        return -anp.sum((z - log_sum) * onehot) / len(images)

    gradient = autograd.grad(loss)
    return lambda: gradient(weights)


def products(shapes, dtype, batch: int | None = None):
    """Return a function that does nothing but products (rows, inner) @ (inner, columns).

    With a ``batch``, each product is cut into that many pieces of rows, which are worked on as the
    kernels work on the parts of a batch: the same piece again and again, so that it is in cache.
    """
    rng = np.random.default_rng(0)
    tasks = []
    for rows, inner, columns in shapes:
        pieces = 1 if batch is None else batch
        a = rng.standard_normal((rows // pieces, inner)).astype(dtype)
        b = rng.standard_normal((inner, columns)).astype(dtype)
        tasks.append((pieces, a, b))

    def run():
        for pieces, a, b in tasks:
            if pieces == 1:
                np.matmul(a, b, out=np.empty((len(a), b.shape[1]), a.dtype))
                continue

            def work(part, a=a, b=b):
                out = np.empty((len(a), b.shape[1]), a.dtype)
                for _ in range(part.start, part.stop):
                    np.matmul(a, b, out=out)

            over_batch(work, pieces, 1 << 30)

    return run


def mlp_products(width: int, batch: int, dtype):
    """Return the products of one gradient of the MLP, without the images' own gradient."""
    layers = [(3072, width), (width, width), (width, 10)]
    shapes = [(batch, i, o) for i, o in layers]
    shapes += [(i, batch, o) for i, o in layers]
    shapes += [(batch, o, i) for i, o in layers[1:]]
    return products(shapes, dtype)


def cnn_products(channels, batch: int, dtype, size: int = 32):
    """Return the products of one gradient of the CNN's convolutions, image by image."""
    shapes, previous = [], 3
    for stage in channels:
        for count in stage:
            pixels, patch = size * size, 9 * previous
            shapes += [(batch * pixels, patch, count), (batch * pixels, patch, count)]
            if previous != 3:
                shapes.append((batch * pixels, 9 * count, previous))
            previous = count
        size //= 2
    return products(shapes, dtype, batch)
