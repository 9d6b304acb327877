import numpy as np
import pytest
from oracle import implementations as known
from oracle import slips
from oracle.fresh_slips import FRESH

from minisam.adapters.plain import as_adapter
from minisam.anatomy.measuring import facts_of
from minisam.oracle.probes import PROBES
from minisam.oracle.skills import SKILLS
from minisam.oracle.unknown import explain_unknown, slightly
from minisam.oracle.watch import watch
from minisam.trees import add_scaled, scale, subtract
from minisam.variants.mutants import MUTANTS

SLUGS = (
    "one-tensor",
    "three-tensors",
    "six-tensors",
    "momentum",
    "lr-schedule",
    "rho-schedule",
    "rho-large",
    "gradient-1e-3",
)


def told_of(step, *more, method="sam"):
    probes = [PROBES[f"{method}-{slug}"] for slug in (*SLUGS, *more)]
    return explain_unknown([watch(as_adapter(step), probe, "float64") for probe in probes], {})


def test_nothing_is_told_of_a_right_step():
    found = told_of(known.right)
    assert found.told == []
    assert [one.name for one in found.skills] == list(SKILLS)


@pytest.mark.parametrize(("name", "told"), [
    ("M01-not-restored", "In every step: new w = A − lr d2 + ε, should be A − lr d2."),
    ("M02-per-tensor-norm", "Only with several tensors: ε = ρ dᵢ/‖dᵢ‖ of each tensor, should be "
     "ρ d1/‖d1‖ (dᵢ the gradient of a tensor)."),
    ("M05-l1-norm", "In every step: ε = ρ d1/Σ|d1|, should be ρ d1/‖d1‖."),
    ("M07-downhill", "In every step: ε = −ρ d1/‖d1‖, should be ρ d1/‖d1‖."),
    ("M08-gradients-added", "In every step: new w = A − lr (d2 + d1), should be A − lr d2."),
    ("M11-no-gradient", "In every step: new w = A, should be A − lr d2."),
    ("M13-rms-norm", "In every step: ε = ρ √n d1/‖d1‖, should be ρ d1/‖d1‖ "
     "(n the number of entries)."),
    ("M34-two-climbs", "In every step: new w = A − lr d3, should be A − lr d2 "
     "(d3 the gradient at the third point)."),
    ("M36-biases-not-perturbed", "Only in the tensors whose name does not end in weight: ε = 0, "
     "should be ρ d1/‖d1‖."),
    ("M44-clip-instead-of-normalize", "Only where the gradient is shorter than ρ: ε = d1, should "
     "be ρ d1/‖d1‖."),
    ("M46-one-not-restored", "Only in the last tensor: new w = A − lr d2 + ε, should be "
     "A − lr d2."),
    ("R02-momentum-lost", "Only with momentum, from the second step on: new w = A − lr d2, should "
     "be A − lr d2 − lr μ v (μ the momentum, v the velocity)."),
    ("R10-learning-rate-stays", "Only once the learning rate has changed: new w = A − lr₁ d2, "
     "should be A − lr d2 (₁ the first step)."),
])  # fmt: skip
def test_a_mistake_is_explained_without_its_name(name, told):
    (line,) = told_of(MUTANTS[name].adapter).told
    assert line.endswith(f" {told}")


def test_the_condition_of_a_rare_mistake_is_told():
    mutant = MUTANTS["R16-missing-second-gradient-no-restore"].adapter
    (line,) = told_of(mutant, "tensor-missing-at-B", "tensor-zero-at-B", "tensor-missing").told
    assert line.endswith(
        "Only with a gradient that is missing, where a tensor has a gradient at A and none at B, "
        "in that tensor: new w = A + ε, should be A."
    )


def test_decay_is_told_in_its_own_letter():
    (line,) = told_of(MUTANTS["M17-decay-at-B"].adapter, "weight-decay").told
    assert "new w = (1 − lr λ) A − lr d2 − lr λ ε, should be (1 − lr λ) A − lr d2" in line


def test_a_climb_of_asam_is_told_in_terms_of_t():
    (line,) = told_of(MUTANTS["A01-T-once"].adapter, method="asam").told
    assert line.endswith("ε = ρ T d1/‖T d1‖, should be ρ T²d1/‖T d1‖.")


@pytest.mark.parametrize(("name", "told"), [
    ("asam_larger_of_w_and_eta", "ε = ρ max(|A|, η)² d1/‖max(|A|, η) d1‖"),
    ("asam_eta_in_the_norm_only", "ε = ρ |A|² d1/‖T d1‖"),
    ("asam_rows", "ε = ρ (‖row of A‖ + η)² d1/‖(‖row of A‖ + η) d1‖"),
    ("asam_mean_one", "ε = ρ (T/its mean)² d1/‖(T/its mean) d1‖"),
])  # fmt: skip
def test_another_operator_is_told(name, told):
    probes = [PROBES[f"asam-{slug}"] for slug in (*SLUGS, "eta")]
    adapter = slips.adapter_of(name)
    found = explain_unknown([watch(adapter, probe, "float64") for probe in probes], {}).told
    assert f"{told}, should be ρ T²d1/‖T d1‖." in found[0]


def test_mistakes_are_told_one_by_one_the_most_frequent_first():
    step, climb = told_of(known.three_mistakes).told[:2]
    assert "ε = ρ dᵢ/‖dᵢ‖ of each tensor" in climb
    assert "new w = A − lr d2 + ε" in step


def test_no_formula_is_told_that_only_fits_by_chance():
    def odd(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        n = known.length_of(d1)
        b = [x + rho * np.tanh(g) / n for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    (line,) = told_of(odd).told
    assert "B − A is not along d1" in line
    assert " = " not in line.split("tensor.")[-1]


# What nobody had in mind who wrote the explanations, see `slips`.
@pytest.mark.parametrize(("name", "told"), [
    ("norm_of_the_weights", "ε = ρ d1/‖A‖"),
    ("radius_root", "ε = √ρ d1/‖d1‖"),
    ("half_restored", "new w = A − lr d2 + 1/2 ε"),
    ("difference_of_both", "new w = A − lr d2 + lr d1"),
    ("gradient_of_the_step_before", "new w = A − lr d2′"),
    ("dampened", "new w = A − lr (1 − μ) d2 − lr μ v"),
    ("decay_halved", "new w = (1 − 1/2 lr λ) A − lr d2"),
    ("squares_d2", "new w = A − lr sign(d2) to four digits"),
    ("along_the_last_second", "the first point = A + ρ d2′/‖d2′‖, should be A"),
    ("along_an_average", "ε = c (d1 + 9 d1′)"),
    ("radius_warmed_up", "There, in the first such step: ε = 1/4 ρ d1/‖d1‖"),
])  # fmt: skip
def test_a_slip_is_explained(name, told):
    more = ("weight-decay",) if "decay" in name else ()
    assert any(told in line for line in told_of(slips.EVERY[name], *more).told)


@pytest.mark.parametrize(("name", "told"), [
    ("spectral_norm", "ε = ρ d1/‖d1 with spectral norms of matrices‖"),
    ("norm_without_biases", "ε = ρ d1/‖d1 without biases‖"),
    ("norm_of_rows", "ε = ρ dᵢ/‖row‖ of each row"),
    ("fading_rho", "from the second step on: ε = ρ/√t d1/‖d1‖"),
    ("relative_radius", "ε = ρ ‖A‖ d1/‖d1‖"),
    ("both_sides", "new w = A − 1/2 lr (d2 + d3)"),
])  # fmt: skip
def test_a_fresh_slip_is_explained(name, told):
    assert any(told in line for line in told_of(FRESH[name]).told)


def descent_in_reverse(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = known.length_of(d1)
    d2 = grad_fn([x + rho * g / n if n else x for x, g in zip(w, d1, strict=True)])
    return [x - lr * np.resize(g, x.shape) for x, g in zip(w, d2[::-1], strict=True)]


def test_an_order_that_is_reversed_is_told():
    (line,) = told_of(FRESH["popped_in_reverse"], "tensor-zero-at-times").told
    assert line.endswith(
        "Only where there are several tensors: ε = ρ (d1 of the tensors in reverse order)/‖d1‖, "
        "should be ρ d1/‖d1‖."
    )
    (line,) = told_of(descent_in_reverse).told
    assert "new w = A − lr (d2 of the tensors in reverse order), should be A − lr d2." in line


def climb_in_float32(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = known.length_of(d1)
    short = [
        np.float32(x) + np.float32(rho * g / n if n else g) for x, g in zip(w, d1, strict=True)
    ]
    return [
        x - lr * g for x, g in zip(w, grad_fn([x.astype(w[0].dtype) for x in short]), strict=True)
    ]


def test_a_climb_of_fewer_digits_is_told_as_one():
    (line,) = told_of(climb_in_float32, "rho-small", "gradient-zero").told
    assert line.endswith("right to the digits of float32 only, where float64 went in.")


def test_a_power_of_the_momentum_is_told_as_one():
    found = told_of(FRESH["nesterov_aliases_buffer"], "nesterov").told
    assert any("− lr (1 + μ) μ² v, should be" in line for line in found)


def test_how_little_it_is_off_is_told_where_no_formula_is():
    (line,) = told_of(slips.EVERY["epsilon_in_half"]).told
    share = float(line.split("It is off by ")[1].split(" of itself at most.")[0])
    assert 2.0**-13 < share < 2.0**-10  # half a unit in the last of float16's 11 digits, or so


def test_it_is_off_by_a_share_of_the_climb_or_of_the_step():
    (one, *_) = facts_of(watch(as_adapter(known.right), PROBES["sam-three-tensors"], "float64"))
    step, share = subtract(one.expected, one.start), 2.0**-9
    assert one.second is not None
    end = one._replace(end=add_scaled(one.expected, share, step))
    climb = one._replace(second=add_scaled(one.second, share, one.wanted))
    for facts, name in ((end, "ending"), (climb, "direction"), (climb, "length")):
        assert slightly([one, facts], name) == " It is off by 0.002 of itself at most."
    assert slightly([end._replace(second=None)], "length") == slightly([end], "ending")


@pytest.mark.fault("special-value", "oracle.check")
def test_what_is_no_number_is_not_off_by_little():
    (one, *_) = facts_of(watch(as_adapter(known.right), PROBES["sam-three-tensors"], "float64"))
    off = one._replace(end=scale(1 + 2.0**-12, one.expected))
    assert slightly([off], "ending")
    for odd in (np.nan, np.inf):
        lost = one._replace(end=scale(odd, one.expected))
        assert slightly([off, lost], "ending") == slightly([lost, off], "ending") == ""


def test_what_is_frozen_is_told():
    runs = [PROBES[f"sam-{slug}"] for slug in (*SLUGS, "frozen-plain", "frozen")]
    for name, told in (
        ("frozen_climb", "Only with frozen tensors: ε = ρ g/‖g‖, should be ρ d1/‖d1‖ (g the"),
        ("frozen_in_the_norm", ": ε = ρ d1/‖g‖, should be ρ d1/‖d1‖ (g the gradient as"),
    ):
        adapter = slips.adapter_of(name)
        found = explain_unknown([watch(adapter, probe, "float64") for probe in runs], {})
        assert told in found.told[0]
