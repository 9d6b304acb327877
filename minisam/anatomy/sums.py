"""Write a sum of vectors, each with its factor, as it stands in a formula."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

LARGE = 4096  # more than anybody writes by hand
ODD = 3.0  # the cost of a number that nobody would write


class Term(NamedTuple):
    """A factor, as text over text, of a vector; and how much there is to read."""

    sign: str
    number: str
    numerator: str
    denominator: str
    vector: str
    cost: float


def simple(number: float, error: float = 1e-6) -> tuple[str, float]:
    """Write a positive number as it may have been written, and say how odd it is.

    Example:
        >>> simple(1.0), simple(1.5), simple(3**0.5), simple(0.7123456)
        (('', 0.0), ('3/2', 1.0), ('√3', 1.5), ('0.7123', 3.0))
    """
    for form, value, cost in (("{}", number, 1.0), ("√{}", number**2, 1.5)):
        fraction = Fraction(value).limit_denominator(4 if form == "{}" else 1)
        if fraction and abs(value / float(fraction) - 1) <= error:
            if fraction == 1:
                return "", 0.0
            largest = max(fraction.as_integer_ratio())
            if largest <= LARGE:
                return form.format(fraction), cost if largest <= 4 else 2.5
    return f"{number:.4g}", ODD if abs(number / float(f"{number:.2g}") - 1) > error else 2.0


def sum_in_words(terms: Sequence[Term], start: str = "") -> str:
    """Write a sum; what has the same factor stands in brackets.

    Args:
        terms: the sum.
        start: what stands before it, with the factor 1.

    Example:
        >>> sum_in_words([Term("−", "", "lr", "", "d2", 1.0)], "A")
        'A − lr d2'
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    text = start
    for term in terms:
        if start and term.vector == start:
            gone = (term.sign, factor(term)) == ("−", "") and not term.denominator
            text = "" if gone else f"(1 {term.sign or '+'} {factor(term) or '1'}) {start}"
        else:
            groups.setdefault(term[:4], []).append(term.vector)
    for (sign, number, numerator, denominator), vectors in groups.items():
        several = vectors[0] if len(vectors) == 1 else f"({' + '.join(vectors)})"
        product = f"{number} {numerator} {several}".strip().replace("  ", " ")
        product += f"/{denominator}" if denominator else ""
        text = f"{text} {sign or '+'} {product}" if text else f"{sign}{product}"
    return text


def factor(term: Term) -> str:
    """Write number and numerator of a factor."""
    return f"{term.number} {term.numerator}".strip()
