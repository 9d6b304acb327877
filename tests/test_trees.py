import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minisam import blas, trees
from minisam.trees import flatten, unflatten

FLOATS = {np.float64: (-1070, 1023), np.float32: (-148, 127)}


def vectors(dtype, low=-1.0, high=1.0):
    width = 64 if dtype is np.float64 else 32
    elements = st.floats(low, high, width=width, allow_subnormal=False)
    return st.fixed_dictionaries(
        {
            "a": hnp.arrays(dtype, (3, 2), elements=elements),
            "b": hnp.arrays(dtype, 5, elements=elements),
        }
    )


def norm_bound(dtype, n):
    """Relative error of √Σx²: n roundings in the sum of squares halve under the root, plus two."""
    return (n / 2 + 2) * np.finfo(dtype).eps


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(data=st.data())
def test_norm_is_right_at_every_scale(dtype, data):
    x = data.draw(vectors(dtype))
    flat = np.concatenate([leaf.ravel() for leaf in x.values()]).astype(np.longdouble)
    low, high = FLOATS[dtype]
    k = data.draw(st.integers(low, high - 3))
    scaled = {key: np.ldexp(leaf, k) for key, leaf in x.items()}
    exact = np.concatenate([leaf.ravel() for leaf in scaled.values()]).astype(np.longdouble)
    expected = np.sqrt(np.sum((exact / 2**60 if k > 0 else exact * np.longdouble(2) ** 60) ** 2))
    expected = expected * np.longdouble(2) ** 60 if k > 0 else expected / np.longdouble(2) ** 60
    actual = trees.norm(scaled)
    assert actual.dtype == dtype
    # Half a unit in the last place of a subnormal result cannot be avoided.
    slack = norm_bound(dtype, flat.size) * expected + np.finfo(dtype).smallest_subnormal
    assert abs(np.longdouble(actual) - expected) <= slack


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, np.inf])
def test_norm_of_extreme_gradients(dtype, p):
    for exponent in (-300, 300) if dtype is np.float64 else (-38, 37):
        x = {"w": np.array([3.0, 4.0], dtype) * dtype(f"1e{exponent}")}
        unit = {"w": np.array([3.0, 4.0])}
        ratio = float(trees.norm(x, p)) / float(trees.norm(unit, p))
        assert ratio == pytest.approx(float(f"1e{exponent}"), rel=1e-6)


def test_naive_norm_would_fail_where_ours_does_not():
    tiny = np.array([3e-200, 4e-200])
    assert np.sqrt(np.sum(tiny**2)) == 0
    assert trees.norm({"w": tiny}) == pytest.approx(5e-200, rel=1e-15)


@given(x=vectors(np.float64), k=st.integers(-900, 900))
def test_well_scaled_only_multiplies_by_a_power_of_two(x, k):
    scaled = {key: np.ldexp(leaf, k) for key, leaf in x.items()}
    y, s, square = trees.well_scaled(scaled)
    assert square == trees.inner(y, y)
    assert np.frexp(s)[0] == 0.5
    for key in x:
        np.testing.assert_array_equal(y[key], scaled[key] * s)


def test_inner_products_leave_no_thread_of_blas_spinning(monkeypatch):
    """It would take the core from the next kernel's helper."""
    get = blas.openblas("get_num_threads")
    if get is None:
        pytest.skip("NumPy is not built with OpenBLAS")
    seen, vdot = [], np.vdot

    def watched(a, b):
        seen.append(get())
        return vdot(a, b)

    monkeypatch.setattr(trees.np, "vdot", watched)
    trees.inner({"w": np.ones(20_000)}, {"w": np.ones(20_000)})
    assert seen == [1]


def test_norm_of_nothing_zero_nan_and_inf():
    assert trees.norm({}) == 0
    assert trees.norm({"w": np.zeros(3)}) == 0
    assert trees.norm({"w": np.zeros(0)}) == 0
    assert np.isnan(trees.norm({"w": np.array([1.0, np.nan])}))
    assert trees.norm({"w": np.array([1.0, -np.inf])}) == np.inf


def test_operations_leave_their_arguments_alone_and_keep_dtypes():
    for dtype in (np.float32, np.float64):
        x = {"w": np.array([1.0, 2.0], dtype)}
        y = {"w": np.array([3.0, 5.0], dtype)}
        before = {"x": x["w"].copy(), "y": y["w"].copy()}
        results = [
            trees.add(x, y),
            trees.subtract(x, y),
            trees.scale(0.1, x),
            trees.add_scaled(x, 0.1, y),
            trees.multiply(x, y),
            trees.zeros_like(x),
        ]
        assert all(result["w"].dtype == dtype for result in results)
        assert not any(np.shares_memory(result["w"], x["w"]) for result in results)
        np.testing.assert_array_equal(x["w"], before["x"])
        np.testing.assert_array_equal(y["w"], before["y"])
        assert trees.inner(x, y).dtype == dtype
        assert trees.inner(x, y) == 13


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        ({"a": np.zeros(2)}, "missing 'b'"),
        ({"a": np.zeros(2), "b": np.zeros(1), "c": 0}, "unexpected 'c'"),
        ({"a": np.zeros(3), "b": np.zeros(1)}, r"grads\['a'\] has shape \(3,\)"),
        ([np.zeros(2)], "must be a dict of arrays, got list"),
    ],
)
def test_mismatched_trees_are_named(actual, message):
    with pytest.raises(ValueError, match=message):
        trees.check_same_structure({"a": np.zeros(2), "b": np.zeros(1)}, actual, "grads")


def test_map_leaves_refuses_different_keys():
    with pytest.raises(ValueError, match="missing 'a'"):
        trees.add({"a": np.zeros(1)}, {"b": np.zeros(1)})


@pytest.mark.fault("dtype", "trees.check_floating")
@pytest.mark.parametrize(
    ("leaf", "message"),
    [
        (np.array([1, 2]), "got int64: write it as .astype(float)"),
        (np.array([1], ">u2"), "got >u2: write it as .astype(float)"),
        (np.array([True]), "got bool: write it as .astype(float)"),
        (np.int8(1), "got int8: write it as .astype(float)"),
        (np.array([1j]), "got complex128"),
        (np.array([0.5], object), "got object"),
        (np.array(["0.5"]), "got <U3"),
        (np.array(["2020"], "M8[Y]"), "got datetime64[Y]"),
        (1, "got a int"),
        (True, "got a bool"),
        ([0.5], "got a list"),
        (None, "got a NoneType"),
    ],
    ids=repr,
)
def test_what_is_not_floating_point_is_refused(leaf, message):
    with pytest.raises(ValueError, match=re.escape(f"w['b'] must be floating-point, {message}")):
        trees.check_floating({"a": np.ones(1), "b": leaf}, "w")


def test_floating_point_of_any_size_is_taken():
    leaves = [np.ones(2, code) for code in ("f2", ">f4", "f8", "g")]
    for leaf in (*leaves, np.float32(1), 0.5, np.nan, np.zeros((0, 3))):
        trees.check_floating({"w": leaf}, "params")
    with pytest.raises(ValueError, match="params must be a dict of arrays, got ndarray"):
        trees.check_floating(np.ones(2), "params")


def test_flatten_and_unflatten_are_inverse():
    w = {"w": np.array([[1.0, 2.0], [3.0, 4.0]], np.float32), "b": np.array(5.0)}
    back = unflatten(flatten(w), w)
    assert list(back) == list(w)
    for key in w:
        np.testing.assert_array_equal(back[key], w[key])
        assert back[key].dtype == w[key].dtype


@pytest.mark.fault("dtype", "trees.flatten", "trees.unflatten")
def test_vectors_of_real_numbers_are_taken_and_no_others():
    w = {"w": np.ones(2)}
    for v in (np.array([1, 2]), np.array([1, 2], "u1"), np.array([1.0, 2.0], ">f4")):
        np.testing.assert_array_equal(unflatten(v, w)["w"], [1, 2])
        np.testing.assert_array_equal(flatten({"w": v}), [1, 2])
    np.testing.assert_array_equal(unflatten([1, 2], w)["w"], [1, 2])
    for v in (np.array([1j, 2]), np.array([1.0, 2.0], object), np.array(["1", "2"]), [1.0, 2.0]):
        with pytest.raises(ValueError, match=r"params\['w'\] must be real numbers, got "):
            flatten({"w": v})
    for v in ([1j, 2], np.array([1.0, 2.0], object), ["1", "2"], None):
        with pytest.raises(ValueError, match="vector must hold real numbers, got "):
            unflatten(v, w)
    for v in ([np.ones(2)], np.ones(2), 1.0, None, "w"):
        with pytest.raises(ValueError, match="params must be a dict of arrays, got "):
            flatten(v)


@pytest.mark.fault("shape", "trees.flatten", "trees.unflatten")
def test_a_vector_has_as_many_entries_as_the_tree():
    for w in ({}, {"w": np.zeros(0)}):
        assert flatten(w).shape == (0,)
    with pytest.raises(ValueError, match=r"vector has shape \(3,\), the parameters have 4 entries"):
        unflatten(np.zeros(3), {"w": np.zeros((2, 2))})
