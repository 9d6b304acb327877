"""Random options of `minisam data`, for a minute: each an answer, or one line of error."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from fuzzing import SECONDS

from minisam.cli.main import main
from minisam.data.cifar.write import write_dataset

FILES = ("T.csv", "bad.csv", "empty.npy", "labels.npy", "page.npz", "folder", "none.npy", "~x", "")
NUMBERS = (
    "0",
    "1",
    "-1",
    "5",
    "12",
    "0.4",
    "1e400",
    "nan",
    "-0",
    "1e-320",
    "x",
    "1" + 12 * "0",
    "",
)
PLACES = ("out", "T.csv", "folder", "set", ".", "a/b", "~x/y", "set/cifar-10-batches-py")
VALUES = {
    "--data-dir": (*PLACES, "/nowhere"),
    "--version": ("python", "binary", "x"),
    "--train-size": NUMBERS,
    "--test-size": NUMBERS,
    "--subset-seed": NUMBERS,
    "--unknown-files": (),
    "--picture": ("a.png", "a.xyz", "folder", "", "T.csv/a.png"),
    "--kind": ("symmetric", "pair", "asymmetric", "matrix", "instance", "human", "x"),
    "--rate": NUMBERS,
    "--seed": NUMBERS,
    "--inclusive": (),
    "--per-sample": (),
    "--matrix": FILES,
    "--labels": ("worse", "noisy", "clean", ""),
    "--human-file": FILES,
    "--out": PLACES,
    "--like": ("cifar10", "cifar100"),
    "--as": ("python", "binary"),
    "--force": (),
}
OF_ACTIONS = {"info": list(VALUES)[:7], "noise": [*list(VALUES)[:6], *list(VALUES)[7:16]]}
OF_ACTIONS["write"] = [name for name in VALUES if name != "--picture"]


@pytest.mark.slow
@pytest.mark.fault("option-value", "data info", "data noise", "data write")
def test_options(tmp_path, monkeypatch, toy_data, capfd):
    """Whatever words are given, an answer or one line that says what is wrong."""
    monkeypatch.setenv("MINISAM_DATA", str(tmp_path / "set"))
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)

    def pick(options):
        return options[rng.integers(len(options))]

    end, tried, codes = time.perf_counter() + SECONDS, 0, {0: 0, 2: 0}
    while time.perf_counter() < end:
        if tried % 50 == 0:
            for path in tmp_path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            write_dataset(toy_data, "set")
            np.savetxt("T.csv", np.roll(np.eye(10), 1, axis=1), delimiter=",")
            Path("bad.csv").write_text("1,2\n3")
            Path("empty.npy").write_bytes(b"")
            Path("page.npz").write_bytes(b"<html>")
            np.save("labels.npy", np.arange(50) % 10)
            Path("folder").mkdir()
        action = pick(list(OF_ACTIONS))
        words = ["data", action, pick(["toy", "cifar10", "cifar100", "imagenet32"])]
        if action == "write":
            words += ["--out", pick(PLACES)]
        if words[2] == "toy":
            words += ["--train-size", "12", "--test-size", "5"]
        for option in rng.permutation(OF_ACTIONS[action])[: rng.integers(6)]:
            words += [f"{option}={pick(VALUES[option])}"] if VALUES[option] else [str(option)]
        try:
            code = main(words)
        except SystemExit as stop:  # of argparse
            code = stop.code
            capfd.readouterr()
        said = capfd.readouterr().err
        assert code in codes, words
        assert said.count("\n") == (code == 2 and bool(said)), (words, said)
        codes[code] += 1
        tried += 1
    print(f"options: {tried:,} lines, {codes[0]:,} of them right")
    assert min(codes.values()) > 10
