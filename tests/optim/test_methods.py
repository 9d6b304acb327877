import numpy as np
import pytest

from minisam import optim
from minisam.adapters.hyperparameters import DEFAULTS
from minisam.optim import METHODS, Method, sam, sgd
from minisam.optim.methods import title_of

H = np.array([1.0, 6.0, 0.2])


def loss(params):
    w = params["w"]
    return 0.5 * float(H @ w**2), {"w": H * w}


loss.hessian_product = lambda w, v: {"w": H * v["w"]}
loss.shards = [loss]


def path(opt, steps=6):
    params = {"w": np.array([1.0, 0.5, -2.0])}
    state = opt.init(params)
    points = []
    for _ in range(steps):
        params, state, _ = opt.step(params, state, loss)
        points.append(params["w"])
    return np.array(points)


def of(name, **given):
    return METHODS[name].optimizer(sgd(lr=0.05, momentum=0.5), 0.3, given)


@pytest.mark.parametrize("name", METHODS)
def test_every_method_steps_with_its_defaults(name):
    assert np.isfinite(path(of(name))).all()
    same = METHODS[name].own
    np.testing.assert_array_equal(path(of(name, **same)), path(of(name)))


@pytest.mark.parametrize("name", [name for name, row in METHODS.items() if row.is_sam_at])
def test_it_is_sam_where_its_row_says_and_not_by_default(name):
    expected = path(sam(sgd(lr=0.05, momentum=0.5), 0.3))
    np.testing.assert_array_equal(path(of(name, **METHODS[name].is_sam_at)), expected)
    assert np.abs(path(of(name)) - expected).max() > 1e-4


@pytest.mark.parametrize("name", sorted(METHODS.keys() & set(optim.__all__) - {"sgd"}))
def test_defaults_are_those_of_the_function(name):
    expected = path(getattr(optim, name)(sgd(lr=0.05, momentum=0.5), rho=0.3))
    np.testing.assert_array_equal(path(of(name)), expected)


def in_float32(params):
    w = params["w"]
    return 0.5 * float(w @ w), {"w": w}


in_float32.hessian_product = lambda w, v: v
in_float32.shards, in_float32.sizes = [in_float32, in_float32], np.array([3, 1])


def numbers_as(kind, name):
    own = {k: v if isinstance(v, str) else kind(v) for k, v in METHODS[name].own.items()}
    base = sgd(lambda t: kind(0.1), kind(0.5), nesterov=True, weight_decay=kind(0.25))
    return METHODS[name].optimizer(base, kind(0.3), own)


@pytest.mark.fault("dtype", "optim.METHODS", "optim.sgd")
@pytest.mark.parametrize("name", METHODS)
def test_numbers_of_numpy_count_as_numbers_of_python(name):
    """In NumPy a float64 scalar times an array of float32 is an array of float64."""
    ends = []
    for opt in (numbers_as(float, name), numbers_as(np.float64, name)):
        params = {"w": np.array([3.0, -1.0], np.float32)}
        state = opt.init(params)
        for _ in range(3):
            params, state, seen = opt.step(params, state, in_float32)
        assert params["w"].dtype == seen.descent_gradient["w"].dtype == np.float32
        ends.append(params["w"])
    np.testing.assert_array_equal(*ends)


def test_what_is_not_its_own_is_left_to_others():
    np.testing.assert_array_equal(path(of("gsam", eta=-1.0, every=0)), path(of("gsam")))


def test_its_own_hyper_parameters_are_checked():
    with pytest.raises(ValueError, match=r"gamma must be a number in \[0, 1\), got 1"):
        of("wsam", gamma=1)


@pytest.mark.parametrize(("name", "message"), [("exact_sam", "hessian_product"), ("m_sam", "shar")])
def test_what_it_needs_is_what_a_plain_function_is_told_to_carry(name, message):
    w = {"w": np.ones(3)}
    opt = of(name)
    assert METHODS[name].needs.startswith(message)
    with pytest.raises(ValueError, match=f"value_and_grad must carry {message}"):
        opt.step(w, opt.init(w), lambda params: loss(params))


def test_a_row_without_a_title_goes_by_its_name(monkeypatch):
    monkeypatch.setitem(METHODS, "mine", Method(sam))
    assert [title_of(name) for name in ("mine", "gsam")] == ["mine", "GSAM"]


@pytest.mark.parametrize("name", sorted(METHODS.keys() - {"asam"}))  # whose eta and scope they are
def test_its_own_are_not_those_that_every_method_has(name):
    assert METHODS[name].own.keys() & DEFAULTS.keys() <= {"p"}


def test_other_values_are_allowed_ones_and_never_the_default(monkeypatch):
    def narrow(base, rho, share=0.9, count=1, flag=False, word="a", start=0.0):
        if share <= 0.5:
            raise ValueError("share")
        if count < 1:
            raise ValueError("count")
        return sam(base, rho)

    own = {"share": 0.9, "count": 1, "flag": False, "word": "a", "start": 0.0}
    found = Method(narrow, own).elsewhere()
    assert found.keys() == {"share", "count", "flag", "start"}
    changed = {key: values[key] for key, values in found.items()}
    assert changed == {"share": 1.8, "count": 2, "flag": True, "start": 1.0}
    for key, values in found.items():
        assert {**values, key: own[key]} == own


def test_sam_is_among_them_only_where_every_formula_gives_it_to_the_bit():
    # d1 + (d2 - d1) is a rounding off d2, so that WSAM at 1/2 would depend on how it is written
    names = {name for name, row in METHODS.items() if "at-sam" in row.elsewhere()}
    assert names == {"gsam", "looksam", "friendly_sam"}
