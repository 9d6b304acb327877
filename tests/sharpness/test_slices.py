import autograd.numpy as np
import numpy as onp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_network import tiny_mean_loss, tiny_params

from minisam import trees
from minisam.nn import resnet
from minisam.sharpness.hessian import dense_hessian
from minisam.sharpness.slices import (
    filter_normalized_direction,
    loss_plane,
    loss_slice,
    plane_through,
)
from minisam.trees import flatten


@given(st.integers(0, 1000))
def test_every_filter_of_the_direction_has_the_norm_of_its_filter(seed):
    rng = onp.random.default_rng(seed)
    w = {
        "conv.weight": rng.standard_normal((3, 3, 2, 5)) * 10.0 ** rng.integers(-3, 4, 5),
        "conv.bias": rng.standard_normal(5),
        "fc.weight": rng.standard_normal((7, 4)),
    }
    d = filter_normalized_direction(w, rng)
    for key, axes in {"conv.weight": (0, 1, 2), "fc.weight": 0}.items():
        norms = [onp.sqrt(onp.sum(leaf[key] ** 2, axis=axes)) for leaf in (w, d)]
        onp.testing.assert_allclose(*norms, rtol=1e-12)
    onp.testing.assert_array_equal(d["conv.bias"], 0)


def test_directions_are_gaussian_before_normalization_and_differ_by_seed():
    w = {"fc.weight": onp.ones((4000, 1))}
    d = filter_normalized_direction(w, onp.random.default_rng(0))["fc.weight"]
    assert abs(d.mean()) < 5 / 4000**0.5
    assert onp.mean(d**4) == pytest.approx(3.0, abs=5 * (96 / 4000) ** 0.5)  # Gaussian kurtosis
    other = filter_normalized_direction(w, onp.random.default_rng(1))["fc.weight"]
    assert not onp.allclose(d, other)


def test_the_slice_of_a_rescaled_network_is_the_slice_of_the_network():
    """The reason for filter normalization: a scale-invariant loss looks the same at every scale."""
    loss = lambda p: np.sum((p["fc.weight"] / np.sqrt(np.sum(p["fc.weight"] ** 2)))[0] ** 2)  # noqa: E731
    w = {"fc.weight": onp.random.default_rng(0).standard_normal((4, 3))}
    x = onp.linspace(-1, 1, 9)
    slices = [
        loss_slice(loss, v, filter_normalized_direction(v, onp.random.default_rng(7)), x).losses
        for v in (w, trees.scale(64.0, w))
    ]
    onp.testing.assert_allclose(*slices, rtol=1e-12)


def test_slice_and_plane_of_a_quadratic():
    spectrum = onp.array([1.0, 10.0])
    loss = lambda p: 0.5 * np.sum(spectrum * p["w"] ** 2)  # noqa: E731
    w, d, e = ({"w": onp.array(v)} for v in ([1.0, 0.0], [1.0, 0.0], [0.0, 1.0]))
    x, y = onp.linspace(-2, 2, 5), onp.linspace(-1, 1, 3)
    onp.testing.assert_allclose(loss_slice(loss, w, d, x).losses, 0.5 * (1 + x) ** 2)
    expected = 0.5 * (1 + x) ** 2 + 5 * y[:, None] ** 2
    onp.testing.assert_allclose(loss_plane(loss, w, (d, e), x, y).losses, expected)


def test_curvature_of_a_slice_is_the_hessian_quadratic_form():

    w = tiny_params()
    d = filter_normalized_direction(w, onp.random.default_rng(0))
    h = 1e-3
    low, middle, high = loss_slice(tiny_mean_loss, w, d, [-h, 0, h]).losses
    quadratic = flatten(d) @ dense_hessian(tiny_mean_loss, w) @ flatten(d)
    assert (low - 2 * middle + high) / h**2 == pytest.approx(quadratic, rel=1e-4)


def test_float32_weights_are_evaluated_in_float32():
    w = {"w": onp.ones((2, 2), onp.float32)}
    seen = []
    loss_plane(lambda p: seen.append(p["w"].dtype) or 0.0, w, (w, w), [0.5], [0.1, 0.2])
    loss_slice(lambda p: seen.append(p["w"].dtype) or 0.0, w, w, [0.3])
    assert set(seen) == {onp.dtype(onp.float32)}


@given(st.integers(0, 1000))
def test_plane_through_three_points_is_orthonormal_and_contains_them(seed):
    origin, first, second = (tiny_params(seed + i) for i in range(3))
    d, e, length = plane_through(origin, first, second)
    assert trees.inner(d, d) == pytest.approx(1)
    assert trees.inner(e, e) == pytest.approx(1)
    assert trees.inner(d, e) == pytest.approx(0, abs=1e-12)
    back = trees.add_scaled(origin, length, d)
    v = trees.subtract(second, origin)
    on_plane = trees.add_scaled(trees.scale(trees.inner(v, d), d), trees.inner(v, e), e)
    for key in d:
        onp.testing.assert_allclose(back[key], first[key], atol=1e-12)
        onp.testing.assert_allclose(on_plane[key], v[key], atol=1e-12)


def test_bad_input_is_named():
    at = lambda *w: {"w": onp.array(w)}  # noqa: E731
    with pytest.raises(ValueError, match="first must differ from origin"):
        plane_through(at(0.0, 0.0), at(0.0, 0.0), at(1.0, 0.0))
    with pytest.raises(ValueError, match="lie on a line"):
        plane_through(at(0.0, 0.0), at(1.0, 1.0), at(2.0, 2.0))
    with pytest.raises(ValueError, match="direction do not match"):
        loss_slice(lambda p: 0.0, at(0.0), {"v": onp.zeros(1)}, [0.0])


@pytest.mark.fault("special-value", "sharpness.filter_normalized_direction")
@pytest.mark.parametrize("dtype", [onp.float64, onp.float32])
def test_dead_filters_stay_dead_and_one_axis_tensors_stay_where_they_are(dtype):
    """Zero filters, biases and batch norm: the direction is finite, and of the filters' norms."""
    params = resnet(width=4).init(0, dtype)
    params["conv1.weight"][..., 1] = 0
    params["fc.weight"][:] = 0
    d = filter_normalized_direction(params, onp.random.default_rng(0))
    for key, w in params.items():
        assert d[key].dtype == dtype
        assert onp.isfinite(d[key]).all()
        if w.ndim == 1:
            assert not d[key].any()
            continue
        norms = [
            onp.linalg.norm(a.astype(float).reshape(-1, a.shape[-1]), axis=0) for a in (w, d[key])
        ]
        onp.testing.assert_allclose(*norms, rtol=w.size * onp.finfo(dtype).eps)
    assert not d["conv1.weight"][..., 1].any()


@pytest.mark.fault("special-value", "sharpness.filter_normalized_direction")
@pytest.mark.parametrize("exponent", [-1070, -600, 600, 1020])
def test_no_square_of_a_filter_over_or_underflows(exponent):
    """‖2^e w‖ = 2^e ‖w‖, where Σ w² would be 0 or infinite."""
    w = {"fc.weight": onp.array([[3.0, 0.0], [4.0, -1.0]]) * 2.0**exponent}
    d = filter_normalized_direction(w, onp.random.default_rng(0))["fc.weight"]
    norms = onp.linalg.norm(onp.ldexp(d, -exponent), axis=0)  # exact, but for subnormal numbers
    onp.testing.assert_allclose(norms, [5, 1], rtol=1e-15 + 2.0 ** -(1074 + exponent))


@pytest.mark.fault("special-value", "sharpness.plane_through")
@pytest.mark.parametrize("exponent", [-1060, -600, 0, 600, 1020])
def test_a_plane_of_any_scale(exponent):
    """(0, 0), (2, 0), (1, 3) times 2^e: the axes, and a length of 2^(e + 1)."""
    at = lambda *w: {"w": onp.array(w) * 2.0**exponent}  # noqa: E731
    d, e, length = plane_through(at(0.0, 0.0), at(2.0, 0.0), at(1.0, 3.0))
    assert (d["w"].tolist(), e["w"].tolist(), length) == ([1, 0], [0, 1], 2.0 ** (exponent + 1))


@pytest.mark.fault(
    "dtype", "sharpness.plane_through", "sharpness.loss_slice", "sharpness.loss_plane"
)
@pytest.mark.parametrize("dtype", ["u1", "i8", "?", "O"])
def test_points_that_are_not_floating_point_are_refused(dtype):
    """Unsigned integers would be subtracted modulo 256."""
    w, other = {"w": onp.array([1, 2]).astype(dtype)}, {"w": onp.array([0.5, 1.0])}
    loss = lambda p: float(p["w"].sum())  # noqa: E731
    with pytest.raises(ValueError, match=r"origin\['w'\] must be floating-point"):
        plane_through(w, other, other)
    with pytest.raises(ValueError, match=r"second\['w'\] must be floating-point"):
        plane_through(other, other, w)
    with pytest.raises(ValueError, match=r"params\['w'\] must be floating-point"):
        loss_slice(loss, w, other, [0.0])
    with pytest.raises(ValueError, match=r"params\['w'\] must be floating-point"):
        loss_plane(loss, w, (other, other), [0.0], [0.0])


@pytest.mark.fault(
    "shape", "sharpness.loss_slice", "sharpness.loss_plane", "sharpness.plane_through"
)
@pytest.mark.parametrize("x", [0.5, [[0.5]], [[0.0], [1.0]], None, "0.5", [0.5j]], ids=repr)
def test_coordinates_of_another_shape_or_type_are_refused(x):
    w = {"w": onp.ones(2)}
    loss = lambda p: float(p["w"].sum())  # noqa: E731
    with pytest.raises(ValueError, match=r"x must be numbers of shape \(points,\), got "):
        loss_slice(loss, w, w, x)
    with pytest.raises(ValueError, match=r"y must be numbers of shape \(points,\), got "):
        loss_plane(loss, w, (w, w), [0.0], x)
    with pytest.raises(ValueError, match=r"second\['w'\] has shape \(3,\)"):
        plane_through(w, w, {"w": onp.ones(3)})


def test_coordinates_of_any_real_type_and_none():
    w = {"w": onp.ones(2)}
    loss = lambda p: float(p["w"].sum())  # noqa: E731
    for x in ([0, 1], (0.0, 1.0), onp.array([0, 1], "u1"), onp.array([False, True])):
        assert loss_slice(loss, w, w, x).losses.tolist() == [2, 4]
    assert loss_slice(loss, w, w, []).losses.tolist() == []
    assert loss_plane(loss, w, (w, w), [], [1.0]).losses.shape == (1, 0)


@pytest.mark.fault("dtype", "sharpness.loss_slice", "sharpness.loss_plane")
@pytest.mark.parametrize("leaf", [onp.array([1j, 2]), onp.array(["1", "2"]), [1.0, 2.0]], ids=repr)
def test_directions_that_are_not_real_are_refused(leaf):
    w, bad = {"w": onp.ones(2)}, {"w": leaf}
    loss = lambda p: float(p["w"].sum())  # noqa: E731
    with pytest.raises(ValueError, match=r"direction\['w'\] must be real numbers, got "):
        loss_slice(loss, w, bad, [0.0])
    with pytest.raises(ValueError, match=r"directions\['w'\] must be real numbers, got "):
        loss_plane(loss, w, (w, bad), [0.0], [0.0])
    with pytest.raises(ValueError, match="directions must be two, d and e, got 1"):
        loss_plane(loss, w, (w,), [0.0], [0.0])
    assert loss_slice(loss, w, {"w": onp.array([1, 2])}, [1]).losses.tolist() == [5]


@pytest.mark.fault("dtype", "sharpness.loss_slice", "sharpness.loss_plane")
def test_a_loss_that_is_no_scalar_is_refused_along_a_line_too():
    w = {"w": onp.ones(2)}
    for value in (onp.ones(2), onp.ones((1, 1)), None, "1", 1j, True):
        for draw in (
            lambda loss: loss_slice(loss, w, w, [0.0]),
            lambda loss: loss_plane(loss, w, (w, w), [0.0], [0.0]),
        ):
            with pytest.raises(TypeError, match="the loss must be a scalar, one real number, got"):
                draw(lambda p, value=value: value)


@pytest.mark.fault("special-value", "sharpness.plane_through")
@pytest.mark.parametrize("bad", [onp.nan, onp.inf])
def test_a_plane_through_a_point_that_is_not_finite_is_refused(bad):
    at = lambda *w: {"w": onp.array(w)}  # noqa: E731
    for points in (
        (at(bad, 0.0), at(1.0, 0.0), at(0.0, 1.0)),
        (at(0.0, 0.0), at(bad, 0.0), at(0.0, 1.0)),
        (at(0.0, 0.0), at(1.0, 0.0), at(0.0, bad)),
    ):
        with onp.errstate(invalid="ignore"), pytest.raises(ValueError, match="plane"):
            plane_through(*points)
