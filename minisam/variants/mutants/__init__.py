"""List wrong SAMs, each made by replacing one piece of the right one.

All of them were seen in the wild, or are one slip away from it. The oracle replays them on what it
saw of a failing implementation: the one that explains everything names the mistake. The same
catalogue shows that the oracle's own probes and the specification's properties can fail.

`MUTANTS` holds them by name. A mutant that is one of the conventions (see
`minisam.variants.conventions`) says which; one that no test can tell from SAM says why.
"""

from minisam.variants.mutants.catalogue import MUTANTS, Mutant, mutant_adapter

# Importing a chapter enters its mutants into the catalogue.
from minisam.variants.mutants import (  # isort: skip
    restore, perturbation, gradient, schedule, batches, adaptive, radius, norms, climbs, descents,
    returns, velocity, decay, operators, groups, frozen,
)  # fmt: skip

__all__ = ["MUTANTS", "Mutant", "mutant_adapter"]

del restore, perturbation, gradient, schedule, batches, adaptive
del radius, norms, climbs, descents, returns, velocity, decay, operators, groups, frozen
