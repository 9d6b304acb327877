import numpy as np
import pytest

from minisam.nn.kernels.patches import SMALL_PRODUCT, output_size, pair, patch_matrices


@pytest.mark.parametrize("channels", [1, 2, 12])
@pytest.mark.parametrize("block_bytes", [1, 3000, 1 << 20])
@pytest.mark.parametrize("small", [10, 20, 40, 1000])
def test_every_row_is_what_one_output_pixel_sees(channels, block_bytes, small, monkeypatch):
    """Rows of images, each image, all, and blocks that do not divide the batch."""
    monkeypatch.setattr("minisam.nn.kernels.patches.small_products", lambda _: small)
    monkeypatch.setattr("minisam.nn.kernels.patches.BLOCK_BYTES", block_bytes)
    x = np.random.default_rng(0).standard_normal((5, 7, 6, channels))
    kernel, stride, padding = (3, 2), (2, 1), (1, 1)
    output = output_size(x.shape[1:3], kernel, stride, padding)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    seen = np.zeros((5, *output))
    for (images, rows), matrix in patch_matrices(x, kernel, stride, padding, output):
        assert matrix.shape[1] <= max(small, output[1])
        assert matrix.nbytes <= max(block_bytes, matrix[0, : output[1]].nbytes)
        number, height = seen[images, rows].shape[:2]
        assert len(matrix) in (1, number)
        matrix = matrix.reshape(number, height, output[1], 3, 2, channels)
        for n, i, j in np.ndindex(number, height, output[1]):
            top, left = stride[0] * (rows.start + i), stride[1] * j
            window = padded[images.start + n, top : top + 3, left : left + 2]
            np.testing.assert_array_equal(matrix[n, i, j], window)
        seen[images, rows] += 1
    np.testing.assert_array_equal(seen, 1)


@pytest.mark.parametrize(
    ("filters", "shape"), [(16, (1, 2048)), (32, (2, 1024)), (512, (1, 64)), (1024, (1, 2048))]
)
def test_blocks_make_small_products_unless_those_were_too_small(filters, shape, monkeypatch):
    """Of two images together, of each, of two rows of one; 36 patches would be too few."""
    monkeypatch.setattr("minisam.nn.kernels.patches.BLOCK_BYTES", 2 * 1024 * 27 * 8)
    x = np.zeros((4, 32, 32, 3))
    blocks = [m for _, m in patch_matrices(x, (3, 3), (1, 1), (1, 1), (32, 32), filters)]
    assert {matrices.shape[:2] for matrices in blocks} == {shape}
    assert (shape[1] * 27 * filters <= SMALL_PRODUCT) == (filters < 1024)


def test_copies_run_along_the_longer_of_patch_and_row():
    for channels, along_patches in (2, False), (3, True):
        x = np.zeros((2, 6, 6, channels))
        for _, (matrix,) in patch_matrices(x, (2, 2), (1, 1), (0, 0), (5, 5)):
            assert matrix.flags.c_contiguous == along_patches != matrix.flags.f_contiguous


def test_bad_arguments_are_named():
    with pytest.raises(
        ValueError, match=r"kernel of \(5, 5\) does not fit into images of \(3, 3\)"
    ):
        output_size((3, 3), (5, 5), (1, 1), (0, 0))
    with pytest.raises(ValueError, match="stride must be at least 1, got 0"):
        pair(0, "stride", 1)
    with pytest.raises(ValueError, match="padding must be an integer or a pair"):
        pair(1.5, "padding", 0)
