"""The specification can fail: property × mutant, which wrong SAM breaks which statement.

The table is `kills.json`: for every mutant the properties that it breaks within a few seeded
problems, whatever is rounded how. `pytest -m slow` derives the whole of it again, and
`python test_mutant_table.py` writes it. Do that in the jitter run too and keep what is in both: a
mutant that errs by a rounding breaks some properties by chance.
"""

import json
from pathlib import Path

import pytest

from minisam.adapters.library import adapter_of, library, optimizer_of
from minisam.adapters.protocol import Unsupported
from minisam.optim import sgd
from minisam.optim.gsam import orthogonal_part
from minisam.optim.optimizer import Optimizer
from minisam.optim.perturbation import sam_perturbation
from minisam.optim.sam import two_gradients
from minisam.specification import PROPERTIES
from minisam.trees import add_scaled, norm, scale, subtract
from minisam.variants.mutants import MUTANTS, mutant_adapter

TRIALS = 6
TABLE = Path(__file__).with_name("kills.json")

# Seen by no property, since they do not show in one optimizer's step on one loss: the oracle's
# probes of whole models see them.
ONLY_PROBES = {
    "batch-norm statistics updated in both passes": "model-level vectors",
    "batch-norm momentum left at zero": "model-level vectors",
    "dropout masks redrawn in the second pass": "a convention of the model's",
    "loss reported from B as if from A": "the history of a run",
}

# Seen by no property either: no loss of theirs has parameter groups, frozen tensors, or
# tensors whose gradient goes, or a momentum beside a schedule. The oracle's probes have.
ONLY_SCRIPTED = {
    "M62-norm-of-each-group",
    "M96-stale-climb",
    "M97-stale-copy-without-gradient",
    "M101-momentum-lost-at-a-new-rate",
    "M112-radius-of-the-first-group",
    "M113-rate-of-the-first-group",
    "M114-decay-of-the-first-group",
    "M115-frozen-in-the-norm",
    "M116-frozen-climb",
}


def wrong_follow_up(direction):
    """A follow-up whose direction is ``direction(hp, d1, d2)``, with everything else right."""

    def make(hp):
        base = sgd(hp["lr"])

        def step(params, state, value_and_grad):
            seen = two_gradients(params, value_and_grad, sam_perturbation, hp["rho"])
            d = direction(hp, seen.ascent_gradient, seen.descent_gradient)
            params, state = base.update(params, state, d)
            return params, state, seen

        return Optimizer(base.init, step)

    adapter = adapter_of(make)
    adapter.methods = library.methods
    return adapter


def projected_on_the_wrong_one(hp, d1, d2):
    return add_scaled(d2, -hp.get("alpha", 0.5), orthogonal_part(d2, d1))


def shadowed(hp, d1, d2):
    """M35: the clean gradient is shadowed by its normalized copy."""
    gamma = hp.get("gamma", 0.5)
    unit = scale(1 / max(float(norm(d1)), 1e-300), d1)
    return add_scaled(unit, gamma / (1 - gamma), subtract(d2, unit))


def twice_the_radius(hp):
    return optimizer_of({**hp, "rho": 2 * hp["rho"]})


FOLLOW_UPS = {
    "F01-twice-the-radius": adapter_of(twice_the_radius),
    "F02-projects-the-wrong-gradient": wrong_follow_up(projected_on_the_wrong_one),
    "M35-shadowed-gradient-in-wsam": wrong_follow_up(shadowed),
}
FOLLOW_UPS["F01-twice-the-radius"].methods = library.methods
ADAPTERS = {name: mutant.adapter for name, mutant in MUTANTS.items()} | FOLLOW_UPS


def is_killed(name, slug, trials=TRIALS):
    """Whether a mutant breaks a property; not if it cannot be asked."""
    follow_up_property = not {"sgd", "sam", "asam"} & set(PROPERTIES[slug].methods)
    if follow_up_property != (name in FOLLOW_UPS):
        return False
    try:
        return not PROPERTIES[slug].try_on(ADAPTERS[name], trials).holds
    except Unsupported:
        return False


def derive():
    return {name: [slug for slug in PROPERTIES if is_killed(name, slug)] for name in ADAPTERS}


def with_reductions(table):
    """The table with every statement of where a follow-up is SAM: twice the radius is not SAM."""
    killed = table["F01-twice-the-radius"]
    all_of_it = [slug for slug in PROPERTIES if slug in killed or slug.endswith("-contains-sam")]
    return {**table, "F01-twice-the-radius": all_of_it}


KILLS = json.loads(TABLE.read_text()) if TABLE.exists() else {name: [] for name in ADAPTERS}
KILLS = with_reductions(KILLS)


def test_the_table_has_every_mutant_and_every_property():
    assert list(KILLS) == list(ADAPTERS)
    assert {slug for slugs in KILLS.values() for slug in slugs} == set(PROPERTIES)


def test_a_new_follow_up_needs_no_line_in_the_table(monkeypatch):
    monkeypatch.setitem(PROPERTIES, "new-contains-sam", PROPERTIES["gsam-contains-sam"])
    assert with_reductions(KILLS)["F01-twice-the-radius"][-1] == "new-contains-sam"


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_mutant_breaks_a_property_unless_it_is_equivalent(name):
    if name in ONLY_SCRIPTED or (name in MUTANTS and MUTANTS[name].equivalent):
        assert KILLS[name] == []
        return
    assert KILLS[name], f"{name} breaks no property"
    assert is_killed(name, KILLS[name][0])
    assert is_killed(name, KILLS[name][-1])


@pytest.mark.parametrize("slug", PROPERTIES)
def test_every_property_fails_on_a_mutant(slug):
    killers = [name for name, slugs in KILLS.items() if slug in slugs]
    assert is_killed(killers[0], slug)


def test_only_probes_are_named():
    """What is listed as out of reach is not in the catalogue of what an adapter can do."""
    assert not set(ONLY_PROBES) & set(MUTANTS)


@pytest.mark.parametrize(
    "slug", ["steepest-climb", "quadratic-step", "lyapunov-identity", "flat-means-sgd", "bounce"]
)
def test_an_error_of_one_part_in_a_billion_is_seen(slug):
    """The bounds are derived from rounding, and no wider."""

    def slightly_long(recipe):
        return recipe.having(adjust=lambda now, climb: scale(1 + 1e-9, climb))

    outcome = PROPERTIES[slug].try_on(mutant_adapter(slightly_long), trials=20)
    assert not outcome.holds


@pytest.mark.slow
def test_the_table_is_up_to_date():
    found = derive()
    assert not [(name, slug) for name in KILLS for slug in KILLS[name] if slug not in found[name]]


if __name__ == "__main__":
    TABLE.write_text(json.dumps(derive(), indent=1) + "\n")
