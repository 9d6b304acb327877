import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.library import adapter_of
from minisam.adapters.plain import as_adapter
from minisam.oracle.probes import PROBES
from minisam.oracle.skills import SKILLS, skills_of
from minisam.oracle.watch import watch
from minisam.variants.conventions import declared_changes, declared_settings
from minisam.variants.mutants import MUTANTS
from minisam.variants.recipe import optimizer

FEW = (
    "one-tensor",
    "three-tensors",
    "momentum",
    "nesterov",
    "weight-decay",
    "lr-schedule",
    "rho-schedule",
    "gradient-1e-3",
    "gradient-zero",
    "gradient-zero-at-B",
    "tensor-missing-at-B",
)
MORE = (
    *FEW,
    "rho-zero",
    "lr-zero",
    "gradient-1e-10",
    "gradient-1e-18",
    "gradient-huge",
    "tensor-zero-at-B",
)


def judged(step, method="sam", slugs=MORE, dtypes=("float64", "float32"), **options):
    chosen = [PROBES[f"{method}-{slug}"] for slug in slugs]
    runs = [(probe, one) for one in dtypes for probe in chosen[: None if one == "float64" else 2]]
    adapter = as_adapter(step)
    return skills_of([watch(adapter, probe, dtype) for probe, dtype in runs], **options)


def not_right(skills):
    return {one.name for one in skills if one.status != "right"}


def wrong(skills):
    return {one.name for one in skills if one.status == "wrong"}


def subtracts(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = known.length_of(d1)
    eps = [rho * g / n if n else 0 * g for g in d1]
    b = [x + e for x, e in zip(w, eps, strict=True)]
    d2 = grad_fn(b)
    return [(x - e) - lr * g for x, e, g in zip(b, eps, d2, strict=True)]


def epsilon_in_norm(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    b = [x + rho * g / (known.length_of(d1) + 1e-6) for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def epsilon_under_root(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g * g) for g in d1) + x_of(w, 1e-6))
    b = [x + rho * g / n for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def x_of(w, number):
    return w[0].dtype.type(number)


def floor(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = max(known.length_of(d1), x_of(w, 1e-8))
    b = [x + rho * g / n for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def asks_more(w, grad_fn, *, rho, lr):
    new = known.right(w, grad_fn, rho=rho, lr=lr)
    grad_fn(w)
    grad_fn(new)  # to print its length, say
    return new


def python_floats(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = sum(float(x) ** 2 for g in d1 for x in g.ravel()) ** 0.5
    c = rho / n if n else 0.0
    b = [x + c * g for x, g in zip(w, d1, strict=True)]
    return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]


def one_vector(w, grad_fn, *, rho, lr):
    ends = np.cumsum([x.size for x in w])[:-1]

    def split(v):
        return [part.reshape(x.shape) for part, x in zip(np.split(v, ends), w, strict=True)]

    a = np.concatenate([x.ravel() for x in w])
    g = np.concatenate([x.ravel() for x in grad_fn(w)])
    n = np.linalg.norm(g)
    b = a + rho * g / n if n else a
    return split(a - lr * np.concatenate([x.ravel() for x in grad_fn(split(b))]))


def keeps_copies(w, grad_fn, *, rho, lr):
    work = [x.copy() for x in w]
    d1 = grad_fn(work)
    n = known.length_of(d1)
    for x, g in zip(work, d1, strict=True):
        x += g * (rho / n if n else 0)
    d2 = grad_fn(work)
    for x, a, g in zip(work, w, d2, strict=True):
        x[...] = a
        x -= lr * g
    return work


RIGHT = (
    known.right,
    known.right_with_momentum,
    known.with_epsilon,
    known.prints,
    subtracts,
    epsilon_in_norm,
    epsilon_under_root,
    floor,
    asks_more,
    python_floats,
    one_vector,
    keeps_copies,
)


@pytest.mark.parametrize("step", RIGHT, ids=lambda step: step.__name__)
def test_a_right_step_has_every_skill(step):
    skills = judged(step)
    assert [one.name for one in skills] == list(SKILLS)
    assert not_right(skills) == set()


def test_what_is_accepted_can_be_refused():
    assert not_right(judged(known.right, epsilon=0)) == set()
    assert wrong(judged(epsilon_in_norm, epsilon=0)) == {"length"}
    assert wrong(judged(epsilon_under_root, epsilon=0)) == {"length"}
    declared = {"norm_epsilon": 1e-6}
    assert not_right(judged(epsilon_in_norm, epsilon=0, declare=declared)) == set()


def test_an_epsilon_that_is_too_large_costs_the_length():
    def large(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        b = [x + rho * g / (known.length_of(d1) + 1e-3) for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    assert wrong(judged(large)) == {"length"}


def test_what_never_climbs_has_shown_one_skill():
    def sgd(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    skills = judged(sgd)
    assert not_right(skills) == set(SKILLS) - {"asks-at-A"}
    assert wrong(skills) == {"second-elsewhere"}
    assert not_right(judged(known.does_nothing)) == set(SKILLS)


def test_errors_are_carried_forward():
    assert wrong(judged(known.three_mistakes)) == {"length", "last-step", "edge-cases"}


def test_the_first_gradient_may_be_the_only_mistake():
    def ahead(w, grad_fn, *, rho, lr):
        ahead_of_w = [x + 0.5 for x in w]
        d1 = grad_fn(ahead_of_w)
        n = known.length_of(d1)
        b = [x + rho * g / n if n else x for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    skills = judged(ahead)
    assert wrong(skills) == {"asks-at-A"}
    distance = 0.5 * np.sqrt(sum(map(np.prod, PROBES[skills[0].probe].shapes.values())))
    assert skills[0].text.endswith(f"asked for at a distance of {distance:.3g} from A.")


def test_a_climb_in_every_second_step_costs_the_second_gradient_alone():
    def lazy(w, grad_fn, *, rho, lr, state):
        state["count"] = state.get("count", 0) + 1
        return known.right(w, grad_fn, rho=rho if state["count"] % 2 else 0, lr=lr)

    def sometimes(w, grad_fn, *, rho, lr, state):
        state["count"] = state.get("count", 0) + 1
        if state["count"] % 2:
            return known.right(w, grad_fn, rho=rho, lr=lr)
        return [x - lr * g for x, g in zip(w, grad_fn(w), strict=True)]

    assert wrong(judged(sometimes)) == {"second-elsewhere"}
    assert wrong(judged(lazy)) == {"length"}  # it asks twice, and climbs by nothing


def test_lengths_that_add_up_are_a_direction():
    def shared(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        ns = [np.linalg.norm(g) * np.sqrt(x_of(w, len(w))) for g in d1]
        b = [x + rho * g / n if n else x for x, g, n in zip(w, d1, ns, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    assert "direction" in wrong(judged(shared))


def test_dtype_and_inputs():
    assert wrong(judged(known.wrong_dtype)) == {"dtype-and-inputs"}
    assert wrong(judged(known.changes_its_inputs)) == {"dtype-and-inputs"}
    allowed = {"inputs": "changed"}
    assert not_right(judged(known.changes_its_inputs, declare=allowed)) == set()


def test_what_stops_at_zero_is_told():
    def stops(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        if not known.length_of(d1):
            raise ZeroDivisionError("float division by zero")
        return known.right(w, grad_fn, rho=rho, lr=lr)

    (edge,) = (one for one in judged(stops) if one.status == "wrong")
    assert edge.name == "edge-cases"
    assert edge.text.startswith("With a gradient of zero it stops: ZeroDivisionError")


@pytest.mark.parametrize(("name", "what"), [("rho", "ρ = 0"), ("lr", "a learning rate of 0")])
def test_what_stops_at_a_setting_of_zero_is_told(name, what):
    def stops(w, grad_fn, *, rho, lr, momentum, state):
        if not {"rho": rho, "lr": lr}[name]:
            raise ZeroDivisionError("float division by zero")
        return known.right_with_momentum(w, grad_fn, rho=rho, lr=lr, momentum=momentum, state=state)

    (edge,) = (one for one in judged(stops) if one.status == "wrong")
    assert edge.name == "edge-cases"
    assert edge.text.startswith(f"With {what} it stops: ZeroDivisionError")


def test_a_climb_that_never_looks_at_the_gradient_is_no_mistake_at_zero_too():
    def sideways(w, grad_fn, *, rho, lr):
        grad_fn(w)
        n = np.sqrt(x_of(w, sum(x.size for x in w)))
        return [x - lr * g for x, g in zip(w, grad_fn([x + rho / n for x in w]), strict=True)]

    assert wrong(judged(sideways)) == {"direction"}


def test_a_mistake_is_told_at_a_gradient_of_the_usual_size():
    def twice(w, grad_fn, *, rho, lr):
        return known.right(w, grad_fn, rho=2 * rho, lr=lr)

    for slugs in (("gradient-1e-10", "three-tensors"), ("three-tensors", "gradient-1e-10")):
        (length,) = (one for one in judged(twice, slugs=slugs) if one.name == "length")
        assert (length.status, length.probe) == ("wrong", "sam-three-tensors")


LOST = {
    "M01-not-restored": {"last-step"},
    "M46-one-not-restored": {"last-step"},
    "M28-restore-by-subtraction": set(),
    "M50-stale-copy": {"last-step"},
    "M45-base-step-twice": {"last-step"},
    "R01-no-second-gradient-no-restore": {"last-step"},
    "R16-missing-second-gradient-no-restore": {"last-step"},
    "R13-does-nothing": {"asks-at-A"},
    "R14-returns-the-gradient": {"second-elsewhere"},
    "R15-returns-nan": {"last-step", "edge-cases"},
    "R02-momentum-lost": {"last-step"},
    "M02-per-tensor-norm": {"length"},
    "M03-not-normalized": {"length"},
    "M04-divided-twice": {"length"},
    "M05-l1-norm": {"length"},
    "M06-sign": {"direction", "length"},
    "M07-downhill": {"direction"},
    "M12-twice-the-radius": {"length"},
    "M13-rms-norm": {"length"},
    "M14-epsilon-1e-12": set(),
    "R12-nan-at-zero-gradient": {"edge-cases"},
    "M15-epsilon-1e-7": set(),
    "M27-float32-norm": {"dtype-and-inputs"},
    "M32-radius-times-lr": {"length"},
    "M34-two-climbs": {"last-step"},
    "M36-biases-not-perturbed": {"direction"},
    "M37-norm-of-weights": {"length"},
    "M38-norm-of-last": {"length"},
    "M39-centralized-after-norm": {"direction", "length"},
    "M40-mean-absolute": {"length"},
    "M41-sum-of-norms": {"length"},
    "M42-largest-norm": {"length"},
    "M43-radius-squared": {"length"},
    "M44-clip-instead-of-normalize": {"length"},
    "R03-radius-stays": {"length"},
    "M08-gradients-added": {"last-step"},
    "M09-mean-of-both": {"last-step"},
    "M10-first-gradient": {"last-step"},
    "M11-no-gradient": {"last-step"},
    "R04-second-pass-at-A": {"second-elsewhere"},
    "M21-stale-ascent": {"direction"},
    "M26-loss-scale-left": {"last-step"},
    "M33-second-order-kept": {"last-step"},
    "M35-shadowed-gradient": set(),
    "M47-length-of-first": {"last-step"},
    "M48-unit-length": {"last-step"},
    "M49-first-direction-second-length": {"last-step"},
    "M23-value-clipped": {"direction"},
    "M24-norm-clipped": set(),
    "M25-scaled": set(),
    "R05-nan-at-zero-second-gradient": {"edge-cases"},
    "R06-ascent-times-descent": {"last-step"},
    "M16-decay-in-the-climb": {"direction"},
    "M17-decay-at-B": {"last-step"},
    "R07-decay-ignored": {"last-step"},
    "M18-velocity-climbs": {"direction"},
    "M19-momentum-in-both-passes": {"last-step"},
    "M20-momentum-of-first": {"last-step"},
    "R08-nesterov-of-first": {"last-step"},
    "R09-nesterov-ignored": {"last-step"},
    "M31-last-learning-rate": {"last-step"},
    "R10-learning-rate-stays": {"last-step"},
    "A01-T-once": {"direction", "length"},
    "A02-plain-norm": {"length"},
    "A03-T-once-plain-norm": {"direction"},
    "A04-norm-of-T2g": {"length"},
    "A05-eta-dropped": {"direction", "length"},
    "A06-biases-adaptive": {"direction", "length"},
    "A07-biases-not-perturbed": {"direction"},
    "A08-no-absolute-value": {"direction", "length"},
    "A09-eta-in-the-square": {"direction", "length"},
    "A10-stale-T": {"direction", "length"},
    "A11-one-T-per-layer": {"direction", "length"},
    "A12-T-in-the-descent": {"last-step"},
    "A13-per-tensor-norm": {"length"},
    "A14-square-root": {"direction", "length"},
    "A15-largest-entry": {"length"},
    "A16-plain-sam": {"direction", "length"},
}


@pytest.mark.parametrize("name", LOST)
def test_a_mistake_costs_the_skill_that_it_is_of(name):
    mutant = MUTANTS[name]
    slugs = FEW if mutant.methods[0] == "sam" else FEW[:2]
    assert wrong(judged(mutant.adapter, mutant.methods[0], slugs, ["float64"])) == LOST[name]


@pytest.mark.parametrize(("name", "skill", "text"), [
    ("M02-per-tensor-norm", "length",
     "‖B − A‖ = 0.0866 with ρ = 0.05 and three tensors; with one tensor it is 0.05."),
    ("M07-downhill", "direction", "B − A points against d1: the cosine is −1.00."),
    ("M01-not-restored", "last-step", "The last step starts from B, not from A."),
    ("M10-first-gradient", "last-step", "The last step goes along d1, not along d2."),
    ("M11-no-gradient", "last-step", "The weights do not change."),
    ("R04-second-pass-at-A", "second-elsewhere",
     "All gradients of a step are asked for at the same point."),
])  # fmt: skip
def test_numbers_are_told(name, skill, text):
    found = judged(MUTANTS[name].adapter, slugs=FEW[:2], dtypes=["float64"])
    (one,) = (one for one in found if one.name == skill)
    assert (one.text, one.dtype) == (text, "float64")


@pytest.mark.parametrize("declare", [
    {"norm_scope": "per_tensor"},
    {"norm_dtype": "float32"},
    {"norm_epsilon": 1e-8},
    {"zero_gradient": "nan"},
    {"restore": "subtract"},
    {"weight_decay": "in_loss"},
    {"momentum_form": "ema"},
], ids=str)  # fmt: skip
def test_a_convention_that_is_declared_costs_nothing(declare):
    settings, changes = declared_settings(declare), declared_changes(declare)
    follower = adapter_of(lambda hp: optimizer({**hp, **settings}, changes))
    traces = [watch(follower, PROBES[f"sam-{slug}"], "float64", settings) for slug in MORE]
    assert not_right(skills_of(traces, declare, epsilon=0.0)) == set()
