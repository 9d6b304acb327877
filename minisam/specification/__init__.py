"""The specification: what SAM must do, as statements that can be run.

Each property is one statement on any optimizer behind the adapter protocol. So the library's own
tests, the oracle, a student's homework and a backend in another framework are held to the same
text. `minisam specification` prints it. A property is made of four things:

- a **problem**: weights to start from, a gradient function, hyper-parameters;
- a **step**: the points at which the implementation asked for a gradient, the answers it got, and
  the weights it returned;
- a **clause**: one comparison, an equation with how far the step misses it;
- a **bound**: how far it may miss it. Every number carries the largest error that rounding can have
  put into it, so that the bound is computed and not chosen.

    >>> import numpy as np
    >>> from minisam.adapters.library import library
    >>> from minisam.specification import PROPERTIES
    >>> climb = PROPERTIES["steepest-climb"]
    >>> problem = climb.problem(np.random.default_rng(24))
    >>> outcome = climb.check(library, problem)
    >>> [clause.name for clause in outcome.clauses if clause.residual <= clause.bound < 1e-13]
    ['ε = ρ g/‖g‖', '⟨g, ε⟩ = ρ‖g‖_q', '‖ε‖_p = ρ']

No statement is made of what one step does not show: the PAC-Bayes bound that the paper starts from
(it is vacuous at the size of a network, and no optimizer computes it), and asymptotic statements,
such as which of several cycles SAM ends in. The tests of the landscapes have those.
"""

from minisam.specification.problem import Problem, UnsuitableProblem
from minisam.specification.property import PROPERTIES, Outcome, Property, find
from minisam.specification.source import NumberSource, RandomSource

# Importing a chapter registers its statements, in the order of the specification.
from minisam.specification import (  # noqa: F401  # isort: skip
    two_passes, edge_cases, climb, base_update, symmetries, scale_of_weights, on_quadratics,
    on_linear_models, bouncing, escaping, asam, asam_symmetries, shards, followups,
)  # fmt: skip

__all__ = [
    "PROPERTIES", "NumberSource", "Outcome", "Problem", "Property", "RandomSource",
    "UnsuitableProblem", "find",
]  # fmt: skip
