"""Step functions as people write them: what they return, and what they take."""

import functools
import gc

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.plain import as_adapter, plain
from minisam.adapters.protocol import HYPERPARAMETERS, Unsupported
from minisam.adapters.reading import ReadingDict
from minisam.cli.main import main
from minisam.oracle.checking import check
from minisam.oracle.grading import grade

right = known.right


async def coroutine(w, grad_fn, *, rho, lr):
    return right(w, grad_fn, rho=rho, lr=lr)


async def asynchronous_generator(w, grad_fn, *, rho, lr):
    yield right(w, grad_fn, rho=rho, lr=lr)


def in_place(w, grad_fn, *, rho, lr):
    for x, new in zip(w, right(w, grad_fn, rho=rho, lr=lr), strict=True):
        x[...] = new


def returning(change):
    """A right step whose result is changed on the way out."""

    def step(w, grad_fn, *, rho, lr):
        return change(right(w, grad_fn, rho=rho, lr=lr))

    return step


async def soon(value):
    return value


NO_LISTS = {
    "None": in_place,
    "coroutine": coroutine,
    "async_generator": asynchronous_generator,
    "object": returning(lambda w: object()),
    "type": returning(lambda w: object),
    "float64": returning(lambda w: w[0].sum()),
    "bool": returning(lambda w: True),
    "ndarray": returning(lambda w: np.array(3.0)),
    "str": returning(lambda w: "done"),
    "dict": returning(lambda w: dict(enumerate(w))),
    "set": returning(lambda w: set(range(len(w)))),
    "function": returning(lambda w: lambda: w),
    "tuple (list, float)": returning(lambda w: (w, 0.5)),
    "tuple (list, dict)": returning(lambda w: (w, {})),
    "tuple (list, NoneType)": returning(lambda w: (w, None)),
    "tuple (float, list)": returning(lambda w: (0.5, w)),
    "list (coroutine)": returning(lambda w: [soon(x) for x in w]),
    "list (list, list)": returning(lambda w: [w, w]),
}


@pytest.mark.fault("returned-value", "oracle.check", "minisam.grade")
@pytest.mark.parametrize("what", NO_LISTS)
def test_what_is_no_list_of_arrays_is_told_so_and_nothing_else(what, capsys, recwarn):
    report = check(NO_LISTS[what], dtype="float64", probes=["sam-one-tensor"])
    assert report.cause == "wrong type"
    assert f"the new weights must be a list of arrays, got {what} (" in report.headline
    assert grade(NO_LISTS[what]) == 0.0
    gc.collect()
    assert capsys.readouterr().err == ""
    assert not recwarn.list


SHAPES = {
    "[(3,)]": returning(lambda w: [np.ones(3)]),
    "[(2,), (2,)]": returning(lambda w: [*w, *w]),
    "[]": returning(lambda w: []),
    "[()]": returning(lambda w: [np.array(w[0].sum())]),
}


@pytest.mark.fault("returned-value", "oracle.check")
@pytest.mark.parametrize("what", SHAPES)
def test_arrays_of_other_shapes_are_told_with_both(what):
    report = check(SHAPES[what], dtype="float64", probes=["sam-one-tensor"])
    assert report.cause == "wrong shapes"
    message = f"the new weights must be a list of arrays of shapes [(2,)], got {what}"
    assert message in report.headline


LISTS = {
    "tuple": tuple,
    "generator": lambda w: (x for x in w),
    "map": lambda w: map(np.asarray, w),
    "values of a dict": lambda w: dict(enumerate(w)).values(),
    "array of arrays": lambda w: np.array([*w, None], dtype=object)[:-1],
    "Python floats": lambda w: [x.tolist() for x in w],
    "rows": lambda w: [list(x) if x.ndim else x for x in w],
}


@pytest.mark.fault("returned-value", "oracle.check")
@pytest.mark.parametrize("form", LISTS)
def test_every_other_form_of_a_list_will_do(form):
    assert check(returning(LISTS[form]), dtype="float64").verdict == "conforms"


def unwrapped(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


@functools.wraps(right)
def wrapped(*args, **kwargs):
    return right(*args, **kwargs)


def reads(w, grad_fn, **hp):
    return right(w, grad_fn, rho=hp["rho"], lr=hp.get("lr", 0.1))


def copies_what_it_reads(w, grad_fn, **hp):
    hp = {**dict(hp)}
    return right(w, grad_fn, rho=hp.pop("rho"), lr=hp.pop("lr"))


def passes_on_to_one_that_takes_the_rest(w, grad_fn, **hp):
    def inner(*, rho, lr, **rest):
        return right(w, grad_fn, rho=rho, lr=lr)

    return inner(**hp)


def remembers(w, grad_fn, **hp):
    state, momentum = hp["state"], hp["momentum"]
    return known.right_with_momentum(
        w, grad_fn, rho=hp["rho"], lr=hp["lr"], momentum=momentum, state=state
    )


class Callable:
    def __call__(self, w, grad_fn, *, rho, lr):
        return right(w, grad_fn, rho=rho, lr=lr)

    def method(self, weights, gradient, rho, lr):
        return right(weights, gradient, rho=rho, lr=lr)


CONFORM = {
    "reads of **hp": reads,
    "pops of **hp": copies_what_it_reads,
    "passes **hp on": passes_on_to_one_that_takes_the_rest,
    "reads state of **hp": remembers,
    "a decorator with wraps": wrapped,
    "a partial": functools.partial(right),
    "an object": Callable(),
    "a method, other names": Callable().method,
    "keywords only": lambda w, grad_fn, *, lr, rho: right(w, grad_fn, rho=rho, lr=lr),
    "and **rest": lambda w, grad_fn, *, rho, lr, **rest: right(w, grad_fn, rho=rho, lr=lr, **rest),
}


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("way", CONFORM)
def test_a_right_step_conforms_however_it_takes_its_arguments(way):
    assert check(CONFORM[way], dtype="float64").verdict == "conforms"


def test_a_radius_that_cannot_be_set_shows_too_little():
    report = check(lambda w, grad_fn, *, lr: right(w, grad_fn, rho=0.05, lr=lr), dtype="float64")
    assert report.cause == "nothing shown"
    assert "it does not take momentum, rho" in report.summary()


@pytest.mark.fault("signature", "oracle.check")
def test_what_is_not_read_of_the_keywords_is_not_run():
    named, keywords = check(right, dtype="float64"), check(reads, dtype="float64")
    assert [r.status for r in named.results] == [r.status for r in keywords.results]
    reasons = {r.reason for r in keywords.results if r.status == "not run"}
    assert {"it does not read momentum", "it does not read p"} <= reasons
    assert "because it does not read momentum, " in keywords.summary()


@pytest.mark.fault("signature", "oracle.check")
def test_what_is_read_of_the_keywords_is_held_against_it():
    def forgets(w, grad_fn, **hp):
        assert hp["momentum"] >= 0
        return right(w, grad_fn, rho=hp["rho"], lr=hp["lr"])

    report = check(forgets, dtype="float64")
    assert report.verdict.startswith("bug")
    assert "sam-momentum" in {r.probe for r in report.results if r.status == "fail"}
    hp = ReadingDict(HyperParameters(rho=1))
    plain(lambda w, grad_fn, **hp: w)([np.ones(1)], hp)(None)
    with pytest.raises(Unsupported, match="it does not read rho"):
        hp.refuse_unread()


@pytest.mark.fault("signature", "oracle.check")
def test_a_type_error_of_a_step_that_takes_everything_is_its_own():
    def step(w, grad_fn, **hp):
        return w - hp["lr"] * grad_fn(w)

    report = check(step, dtype="float64", probes=["sam-one-tensor"])
    assert report.cause == "raises TypeError"
    assert 'return w - hp["lr"] * grad_fn(w)' in report.headline


SAM = "step(w, grad_fn, *, rho, lr)"
TOLD = {
    "a decorator without wraps": (unwrapped(right), "functools.wraps"),
    "around **hp": (lambda w, grad_fn, **hp: right(w, grad_fn, **hp), "functools.wraps"),
    "two other names": (lambda w, gradient: right(w, gradient, rho=0.05, lr=0.1), SAM),
    "one name": (lambda w: w, SAM),
    "no name": (lambda: None, SAM),
    "a class": (type("SAM", (), {"__init__": lambda self, rho, lr: None}), SAM),
    "other hyper-parameters": (lambda w, grad_fn, *, radius, eta_w: w, SAM),
    "one more": (lambda w, grad_fn, *, rho, lr, velocity: w, SAM),
    "positions": (lambda w, grad_fn, rho, lr, /: w, SAM),
    "another order": (lambda rho, lr, w, grad_fn: w, SAM),
    "the gradient first": (lambda grad_fn, w, *, rho, lr: w, SAM),
    "the gradient by keyword": (lambda w, *, grad_fn, rho, lr: w, SAM),
}


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("way", TOLD)
def test_what_cannot_be_called_is_told_what_to_write(way):
    step, what = TOLD[way]
    report = check(step, dtype="float64", probes=["sam-one-tensor"])
    assert (report.verdict, report.cause) == ("adapter error", "signature")
    assert what in report.headline


@pytest.mark.fault("signature", "oracle.check")
def test_an_adapter_of_two_names_is_one_though_it_says_nothing_of_itself():
    def adapter(params, hyperparameters):
        if hyperparameters["momentum"]:
            raise Unsupported("no momentum")
        return plain(right)(params, hyperparameters)

    adapt = as_adapter(adapter)
    assert adapt.__name__ == "adapter"
    with pytest.raises(Unsupported, match="no momentum"):
        adapt([np.ones(1)], {**HYPERPARAMETERS, "momentum": 0.9})
    assert check(adapter, dtype="float64").verdict == "conforms"
    assert check(unwrapped(adapter), dtype="float64").verdict == "conforms"


@pytest.mark.fault("signature", "minisam check", "minisam specification --try")
def test_the_doors_tell_the_same(tmp_path, capsys):
    (tmp_path / "sam.py").write_text("def step(w, grad_fn, *, radius):\n    return w\n")
    for door in (["check"], ["specification", "1", "--try"]):
        assert main([*door, f"{tmp_path}/sam.py:step"]) == 2
        captured = capsys.readouterr()
        assert SAM in " ".join((captured.out + captured.err).split())


@pytest.mark.fault("returned-value", "minisam check", "minisam specification --try")
def test_the_doors_tell_what_was_returned(tmp_path, capsys):
    (tmp_path / "sam.py").write_text("async def step(w, grad_fn, *, rho, lr):\n    return w\n")
    for door in (["check"], ["specification", "1", "--try"]):
        assert main([*door, f"{tmp_path}/sam.py:step"]) == 2
        captured = capsys.readouterr()
        text = " ".join((captured.out + captured.err).split())
        assert "the new weights must be a list of arrays, got coroutine" in text
        assert "never awaited" not in text


def test_a_step_sees_its_number_of_a_schedule():
    seen = []

    def step(w, grad_fn, *, lr, rho, **rest):
        seen.append((lr, rho))
        return w

    run = plain(step)([np.ones(2)], {**HYPERPARAMETERS, "lr": [0.5, 0.25], "rho": 0.1})
    for _ in range(3):
        run(lambda point: point)
    assert seen == [(0.5, 0.1), (0.25, 0.1), (0.25, 0.1)]


def test_a_state_is_saved_and_loaded_as_a_copy():
    seen = []

    def step(w, grad_fn, *, lr, state):
        seen.append(state)
        state.setdefault("velocity", [np.zeros(2)])[0][:] += 1
        return w

    assert "saved" in plain(step).features
    assert "saved" not in plain(right).features
    for saved in (False, True):
        del seen[:]
        run = plain(step)([np.ones(2)], {"saved": saved})
        for _ in range(3):
            run(lambda point: point)
        assert len({*map(id, seen)}) == (3 if saved else 1)
        assert seen[-1]["velocity"][0].tolist() == [3, 3]


def test_declaring_what_the_oracle_asks_to_declare_is_enough():
    def in_loss(w, grad_fn, *, rho, lr, weight_decay):
        def gradient(point):
            return [g + weight_decay * x for g, x in zip(grad_fn(point), point, strict=True)]

        d1 = gradient(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        climb = rho / length if length else 0.0
        d2 = gradient([x + climb * g for x, g in zip(w, d1, strict=True)])
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    probes = ["sam-three-tensors", "sam-weight-decay"]
    report = check(in_loss, probes=probes)
    assert report.verdict == "undeclared convention: weight_decay"
    report = check(in_loss, probes=probes, declare={"weight_decay": "in_loss"})
    assert report.verdict == "conforms as declared"
    ran = {one.probe for one in report.results if one.status == "pass"}
    assert ran == set(probes)


class Optimizer:
    def __init__(self, params, base, rho=0.05, **keywords):
        raise TypeError("params are no tensors")

    def first_step(self):
        pass


class Transformation:
    init = update = None

    def __init__(self, params=None, hp=None):
        pass


def reads_the_model(params, hp):
    return hp["model"].parameters()


MAKERS = {
    "a class": (Optimizer, "torch"),
    "of a class": (lambda params, hp: Optimizer.__new__(Optimizer), "torch"),
    "of the model": (reads_the_model, "torch"),
    "a transformation": (lambda params, hp: Transformation(), "optax"),
    "a class of two": (Transformation, "optax"),
}


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("way", MAKERS)
def test_who_hands_over_what_makes_an_optimizer_is_told_the_door_for_it(way):
    maker, door = MAKERS[way]
    report = check(maker, dtype="float64", probes=["sam-one-tensor"])
    assert report.cause == "signature"
    assert f"wrap it in minisam.oracle.{door}(make)" in report.headline


@pytest.mark.fault("signature", "oracle.check")
def test_who_hands_over_what_may_make_an_optimizer_is_told_either_way():
    def make(params, hp):
        return Optimizer(params, None, rho=hp["rho"])

    report = check(make, dtype="float64", probes=["sam-one-tensor"])
    assert "wrap it in minisam.oracle.torch(make)" in report.headline
    assert SAM in report.headline
    assert 'raise TypeError("params are no tensors")' in report.headline


@pytest.mark.fault("signature", "oracle.check")
def test_an_optimizer_itself_is_no_adapter():
    for one, door in ((Optimizer.__new__(Optimizer), "torch"), (Transformation(), "optax")):
        with pytest.raises(ValueError, match=rf"see minisam\.oracle\.{door}, which makes one"):
            check(one)
    with pytest.raises(ValueError, match=r"see minisam\.oracle\.plain, got 3"):
        check(3)
