"""What the exact vectors contain: hyper-parameters, starting points and scripted gradients.

The numbers are chosen so that nothing rounds. ‖(3, 2, 1, 1, 1)‖ = 4, and such gradients are spread
over the tensors so that each tensor's own norm is a whole number as well: then ρ (g/‖g‖),
(ρ/‖g‖) g, (ρ g)/‖g‖ and the norm of the tensors' norms all have the same bits. Where d1 enters
nothing but the climb it is multiplied by 2¹⁴, so that a 1e-12 added to its norm is rounded away.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod
from typing import Any

F = Fraction
BIG = 2**14
QUARTER, HALF, FIVE_EIGHTHS = F(1, 4), F(1, 2), F(5, 8)  # the last divides evenly by a norm of 5

ONE: dict[str, Any] = {"weight": (5,)}
FIVE = {"conv.weight": (1, 3), "conv.bias": (1,), "fc.weight": (2, 2), "fc.bias": (1,), "b": (1,)}
TWO = {"weight": (2,), "bias": (1,)}
PAIR = {"weight": (4,), "bias": (1,)}

# Directions of norm 4, 4, 8 and 16; in FIVE the tensors' own norms are 3, 2, 1, 1, 1.
G4, H4 = [3, -2, 1, 1, -1], [-1, 1, 2, 1, 3]
G8, G16 = [6, 5, -1, 1, 1], [10, -9, 7, 5, 1]
G5 = [2, -2, 1, 2, HALF, -HALF, HALF, HALF, 1, -1]
H5 = [-1, 2, 2, -2, HALF, HALF, HALF, HALF, -1, 1]
K5 = [2, 1, 2, -2, -HALF, HALF, HALF, -HALF, 1, 1]
W1 = [1, -2, HALF, 3, F(-3, 2)]
W5 = [1, -2, HALF, 3, F(-3, 2), 2, -1, HALF, -2, 1]
D1 = [1, 2, -3, 2, 1]
E1 = [2, -1, 1, 3, -2]
D5 = [1, 2, -3, 2, 1, -2, 3, 1, -1, 2]
E5 = [2, -1, 1, 3, -2, 1, -1, 2, 3, -3]

ISSUES = "https://github.com/"
NOTES: dict[str, tuple[str, str, str | None]] = {
    "base": ("The base update is wrong", "No step can be right.", None),
    "momentum": (
        "Momentum is fed by the wrong gradient, or twice a step",
        "The velocity mixes in the gradient at A, or decays twice as fast.",
        ISSUES + "davda54/sam/issues/34",
    ),
    "nesterov": ("Nesterov's look-ahead is missing or misplaced", "Heavy ball instead.", None),
    "climb": (
        "The climb has the wrong length or direction",
        "B is not where the inner problem's first-order maximizer is.",
        None,
    ),
    "global-norm": (
        "One norm per tensor in place of one norm over all",
        "Every tensor moves by rho: sqrt(number of tensors) times too far.",
        ISSUES + "google-research/sam/issues/13",
    ),
    "descent": (
        "A moves along a gradient that is not the one at B",
        "Plain SGD at twice the price, or the sum of both gradients.",
        ISSUES + "google-research/sam/issues/14",
    ),
    "restore": (
        "A is not restored from a saved copy",
        "Weights stay at B, or drift by a rounding error each step: B - eps is not A.",
        ISSUES + "kozistr/pytorch_optimizer/releases/tag/v2.1.1",
    ),
    "zero": (
        "Division by a zero norm",
        "NaN in the weights, for good.",
        ISSUES + "google-deepmind/optax/issues/1743",
    ),
    "epsilon": (
        "A constant added to the norm (a convention up to 1e-12)",
        "The climb is too short where gradients are small, as late in training.",
        None,
    ),
    "scale": (
        "The norm's squares underflow or overflow",
        "The climb vanishes, or is infinite, although the direction is well defined.",
        None,
    ),
    "dual": ("The wrong dual norm for p", "The climb is not the maximizer over the p-ball.", None),
    "rho-zero": (
        "rho = 0 is not the base optimizer",
        "A baseline made by setting rho to 0 is no baseline.",
        ISSUES + "davda54/sam/issues/80",
    ),
    "asam": (
        "The climb uses T g where it should use T^2 g, or the norm of g where that of T g",
        "The climb is not invariant to a rescaling of the weights.",
        ISSUES + "davda54/sam/issues/22",
    ),
    "asam-scope": (
        "eta or scope of T differ from what was declared",
        "The same rho means another radius; results do not carry over.",
        None,
    ),
    "decay": (
        "Weight decay enters the wrong gradient, or at the wrong point",
        "The climb is tilted towards larger weights, or decay is taken at B.",
        ISSUES + "davda54/sam/issues/52",
    ),
    "schedule": (
        "The schedule acts on the wrapper only, or one step late",
        "The base optimizer keeps its first learning rate.",
        ISSUES + "davda54/sam/issues/28",
    ),
    "frozen": (
        "A tensor that takes no part is counted or moved",
        "A frozen layer decays, or a tensor unused at B stays there.",
        None,
    ),
    "follow-up": ("A follow-up's own term is wrong", "The method is another one.", None),
    "shards": (
        "One climb for all shards, or a sum in place of the mean",
        "m-sharpness is not what is minimized.",
        ISSUES + "davda54/sam/issues/18",
    ),
}

CASES: dict[str, list[dict[str, Any]]] = {}
DEFAULTS = {
    "rho": HALF,
    "lr": QUARTER,
    "momentum": F(0),
    "nesterov": False,
    "weight_decay": F(0),
    "decay": "coupled",
    "p": 2,
}


def times(c: Any, values: Sequence[Any]) -> list:
    """Return c · values."""
    return [c * x for x in values]


def case(
    slug: str,
    comment: str,
    note: str,
    tensors: dict[str, tuple],
    start: list,
    *steps: Any,
    flags: tuple[str, ...] = (),
    method: str | None = None,
    since: str = "1.0.0",
    frozen: tuple[str, ...] = (),
    **hyperparameters: Any,
) -> None:
    """Enter one vector. A step is the list of its gradients, or a dict with more about it."""
    family = slug.split("-")[0]
    h: dict[str, Any] = {"method": method or family}
    h.update(DEFAULTS)
    if h["method"] == "asam":
        h.update(eta=QUARTER, scope="weights")
    h.update(hyperparameters)
    CASES.setdefault(h["method"] if family != "restore" else "restore", []).append(
        {
            "slug": slug,
            "comment": comment,
            "note": note,
            "tensors": tensors,
            "start": start,
            "steps": [step if isinstance(step, dict) else {"gradients": step} for step in steps],
            "flags": list(flags),
            "since": since,
            "frozen": list(frozen),
            "hyperparameters": h,
        }
    )


def build_sgd() -> None:
    """The base optimizer alone: a SAM cannot be right on a base that is wrong."""
    case("sgd-step", "w - lr g.", "base", ONE, W1, [D1])
    case("sgd-several-tensors", "The same over five tensors.", "base", FIVE, W5, [D5])
    case("sgd-zero-gradient", "Nothing moves.", "base", ONE, W1, [[0] * 5])
    case("sgd-lr-zero", "Nothing moves.", "base", ONE, W1, [D1], lr=F(0))
    case(
        "sgd-momentum",
        "v = mu v + g; the first velocity is the first gradient, without dampening.",
        "base", ONE, W1, [D1], [E1], [D1], momentum=HALF,
    )  # fmt: skip
    case(
        "sgd-nesterov", "w - lr (g + mu v).", "nesterov", ONE, W1, [D1], [E1], [D1],
        momentum=HALF, nesterov=True,
    )  # fmt: skip
    case(
        "sgd-momentum-coasts", "Without a gradient the velocity still moves w.", "base",
        FIVE, W5, [D5], [[0] * 10], [[0] * 10], momentum=HALF,
    )  # fmt: skip
    for decay in ("coupled", "decoupled"):
        decayed: dict[str, Any] = {"weight_decay": HALF, "decay": decay}
        case(f"sgd-{decay}-decay", f"Weight decay, {decay}.", "decay", ONE, W1, [D1], **decayed)
        case(
            f"sgd-{decay}-decay-momentum", f"Weight decay, {decay}, with momentum.", "decay",
            ONE, W1, [D1], [E1], momentum=HALF, **decayed,
        )  # fmt: skip
    case(
        "sgd-coupled-decay-nesterov", "g + lambda w comes before the look-ahead.", "decay",
        ONE, [2, -2, 4, 2, -4], [D1], [E1], momentum=HALF, nesterov=True, weight_decay=HALF,
    )  # fmt: skip
    schedule = [{"gradients": [g], "lr": lr} for g, lr in ((D1, HALF), (E1, QUARTER), (D1, F(1)))]
    case("sgd-lr-schedule", "Each step has its own lr.", "schedule", ONE, W1, *schedule)
    case(
        "sgd-lr-schedule-momentum",
        "lr stays outside the velocity: a new lr rescales the old velocity as well.",
        "schedule", ONE, W1, *schedule, momentum=HALF, flags=("LrOutsideVelocity",),
    )  # fmt: skip


def build_sam() -> None:
    """The two-step gradient, with every p, momentum, decay and schedules."""
    directions: dict[str, list] = {"G4": G4, "H4": H4, "G8": G8, "G5": G5, "H5": H5, "K5": K5}
    big = {name: times(BIG, g) for name, g in directions.items()}
    case("sam-norm-4", "B = A + rho g/||g||, then w - lr d2.", "climb", ONE, W1, [big["G4"], D1])
    case("sam-norm-8", "Another direction.", "climb", ONE, W1, [big["G8"], D1])
    case("sam-norm-16", "Five different entries.", "climb", ONE, W1, [times(BIG, G16), E1])
    case(
        "sam-unit-scale", "Gradients of ordinary size, rho above 1.", "climb", ONE, W1, [G4, D1],
        rho=F(3, 2),
    )  # fmt: skip
    case(
        "sam-pythagorean", "||(3, 4), (12)|| = 13 with rho = 13/32.", "climb", TWO,
        [1, F(1, 2), -2], [[3, 4, 12], [1, -2, 3]], rho=F(13, 32),
    )  # fmt: skip
    case("sam-global-norm", "One norm over five tensors.", "global-norm", FIVE, W5, [big["G5"], D5])
    case(
        "sam-equal-norms", "Four tensors of norm 2: a per-tensor norm is twice too small.",
        "global-norm", {"a.weight": (1,), "a.bias": (1,), "b.weight": (4,), "b.bias": (1,)},
        [*W1, 1, -1], [times(BIG, [2, -2, 1, 1, -1, 1, 2]), [*D1, 1, 2]],
    )  # fmt: skip
    case(
        "sam-one-large-tensor", "The last tensor alone has a norm of 1 in 4.", "global-norm",
        FIVE, W5, [big["H5"], E5], rho=F(1),
    )  # fmt: skip
    case(
        "sam-short-gradient", "||g|| = 1/4 is shorter than rho = 1/2, and is stretched.", "climb",
        ONE, W1, [times(F(1, 16), G4), D1],
    )  # fmt: skip
    case("sam-opposite-gradients", "d2 = -d1: a sum would stand still.", "descent", ONE, W1,
         [times(BIG, G4), times(-BIG, G4)], lr=F(1, 2**16))  # fmt: skip
    case("sam-orthogonal-gradients", "d2 is orthogonal to d1.", "descent", ONE, W1,
         [[2, 2, 2, 2, 0], [1, -1, 2, -2, 3]])  # fmt: skip
    case("sam-rho-zero", "rho = 0 is the base optimizer.", "rho-zero", ONE, W1,
         [G4, G4], rho=F(0))  # fmt: skip
    case("sam-rho-zero-momentum", "So with momentum.", "rho-zero", FIVE, W5,
         [D5, D5], [E5, E5], rho=F(0), momentum=HALF)  # fmt: skip
    case("sam-lr-zero", "The step ends where it began.", "restore", ONE, W1, [big["G4"], D1],
         lr=F(0))  # fmt: skip
    case("sam-two-steps", "The second climb has its own norm and direction.", "climb", FIVE, W5,
         [big["G5"], D5], [times(2, big["H5"]), E5])  # fmt: skip
    case("sam-three-steps-norms", "Norms 4, 8, 4.", "climb", ONE, W1,
         [big["G4"], D1], [big["G8"], E1], [big["H4"], D1])  # fmt: skip
    three = ([big["G5"], D5], [big["H5"], E5], [big["K5"], D5])
    case("sam-momentum", "The velocity sees d2 only, once a step.", "momentum", FIVE, W5, *three,
         momentum=HALF)  # fmt: skip
    case("sam-nesterov", "The look-ahead adds mu v to d2.", "nesterov", FIVE, W5, *three,
         momentum=HALF, nesterov=True)  # fmt: skip
    case("sam-momentum-coasts", "d1 = d2 = 0: the velocity moves A, nothing climbs.", "momentum",
         FIVE, W5, [big["G5"], D5], [[0] * 10, [0] * 10], momentum=HALF,
         flags=("ZeroGradient",))  # fmt: skip
    for p, label in ((1, "p1"), ("inf", "pinf")):
        case(f"sam-{label}", f"p = {p}.", "dual", ONE, W1, [big["G4"], D1], p=p)
        case(f"sam-{label}-several-tensors", f"p = {p} over five tensors.", "dual", FIVE, W5,
             [[5, *big["G5"][1:9], 0], D5], p=p)  # fmt: skip
    case("sam-p1-tie", "Two entries tie for the largest and share rho.", "dual", FIVE, W5,
         [[-3, 1, 0, 3, 1, 2, 0, 0, -1, 2], D5], p=1, flags=("Tie",))  # fmt: skip
    case("sam-pinf-zero-entry", "sign(0) = 0.", "dual", ONE, W1, [[3, 0, -1, 0, 2], D1], p="inf")


def build_sam_edges() -> None:
    """Zero, small, tiny and huge gradients; decay; schedules; tensors that take no part."""
    case("sam-zero-gradient", "B = A, no NaN.", "zero", ONE, W1, [[0] * 5, [0] * 5],
         flags=("ZeroGradient",))  # fmt: skip
    case("sam-zero-gradient-then-recovers", "One zero gradient does no harm.", "zero", FIVE, W5,
         [[0] * 10, [0] * 10], [times(BIG, G5), D5], flags=("ZeroGradient",))  # fmt: skip
    case("sam-zero-at-b", "Only the gradient at B is zero: A stays.", "zero", ONE, W1,
         [times(BIG, G4), [0] * 5], flags=("ZeroGradient",))  # fmt: skip
    case("sam-zero-in-one-tensor", "A tensor with a zero gradient does not climb.", "zero", PAIR,
         W1, [times(BIG, [2, -2, 2, 2, 0]), D1])  # fmt: skip
    for exponent in (20, 40):
        case(f"sam-small-2-{exponent}", f"||g|| = 4 * 2^-{exponent}.", "epsilon", ONE, W1,
             [times(F(1, 2**exponent), G4), D1])  # fmt: skip
    for slug, exponent, size in (
        ("tiny", -70, "squares vanish in float32"),
        ("huge", 70, "squares overflow in float32"),
        ("tiny-float64", -600, "squares vanish in float64"),
        ("huge-float64", 600, "squares overflow in float64"),
    ):
        case(f"sam-{slug}", f"||g|| = 4 * 2^{exponent}: {size}.", "scale", ONE, W1,
             [times(F(2) ** exponent, G4), D1], extreme=True, flags=("ScaleSafe",))  # fmt: skip
    big = [times(BIG, g) for g in (G5, H5, K5)]
    decayed: dict[str, Any] = {"weight_decay": HALF}
    case("sam-coupled-decay", "lambda w is added to d2 at A, not to d1, not at B.", "decay", FIVE,
         W5, [big[0], D5], **decayed)  # fmt: skip
    case("sam-coupled-decay-momentum", "So with momentum.", "decay", FIVE, W5, [big[0], D5],
         [big[1], E5], momentum=HALF, **decayed)  # fmt: skip
    case("sam-coupled-decay-nesterov", "So with Nesterov.", "decay", ONE, [2, -2, 4, 2, -4],
         [times(BIG, G4), D1], [times(BIG, H4), E1], momentum=HALF, nesterov=True,
         weight_decay=HALF)  # fmt: skip
    case("sam-decoupled-decay", "w shrinks by lr lambda beside the step.", "decay", FIVE, W5,
         [big[0], D5], decay="decoupled", **decayed)  # fmt: skip
    case("sam-decoupled-decay-momentum", "The velocity does not see the decay.", "decay", FIVE, W5,
         [big[0], D5], [big[1], E5], momentum=HALF, decay="decoupled", **decayed)  # fmt: skip
    heavy: dict[str, Any] = {"weight_decay": F(2**13), "lr": F(1, 2**15), "decay": "in_loss"}

    def in_loss(target: list, w: list) -> list:
        return [t - heavy["weight_decay"] * x for t, x in zip(target, w, strict=True)]

    w5 = [1, -2, 1, 2, F(-1, 2), 2, -1, F(1, 2), -2, 1]
    d5 = times(BIG, D5)
    case("sam-decay-in-loss", "lambda w is part of both gradients, taken at A and at B.", "decay",
         FIVE, w5, [in_loss(big[0], w5), d5], **heavy)  # fmt: skip
    case("sam-decay-in-loss-momentum", "So with momentum.", "decay", ONE, [1, -2, 1, 2, -1],
         [in_loss(times(BIG, G4), [1, -2, 1, 2, -1]), times(BIG, D1)], momentum=HALF,
         **heavy)  # fmt: skip
    gradients = ([big[0], D5], [big[1], E5], [big[2], D5])
    rates, radii = (QUARTER, HALF, F(1, 8)), (HALF, F(1, 4), F(1))
    for slug, keys in (("lr", ("lr",)), ("rho", ("rho",)), ("lr-and-rho", ("lr", "rho"))):
        values = {"lr": rates, "rho": radii}
        steps = [
            {"gradients": g, **{key: values[key][k] for key in keys}}
            for k, g in enumerate(gradients)
        ]
        case(f"sam-{slug}-schedule", f"Each step has its own {slug}.", "schedule", FIVE, W5, *steps)
    case("sam-lr-schedule-momentum", "lr stays outside the velocity.", "schedule", ONE, W1,
         {"gradients": [times(BIG, G4), D1], "lr": HALF},
         {"gradients": [times(BIG, H4), E1], "lr": QUARTER}, momentum=HALF,
         flags=("LrOutsideVelocity",))  # fmt: skip
    for count in (2, 4):
        apart = [times(k, X) for k, X in ((1, H4), (-1, H4), (2, G8), (-2, G8))][:count]
        shards = [
            [[BIG * (g + x) for g, x in zip(G4, X, strict=True)],
             [d + x for d, x in zip(D1, X, strict=True)]]
            for X in apart
        ]  # fmt: skip
        case(f"sam-split-batch-{count}", "The gradients of the shards are averaged, then SAM.",
             "shards", ONE, W1, {"shards": shards}, flags=("Shards",))  # fmt: skip
    case("sam-frozen-tensor", "A frozen tensor neither counts in the norm nor moves nor decays.",
         "frozen", {"embed.weight": (2,), **ONE}, [3, -1, *W1],
         [[None, None, *times(BIG, G4)], [None, None, *D1]], frozen=("embed.weight",),
         weight_decay=HALF, flags=("Frozen",))  # fmt: skip
    case("sam-gradient-missing-at-b", "A tensor that B's loss does not use comes back to A.",
         "frozen", PAIR, W1, [times(BIG, [2, 2, -2, 2, 3]), [1, -2, 3, 2, None]],
         flags=("MissingGradient",), rho=FIVE_EIGHTHS)  # fmt: skip
    case("sam-gradient-missing-in-both", "A tensor that the loss does not use stays.", "frozen",
         PAIR, W1, [[*times(BIG, [2, 2, -2, 2]), None], [1, -2, 3, 2, None]],
         flags=("MissingGradient",))  # fmt: skip


def build_restore() -> None:
    """A comes back from what was saved: B − ε has lost it."""
    dust = F(1, 2**60)
    w = times(dust, W1)
    restored: dict[str, Any] = {"method": "sam", "flags": ("Restore",)}
    case("restore-absorbed", "A is rounded away in B = A + eps; d2 = 0 must give A back.",
         "restore", ONE, w, [times(BIG, G4), [0] * 5], **restored)  # fmt: skip
    case("restore-absorbed-moves", "So with a step: w = A - lr d2, at the scale of A.", "restore",
         ONE, w, [times(BIG, G4), times(dust, D1)], **restored)  # fmt: skip
    w5 = [*W5[:3], *times(dust, W5[3:])]
    case("restore-every-tensor", "Tensors of both scales, each of which must come back.",
         "restore", FIVE, w5, [times(BIG, G5), [0] * 10], **restored)  # fmt: skip
    case("restore-not-a-stale-copy", "The second step must come back to its own A.", "restore",
         ONE, w, [times(BIG, G4), times(dust, D1)], [times(BIG, H4), times(dust, E1)],
         [times(BIG, G4), [0] * 5], **restored)  # fmt: skip
    case("restore-momentum", "The velocity moves A, not B.", "restore", ONE, w,
         [times(BIG, G4), times(dust, D1)], [times(BIG, H4), [0] * 5], momentum=HALF,
         **restored)  # fmt: skip
    case("restore-asam", "So for ASAM (eta alone makes T).", "restore", ONE, [0] * 5,
         [times(BIG, G4), times(dust, D1)], method="asam", eta=HALF, scope="weights",
         flags=("Restore",))  # fmt: skip


def build_asam() -> None:
    """Both conventions of T, every granularity and p."""
    t5 = [F(3, 4), F(-7, 4), F(3, 4), 2, F(1, 4), F(-3, 4), F(7, 4), F(1, 4), -1, HALF]
    t1 = [F(3, 4), F(-7, 4), F(1, 4), F(-1, 4), F(3, 4)]

    def pulled(target: list, w: list, tensors: dict, eta: Fraction, everywhere: bool) -> list:
        """Return g with T g = BIG · target."""
        names = [n for n, shape in tensors.items() for _ in range(prod(shape))]
        T = [
            abs(x) + eta if everywhere or n.endswith("weight") else F(1)
            for n, x in zip(names, w, strict=True)
        ]
        return [BIG * F(g) / t for g, t in zip(target, T, strict=True)]

    for scope, eta in (("weights", QUARTER), ("all", F(0))):
        w1 = t1 if eta else [1, -2, HALF, F(-1, 2), 1]
        w5: list[Any] = t5 if eta else [1, -2, HALF, 2, HALF, -1, 2, HALF, -1, HALF]
        next_w5: list[Any] = [-2, 1, 1, 1, 1, HALF, -1, 2, -HALF, 2]
        if eta:
            next_w5 = [F(-7, 4), *t1[:1], QUARTER, 1, *t1[:1], QUARTER, F(-3, 4), F(7, 4), 2, -1]
        h: dict[str, Any] = {"scope": scope, "eta": eta}

        def g(target: list, w: list, t: dict, eta: Fraction = eta, scope: str = scope) -> list:
            return pulled(target, w, t, eta, scope == "all")

        head = f"asam-{scope}"
        case(f"{head}-one-tensor", "T = |w| + eta.", "asam", ONE, w1, [g(G4, w1, ONE), D1], **h)
        case(f"{head}-several-tensors", "One norm of T g over all tensors.", "asam", FIVE, w5,
             [g(G5, w5, FIVE), D5], **h)  # fmt: skip
        case(f"{head}-bias", "The bias is in scope only where scope is 'all'.", "asam-scope", PAIR,
             w1, [g([2, -2, 2, 2, 3], w1, PAIR), D1], rho=FIVE_EIGHTHS, **h)  # fmt: skip
        there = [4 * (x - y) for x, y in zip(w5, next_w5, strict=True)]
        case(f"{head}-stale-scaling", "T follows w: the second step has its own.", "asam", FIVE,
             w5, [g(G5, w5, FIVE), there], [g(H5, next_w5, FIVE), E5], **h)  # fmt: skip
        case(f"{head}-momentum", "T^2 g stays out of the velocity.", "asam", FIVE, w5,
             [g(G5, w5, FIVE), D5], momentum=HALF, nesterov=True, **h)  # fmt: skip
        case(f"{head}-coupled-decay", "Decay is no part of the climb.", "decay", FIVE, w5,
             [g(K5, w5, FIVE), D5], weight_decay=HALF, **h)  # fmt: skip
        case(f"{head}-decoupled-decay", "Decay is beside the step.", "decay", FIVE, w5,
             [g(K5, w5, FIVE), D5], weight_decay=HALF, decay="decoupled", **h)  # fmt: skip
        case(f"{head}-zero-gradient", "B = A, no NaN.", "zero", ONE, w1, [[0] * 5, [0] * 5],
             flags=("ZeroGradient",), **h)  # fmt: skip
        case(f"{head}-rho-zero", "rho = 0 is the base optimizer.", "rho-zero", ONE, w1, [D1, D1],
             rho=F(0), **h)  # fmt: skip
        w0 = [0, w1[1], 0, 0, w1[4]]
        pull = g(G4, w0, ONE) if eta else times(BIG, [3, F(3, 2), 1, -1, 4])
        case(f"{head}-zero-weights", "Where w = 0, T is eta: a short climb, or none.",
             "asam-scope", ONE, w0, [pull, D1], rho=HALF if eta else FIVE_EIGHTHS,
             **h)  # fmt: skip
        for p, label in ((1, "p1"), ("inf", "pinf")):
            case(f"{head}-{label}", f"p = {p}: the maximizer is T times SAM's for T g.", "dual",
                 FIVE, w5, [g([*G5[:3], 5, *G5[4:]], w5, FIVE), D5], p=p, **h)  # fmt: skip
    layer = {"a.weight": (2, 2), "a.bias": (1,)}
    case("asam-layer-wise", "One T for a tensor: its length plus eta.", "asam-scope", layer,
         [HALF, HALF, -HALF, HALF, F(7, 4)], [times(BIG, [2, -2, 2, 2, 3]), D1], eta=F(0),
         granularity="layer", rho=FIVE_EIGHTHS)  # fmt: skip
    case("asam-layer-wise-all", "So for the bias.", "asam-scope", layer,
         [HALF, HALF, -HALF, HALF, 1], [times(BIG, [1, -1, 1, 1, 0]), D1], eta=F(1), scope="all",
         granularity="layer")  # fmt: skip
    kernel = {"conv.weight": (1, 2, 2, 2), "conv.bias": (2,)}
    w = [HALF, 1, HALF, 1, -HALF, 1, HALF, -1, 2, -3]
    case("asam-filter-wise", "One T for a filter: a slice along the last axis.", "asam-scope",
         kernel, w, [times(BIG, [1, F(3, 2), -1, HALF, 1, -HALF, 1, HALF, 3, 0]), D5], eta=F(0),
         granularity="filter", rho=FIVE_EIGHTHS)  # fmt: skip


def gradients_of_friendly_climbs(climbs: list, sigma: Fraction, memory: Fraction) -> list:
    """Return every step's d1 for which d1 - sigma m, m the mean with d1 in it, is BIG x climb."""
    mean, gradients = [F(0)] * len(climbs[0]), []
    for climb in climbs:
        d1 = [
            (BIG * x + sigma * memory * m) / (1 - sigma * (1 - memory))
            for x, m in zip(climb, mean, strict=True)
        ]
        mean = [memory * m + (1 - memory) * x for m, x in zip(mean, d1, strict=True)]
        gradients.append(d1)
    return gradients


def build_follow_ups() -> None:
    """GSAM, LookSAM, Friendly SAM, WSAM, m-sharpness, and the exact gradient."""
    tiny = F(1, 2**14)
    big: dict[str, Any] = {"lr": QUARTER * tiny}
    g4, d1, e1 = times(BIG, G4), times(BIG, D1), times(BIG, E1)
    note = "follow-up"
    new: dict[str, Any] = {"since": "1.1.0"}
    square = [2, -2, 2, 2, 0]  # norm 4, so that division by the square is exact
    case("gsam-alpha-zero", "alpha = 0 is SAM.", note, ONE, W1, [g4, d1], alpha=F(0), **big)
    case("gsam-step", "d2 - alpha (d1 - d2 <d1, d2>/||d2||^2).", note, ONE, W1,
         [g4, times(BIG, square)], alpha=HALF, **big)  # fmt: skip
    case("gsam-parallel", "d1 along d2: nothing is across.", note, ONE, W1, [g4, times(2, g4)],
         alpha=HALF, **big)  # fmt: skip
    case("gsam-momentum", "The velocity sees the decomposed gradient.", note, ONE, W1,
         [g4, times(BIG, square)], [times(BIG, H4), times(BIG, [0, 2, 2, -2, 2])], alpha=HALF,
         momentum=HALF, **big)  # fmt: skip
    case("gsam-several-tensors", "One projection over all tensors.", note, FIVE, W5,
         [times(BIG, G5), times(BIG, [2, 0, 0, 2, 0, 2, 0, 0, -2, 0])], alpha=HALF,
         **big)  # fmt: skip
    case("gsam-zero-at-b", "d2 = 0: all of d1 is across.", note, ONE, W1, [g4, [0] * 5], alpha=HALF,
         flags=("ZeroGradient",), **new, **big)  # fmt: skip
    case("gsam-rho-schedule", "Each step has its own radius.", note, ONE, W1,
         [g4, times(BIG, square)],
         {"gradients": [times(BIG, H4), times(BIG, [0, 2, 2, -2, 2])], "rho": QUARTER},
         {"gradients": [g4, times(BIG, square)], "rho": F(1)}, alpha=HALF, **new,
         **big)  # fmt: skip
    case("wsam-half", "gamma = 1/2 is SAM.", note, ONE, W1, [g4, d1], gamma=HALF, **big)
    case("wsam-zero", "gamma = 0 is the base optimizer along d1.", note, ONE, W1, [g4, d1],
         gamma=F(0), **big)  # fmt: skip
    case("wsam-three-quarters", "d1 + 3 (d2 - d1).", note, FIVE, W5,
         [times(BIG, G5), times(BIG, D5)], gamma=F(3, 4), **big)  # fmt: skip
    case("wsam-momentum", "The velocity sees the weighted gradient (the coupled form).", note, ONE,
         W1, [g4, d1], [times(BIG, H4), e1], gamma=F(3, 4), momentum=HALF, **big)  # fmt: skip
    case("wsam-rho-schedule", "Each step has its own radius.", note, ONE, W1, [g4, d1],
         {"gradients": [times(BIG, H4), e1], "rho": QUARTER}, {"gradients": [g4, e1], "rho": F(1)},
         gamma=F(3, 4), **new, **big)  # fmt: skip
    look: dict[str, Any] = {"every": 2, "alpha": HALF, **big}
    four = times(BIG, square)
    case("looksam-every-step", "k = 1 is SAM.", note, ONE, W1, [g4, d1], [times(BIG, H4), e1],
         **{**look, "every": 1})  # fmt: skip
    case("looksam-reuses", "The second step asks once and reuses the orthogonal part.", note, ONE,
         W1, [four, times(BIG, [3, -1, 3, 1, 0])], [times(BIG, G8)],
         **look)  # fmt: skip
    case("looksam-parallel", "d2 along d1: there is nothing to reuse.", note, ONE, W1,
         [four, times(2, four)], [times(BIG, G8)], **look)  # fmt: skip
    case("looksam-three-steps", "The third step climbs again.", note, ONE, W1,
         [four, times(BIG, [3, -1, 3, 1, 0])], [times(BIG, G8)], [g4, d1], **look)  # fmt: skip
    case("looksam-short-part", "An orthogonal part shorter than one is reused, too.", note, ONE, W1,
         [square, [F(9, 4), F(-7, 4), F(9, 4), F(7, 4), 0]], [G8], every=2, alpha=HALF,
         **new)  # fmt: skip
    case("looksam-rho-schedule", "The step without a climb counts, too.", note, ONE, W1,
         [four, times(BIG, [3, -1, 3, 1, 0])],
         {"gradients": [times(BIG, G8)], "rho": QUARTER}, {"gradients": [g4, d1], "rho": F(1)},
         **new, **look)  # fmt: skip
    friendly: dict[str, Any] = {"sigma": F(1), "memory": HALF}
    case("friendly_sam-first-step", "m starts at zero: d1 - m = d1/2.", note, ONE, W1,
         [times(BIG, G4), D1], **friendly)  # fmt: skip
    case("friendly_sam-second-step", "m is the running mean of d1.", note, ONE, W1,
         [times(BIG, G4), D1],
         [[BIG * (2 * h + F(g, 2)) for g, h in zip(G4, H4, strict=True)], E1],
         **friendly)  # fmt: skip
    other: dict[str, Any] = {"sigma": F(2), "memory": F(3, 4), **new}
    first, second, third = gradients_of_friendly_climbs([G4, H4, G4], F(2), F(3, 4))
    case("friendly_sam-sigma-two", "Three quarters of m stay; twice m is taken away.", note, ONE,
         W1, [first, D1], [second, E1], **other)  # fmt: skip
    case("friendly_sam-rho-schedule", "Each step has its own radius.", note, ONE, W1, [first, D1],
         {"gradients": [second, E1], "rho": QUARTER}, {"gradients": [third, D1], "rho": F(1)},
         **other)  # fmt: skip
    case("friendly_sam-sigma-zero", "sigma = 0 is SAM.", note, ONE, W1, [times(BIG, G4), D1],
         sigma=F(0), memory=HALF)  # fmt: skip
    sharded: dict[str, Any] = {"flags": ("Shards",)}
    pair = [[times(BIG, G4), D1], [times(BIG, H4), E1]]
    case("m_sam-two-shards", "A climb for each shard, the mean of the gradients.", "shards", ONE,
         W1, {"shards": pair}, **sharded)  # fmt: skip
    case("m_sam-one-shard", "One shard is SAM.", "shards", ONE, W1,
         {"shards": pair[:1]}, **sharded)  # fmt: skip
    case("m_sam-zero-shard", "A shard with a zero gradient does not climb.", "shards", ONE, W1,
         {"shards": [[[0] * 5, [0] * 5], pair[1]]}, flags=("Shards", "ZeroGradient"))  # fmt: skip
    case("m_sam-rho-schedule", "Each step has its own radius, the same for all shards.", "shards",
         ONE, W1, {"shards": pair}, {"shards": pair[::-1], "rho": QUARTER},
         {"shards": pair, "rho": F(1)}, **new, **sharded)  # fmt: skip
    hessian = [[2, 1, 0, 0, 0], [1, 2, 0, 0, 0], [0, 0, 1, 0, 1], [0, 0, 0, 2, 0], [0, 0, 1, 0, 3]]
    case("exact_sam-step", "d2 + (rho/||d1||) H (d2 - u <u, d2>), u = d1/||d1||.", note, ONE, W1,
         {"gradients": [G4, [1, 2, 1, -2, 0]], "hessian": hessian},
         flags=("HessianProduct",), rho=F(1))  # fmt: skip
    product: dict[str, Any] = {"flags": ("HessianProduct",), **new}
    turned: dict[str, Any] = {
        "gradients": [G4, [4, 0, 2, 1, -1]],
        "hessian": hessian,
    }  # d2 - u <u, d2> is whole
    case("exact_sam-half-radius", "Radius and gradient of half a unit: rho/||d1|| = 1.", note, ONE,
         W1, {**turned, "gradients": [times(F(1, 8), G4), turned["gradients"][1]]},
         **product)  # fmt: skip
    case("exact_sam-rho-schedule", "Each step has its own radius.", note, ONE, W1,
         {**turned, "rho": F(1)}, {"gradients": [H4, [0, 1, 2, 2, 3]], "hessian": hessian},
         {**turned, "rho": QUARTER}, **product)  # fmt: skip
    case("exact_sam-eigenvector", "d2 along d1: the second-order term vanishes.", note, ONE, W1,
         {"gradients": [G4, times(2, G4)], "hessian": hessian},
         flags=("HessianProduct",))  # fmt: skip


def build() -> dict[str, list[dict[str, Any]]]:
    """Return every case, by file."""
    CASES.clear()
    for part in (
        build_sgd, build_sam, build_sam_edges, build_restore, build_asam, build_follow_ups,
    ):  # fmt: skip
        part()
    return CASES
