"""Give what was found its name: a mistake, or a convention that was not declared.

Some conventions are mistakes to those who do not mean them. So a convention that was not declared
is told twice: how to declare it, and which mistake it is if it was not meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from minisam.oracle.factors import are_multiples
from minisam.oracle.matters import by_cost
from minisam.oracle.parts import Parts, convention_part, conventions_of, mistake_of
from minisam.oracle.report import Report, Verdict
from minisam.oracle.report_text import BY_CONVENTION
from minisam.oracle.watch import Trace
from minisam.variants.conventions import CONVENTIONS
from minisam.variants.mutants import MUTANTS, Mutant


def undeclared(
    report: Report, found: dict[str, Any], advice: Sequence[str] = (), failing: Sequence[Trace] = ()
) -> Report:
    """Report a convention that was not declared."""
    meanings = "; ".join(f"{key}={found[key]!r}: {CONVENTIONS[key].meaning}" for key in found)
    mistakes = [
        f"If it is not meant: it {mutant.title}. {mutant.description}"
        for mutant in mistakes_like((convention_part(found),), failing, report.declared)
    ]
    mistakes += [
        f"If it is not meant: it is given {name}, and takes {value!r} whatever that is."
        for name, value in unfollowed(found, failing)
    ]
    line = f"If it is meant, declare it: declare={ {**report.declared, **found}!r}"
    return report._replace(
        outcome=Verdict.UNDECLARED,
        headline=f"It does what some implementations do, but not the papers: {meanings}.",
        advice=[*advice, line, *mistakes],
        found=found,
        explanations=[", ".join(sorted(found))],
    )


def unfollowed(found: dict[str, Any], failing: Sequence[Trace]) -> list[tuple[str, Any]]:
    """Return the hyper-parameters that conventions fix though they are read, and their values."""
    return [
        (name, value)
        for name, value in convention_part(found).settings.items()
        if any(name in trace.read and trace.hp[name] != value for trace in failing)
    ]


def mistakes_like(parts: Parts, failing: Sequence[Trace], declare: dict[str, Any]) -> list[Mutant]:
    """Return the mutants that are conventions among some parts, for those who do not mean them.

    A norm in float32 has room for an ε of which every entry is rounded: that is told as it is.
    """
    found = conventions_of(parts)
    methods = {trace.probe.method for trace in failing}
    by_convention = {
        tuple(mutant.convention.items()): mutant
        for mutant in MUTANTS.values()
        if mutant.convention
        and methods & set(mutant.methods)
        and set(mutant.convention.items()) <= set(found.items())
    }
    if "norm_dtype" in found and not are_multiples(parts, failing, convention_part(declare)):
        narrow = MUTANTS["M74-perturbation-in-half-precision"]
        narrow = narrow._replace(title="computes ε, not its norm alone, in float32")
        by_convention[(("norm_dtype", "float32"),)] = narrow
    return list(by_convention.values())


def with_names(
    report: Report, survivors: list[Parts], seen: list[str], failing: Sequence[Trace]
) -> Report:
    """Report a bug with the names of the mistakes that explain it."""
    mistakes = [[mistake_of(part) for part in parts if part.is_mutant] for parts in survivors]
    by_name = {" + ".join(mutant.name for mutant in several): several for several in mistakes}
    names = list(by_name)
    conventions = conventions_of(survivors[0])
    costs = by_cost(survivors[0], failing, convention_part(report.declared))
    if len(names) == 1:
        ordered = [mistake_of(part) for part, _ in costs if part.is_mutant]
        headline = "It " + ", and it ".join(mutant.title for mutant in ordered) + "."
        advice = [mutant.description for mutant in ordered]
    else:
        headline = f"{len(names)} known mistakes explain everything that was seen."
        titles = [" and ".join(mutant.title for mutant in by_name[name]) for name in names[:4]]
        advice = [f"Either it {title}." for title in titles]
    above = [part.name for part, _ in takewhile(lambda entry: not entry[0].is_mutant, costs)]
    if above:
        what = f"conventions that are not the papers': {', '.join(above)}"
        headline = f"Above all, it has {what}. {headline}"
    if conventions:
        advice.append(declaration(report))
        advice += [
            f"It also {mutant.title}. {mutant.description}"
            for mutant in mistakes_like(survivors[0], failing, report.declared)
        ]
    return report._replace(headline=headline, advice=advice + seen, explanations=names)


def declaration(report: Report) -> str:
    """Say what to declare of what was found beside a mistake."""
    return f"{BY_CONVENTION} declare={ {**report.declared, **report.found}!r}"
