import pytest

from minisam.experiments.claims.inductive_bias import MODELS, fall, guessing, run, table, verdict
from minisam.experiments.study import Scale
from minisam.experiments.trial import MODELS as NETWORKS
from minisam.nn.layers import parameter_count

GAINS = {"mlp": 6.0, "mixer": 4.0, "vit": 2.0, "cnn": -1.0}


def made_up(stuck=()):
    """Return cells in which SAM's gain falls from network to network, and some runs are stuck."""

    def cells(grid, function=None):
        results = []
        for s in grid:
            sam = s.get("optimizer") == "sam"
            last = 60.0 + s["seed"] + GAINS[s["model"]] * sam
            if sam and (s["model"], s["seed"]) in stuck:
                last = 9.9
            results.append({"last": last, "validation": last, "parameters": 30_000})
        return results

    return cells


def test_the_networks_are_of_like_size():
    sizes = [
        parameter_count(NETWORKS[special["model"]](**special["model_options"]).init(0))
        for special in MODELS.values()
    ]
    assert min(sizes) > 20_000
    assert max(sizes) < 33_000


def test_the_verdict_is_on_the_gain_of_the_mlp_over_that_of_the_cnn():
    results = run(made_up(), Scale("toy", (0, 1, 2)))
    assert fall(results).value == pytest.approx(7.0)
    said = verdict(results)
    assert said == "shows: the MLP gains +7.0 ± 0.0 (n=3) points more than the CNN"
    rows = table(results)
    assert [row[0] for row in rows[1:]] == list(MODELS)
    assert rows[2][2:] == [
        "61.0 ± 2.5 (n=3)", "65.0 ± 2.5 (n=3)", "+4.00 ± 0.00 (n=3)", "0, 0",
    ]  # fmt: skip


def test_runs_that_never_left_the_start_are_counted():
    results = run(made_up({("cnn", 0), ("cnn", 2)}), Scale("toy", (0, 1, 2)))
    assert [run["seed"] for run in guessing(results, "SAM", "CNN")] == [0, 2]
    assert verdict(results).endswith("(runs with SAM that never left the start: 2 of CNN)")
    assert table(results)[-1][-1] == "0, 2"
    of_a_hundred = run(made_up({("cnn", 0)}), Scale("cifar100", (0, 1, 2)))
    assert not guessing(of_a_hundred, "SAM", "CNN")
