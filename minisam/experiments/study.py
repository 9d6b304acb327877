"""Judge a claim by the experiment behind it.

An experiment is a module in `minisam.experiments.claims` with

    CLAIM, PUBLISHED        what is claimed, and the published figures, in a sentence each
    run(cells, scale)       the grid: calls ``cells`` with lists of settings, returns its results
    table(results)          the results as rows of text, the first one the heading
    headline(results)       what is judged, chosen before any run: a `Headline`
    verdict(results)        one of the `VERDICTS`, or a text that begins with one
    draw(results, figure)   the results as a picture, of SIZE inches if the module says so

where results are plain JSON, so that table, verdict and picture can be made again from the file.
How large it is made `scale` says; `runs` has what compares its runs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from minisam.experiments.statistics import Interval

VERDICTS = ("shows", "opposite", "no more than δ", "undecided", "under-fitted", "not run")
FITTED = 90.0  # percent of its training labels that SGD must have learned, or nothing is judged


class Headline(NamedTuple):
    """What a study says in one word and one number.

    Attributes:
        word: one of the `VERDICTS`.
        number: the difference that it was judged by, with its interval and its unit.
        difference: the same as an interval, of what the claim says is positive; None if not run.
        rho: the ρ that was judged, as text.
        train: SGD's training accuracy in percent.
        share: for accuracies, the share of SGD's errors that SAM removes, in percent.
        beside: what speaks against it, or another answer to the question, to be told in one breath.

    Example:
        >>> Headline.of(Interval(3.0, 1.0, 5.0, 5), "points")[:2]
        ('shows', '+3.0 ± 2.0 points')
    """

    word: str
    number: str
    difference: Interval | None = None
    rho: str = ""
    train: float | None = None
    share: Interval | None = None
    beside: str = ""

    @classmethod
    def of(
        cls, difference: Interval, unit: str, digits: int = 1, delta: float = 1.0,
        train: float | None = None, **more: Any,
    ) -> Headline:  # fmt: skip
        """Judge a difference that the claim says is positive, and write it down."""
        number = f"{difference.plus_minus(f'+.{digits}f')} {unit}"
        return cls(weigh(difference, delta, train), number, difference, train=train, **more)


def half_published(share: float, accuracy: float) -> float:
    """Return δ in points: half of the published share of errors, of the errors that there are here.

    Args:
        share: of the errors of SGD that the paper's SAM removes, in percent.
        accuracy: of SGD here, in percent.

    Example:
        >>> half_published(20.0, accuracy=90.0)
        1.0
    """
    return share / 100 / 2 * (100 - accuracy)


def weigh(difference: Interval, delta: float = 1.0, train: float | None = None) -> str:
    """Turn a difference that a claim says is positive into a verdict.

    Args:
        difference: its estimate and interval.
        delta: a difference of at most δ either way is less than half of what was published.
        train: SGD's training accuracy in percent, None where it tells nothing. Where SGD has not
            learned its training set, a difference is one of speed.

    Returns:
        ``"under-fitted"`` where the training accuracy is below `FITTED`; ``"shows"`` if the
        interval lies above 0; ``"opposite"`` if it lies below; ``"no more than δ"`` if it lies
        within ± δ; else ``"undecided"``.

    Example:
        >>> weigh(Interval(3.0, 1.0, 5.0, 5)), weigh(Interval(3.0, 1.0, 5.0, 5), train=60.0)
        ('shows', 'under-fitted')
        >>> weigh(Interval(0.1, -0.2, 0.4, 5)), weigh(Interval(3.0, -1.0, 7.0, 3))
        ('no more than δ', 'undecided')
    """
    if train is not None and train < FITTED:
        return "under-fitted"
    if difference.low > 0:
        return "shows"
    if difference.high < 0:
        return "opposite"
    return "no more than δ" if max(-difference.low, difference.high) <= delta else "undecided"
