"""Measure everything against its rivals and limits, and print a table of ratios.

    python tests/benchmarks/report.py                       all of it, ten minutes
    python tests/benchmarks/report.py --only steps memory   some sections
    python tests/benchmarks/report.py --only best --seconds 3    SAM steps against the best rival
    python tests/benchmarks/report.py --seconds 0.2         each comparison for so long
    python tests/benchmarks/report.py --threads 1 2         all of it, with one thread and with two
    python tests/benchmarks/report.py --only scaling --large   up to 8 GB, a quarter of an hour
    python tests/benchmarks/report.py --json ratios.json    the same numbers for programs

Every ratio is the median over rounds in which the candidates took turns, with the same number of
threads: that of OPENBLAS_NUM_THREADS, or all. A machine that is busy with other work slows whoever
waits for two threads: run it on a quiet one, or with one thread and ``--clock cpu``, which counts
processor time only.
"""

from __future__ import annotations

import argparse
import cProfile
import ctypes
import inspect
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.rivals import HAS_SCIPY, autograd_lenet, cnn_products, mlp_products
from benchmarks.rivals_jax import HAS_JAX, convolutional_network, dense_network, jax_sam_step
from benchmarks.rivals_torch import (
    CAN_COMPILE,
    HAS_TORCH,
    torch_cnn,
    torch_mlp,
    torch_step,
    torch_with_same_threads,
)
from benchmarks.timing import exponent, in_turn

from minisam.blas import openblas
from minisam.data.batches import channel_statistics, minibatches, standardize
from minisam.nn.gradients import training_objective
from minisam.nn.kernels import activations, normalization, pooling
from minisam.nn.kernels import convolution as conv
from minisam.nn.kernels import dense as primitives
from minisam.nn.kernels.memory import keep_memory
from minisam.nn.layers import tanh
from minisam.nn.losses import cross_entropy, softmax_cross_entropy
from minisam.nn.models import cnn, mixer, mlp, resnet
from minisam.nn.models.model import without_statistics
from minisam.optim import asam, sam, sgd
from minisam.sharpness.hessian import hessian_product
from minisam.threads import workers

CNNS = {
    "cnn 16-pool-32": ((16,), (32,)),
    "cnn 32-32-pool-64": ((32, 32), (64,)),
    "cnn 64-64-pool-128": ((64, 64), (128,)),
}
DTYPES = {"float32": np.float32, "float64": np.float64}


def batch_of(size: int, batch: int, dtype, channels: int = 3):
    rng = np.random.default_rng(0)
    images = rng.standard_normal((batch, size, size, channels)).astype(dtype)
    return images, rng.integers(0, 10, batch)


def our_step(model, images, labels, method="gradient"):
    params, statistics = model.init(0, images.dtype), model.initial_statistics()
    objective = training_objective(model, cross_entropy, images, labels, statistics)
    if method == "gradient":
        return lambda: objective(params)
    base = sgd(lr=0.01, momentum=0.9)
    optimizer = {"sgd": base, "sam": sam(base, rho=0.05), "asam": asam(base, rho=0.05)}[method]
    run = [params, optimizer.init(params)]

    def step():
        run[0], run[1], seen = optimizer.step(run[0], run[1], objective)
        return seen.loss

    return step


def row(name, times, **rivals):
    """Return one line of the table: our time, and the ratio to each rival that was run."""
    line = {"name": name, "ms": times.best("ours")}
    for label, rival in rivals.items():
        if rival in times.rounds:
            line[label] = times.ratio("ours", rival)
            line[f"{label} (best)"] = times.best_ratio("ours", rival)
    return line


def kernels(options):
    """Each kernel against PyTorch's, and memory-bound ones against a copy of their input."""
    for dtype_name, dtype in DTYPES.items():
        for size, c, o, k in ((32, 3, 32, 3), (32, 32, 32, 3), (16, 32, 64, 3), (16, 16, 16, 7)):
            for kind, candidates in convolutions(size, c, o, k, options.batch, dtype).items():
                times = in_turn(candidates, options.seconds, clock=options.clock)
                name = f"{k}×{k} conv {c}→{o} at {size}, {kind}, {dtype_name}"
                yield row(name, times, torch="torch")
        yield from memory_bound(options, dtype_name, dtype)


def convolutions(size, channels, filters, k, batch, dtype):
    """Return the candidates for each of a convolution's three kernels."""
    x, _ = batch_of(size, batch, dtype, channels)
    w = np.random.default_rng(1).standard_normal((k, k, channels, filters)).astype(dtype)
    stride, padding = (1, 1), (k // 2, k // 2)
    y = conv.convolve(x, w, stride, padding)
    candidates = {
        "forward": {"ours": lambda: conv.convolve(x, w, stride, padding)},
        "input gradient": {
            "ours": lambda: conv.input_gradient(y, w, (size, size), stride, padding)
        },
        "weight gradient": {"ours": lambda: conv.weight_gradient(x, y, (k, k), stride, padding)},
    }
    if HAS_TORCH:
        torch = torch_with_same_threads()
        tx, ty = (torch.tensor(np.moveaxis(a, -1, 1).copy()) for a in (x, y))
        tw = torch.tensor(w.transpose(3, 2, 0, 1).copy())

        def backward(which):
            return torch.ops.aten.convolution_backward(
                ty, tx, tw, None, stride, padding, (1, 1), False, (0, 0), 1, which
            )

        candidates["forward"]["torch"] = lambda: torch.conv2d(tx, tw, padding=padding)
        candidates["input gradient"]["torch"] = lambda: backward((True, False, False))
        candidates["weight gradient"]["torch"] = lambda: backward((False, True, False))
    return candidates


def memory_bound(options, dtype_name, dtype):
    x, labels = batch_of(32, options.batch, dtype, 32)
    y = activations.relu(x)
    pooled = pooling.max_pool(x)
    kernel = (2, 2), (2, 2), (0, 0)
    won = pooling.winners(pooled, x, *kernel)
    a = np.ones(32, dtype)
    logits = np.random.default_rng(2).standard_normal((options.batch, 10)).astype(dtype)
    targets = np.eye(10, dtype=dtype)[labels]
    cases = {
        "relu": (lambda: activations.relu(x), "relu"),
        "relu, gradient": (lambda: activations.gate(x, y), None),
        "max pool 2×2": (lambda: pooling.max_pool(x), "pool"),
        "max pool 2×2, gradient": (lambda: pooling.put_back(pooled, won, (32, 32), *kernel), None),
        "average pool 2×2": (lambda: pooling.average_pool(x), None),
        "batch norm": (lambda: normalization.batch_norm(x, a, a), "norm"),
        "sum over pixels": (lambda: primitives.total(x), None),
        "softmax cross-entropy": (lambda: softmax_cross_entropy(logits, targets), "loss"),
    }
    theirs = {}
    if HAS_TORCH:
        torch = torch_with_same_threads()
        f = torch.nn.functional
        tx, ta = torch.tensor(np.moveaxis(x, -1, 1).copy()), torch.tensor(a)
        tz, tl = torch.tensor(logits), torch.tensor(labels)
        theirs = {
            "relu": lambda: torch.relu(tx),
            "pool": lambda: f.max_pool2d(tx, 2),
            "norm": lambda: f.batch_norm(tx, None, None, ta, ta, training=True),
            "loss": lambda: f.cross_entropy(tz, tl),
        }
    for name, (ours, rival) in cases.items():
        candidates = {"ours": ours, "copy": x.copy}
        if rival in theirs:
            candidates["torch"] = theirs[rival]
        times = in_turn(candidates, options.seconds, clock=options.clock)
        yield row(f"{name}, {dtype_name}", times, torch="torch", copy="copy")


def steps(options):
    """A gradient and whole SGD, SAM and ASAM steps, against PyTorch and the products alone."""
    networks = [
        (f"mlp {w}", mlp((w, w)), partial(torch_mlp, w), partial(mlp_products, w, options.batch))
        for w in options.widths
    ]
    networks += [
        (name, cnn(c), partial(torch_cnn, c), partial(cnn_products, c, options.batch))
        for name, c in CNNS.items()
    ]
    for dtype_name, dtype in DTYPES.items():
        images, labels = batch_of(32, options.batch, dtype)
        for name, model, rival, limit in networks:
            for method in ("gradient", "sgd", "sam", "asam"):
                candidates = {"ours": our_step(model, images, labels, method)}
                if method == "gradient":
                    candidates["products"] = limit(dtype)
                else:
                    candidates["gradient"] = our_step(model, images, labels)
                if HAS_TORCH:
                    candidates["torch"] = torch_step(rival(), images, labels, method)
                times = in_turn(candidates, options.seconds, clock=options.clock)
                yield row(f"{name}, {method}, {dtype_name}", times,
                          torch="torch", products="products", gradients="gradient")  # fmt: skip


def best_of_all(options):
    """A SAM step against the fastest of the rivals, which is named, and its own two gradients.

    PyTorch in its default layout, with channels last, and compiled (absent without a C++ compiler);
    JAX compiled. Medians; the same number of threads; every rival's step in its best form. Each
    network has a process of its own: in memory that others left behind, steps of a CNN may take a
    quarter longer.
    """
    channels = CNNS["cnn 32-32-pool-64"]
    convolutional = partial(convolutional_network, channels)
    networks = {
        f"mlp {w}": (mlp((w, w)), partial(torch_mlp, w), dense_network) for w in options.widths
    }
    networks["cnn 32-32-pool-64"] = cnn(channels), partial(torch_cnn, channels), convolutional
    if options.network is None:
        for name in networks:
            yield from in_its_own_process(name, options)
        return
    model, in_torch, in_jax = networks[options.network]
    for dtype_name, dtype in DTYPES.items():
        images, labels = batch_of(32, options.batch, dtype)
        rivals = {}
        if HAS_TORCH:
            sam_in_torch = partial(torch_step, images=images, labels=labels, method="sam")
            rivals["torch"] = sam_in_torch(in_torch())
            if in_jax is convolutional:
                rivals["channels last"] = sam_in_torch(in_torch(), channels_last=True)
            if CAN_COMPILE:
                rivals["torch.compile"] = sam_in_torch(in_torch(), compiled=True)
        if HAS_JAX:
            rivals["jax"] = jax_sam_step(in_jax, model.init(0, dtype), images, labels)
        own = {"ours": our_step(model, images, labels, "sam")}
        own["gradient"] = our_step(model, images, labels)
        times = in_turn(own | rivals, options.seconds, clock=options.clock)
        yield against_the_best(f"{options.network}, sam, {dtype_name}", times, list(rivals))


def in_its_own_process(network: str, options) -> list[dict]:
    """Return the lines of `best_of_all` for one network."""
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "best.json"
        command = [sys.executable, __file__, "--only", "best", "--network", network]
        command += ["--seconds", str(options.seconds), "--batch", str(options.batch)]
        command += ["--widths", *map(str, options.widths), "--json", str(part)]
        if options.clock is time.process_time:
            command += ["--clock", "cpu"]
        subprocess.run(command, check=True, capture_output=True)
        return json.loads(part.read_text())["best"]


def against_the_best(name, times, rivals):
    """Return one line of the table: medians, and our time in units of the fastest rival's."""
    line = {"name": name, "ms": times.median("ours")}
    line |= {f"{rival} ms": times.median(rival) for rival in rivals}
    line["gradients"] = times.ratio("ours", "gradient")
    if rivals:
        best = min(rivals, key=times.median)
        line |= {"of the best": times.ratio("ours", best), "best": best}
    return line


def updates(options):
    """An optimizer's own arithmetic, against a copy of the weights and its passes with nothing new.

    The gradients are there already. Bare are the same NumPy operations into arrays that are reused,
    which an optimizer cannot do that hands out every intermediate and never changes what it got.
    """
    rng = np.random.default_rng(0)
    for width in options.widths:
        params = mlp((width, width)).init(0)
        grads = {k: rng.standard_normal(w.shape).astype(w.dtype) for k, w in params.items()}
        base = sgd(lr=0.01, momentum=0.9)
        for name, optimizer in {"sgd": base, "sam": sam(base), "asam": asam(base)}.items():
            run = [params, optimizer.init(params)]

            def ours(run=run, optimizer=optimizer, grads=grads):
                run[0], run[1], _ = optimizer.step(run[0], run[1], lambda w: (0.0, grads))

            spare = {k: w.copy() for k, w in params.items()}
            candidates = {
                "ours": ours,
                "copy": lambda params=params, spare=spare: [
                    np.copyto(spare[k], w) for k, w in params.items()
                ],
                "bare": bare_passes(name, params, grads),
            }
            times = in_turn(candidates, options.seconds, clock=options.clock)
            yield row(f"mlp {width}, {name} without gradients", times, bare="bare", copy="copy")


def bare_passes(method: str, params, grads):
    """Return an update's passes over its arrays: norm, climb, velocity, weights, all in place."""
    w, v, e, b, t = ({k: leaf.copy() for k, leaf in params.items()} for _ in range(5))

    def passes():
        for k, g in grads.items():
            if method == "asam":
                np.abs(w[k], out=t[k])
                t[k] += 0.01
                g = np.multiply(t[k], g, out=e[k])
            if method != "sgd":
                np.vdot(g, g)
                np.multiply(0.05, g, out=e[k])
            if method == "asam":
                e[k] *= t[k]
            if method != "sgd":
                np.add(w[k], e[k], out=b[k])
            v[k] *= 0.9
            v[k] += grads[k]
            np.multiply(-1e-9, v[k], out=t[k])
            w[k] += t[k]

    return passes


def batches(options):
    """An epoch's mini-batches, standardized ahead and gathered, or gathered and standardized."""
    images = np.random.default_rng(0).integers(0, 256, (5000, 32, 32, 3), np.uint8)
    mean, std = channel_statistics(images)
    ahead = standardize(images, mean, std)

    def epoch(get):
        for batch in minibatches(len(images), options.batch, np.random.default_rng(1)):
            get(batch)

    candidates = {
        "ours": lambda: epoch(lambda batch: ahead[batch]),
        "lazily": lambda: epoch(lambda batch: standardize(images[batch], mean, std)),
        "copy": ahead.copy,
    }
    times = in_turn(candidates, options.seconds, clock=options.clock)
    line = row("5000 images, standardized ahead", times, lazily="lazily", copy="copy")
    x, y = batch_of(32, options.batch, np.float32)
    step = in_turn({"step": our_step(cnn(), x, y, "sgd")}, options.seconds, clock=options.clock)
    share = line["ms"] / len(range(0, len(images), options.batch)) / step.best("step")
    yield line | {"of a CNN's SGD step": share}


def lenet():
    """Return autograd's example network in our layers: LeNet with 5×5 kernels and tanh."""
    from minisam.nn.layers import convolution, dense, init_convolution, init_dense, max_pool

    def init(rng, dtype=np.float32):
        rng = np.random.default_rng(rng)
        params = init_convolution(rng, "conv1", 5, 1, 6, dtype)
        params |= init_convolution(rng, "conv2", 5, 6, 16, dtype)
        for name, i, o in ("fc1", 256, 120), ("fc2", 120, 84), ("fc3", 84, 10):
            params |= init_dense(rng, name, i, o, dtype)
        return params

    def forward(params, images):
        x = max_pool(convolution(params, "conv1", images))
        x = max_pool(convolution(params, "conv2", x))
        x = x.reshape((len(images), -1))
        return dense(params, "fc3", dense(params, "fc2", dense(params, "fc1", x, tanh), tanh))

    return without_statistics("lenet", init, forward)


def autograd_network(options):
    """The network of autograd's convolution example, at twice the batch, against that example."""
    if not HAS_SCIPY:
        return
    for dtype_name, dtype in DTYPES.items():
        images, labels = batch_of(28, 2 * options.batch, dtype, 1)
        rival = autograd_lenet(images, labels)
        times = in_turn(
            {"ours": our_step(lenet(), images, labels), "autograd": rival},
            options.seconds,
            clock=options.clock,
        )
        line = row(f"LeNet, gradient, {dtype_name}", times)
        yield line | {"times faster": times.ratio("autograd", "ours")}


def hessian(options):
    """A Hessian product in units of one gradient, forward pass and trace already done."""
    for dtype_name, dtype in DTYPES.items():
        images, labels = batch_of(32, options.batch, dtype)
        for name, model in {
            "mlp 256": mlp(),
            "cnn 32-32-pool-64": cnn(),
            "resnet 16": resnet(),
            "mixer 64": mixer(),
        }.items():
            params = model.init(0, dtype)
            statistics = model.initial_statistics()

            def loss(p, model=model, statistics=statistics, images=images, labels=labels):
                return cross_entropy(model.apply_training(p, images, statistics)[0], labels)

            product = hessian_product(loss, params)
            times = in_turn(
                {
                    "ours": lambda product=product, params=params: product(params),
                    "gradient": our_step(model, images, labels),
                },
                options.seconds,
                clock=options.clock,
            )
            yield row(f"{name}, Hessian product, {dtype_name}", times, gradients="gradient")


def scaling(options):
    """The fitted power with which a gradient's time grows, and the process's peak memory so far."""
    large, batch = options.large, options.batch
    widths = (256, 512, 1024, 2048) + ((4096, 8192) if large else ())
    channels = (16, 32, 64) + ((128, 256) if large else ())
    sizes = (32, 64, 128, 256) + ((512, 1024, 2048, 4096, 8192) if large else ())
    sides = (16, 32, 64) + ((128, 256) if large else ())
    series = {
        "mlp, width": [(w, mlp((w, w)), 32, batch) for w in widths],
        "mlp, batch": [(b, mlp(), 32, b) for b in sizes],
        "cnn, channels": [(c, cnn(((c, c), (2 * c,))), 32, batch) for c in channels],
        "cnn, batch": [(b, cnn(), 32, b) for b in sizes],
        "cnn, image side": [(s, cnn(input_shape=(s, s, 3)), s, batch // 2) for s in sides],
    }
    for name, points in series.items():
        best = []
        for size, model, side, count in points:
            step = our_step(model, *batch_of(side, count, np.float32))
            times = in_turn({"ours": step}, options.seconds / len(points), clock=options.clock)
            best.append(times.best("ours"))
            if large:
                yield {"name": f"{name} {size}", "ms": best[-1], "peak MB": peak_megabytes()}
        span = f"{points[0][0]}…{points[-1][0]}"
        places = [size for size, *_ in points]
        yield {
            "name": f"{name} {span}",
            "ms": best[-1],
            "exponent": exponent(places, best),
            "last exponent": exponent(places[-2:], best[-2:]),
            "peak MB": peak_megabytes(),
        }


MEMORY_CASES = ["mlp 1024", "cnn 32-32-pool-64", "cnn 64-64-pool-128"]


def peak_memory(options):
    """Peak memory that three SAM steps add to the process, ours and PyTorch's, each in its own."""
    for name in MEMORY_CASES:
        used = {}
        for who in ("ours", "torch") if HAS_TORCH else ("ours",):
            command = [sys.executable, __file__, "--memory-of", who, name]
            command += ["--batch", str(options.batch)]
            used[who] = float(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout
            )
        line = {"name": f"{name}, SAM, float32", "MB": used["ours"]}
        if "torch" in used:
            line["torch MB"] = used["torch"]
            line["torch"] = used["ours"] / used["torch"]
        yield line


def memory_of(who: str, name: str, batch: int) -> float:
    """Return by how many MB three SAM steps raise the peak of a process after a small step."""
    channels = CNNS.get(name)

    def make(width, channels, batch):
        images, labels = batch_of(32, batch, np.float32)
        if who == "ours":
            return our_step(
                cnn(channels) if channels else mlp((width, width)), images, labels, "sam"
            )
        network = torch_cnn(channels) if channels else torch_mlp(width)
        return torch_step(network, images, labels, "sam")

    make(4, ((4,),) if channels else None, 2)()
    before = peak_megabytes()
    step = make(1024, channels, batch)
    for _ in range(3):
        step()
    return peak_megabytes() - before


def peak_megabytes() -> float:
    """Return the most memory this process had; `ru_maxrss` would count its parent's as well."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise OSError("peak memory is measured on Linux only")


def profile(options):
    """Where a gradient's time goes: the products alone, then each module's share of the profile.

    A module's share holds the NumPy functions that it calls as operators; those that have a Python
    wrapper are NumPy's own line. It is what the main thread did, waiting for others included.
    """
    images, labels = batch_of(32, options.batch, np.float32)
    networks = [(f"mlp {w}", mlp((w, w)), partial(mlp_products, w)) for w in options.widths]
    networks += [(name, cnn(c), partial(cnn_products, c)) for name, c in list(CNNS.items())[:2]]
    for name, model, products in networks:
        step = our_step(model, images, labels)
        candidates = {"ours": step, "products": products(options.batch, np.float32)}
        times = in_turn(candidates, options.seconds, clock=options.clock)
        alone = times.best("products")
        yield {
            "name": f"{name}: the products alone",
            "ms": alone,
            "share": times.ratio("products", "ours"),
        }
        recorder = cProfile.Profile()
        recorder.enable()
        for _ in range(5):
            step()
        recorder.disable()
        own: Counter[str] = Counter()
        for (file, _, _), (_, _, seconds, _, _) in pstats.Stats(recorder).stats.items():
            own[module_of(file)] += seconds
        for module, seconds in own.most_common(6):
            share = seconds / own.total()
            yield {"name": f"{name}: {module}", "ms": share * times.best("ours"), "share": share}


def module_of(file: str) -> str:
    """Return whose code a function of the profile is: ours by module, others' by package."""
    parts = Path(file).with_suffix("").parts
    if "minisam" in parts:
        return ".".join(parts[len(parts) - 1 - parts[::-1].index("minisam") :])
    return next((p for p in parts if p in ("autograd", "numpy")), "Python and NumPy, built in")


SECTIONS = {
    "kernels": kernels,
    "steps": steps,
    "best": best_of_all,
    "updates": updates,
    "batches": batches,
    "autograd": autograd_network,
    "hessian": hessian,
    "memory": peak_memory,
    "scaling": scaling,
    "profile": profile,
}


def blas_kernel() -> str:
    corename = openblas("get_corename")
    if corename is None:
        return "not OpenBLAS"
    corename.restype = ctypes.c_char_p
    return corename().decode()


def format_line(line: dict) -> str:
    shown = {k: v if isinstance(v, str) else f"{v:.3g}" for k, v in line.items()}
    numbers = [f"{k} {v}" for k, v in shown.items() if k != "name"]
    return f"{line['name']:<52} " + "  ".join(f"{n:<16}" for n in numbers)


def with_threads(counts: list[int], arguments: list[str]) -> dict:
    """Run the report once for each number of threads, which a process has to begin with."""
    results = {}
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", nargs="+")
    parser.add_argument("--json", type=Path)
    own, rest = parser.parse_known_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            part = Path(folder) / f"{count}.json"
            variables = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), str(count))
            command = [sys.executable, __file__, *rest, "--json", str(part)]
            subprocess.run(command, env=os.environ | variables, check=True)
            results[f"{count} threads"] = json.loads(part.read_text())
    if own.json:
        own.json.write_text(json.dumps(results, indent=1))
    return results


def main(arguments=None) -> dict:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--seconds", type=float, default=1.0, help="for each comparison")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--widths", type=int, nargs="+", default=[128, 256, 1024, 2048])
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--threads", type=int, nargs="+", help="all of it with each such number")
    parser.add_argument("--large", action="store_true", help="scaling up to what fits 8 GB")
    parser.add_argument("--json", type=Path, help="write the numbers there as well")
    parser.add_argument("--network", help="the only one that is held against the best rival")
    parser.add_argument("--memory-of", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.threads:
        return with_threads(options.threads, sys.argv[1:] if arguments is None else arguments)
    keep_memory()  # as training does
    options.clock = {"wall": time.perf_counter, "cpu": time.process_time}[options.clock]
    if options.memory_of:
        print(memory_of(*options.memory_of, options.batch))
        return {}
    torch_version = __import__("torch").__version__ if HAS_TORCH else "absent"
    print(f"NumPy {np.__version__}, OpenBLAS kernel {blas_kernel()}, {workers()} threads, "
          f"torch {torch_version}, batch {options.batch}")  # fmt: skip
    print("Ratios are our time in units of the column's: below 1 is faster.")
    results = {}
    for name in options.only:
        print(f"\n{name}: {inspect.cleandoc(SECTIONS[name].__doc__)}")
        results[name] = []
        for line in SECTIONS[name](options):
            results[name].append(line)
            print(format_line(line), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return results


if __name__ == "__main__":
    main()
