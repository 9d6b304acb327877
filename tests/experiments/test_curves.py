import pytest

from minisam.experiments.curves import at_every_radius, draw_gains, gains_by_radius
from minisam.experiments.scale import Scale
from minisam.plots import picture

SCALE = Scale("toy", (0, 1, 2))
PROBLEMS = [({"noise": noise}, {"noise": noise, "epochs": 2}) for noise in (0.2, 0.4)]
SAM = {"SAM": [{"optimizer": "sam", "rho": rho} for rho in (0.1, 0.2)]}


def cells(grid, function=None):
    """SAM gains 100 ρ points with 40 % noise, and nothing with less."""
    assert {settings["lr"] for settings in grid} == {0.3}
    return [
        {"last": 50.0 + s["seed"] + 100 * s["rho"] * (s["noise"] == 0.4), "train": 99.0,
         "history": [1, 2]}
        for s in grid
    ]  # fmt: skip


def test_every_radius_is_run_on_top_of_the_base_and_keeps_what_a_curve_needs():
    curve = at_every_radius(cells, SCALE, PROBLEMS, [{"lr": 0.3}] * 2, SAM)
    assert len(curve) == 2 * 2 * 3
    assert set(curve[0]) == {"noise", "method", "rho", "seed", "last", "train"}


def test_gains_are_paired_by_seed_at_every_radius(tmp_path):
    curve = at_every_radius(cells, SCALE, PROBLEMS, [{"lr": 0.3}] * 2, SAM)
    runs = [
        {"method": "SGD", "noise": noise, "seed": s, "last": 50.0 + s}
        for noise in (0.2, 0.4)
        for s in SCALE.seeds
    ]
    gains = gains_by_radius(curve, runs, "SAM", noise=0.4)
    assert [gain.value for gain in gains.values()] == [pytest.approx(10), pytest.approx(20)]
    assert all(gain.high - gain.low < 1e-9 for gain in gains.values())  # what seeds share cancels
    assert gains_by_radius(curve, runs, "SAM", noise=0.2)[0.1].value == 0
    with picture(tmp_path / "gains.png") as figure:
        axes = figure.subplots()
        draw_gains(axes, gains, "SAM", chosen=0.2)
        ring = axes.lines[-2]
        assert (list(ring.get_xdata()), ring.get_ydata()[0]) == ([0.2], pytest.approx(20))
