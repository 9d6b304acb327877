"""The specification: what SAM must do, as statements that can be run.

Each property is written once, as a function of any optimizer behind the adapter protocol and of a
problem. So the library's own tests, the oracle, a student's homework and a backend in another
framework are all held to the same text:

    >>> from minisam.specification import PROPERTIES
    >>> from minisam.adapters.library import library
    >>> outcome = PROPERTIES["steepest-climb"].try_on(library)
    >>> outcome.holds
    True

A property says what must be true in words and as an equation, why it is true, and where its
tolerance comes from. `minisam specification` prints them all.

No statement is made of what cannot be seen in a step: the PAC-Bayes bound that the paper starts
from (it is vacuous at the size of a network, and no optimizer computes it), and asymptotic
statements, such as which of several cycles SAM ends in, are left to the landscapes' own tests.
"""

from minisam.specification.problem import Problem, RandomSource, Source, Unsuitable
from minisam.specification.property import PROPERTIES, Outcome, Property, find

# Importing a chapter enters its statements, in the order of the specification.
from minisam.specification import (  # isort: skip
    two_passes,
    climb,
    base_update,
    symmetries,
    on_quadratics,
    on_linear_models,
    bouncing,
    escaping,
    asam,
    shards,
    followups,
)

__all__ = [
    "PROPERTIES",
    "Outcome",
    "Problem",
    "Property",
    "RandomSource",
    "Source",
    "Unsuitable",
    "asam",
    "base_update",
    "bouncing",
    "climb",
    "escaping",
    "find",
    "followups",
    "on_linear_models",
    "on_quadratics",
    "shards",
    "symmetries",
    "two_passes",
]
