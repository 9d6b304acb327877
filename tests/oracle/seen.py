"""What the oracle sees of wrong SAMs that are made of the reference, for the tests of diagnosis."""

import numpy as np

from minisam.adapters.library import adapter_of
from minisam.adapters.plain import plain
from minisam.adapters.protocol import mark
from minisam.oracle.judge import judge
from minisam.oracle.parts import convention_part, judge_parts, mutant_part
from minisam.oracle.probes import PROBES
from minisam.oracle.watch import watch
from minisam.rounding import to_bfloat16
from minisam.variants.recipe import optimizer


def adapter_with(*names, declare=None, changes=()):
    """The adapter of the reference with mutants, conventions and other changes."""
    parts = [convention_part(declare or {}), *map(mutant_part, names)]
    every = [*(change for part in parts for change in part.changes), *changes]
    return adapter_of(
        lambda hp: optimizer({**hp, **parts[0].settings}, every), ("sgd", "sam", "asam")
    )


def in_bfloat16(epsilon):
    """A SAM that rounds to bfloat16 where hardware does, with an epsilon in its norm."""

    def step(w, grad_fn, *, rho, lr):
        g = grad_fn(w)
        length = np.sqrt(sum(float(np.sum(np.float64(x) ** 2)) for x in g))
        factor = float(to_bfloat16(rho / (length + epsilon)))
        b = [to_bfloat16(x + to_bfloat16(factor * d)) for x, d in zip(w, g, strict=True)]
        return [to_bfloat16(x - to_bfloat16(lr * d)) for x, d in zip(w, grad_fn(b), strict=True)]

    return mark(plain(step), dtypes=("bfloat16",))


def traces_of(adapter, methods=("sam",), dtype="float64", slugs=()):
    """The traces of every probe in range, or of some."""
    probes = [p for p in PROBES.values() if p.method in methods and not p.extreme]
    return [watch(adapter, p, dtype) for p in probes if not slugs or p.slug in slugs]


def judged(adapter, slug="sam-three-tensors", dtype="float64"):
    """The trace of one probe, and how it is judged."""
    trace = watch(adapter, PROBES[slug], dtype)
    return trace, judge(trace)


def split(traces, declared=None):
    """The traces that disagree with the reference, and those that agree."""
    base = convention_part(declared or {})
    agrees = [judge_parts([], trace, base).agrees for trace in traces]
    failing = [trace for trace, good in zip(traces, agrees, strict=True) if not good]
    return failing, [trace for trace, good in zip(traces, agrees, strict=True) if good]


def named(survivors):
    """The mistakes of every explanation."""
    return [{part.name for part in parts if part.is_mutant} for parts in survivors]
