import itertools
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from minisam.data import load
from minisam.experiments.statistics import Interval
from minisam.plots import (
    COLOURS,
    colour,
    curve_with_band,
    curve_with_interval,
    dots_by_method,
    images_by_class,
    level_with_band,
    picture,
    step_from_above,
    transition_matrix,
)


def luminance(shade):
    """Relative luminance of the WCAG, from 0 to 1."""
    channels = [int(shade[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_method_has_a_colour_of_its_own():
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert colour("SAM") != colour("unknown")


def test_the_main_methods_differ_in_brightness_too():
    """So that they are told apart in black and white."""
    values = sorted(luminance(colour(method)) for method in ("SGD", "SAM", "ASAM"))
    assert min(b - a for a, b in itertools.pairwise(values)) > 0.05


def test_a_picture_is_written_whole_or_not_at_all(tmp_path):
    def broken():
        with picture(tmp_path / "a.png") as figure:
            figure.subplots()
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        broken()
    assert list(tmp_path.iterdir()) == []
    for kind, start in ((".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF")):
        with picture(tmp_path / f"a{kind}") as figure:
            figure.subplots().plot([1, 2])
        assert (tmp_path / f"a{kind}").read_bytes().startswith(start)


def test_matplotlib_is_imported_only_to_draw():
    code = "import sys, minisam.plots; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_curves_show_their_intervals(tmp_path):
    intervals = [Interval(1.0, 0.5, 2.0, 3), Interval(2.0, 1.0, 3.0, 3)]
    with picture(tmp_path / "a.png") as figure:
        axes = figure.subplots()
        curve_with_interval(axes, [1, 2], intervals, "SAM", label="other")
        (container,) = axes.containers
        assert container.get_label() == "other"
        assert container.lines[0].get_color() == colour("SAM")
        ends = [segment[:, 1].tolist() for segment in container.lines[2][0].get_segments()]
        assert ends == [[0.5, 2.0], [1.0, 3.0]]


def test_dots_run_from_top_to_bottom(tmp_path):
    means = {"SGD": Interval(1.0, 0.5, 1.5, 3), "SAM": Interval(2.0, 1.5, 2.5, 3)}
    with picture(tmp_path / "a.png") as figure:
        axes = figure.subplots()
        dots_by_method(axes, means, means)
        assert [label.get_text() for label in axes.get_yticklabels()] == ["SGD", "SAM"]
        assert axes.yaxis_inverted()


@pytest.mark.fault("file-written", "plots.picture")
@pytest.mark.parametrize("name", ["a.xyz", "a.bin"])
def test_a_format_that_matplotlib_does_not_know_leaves_nothing(name, tmp_path):
    with pytest.raises(ValueError, match="not supported"), picture(tmp_path / name) as figure:
        figure.subplots()
    assert list(tmp_path.iterdir()) == []


def test_the_transition_matrix_shows_every_number():
    matrix = np.array([[0.6, 0.4, 0], [0.004, 0.996, 0], [np.nan, np.nan, np.nan]])
    figure = Figure()
    transition_matrix(figure, matrix, ("a", "b", "c"), "title")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["60", "40", "<1", "100"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("given label", "true class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.get_title() == "title"


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_any_number_of_classes_is_drawn(classes, tmp_path):
    with picture(tmp_path / "a.png") as figure:
        transition_matrix(figure, np.eye(classes), tuple(map(str, range(classes))), "")
    assert bool(figure.axes[0].texts) == (classes <= 20)


def test_images_are_drawn_in_the_column_of_their_class(tmp_path):
    train = load("toy", train_size=30, test_size=1).train
    names = ("disc", "square", "diamond")
    with picture(tmp_path / "a.png") as figure:
        images_by_class(figure, train.images, train.labels, names, rows=2)
    (axes,) = figure.axes
    sheet = axes.images[0].get_array()
    assert sheet.shape == (2 * 34, 3 * 34, 3)
    for label in range(3):
        for row, index in enumerate(np.flatnonzero(train.labels == label)[:2]):
            part = sheet[34 * row + 1 : 34 * row + 33, 34 * label + 1 : 34 * label + 33]
            assert np.array_equal(part, train.images[index])
    assert [text.get_text() for text in axes.get_xticklabels()] == list(names)


def test_a_class_without_enough_images_leaves_white():
    figure = Figure()
    images_by_class(figure, np.zeros((1, 4, 4, 3), np.uint8), np.array([0]), ("a", "b"), rows=2)
    sheet = figure.axes[0].images[0].get_array()
    assert sheet[1:5, 1:5].max() == 0
    assert sheet[6:].min() == sheet[:, 6:].min() == 255


def test_a_level_and_a_curve_show_their_intervals_in_the_methods_colour():
    axes = Figure().subplots()
    level_with_band(axes, Interval(2.0, 1.0, 3.5, 4), "SAM")
    (line,) = axes.lines
    assert (line.get_label(), line.get_color(), set(line.get_ydata())) == (
        "SAM", colour("SAM"), {2.0},
    )  # fmt: skip
    box = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (box.y0, box.y1) == pytest.approx((1.0, 3.5))
    curve_with_band(axes, [Interval(1.0, 0.0, 2.0, 3)] * 2, "SGD", "SGD, again")
    curve = axes.lines[1]
    assert (curve.get_label(), curve.get_color()) == ("SGD, again", colour("SGD"))
    assert list(curve.get_xdata()) == [1, 2]


def test_a_step_from_above_leads_where_sgd_and_sam_go():
    axes = Figure().subplots()
    a, b, d1, d2 = np.array([[3.0, 1.0], [3.3, 1.4], [3.0, 4.0], [3.3, 5.6]])
    step_from_above(axes, a, b, d1, d2, lr=0.25, shown=0.5)
    arrows = [text for text in axes.texts if not text.get_text()]
    ends = [tuple(np.round(arrow.xy, 12)) for arrow in arrows]
    assert ends == [(3.3, 1.4), (4.5, 3.0), (2.25, 0.0), (4.95, 4.2), (2.175, -0.4)]
    assert [tuple(arrow.get_position()) for arrow in arrows] == [
        (3.0, 1.0), (3.0, 1.0), (3.0, 1.0), (3.3, 1.4), (3.0, 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rho", "lr", "slope"), [(0.0, 0.25, 1.0), (0.5, 0.0, 1.0), (0.0, 0.25, 0.0)]
)
def test_a_step_that_goes_nowhere_is_drawn_too(rho, lr, slope, tmp_path):
    a, d1 = np.array([3.0, 1.0]), slope * np.array([3.0, 4.0])
    with picture(tmp_path / "a.png") as figure:
        step_from_above(figure.subplots(), a, a + rho * d1 / 5, d1, d1, lr)
    assert all(np.isfinite(text.get_position()).all() for text in figure.axes[0].texts)
