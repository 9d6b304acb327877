"""Measure the loader and the noise against what they can't do without, and print ratios.

    python tests/benchmarks/data_report.py --data-dir FOLDER       half a minute
    python tests/benchmarks/data_report.py --clock cpu             processor time of all threads
    python tests/benchmarks/data_report.py --json ratios.json      the same numbers for programs

FOLDER has cifar-10-batches-py; without it the reading of files is left out. Reading is held against
reading and hashing the same bytes, which is the least that a careful loader does. It uses two
threads: on a machine that is busy with other work it waits for the second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from timing import in_turn

from minisam.data import LabelNoise, augment, channel_statistics, load, standardize, toy
from minisam.data.cifar.layouts import layouts
from minisam.data.cifar.read import read_dataset
from minisam.data.instance_noise import instance_noise
from minisam.data.noise import corrupt

PEAK = """
import re, sys
from minisam.data import load

def peak():  # what Linux has seen since this program began, in bytes
    with open("/proc/self/status") as status:
        return 1024 * int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])

before = peak()
data = load("cifar10", sys.argv[1])
arrays = sum(a.nbytes for split in (data.train, data.test) for a in split if a is not None)
print((peak() - before) / arrays)
"""


def reading(options):
    """All of CIFAR-10, in units of reading and hashing its files; peak memory, of its arrays."""
    (layout,) = layouts("cifar10", "python")
    folder = Path(options.data_dir) / layout.folders[0]
    files = [folder / name for name in (*layout.train, layout.test, *layout.names)]
    algorithms = [layout.hashes[path.name].split(":")[0] for path in files]

    def read_and_hash():
        for path, algorithm in zip(files, algorithms, strict=True):
            hashlib.new(algorithm, path.read_bytes()).hexdigest()

    candidates = {"load": lambda: read_dataset("cifar10", options.data_dir), "hash": read_and_hash}
    times = in_turn(candidates, options.seconds, least=5, clock=options.clock)
    yield "load CIFAR-10", times.best("load"), "of read and hash", times.ratio("load", "hash")
    peak = subprocess.run(
        [sys.executable, "-c", PEAK, str(options.data_dir)], capture_output=True, check=True
    )
    yield "peak memory", float("nan"), "of the arrays", float(peak.stdout)


def noise(options):
    """Noise on 50,000 labels, in units of drawing a permutation of them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50_000, 32, 32, 3), np.uint8)
    for classes in (10, 100):
        clean = rng.integers(0, classes, 50_000)
        mistaken = np.roll(np.arange(classes), 1)
        matrix = np.full((classes, classes), 1 / classes)
        recipes = {
            "symmetric": LabelNoise("symmetric", 0.4),
            "symmetric, per sample": LabelNoise("symmetric", 0.4, per_sample=True),
            "pair": LabelNoise("pair", 0.4),
            "asymmetric": LabelNoise("asymmetric", 0.4),
            "matrix": LabelNoise("matrix", matrix=matrix),
        }
        candidates = {
            name: lambda recipe=recipe, clean=clean, classes=classes, mistaken=mistaken: corrupt(
                clean, recipe, classes, mistaken
            )
            for name, recipe in recipes.items()
        }
        candidates["permutation"] = lambda: np.random.default_rng(0).permutation(50_000)
        times = in_turn(candidates, options.seconds, clock=options.clock)
        for name in recipes:
            ratio = times.ratio(name, "permutation")
            yield f"{name}, {classes} classes", times.best(name), "permutations", ratio
        start = options.clock()
        instance_noise(images, clean, 0.4, classes)
        seconds = options.clock() - start
        yield f"instance, {classes} classes", 1e3 * seconds, "of the limit of 5 s", seconds / 5


def images(options):
    """Making the toy set, and preparing images, in units of copying what they give."""
    x = toy.toy()[0]
    mean, std = channel_statistics(x)
    z = standardize(x, mean, std)
    rng = np.random.default_rng(0)
    candidates = {
        "standardize 2,000": lambda: standardize(x, mean, std),
        "augment 2,000": lambda: augment(z, rng),
        "channel statistics of 2,000": lambda: channel_statistics(x),
        "copy": z.copy,
    }
    times = in_turn(candidates, options.seconds, clock=options.clock)
    for name in candidates:
        yield name, times.best(name), "copies", times.ratio(name, "copy")
    start = options.clock()
    load("toy")
    seconds = options.clock() - start
    yield "load the toy set", 1e3 * seconds, "of the limit of 2 s", seconds / 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", default=os.environ.get("MINISAM_DATA"))
    parser.add_argument("--seconds", type=float, default=5.0, help="for each comparison")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--json", type=Path, help="write the numbers there as well")
    options = parser.parse_args()
    clock_name = options.clock
    options.clock = {"wall": time.perf_counter, "cpu": time.process_time}[clock_name]
    results = []
    for section in ([reading] if options.data_dir else []) + [noise, images]:
        print(f"\n{section.__doc__}")
        for name, milliseconds, unit, ratio in section(options):
            results.append({"name": name, "ms": milliseconds, "unit": unit, "ratio": ratio})
            print(f"{name:<36} {milliseconds:10.1f} ms {ratio:10.2f} {unit}", flush=True)
    if options.json:
        content = {"clock": clock_name, "numpy": np.__version__, "results": results}
        options.json.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
