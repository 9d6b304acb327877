import numpy as np
import pytest

from minisam import optim
from minisam.adapters.library import adapter_of, library, optimizer_of, own
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported, mark, observe
from minisam.optim import METHODS, sgd
from minisam.trees import add_scaled


def problem():
    rng = np.random.default_rng(3)
    w = [rng.normal(size=(2, 2)), rng.normal(size=3)]
    return w, {**HYPERPARAMETERS, "names": ("fc.weight", "fc.bias")}


def gradient(point):
    return [np.sin(3 * x) + x for x in point]


def hessian_product(point, vector):
    return [(3 * np.cos(3 * x) + 1) * v for x, v in zip(point, vector, strict=True)]


def with_hessian(grad_fn):
    return mark(lambda point: grad_fn(point), hessian_product=hessian_product)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_the_optimizer_of_the_methods_row(method):
    w, h = problem()
    h.update(method=method, momentum=0.5)
    opt = METHODS[method].optimizer(sgd(h["lr"], momentum=0.5), h["rho"])
    params = dict(zip(h["names"], w, strict=True))

    def value_and_grad(p):
        return 0.0, dict(zip(p, gradient(list(p.values())), strict=True))

    def product(p, v):
        return dict(zip(p, hessian_product(list(p.values()), list(v.values())), strict=True))

    shard = lambda p: value_and_grad(p)  # noqa: E731
    value_and_grad = mark(value_and_grad, shards=[shard], hessian_product=product)
    state, run = opt.init(params), own()(w, h)
    for _ in range(3):
        params, state, _ = opt.step(params, state, value_and_grad)
        end = run(with_hessian(gradient))
        for a, b in zip(params.values(), end, strict=True):
            np.testing.assert_array_equal(a, b)


def test_it_claims_every_method():
    assert library.methods == own().methods == tuple(METHODS)


def test_frozen_tensors_and_the_callers_arrays_stay():
    w, h = problem()
    before = [x.copy() for x in w]
    run = own()(w, {**h, "frozen": ("fc.bias",), "weight_decay": 0.5})
    seen = observe(run, w, gradient)
    for point in (*seen.queries, seen.end):
        np.testing.assert_array_equal(point[1], before[1])
    assert (seen.end[0] != before[0]).all()
    for a, b in zip(w, before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_frozen_tensor_takes_no_part_in_a_hessian_product():
    w, h = problem()
    h.update(method="exact_sam", frozen=("fc.weight",))
    vectors = []

    def remembered(point, vector):
        vectors.append(vector)
        return hessian_product(point, vector)

    own()(w, h)(mark(gradient, hessian_product=remembered))
    assert not vectors[0][0].any()
    assert vectors[0][1].any()


def test_float32_stays_float32():
    w, h = problem()
    run = own()([x.astype(np.float32) for x in w], {**h, "dtype": "float32", "momentum": 0.9})
    seen = observe(run, w, lambda point: [x.astype(np.float32) for x in gradient(point)])
    assert {x.dtype for x in [*seen.queries[1], *seen.end]} == {np.dtype(np.float32)}


def test_only_a_method_that_asks_for_shards_gets_a_climb_for_each():
    w, h = problem()
    asked = {"whole": 0, "shards": 0}

    def towards(centre, what):
        def grad_fn(point):
            asked[what] += 1
            return [x - centre for x in point]

        return grad_fn

    shards = [towards(0.0, "shards"), towards(4.0, "shards")]
    whole = mark(towards(2.0, "whole"), shards=shards)
    counts = {}
    for method in ("sam", "m_sam"):
        asked.update(whole=0, shards=0)
        own()(w, {**h, "method": method})(whole)
        counts[method] = dict(asked)
    assert counts == {"sam": {"whole": 2, "shards": 0}, "m_sam": {"whole": 0, "shards": 4}}


def test_a_batch_that_is_not_split_is_one_shard():
    w, h = problem()
    ends = [own()(w, {**h, "method": method})(gradient) for method in ("sam", "m_sam")]
    for a, b in zip(*ends, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("method", ["sam", "exact_sam", "m_sam"])
def test_decay_in_the_loss_is_in_all_that_is_asked(method):
    w, h = problem()
    h.update(method=method, momentum=0.5)

    def decayed(point):
        return [g + 0.5 * x for g, x in zip(gradient(point), point, strict=True)]

    def product(point, vector):
        both = zip(hessian_product(point, vector), vector, strict=True)
        return [Hv + 0.5 * v for Hv, v in both]

    expected = own()(w, h)(mark(decayed, hessian_product=product))
    h.update(weight_decay=0.5, decay="in_loss")
    for a, b in zip(own()(w, h)(with_hessian(gradient)), expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-14)  # a few roundings, of numbers below 10


@pytest.mark.parametrize(
    ("hyperparameters", "message"),
    [
        ({"method": "adam"}, "the library has no method 'adam'"),
        ({"method": "exact_sam", "p": 1}, "exact_sam has no p but 2"),
        ({"method": "unnormalized_sam", "p": np.inf}, "unnormalized_sam has no p but 2"),
    ],
)
def test_what_it_does_not_have_is_refused(hyperparameters, message):
    w, h = problem()
    with pytest.raises(Unsupported, match=message):
        own()(w, {**h, **hyperparameters})


def test_any_maker_of_an_optimizer_becomes_an_adapter():
    def make(hp):
        def step(params, state, value_and_grad):
            return add_scaled(params, -hp["lr"], value_and_grad(params)[1]), state, None

        return optim.Optimizer(lambda params: None, step)

    w, h = problem()
    adapter = adapter_of(make, methods=["sgd"])
    assert adapter.methods == ("sgd",)
    expected = adapter_of(optimizer_of)(w, {**h, "method": "sgd"})(gradient)
    for a, b in zip(adapter(w, h)(gradient), expected, strict=True):
        np.testing.assert_array_equal(a, b)


GROUPS = ({"names": ["fc.bias"], "lr": 0.5, "weight_decay": 0.25},)


@pytest.mark.parametrize("decay", ["coupled", "decoupled", "in_loss"])
def test_a_parameter_group_has_its_own_learning_rate_and_decay(decay):
    w, h = problem()
    run = own()(w, {**h, "lr": 0.125, "decay": decay, "groups": GROUPS})
    seen = observe(run, w, gradient)
    (d1, d2), (_, b) = seen.answers, seen.queries
    if decay == "in_loss":
        d1, d2 = [d1[0], d1[1] + 0.25 * w[1]], [d2[0], d2[1] + 0.25 * b[1]]
    length = np.sqrt(sum(np.sum(g * g) for g in d1))
    np.testing.assert_allclose(b[1], w[1] + 0.05 * d1[1] / length, rtol=1e-14)
    bias = w[1] - 0.5 * (d2[1] + (0 if decay == "in_loss" else 0.25 * w[1]))
    np.testing.assert_allclose(seen.end[0], w[0] - 0.125 * d2[0], rtol=1e-14)
    np.testing.assert_allclose(seen.end[1], bias, rtol=1e-14)


def test_groups_that_differ_in_nothing_are_no_groups():
    w, h = problem()
    groups = ({"names": ["fc.bias"], "lr": h["lr"]},)
    h = {**h, "momentum": 0.9, "weight_decay": 0.125, "nesterov": True}
    one, other = own()(w, h), own()(w, {**h, "groups": groups})
    for _ in range(3):
        for a, b in zip(one(gradient), other(gradient), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_radius_by_group_is_refused():
    w, h = problem()
    with pytest.raises(Unsupported, match="sam has no rho by group"):
        own()(w, {**h, "groups": ({"names": ["fc.bias"], "rho": 0.5},)})


def test_what_is_saved_and_loaded_goes_on_as_before():
    w, h = problem()
    h = {**h, "momentum": 0.9, "lr": [0.5, 0.25, 0.125]}
    one, other = own()(w, h), own()(w, {**h, "saved": True})
    for _ in range(3):
        for a, b in zip(one(gradient), other(gradient), strict=True):
            np.testing.assert_array_equal(a, b)
