"""Pictures: what they show is what they were given."""

import numpy as np
import pytest

from minisam.data import load
from minisam.data.pictures import draw_images, draw_transition, save_figure


def test_the_transition_matrix_shows_every_number():
    matrix = np.array([[0.6, 0.4, 0], [0.004, 0.996, 0], [np.nan, np.nan, np.nan]])
    figure = draw_transition(matrix, ("a", "b", "c"), "title")
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["60", "40", "<1", "100"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("given label", "true class")
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.get_title() == "title"


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_any_number_of_classes_is_drawn(classes, tmp_path):
    figure = draw_transition(np.eye(classes), tuple(map(str, range(classes))), "")
    figure.savefig(tmp_path / "x.png")
    assert bool(figure.axes[0].texts) == (classes <= 20)


def test_images_are_drawn_in_the_column_of_their_class(tmp_path):
    train = load("toy", train_size=30, test_size=1).train
    names = ("disc", "square", "diamond")
    figure = draw_images(train.images, train.labels, names, rows=2)
    figure.savefig(tmp_path / "x.png")
    (axes,) = figure.axes
    sheet = axes.images[0].get_array()
    assert sheet.shape == (2 * 34, 3 * 34, 3)
    for label in range(3):
        for row, index in enumerate(np.flatnonzero(train.labels == label)[:2]):
            part = sheet[34 * row + 1 : 34 * row + 33, 34 * label + 1 : 34 * label + 33]
            assert np.array_equal(part, train.images[index])
    assert [text.get_text() for text in axes.get_xticklabels()] == list(names)


def test_a_class_without_enough_images_leaves_white():
    images = np.zeros((1, 4, 4, 3), np.uint8)
    sheet = draw_images(images, np.array([0]), ("a", "b"), rows=2).axes[0].images[0].get_array()
    assert sheet[1:5, 1:5].max() == 0
    assert sheet[6:].min() == sheet[:, 6:].min() == 255


@pytest.mark.fault("file-written", "data.pictures.save_figure")
def test_a_figure_is_saved_in_the_format_of_its_ending(tmp_path):
    figure = draw_images(np.zeros((1, 4, 4, 3), np.uint8), np.array([0]), ("a",))
    for name, start in (("a.png", b"\x89PNG"), ("b", b"\x89PNG"), ("c.pdf", b"%PDF")):
        path = save_figure(figure, tmp_path / "new" / name)
        assert path.read_bytes().startswith(start)
    before = sorted(tmp_path.rglob("*"))
    for name in ("a.xyz", "a.bin"):
        with pytest.raises(ValueError, match="not supported"):
            save_figure(figure, tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before
