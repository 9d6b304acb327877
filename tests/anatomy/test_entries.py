import numpy as np
import pytest

from minisam.anatomy.entries import (
    centred,
    clipped,
    entries_of,
    in_reverse,
    of_each_row,
    with_spectral_norms,
)


def test_a_row_of_zeros_stays_and_every_other_has_length_one():
    rows = of_each_row(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_array_equal(rows, [[0.6, 0.8], [0.0, 0.0]])
    assert [float(of_each_row(np.array(x))) for x in (-2.0, 0.0)] == [-1.0, 0.0]


def test_entries_are_clipped_or_centred_by_themselves():
    np.testing.assert_array_equal(clipped(np.array([-3.0, 0.5, 2.0])), [-1.0, 0.5, 1.0])
    np.testing.assert_array_equal(centred(np.array([1.0, 2.0, 6.0])), [-2.0, -1.0, 3.0])


def test_what_changes_places_keeps_the_shapes_of_the_places():
    tree = {"w": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([5.0, 6.0])}
    moved = in_reverse(tree)
    np.testing.assert_array_equal(moved["w"], [[5.0, 6.0], [5.0, 6.0]])
    np.testing.assert_array_equal(moved["b"], [1.0, 2.0])
    np.testing.assert_array_equal(entries_of(tree, ["b"]), [5.0, 6.0])


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_not_finite_has_no_spectral_norm(odd):
    assert np.isnan(with_spectral_norms({"w": np.array([[odd, 0.0], [0.0, 1.0]])}))
