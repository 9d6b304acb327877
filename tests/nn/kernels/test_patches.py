import numpy as np
import pytest

from minisam.nn.kernels.patches import output_size, pair, patch_matrices


@pytest.mark.parametrize("channels", [1, 2, 12])
@pytest.mark.parametrize("block_bytes", [1, 3000, 1 << 20])
def test_every_row_is_what_one_output_pixel_sees(channels, block_bytes, monkeypatch):
    """Whole images, single rows of images, and blocks that do not divide the batch."""
    monkeypatch.setattr("minisam.nn.kernels.patches.BLOCK_BYTES", block_bytes)
    x = np.random.default_rng(0).standard_normal((5, 7, 6, channels))
    kernel, stride, padding = (3, 2), (2, 1), (1, 1)
    output = output_size(x.shape[1:3], kernel, stride, padding)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    seen = np.zeros((5, *output))
    for (images, rows), matrix in patch_matrices(x, kernel, stride, padding, output):
        number, height = seen[images, rows].shape[:2]
        matrix = matrix.reshape(number, height, output[1], 3, 2, channels)
        for n, i, j in np.ndindex(number, height, output[1]):
            top, left = stride[0] * (rows.start + i), stride[1] * j
            window = padded[images.start + n, top : top + 3, left : left + 2]
            np.testing.assert_array_equal(matrix[n, i, j], window)
        seen[images, rows] += 1
    np.testing.assert_array_equal(seen, 1)


def test_bad_arguments_are_named():
    with pytest.raises(
        ValueError, match=r"kernel of \(5, 5\) does not fit into images of \(3, 3\)"
    ):
        output_size((3, 3), (5, 5), (1, 1), (0, 0))
    with pytest.raises(ValueError, match="stride must be at least 1, got 0"):
        pair(0, "stride", 1)
    with pytest.raises(ValueError, match="padding must be an integer or a pair"):
        pair(1.5, "padding", 0)
