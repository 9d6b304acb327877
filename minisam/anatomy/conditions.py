"""Find the condition under which something goes wrong, from where it does and where it does not.

Probes differ in one feature at a time. So the feature, or the two together, that all the wrong ones
have and none of the right ones is the condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations

from minisam.anatomy.evidence import Evidence
from minisam.anatomy.facts import Facts, off_of
from minisam.anatomy.features import (
    Features,
    features_of_step,
    frozen_ones,
    lost_at_b,
    moves_all,
    without_gradient,
)

RARE = 4  # the times that a condition is missing for once that it is there, and nothing wrong
Earlier = Mapping[tuple[int, int], Facts]  # the step before, by the trace and the number of a step


def condition(wrong: Sequence[Features], right: Sequence[Features]) -> str:
    """Say what the wrong ones have in common and the right ones have not; "" if nothing is found.

    Args:
        wrong: the features of each thing that goes wrong, the plainest first.
        right: those of each that does not.

    Example:
        >>> condition([["with momentum", "later"]], [["with momentum"], ["later"], []])
        'with momentum, later'
        >>> condition([["with momentum"]], [])
        'always'
        >>> condition([["with momentum"]], [["with momentum"], [], [], []])
        'with momentum, not always'
    """
    if not wrong:
        return ""
    if not right:
        return "always"
    common = [one for one in wrong[0] if all(one in features for features in wrong)]
    choices = [several for count in (1, 2) for several in combinations(common, count)]
    if not choices:
        return ""

    def exceptions(several: tuple[str, ...]) -> int:
        return sum({*several} <= {*features} for features in right)

    best = min(choices, key=exceptions)  # the first of those that have fewest
    if not exceptions(best):
        return ", ".join(best)
    few = exceptions(best) * RARE <= min(len(right), RARE * len(wrong))
    return f"{', '.join(best)}, not always" if few else ""


def kind_of(off: Sequence[tuple[Sequence[str], Mapping[str, int]]]) -> str:
    """Say which tensors are wrong; "" if it is all of them, or no kind.

    Args:
        off: the names of those that are, and the number of axes of each tensor, by its name.

    Example:
        >>> axes = {"fc1.weight": 2, "fc1.bias": 1, "fc2.weight": 2}
        >>> kind_of([(["fc1.bias"], axes)]), kind_of([(["fc2.weight"], axes)])
        ('the biases', 'the last tensor')
    """
    for told, chosen in KINDS.items():
        if all([*some] == [x for x in axes if chosen(x, axes)] for some, axes in off):
            return told
    return ""


def condition_of(shown: Evidence, before: Earlier, name: str) -> str:
    """Say when a skill is lost, and in which tensors."""

    def features(some: Sequence[Facts]) -> list[Features]:
        return [
            features_of_step(one, [before[id(one.trace), step] for step in range(1, one.step + 1)])
            for one in some
        ]

    when = condition(features(shown.wrong), features(shown.right))
    several = [one for one in shown.wrong if len(one.start) > 1 and moves_all(one)] or shown.wrong
    which = kind_of(
        [(off_of(one, name), {k: x.ndim for k, x in one.start.items()}) for one in several]
    )
    for those in (lost_at_b, without_gradient, frozen_ones):
        if all([*off_of(one, name)] == those(one) for one in shown.wrong):
            which = "that tensor"
    if which and when in ("always", *OF_TENSORS):
        return f"in {which}"
    return ", ".join(filter(None, [when, which and f"in {which}"]))


OF_TENSORS = ("with several tensors", "where there are several tensors", "with biases")
KINDS: dict[str, Callable[[str, Mapping[str, int]], bool]] = {
    "": lambda name, axes: True,
    "the biases": lambda name, axes: name.endswith("bias"),
    "all tensors but the biases": lambda name, axes: not name.endswith("bias"),
    "the tensors whose name ends in weight": lambda name, axes: name.endswith("weight"),
    "the tensors whose name does not end in weight": lambda name, axes: not name.endswith("weight"),
    "the last tensor": lambda name, axes: name == [*axes][-1],
    "the first tensor": lambda name, axes: name == next(iter(axes)),
    "all tensors but the last": lambda name, axes: name != [*axes][-1],
    "all tensors but the first": lambda name, axes: name != next(iter(axes)),
    "the tensors of one axis": lambda name, axes: axes[name] == 1,
    "the tensors of several axes": lambda name, axes: axes[name] > 1,
}
