import pytest

from minisam.experiments.claims.inductive_bias import (
    MODELS,
    TOLD,
    fall,
    guessing,
    headline,
    run,
    table,
    verdict,
)
from minisam.experiments.runs import models
from minisam.experiments.scale import Scale
from minisam.experiments.search import DECAYS
from minisam.experiments.training import MODELS as NETWORKS
from minisam.nn.layers import parameter_count

GAINS = {"mlp": 6.0, "mixer": 4.0, "vit": 3.0, "cnn": -1.0, "resnet": -1.0}


def made_up(stuck=(), gains=GAINS):
    """Return cells in which SAM's gain falls from network to network, and some runs are stuck."""

    def cells(grid, function=None):
        results = []
        for s in grid:
            sam = s.get("optimizer") == "sam"
            last, train = 60.0 + s["seed"] % 10 + gains[s["model"]] * sam, 99.0
            if sam and (s["model"], s["seed"]) in stuck:
                last, train = 9.9, 10.0
            results.append({"last": last, "validation": last, "parameters": 30_000, "train": train})
        return results

    return cells


def test_the_networks_are_of_like_size():
    sizes = [
        parameter_count(
            NETWORKS[special["model"]](
                **special["model_options"],
                **({} if special["model"] == "resnet" else {"input_shape": (16, 16, 3)}),
            ).init(0)
        )
        for special in MODELS.values()
    ]
    assert min(sizes) > 15_000
    assert max(sizes) < 30_000


def test_the_verdict_is_on_the_rank_correlation_within_a_seed():
    results = run(made_up(), Scale("toy", (0, 1, 2)))
    tied = 5 / 30**0.5  # of six pairs five are in order, and one is a tie of what is told
    assert fall(results).value == pytest.approx(tied)
    assert verdict(results).startswith(
        f"shows: rank correlation of the gain and of what the network is not told, within a seed, "
        f"{tied:+.2f} ± 0.00 (n=3); shows a gain with the MLP: +15."
    )
    assert headline(results).word == "shows"
    rising = {"mlp": -1.0, "mixer": 1.0, "vit": 2.0, "cnn": 5.0, "resnet": 5.0}
    assert headline(run(made_up(gains=rising), Scale("toy", (0, 1)))).word == "opposite"
    rows = table(results)
    assert [row[0] for row in rows[1:]] == ["MLP", "Mixer", "ViT", "CNN"]
    assert rows[2][4:7] == ["61.0 ± 2.5 (n=3)", "65.0 ± 2.5 (n=3)", "+4.00 ± 0.00 (n=3)"]
    assert rows[2][-1] == "0, 0"


def test_on_real_images_the_convolutional_network_is_residual():
    results = run(made_up(), Scale("cifar10", (0, 1)))
    assert models(results) == ["MLP", "Mixer", "ViT", "ResNet"]
    assert {*models(results), "CNN"} == {*MODELS} == {*TOLD}
    assert fall(results).value == pytest.approx(5 / 30**0.5)


def test_sgd_is_searched_among_the_settings_with_which_it_learns_its_labels():
    """And on real images the networks that learn slowly have the epochs to do so."""
    lengths = {}

    def cells(grid, function=None):
        for s in grid:
            lengths.setdefault(s["model"], set()).add(s["epochs"])
        learned = [99.0 if s["weight_decay"] == DECAYS[1] else 60.0 for s in grid]
        return [
            {**found, "train": fit, "validation": 50.0 - fit / 10}
            for found, fit in zip(made_up()(grid), learned, strict=True)
        ]

    for data, slow in ("toy", 20), ("cifar10", 60):
        lengths.clear()
        results = run(cells, Scale(data, (0,)))
        assert {one["SGD"]["weight_decay"] for one in results["chosen"]} == {DECAYS[1]}
        other = "cnn" if data == "toy" else "resnet"
        assert lengths == {"mlp": {20}, "mixer": {slow}, "vit": {slow}, other: {20}}


def test_runs_that_never_left_the_start_are_counted_and_judge_nothing():
    results = run(made_up({("cnn", 0), ("cnn", 2)}), Scale("toy", (0, 1, 2)))
    assert [run["seed"] for run in guessing(results, "SAM", "CNN")] == [0, 2]
    assert verdict(results).endswith("(runs with SAM that never left the start: 2 of CNN)")
    assert headline(results).word == "under-fitted"
    assert table(results)[-1][-1] == "0, 2"
    of_a_hundred = run(made_up({("cnn", 0)}), Scale("cifar100", (0, 1, 2)))
    assert not guessing(of_a_hundred, "SAM", "CNN")
