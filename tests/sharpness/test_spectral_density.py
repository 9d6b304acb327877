import numpy as np
import pytest
from tiny_network import tiny_mean_loss, tiny_params

from minisam.sharpness.hessian import dense_hessian, flat_hessian, hessian_product
from minisam.sharpness.spectral_density import spectral_density


def test_the_rule_integrates_polynomials_of_a_network_hessian():
    w = tiny_params()
    spectrum = np.linalg.eigvalsh(dense_hessian(tiny_mean_loss, w))
    hessian = flat_hessian(hessian_product(tiny_mean_loss, w), w)
    found = spectral_density(hessian.matvec, hessian.size, np.random.default_rng(0), 200, 10)
    for degree in (1, 2, 3):
        # (1/n) tr Hᵈ as the mean of vᵀHᵈv over 200 unit vectors, each of variance about 2 tr H²ᵈ/n²
        error = np.sqrt(2 * np.sum(spectrum ** (2 * degree)) / len(spectrum) ** 2 / 200)
        assert abs(found.weights @ found.nodes**degree - np.mean(spectrum**degree)) < 5 * error


def test_the_density_is_the_smoothed_spectrum():
    spectrum = np.repeat([-1.0, 0.0, 2.0], [100, 300, 200])
    found = spectral_density(
        lambda v: spectrum * v, 600, np.random.default_rng(0), probes=100, steps=3, width=0.05
    )
    kernel = np.exp(-0.5 * ((found.grid[:, None] - spectrum) / 0.05) ** 2)
    exact = kernel.mean(axis=1) / (0.05 * np.sqrt(2 * np.pi))
    # the mass of each cluster is a Beta variable of variance about 2 p (1 - p) / n per probe
    assert np.abs(found.density - exact).max() < 5 * np.sqrt(2 * 0.25 / 600 / 100) * 8
    mass = found.density.sum() * (found.grid[1] - found.grid[0])
    assert mass == pytest.approx(1.0, abs=1e-3)


def test_weights_sum_to_one_and_nodes_stay_inside_the_spectrum():
    spectrum = np.linspace(-1, 3, 50)
    found = spectral_density(lambda v: spectrum * v, 50, np.random.default_rng(0), 5, 12)
    assert found.weights.sum() == pytest.approx(1.0)
    assert found.nodes.min() >= -1 - 1e-12
    assert found.nodes.max() <= 3 + 1e-12
    assert found.width == pytest.approx(0.01 * (found.nodes.max() - found.nodes.min()))


@pytest.mark.fault("same-elsewhere", "spectral_density")
@pytest.mark.parametrize("factor", [2.0, 0.3, -7e5])
def test_a_multiple_of_the_identity_is_one_peak(factor):
    n = 50  # so that the probes' nodes, ⟨q, Hq⟩ in n roundings, do not come out equal
    found = spectral_density(lambda v: factor * v, n, np.random.default_rng(0), 20, 5)
    assert found.nodes == pytest.approx(factor, rel=(2 * n + 5) * 2.0**-53)
    assert found.width == pytest.approx(0.01 * max(abs(factor), 1.0))
    spacing = found.grid[1] - found.grid[0]
    assert found.grid[np.argmax(found.density)] == pytest.approx(factor, abs=spacing)


@pytest.mark.fault("stated-accuracy", "sharpness.spectral_density")
@pytest.mark.parametrize("points", [10, 50, 1000])
def test_the_density_integrates_to_one_wherever_it_is_given(points):
    """The sum over a grid of step h ≤ σ misses 2 exp(−2π²) of a Gaussian, 4 σ cut off 7e-5."""
    spectrum = np.repeat([-1.0, 0.0, 2.0], [10, 30, 20])
    rng = np.random.default_rng(0)
    least = 3 / (points - 9)
    for width in (None, least * (1 + 1e-9), 2 * least):
        found = spectral_density(lambda v: spectrum * v, 60, rng, 5, 3, width, points)
        mass = found.density.sum() * (found.grid[1] - found.grid[0])
        assert mass == pytest.approx(1, abs=1e-4)
        assert found.width == pytest.approx(max(0.03, least) if width is None else width)


@pytest.mark.fault("stated-accuracy", "sharpness.spectral_density")
def test_a_width_that_the_grid_cannot_carry_is_refused():
    """1,000 points from 0 to 1, of a step of 1/991 with σ beyond each end: none shows σ = 1e-4."""
    spectrum, rng = np.array([0.0, 1.0]), np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"width must be at least 0.00101 for 1000 points to show"):
        spectral_density(lambda v: spectrum * v, 2, rng, width=1e-4)
    with pytest.raises(ValueError, match=r"width must be at least 4.44e-07 for 1000 points"):
        spectral_density(lambda v: 2e6 * v, 5, rng, probes=1, width=1e-9)  # rounding of 2e6
    spectral_density(lambda v: spectrum * v, 2, rng, width=1e-4, points=10010)


@pytest.mark.fault("special-value", "sharpness.spectral_density")
def test_no_curvature_is_one_peak_at_zero():
    found = spectral_density(lambda v: 0 * v, 5, np.random.default_rng(0))
    assert found.grid[np.argmax(found.density)] == pytest.approx(0, abs=found.width)
    with pytest.raises(ValueError, match="width must be at least"):
        spectral_density(lambda v: 0 * v, 5, np.random.default_rng(0), width=5e-324)


@pytest.mark.fault("option-value", "sharpness.spectral_density")
def test_bad_input_is_named():
    rng = np.random.default_rng(0)
    for bad in (0, -1, 2.0, True, "2", None):
        for name, low in (("probes", 1), ("points", 10), ("steps", 1)):
            with pytest.raises(
                ValueError, match=f"{name} must be a whole number of at least {low}"
            ):
                spectral_density(lambda v: v, 5, rng, **{name: bad})
        with pytest.raises(ValueError, match="size must be a whole number of at least 1"):
            spectral_density(lambda v: v, bad, rng)
    for width in (-1.0, 0.0, np.nan, np.inf, "1", True):
        with pytest.raises(ValueError, match="width must be positive, got "):
            spectral_density(lambda v: v, 5, rng, width=width)
