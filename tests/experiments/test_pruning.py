import numpy as np

from minisam.experiments.pruning import hessian_diagonal, pruned, saliency
from minisam.nn.losses import cross_entropy
from minisam.nn.models import mlp
from minisam.sharpness import dense_hessian, flatten


def test_saliency_is_the_rise_of_a_quadratic_at_its_minimum():
    w, h = {"fc.weight": np.array([1.0, -2.0])}, {"fc.weight": np.array([3.0, 0.5])}
    rise = [0.5 * 3.0 * 1.0**2, 0.5 * 0.5 * 2.0**2]  # of ½ Σ h (v − w)² when one v is set to 0
    np.testing.assert_allclose(saliency(w, "curvature", h)["fc.weight"], rise)
    np.testing.assert_allclose(saliency(w, "magnitude", h)["fc.weight"], [1.0, 2.0])


def test_the_diagonal_is_that_of_the_dense_hessian():
    model = mlp((4, 3), input_shape=(2, 1, 1), classes=3)
    rng = np.random.default_rng(0)
    w, x = model.init(rng, dtype=np.float64), rng.standard_normal((7, 2, 1, 1))
    w = {key: leaf + 0.3 * rng.standard_normal(leaf.shape) for key, leaf in w.items()}
    dense = dense_hessian(lambda p: cross_entropy(model.apply(p, x), np.arange(7) % 3), w)
    np.testing.assert_allclose(flatten(hessian_diagonal(w, x)), np.diag(dense), atol=1e-12)


def test_pruning_keeps_the_worthiest_of_all_layers_and_every_bias():
    w = {
        "a.weight": np.array([[1.0, 4.0]]),
        "a.bias": np.array([0.01]),
        "b.weight": np.array([3.0, 2.0]),
    }
    kept = pruned(w, {key: np.abs(leaf) for key, leaf in w.items()}, 0.5)
    np.testing.assert_array_equal(kept["a.weight"], [[0.0, 4.0]])
    np.testing.assert_array_equal(kept["b.weight"], [3.0, 0.0])
    np.testing.assert_array_equal(kept["a.bias"], w["a.bias"])
    whole = pruned(w, w, 1.0)
    np.testing.assert_array_equal(whole["b.weight"], w["b.weight"])
