"""Options of `minisam data` that only make sense together, or without another, are told so."""

import argparse

import numpy as np
import pytest

from minisam.cli.noise_options import KINDS, OF_NOISE, add_noise, add_source, recipe, source
from minisam.data import LabelNoise
from minisam.data.noise import GOES_WITH, check_noise

VALUES = {
    "--rate": ("0.25",),
    "--seed": ("3",),
    "--inclusive": (),
    "--per-sample": (),
    "--matrix": ("T.csv",),
    "--labels": ("worse",),
    "--human-file": ("x.npz",),
}
NEEDS = {"matrix": ("--matrix", "T.csv"), "human": ("--labels", "worse")}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    np.savetxt(tmp_path / "T.csv", np.roll(np.eye(10), 1, axis=1), delimiter=",")
    monkeypatch.chdir(tmp_path)


def parsed(*words, default=None):
    parser = argparse.ArgumentParser()
    add_source(parser)
    add_noise(parser, default)
    return parser.parse_args(list(map(str, words)))


def test_every_option_of_noise_is_tried_and_every_kind_is_a_kind():
    assert VALUES.keys() == set(OF_NOISE.values())
    assert GOES_WITH.keys() == OF_NOISE.keys()
    assert set(KINDS) == set().union(*GOES_WITH.values())


@pytest.mark.fault("option-alone", "data write")
@pytest.mark.parametrize("option", VALUES)
def test_an_option_of_noise_without_a_kind_is_refused(option):
    """--rate 0.4 alone would leave all labels as they are."""
    with pytest.raises(ValueError, match=rf"^{option} without --kind: say which noise \(symmetric"):
        recipe(parsed("toy", option, *VALUES[option]))
    assert recipe(parsed("toy")) is None


@pytest.mark.fault("option-alone", "data noise", "data write")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("option", VALUES)
def test_an_option_of_noise_goes_with_its_kinds_only(option, kind):
    (name,) = (name for name, other in OF_NOISE.items() if other == option)
    needed = NEEDS.get(kind, ())
    words = (option, *VALUES[option]) if option not in needed else ()
    arguments = parsed("toy", "--kind", kind, *needed, *words)
    if kind in GOES_WITH[name]:
        noise = check_noise(recipe(arguments))
        assert getattr(noise, name) is not None
        assert noise.kind == kind
    else:
        with pytest.raises(ValueError, match=rf"^{option} goes with --kind .*, not .* {kind}$"):
            recipe(arguments)


@pytest.mark.fault("option-alone", "data noise", "data write")
@pytest.mark.parametrize("kind", NEEDS)
def test_what_a_kind_needs_is_asked_for_by_its_option(kind):
    with pytest.raises(ValueError, match=rf"^--kind {kind} needs {NEEDS[kind][0]}$"):
        recipe(parsed("toy", "--kind", kind))


def test_the_options_are_the_recipe():
    words = ("--kind", "symmetric", "--rate", 0.25, "--seed", 3, "--inclusive", "--per-sample")
    assert recipe(parsed(*words)) == LabelNoise("symmetric", 0.25, 3, True, True)
    assert recipe(parsed(default="symmetric")) == LabelNoise("symmetric", 0.4)
    human = recipe(parsed("--kind", "human", "--labels", "worse", "--human-file", "x.npz"))
    assert human == LabelNoise("human", labels="worse", path="x.npz")


@pytest.mark.fault("file-read", "data noise")
def test_a_matrix_of_another_data_set_is_named_with_its_file():
    with pytest.raises(ValueError, match=r"T\.csv is no transition .* of 100 .*got \(10, 10\)"):
        recipe(parsed("cifar100", "--kind", "matrix", "--matrix", "T.csv"))


@pytest.mark.fault("option-alone", "data info", "data noise", "data write")
@pytest.mark.parametrize(
    "words", [("--data-dir", "."), ("--version", "binary"), ("--unknown-files",)], ids=str
)
def test_options_of_files_do_not_go_with_the_toy_set(words):
    """Whoever names a folder and forgets the data set would get toy images."""
    with pytest.raises(ValueError, match=rf"^{words[0]} without effect: the toy set is made"):
        source(parsed(*words), None)


@pytest.mark.fault("option-alone", "data info", "data noise", "data write")
@pytest.mark.parametrize("words", [("cifar10",), ("toy", "--train-size", 10), ()], ids=str)
def test_a_subset_seed_without_a_subset_is_refused(words):
    with pytest.raises(ValueError, match=r"^--subset-seed .* goes with --train-size or --te"):
        source(parsed(*words, "--subset-seed", 1), None)


@pytest.mark.fault("option-alone", "data info", "data noise", "data write")
@pytest.mark.parametrize("size", ["--train-size", "--test-size"])
def test_a_subset_seed_goes_with_a_size(size, cifar10_folder):
    def indices(seed):
        words = ("cifar10", "--data-dir", cifar10_folder, "--unknown-files", size, 5)
        data = source(parsed(*words, "--subset-seed", seed), None)
        return (data.train if size == "--train-size" else data.test).indices.tolist()

    assert indices(0) != indices(1)
