"""What is read of lent hyper-parameters, whichever way, is noted, and nothing else."""

import copy
import json

import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.hyperparameters import HyperParameters
from minisam.adapters.plain import plain
from minisam.adapters.protocol import Unsupported
from minisam.adapters.reading import ReadingDict, refusing_unread
from minisam.oracle.checking import check
from minisam.specification import PROPERTIES
from minisam.variants.conventions import declared_settings, is_default
from minisam.vectors import load_vectors, replay


def reading(**values):
    return ReadingDict(HyperParameters.of(values))


def test_what_a_maker_does_not_read_it_does_not_have():
    hp = reading(nesterov=True, momentum=0.9, eta=0.5)
    assert {**hp.base, "rho": hp["rho"]}["nesterov"] is True
    hp.refuse_unread()
    hp = reading(nesterov=True)
    hp.get("lr")
    with pytest.raises(Unsupported, match="does not read nesterov"):
        hp.refuse_unread()


def test_what_a_follow_up_adds_must_be_read_too():
    with pytest.raises(Unsupported, match="does not read granularity"):
        reading(granularity="layer").refuse_unread()


def test_somebody_else_may_know_what_is_not_read():
    hp = reading(p=1, momentum=0.9)
    hp.read_all_but({"p"})
    assert hp.unread() == ["p"]
    hp.read_all_but()
    assert hp.unread() == []


def test_unpacking_reads_everything():
    hp = reading(p=1, weight_decay=0.5)
    with pytest.raises(Unsupported, match="does not read"):
        hp.refuse_unread()
    dict(**hp)
    hp.refuse_unread()


def test_a_decay_that_is_not_asked_for_need_not_be_read():
    reading(decay="in_loss").refuse_unread()
    hp = reading(decay="in_loss", weight_decay=0.1)
    hp["weight_decay"]
    with pytest.raises(Unsupported, match="does not read decay"):
        hp.refuse_unread()


def test_a_base_optimizer_need_not_read_the_radius():
    reading(method="sgd", rho=7.0, p=1).refuse_unread()
    with pytest.raises(Unsupported, match="does not read"):
        reading(method="sam", rho=7.0, p=1).refuse_unread()


@pytest.mark.parametrize("decay", ["decoupled", "in_loss"])
def test_torchs_base_has_coupled_decay_only(decay):
    assert reading(decay=decay).base["weight_decay"] == 0
    hp = reading(decay=decay, weight_decay=0.1)
    with pytest.raises(Unsupported, match=f"no {decay} weight decay"):
        hp.base  # noqa: B018


def test_a_declared_decay_need_not_be_read():
    in_loss = {"weight_decay": 0.1, "decay": "in_loss"}
    declared, silent = (reading(**in_loss, declared=names) for names in (("decay",), ()))
    for hp in (declared, silent):
        hp["weight_decay"]
    declared.refuse_unread()
    with pytest.raises(Unsupported, match="does not read decay"):
        silent.refuse_unread()


def test_a_schedule_is_shown_as_it_is_or_at_a_step():
    hp = HyperParameters.of({"lr": [0.5, 0.25], "rho": 0.1})
    assert ReadingDict(hp)["lr"] == [0.5, 0.25]
    assert ReadingDict(hp, step=1)["lr"] == 0.25
    assert ReadingDict(hp, step=1).scheduled == {"lr"}


def test_a_schedule_must_be_read_even_where_it_begins_at_the_default():
    hp = ReadingDict(HyperParameters.of({"rho": [0.05, 0.1]}), step=0)
    with pytest.raises(Unsupported, match="does not read rho"):
        hp.refuse_unread()


def test_what_is_put_in_beside_them_need_not_be_read():
    hp = ReadingDict(HyperParameters(), model=print)
    hp.refuse_unread()
    assert hp["model"] is print


ALL = {
    "dict": dict,
    "unpacked": lambda hp: {**hp},
    "a call": lambda hp: (lambda **all: all)(**hp),
    "update": lambda hp: {}.update(hp),
    "or": lambda hp: hp | {},
    "or of another": lambda hp: {} | hp,
    "items": lambda hp: hp.items(),
    "values": lambda hp: hp.values(),
    "copy": lambda hp: hp.copy(),
    "copy of it": copy.copy,
    "deep copy": copy.deepcopy,
    "JSON": json.dumps,
    "a record": HyperParameters.of,
}
ONE = {
    "item": lambda hp: hp["p"],
    "get": lambda hp: hp.get("p"),
    "pop": lambda hp: hp.pop("p"),
    "format": lambda hp: "{p}".format_map(hp),
    "shown anew": lambda hp: hp.showing(step=1, model=None)["p"],
}
NONE = {
    "in": lambda hp: "p" in hp,
    "names": lambda hp: [list(hp), sorted(hp.keys()), len(hp)],
    "lent on": ReadingDict.of,
}


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("way", [*ALL, *ONE, *NONE])
def test_every_way_to_read_is_noted(way):
    hp = reading(p=1, momentum=0.9)
    {**ALL, **ONE, **NONE}[way](hp)
    expected = {*hp.asked} if way in ALL else {"p"} if way in ONE else set()
    assert hp.read & {*hp.asked} == expected


def test_it_is_a_dict_like_any_other():
    hp = reading(p=1)
    assert isinstance(hp, dict)
    assert hp == dict(hp) == {**hp}
    assert hp.get("nothing", 7) == hp.pop("nothing", 7) == 7
    with pytest.raises(KeyError):
        hp["nothing"]


@pytest.mark.fault("signature", "oracle.check")
def test_who_takes_it_for_an_object_is_told_what_to_write():
    with pytest.raises(AttributeError, match=r"no attribute 'momentum'; write hp\['momentum'\]"):
        reading().momentum  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'momentun'$"):
        reading().momentun  # noqa: B018


def sam(params, hp):
    """A right SAM as an adapter that somebody wrote by hand; it has a radius and a rate."""
    w = [x.copy() for x in params]

    def run(grad_fn):
        w[:] = known.right(w, grad_fn, rho=hp["rho"], lr=hp["lr"])  # after the maker's return
        return [x.copy() for x in w]

    return run


def at_once(params, hp):
    return sam(params, {"rho": hp["rho"], "lr": hp["lr"]})


def with_schedules(params, hp):
    now = [{key: hp[key](k) if callable(hp[key]) else hp[key] for key in ("lr", "rho")}
           for k in range(20)]  # fmt: skip
    w = [x.copy() for x in params]

    def run(grad_fn):
        w[:] = known.right(w, grad_fn, **now.pop(0))
        return [x.copy() for x in w]

    return run


def late(params, hp):
    """Right with momentum, which it reads in the second step only."""
    w, velocity = [x.copy() for x in params], []

    def run(grad_fn):
        seen = []
        kept = lambda point: seen.append(grad_fn(point)) or seen[-1]  # noqa: E731
        known.right(w, kept, rho=hp["rho"], lr=0.0)
        d2 = seen[-1]
        pairs = zip(velocity or d2, d2, strict=True)
        velocity[:] = [hp["momentum"] * v + g for v, g in pairs] if velocity else d2
        w[:] = [x - hp["lr"] * v for x, v in zip(w, velocity, strict=True)]
        return [x.copy() for x in w]

    return run


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("adapter", [sam, at_once, with_schedules, late])
def test_what_a_hand_written_adapter_never_reads_is_not_held_against_it(adapter):
    report = check(adapter, dtype="float64")
    assert report.verdict == "conforms"
    ran = {result.probe for result in report.results if result.status == "pass"}
    assert ("sam-lr-schedule" in ran) == (adapter is with_schedules)
    assert ("sam-momentum" in ran) == (adapter is late)
    if adapter is not with_schedules:
        assert "it takes a number, not hp[name](step), for scheduled" in report.summary()


@pytest.mark.fault("signature", "oracle.check")
def test_what_it_reads_late_is_held_against_it():
    def forgets(params, hp):
        run = sam(params, hp)
        return lambda grad_fn: (run(grad_fn), hp["momentum"])[0]

    report = check(forgets, dtype="float64")
    assert {r.probe for r in report.results if r.status == "fail"} >= {"sam-momentum"}


def asam(w, grad_fn, *, rho, lr, eta, names):
    """ASAM as its authors have it, which has no other scope."""
    g = grad_fn(w)
    T = [
        abs(x) + eta if n.endswith("weight") else np.ones_like(x)
        for n, x in zip(names, w, strict=True)
    ]
    norm = np.sqrt(sum(np.sum((t * d) ** 2) for t, d in zip(T, g, strict=True)))
    b = [x + rho * t * t * d / norm if norm else x for x, t, d in zip(w, T, g, strict=True)]
    return [x - lr * d for x, d in zip(w, grad_fn(b), strict=True)]


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize("declare", [{}, {"scope": "weights"}])
def test_another_scope_is_not_asked_of_who_has_one(declare):
    report = check(asam, method="asam", declare=declare, dtype="float64")
    assert report.conforms
    assert "asam-eta" in {r.probe for r in report.results if r.status == "pass"}


@pytest.mark.fault("signature", "oracle.check")
def test_a_default_that_is_declared_is_not_asked_for_otherwise():
    def reads_all(w, grad_fn, *, rho, lr, eta, names, scope):
        return asam(w, grad_fn, rho=rho, lr=lr, eta=eta, names=names)

    assert not check(reads_all, method="asam", dtype="float64").conforms
    report = check(reads_all, method="asam", dtype="float64", declare={"scope": "weights"})
    assert report.verdict == "conforms as declared"
    assert "scope is declared to be 'weights'" in report.summary()


@pytest.mark.parametrize(
    ("declare", "settings"),
    [
        ({"scope": "weights"}, {"scope": "weights"}),
        ({"weight_decay": "base"}, {"decay": "coupled"}),
        ({"eta": None, "restore": "copy", "norm_epsilon": 0.0}, {}),
    ],
)
def test_a_declared_default_fixes_a_hyper_parameter_if_it_is_one(declare, settings):
    assert declared_settings(declare) == settings
    assert all(is_default(*one) != bool(settings) for one in declare.items())


@pytest.mark.fault("signature", "vectors.replay", "specification")
def test_vectors_and_statements_do_not_hold_it_against_anybody_either():
    momentum = next(v for v in load_vectors(["sam"]) if v["slug"] == "sam-momentum")
    assert replay(sam, momentum).quantity == "it does not read momentum"
    assert replay(late, momentum).passed is None or replay(late, momentum).passed
    rng = np.random.default_rng(0)
    drawn = [(one, one.problem(rng)) for one in PROPERTIES.values() if "sam" in one.methods]
    refused = 0
    for one, problem in drawn:
        try:
            assert not problem.hp.momentum or one.check(lambda *lent: sam(*lent), problem).holds
        except Unsupported as reason:
            refused += "it does not read momentum" in str(reason)
    assert refused


def test_a_named_argument_is_had_whether_it_is_used_or_not():
    with refusing_unread(plain(known.right)) as adapter:
        adapter([np.ones(2)], {"rho": 0.5, "lr": 0.25})
    with pytest.raises(Unsupported, match="take"), refusing_unread(plain(known.right)) as adapter:
        adapter([np.ones(2)], {"momentum": 0.5})
