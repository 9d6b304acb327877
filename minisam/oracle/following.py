"""Follow explanations from what is ordinary to what is rare."""

from __future__ import annotations

from collections.abc import Sequence

from minisam.oracle.parts import Part, Parts
from minisam.oracle.replays import Replays
from minisam.oracle.search import Question, extensions
from minisam.oracle.strata import Stratum
from minisam.oracle.watch import Trace

SEVERAL = 8  # explanations beside which more is looked for


def followed(
    replays: Replays, layers: Sequence[Stratum], parts: Sequence[Part], failing: Sequence[Trace]
) -> list[Parts]:
    """Follow explanations from the plainest stratum on; return those that hold in most of them.

    What a stratum shows beyond what is known is looked for beside it. A mistake is taken from a
    rare stratum only while all that is ordinary is explained.
    """
    beam: list[Parts] = [()]
    explained: list[Stratum] = []
    lost: list[Stratum] = []
    wrong = {id(trace) for trace in failing}
    for layer in layers:
        kept = [one for one in beam if replays.explain(one, layer.traces)]
        if kept:
            beam = kept
            explained.append(layer)
            continue
        if any(contains(layer, other) for other in lost):
            continue
        before = [t for s in explained if s.method == layer.method for t in s.traces]
        allowed = parts if named_here(layer, layers, beam, lost) else honest(parts)
        traces = sorted(layer.traces, key=lambda trace: id(trace) not in wrong)
        question = Question(traces, (), allowed, telling(layers, layer), not layer.features, before)
        more = [
            found
            for one in beam[:SEVERAL]
            for found in extensions(replays, question._replace(found=one))
        ]
        if more:
            beam = more
            explained.append(layer)
        elif not all(id(trace) in wrong for trace in layer.traces) and contradicted(
            replays, beam, layer, explained, wrong
        ):
            return [()]
        else:
            lost.append(layer)
            if not layer.features and all(other.method == "sgd" for other in explained):
                beam = [tuple(honest(one)) for one in beam]  # of SAM itself nothing is known
    return beam


def contains(layer: Stratum, other: Stratum) -> bool:
    """Return whether whatever is wrong in ``other`` is to be expected in ``layer``."""
    same = other.method == layer.method or other.method == "sgd"
    return same and other.features <= layer.features


def contradicted(
    replays: Replays,
    beam: Sequence[Parts],
    layer: Stratum,
    explained: Sequence[Stratum],
    wrong: set[int],
) -> bool:
    """Return whether what was found is refuted by an ordinary trace that is right."""
    found_here = any(
        id(t) in wrong for s in explained if s.method == layer.method for t in s.traces
    )
    right = [trace for trace in layer.traces if id(trace) not in wrong]
    refuted = not any(replays.explain(one, right) for one in beam)
    return layer.ordinary and found_here and refuted


def named_here(
    layer: Stratum, layers: Sequence[Stratum], beam: Sequence[Parts], lost: Sequence[Stratum]
) -> bool:
    """Return whether a mistake may be taken from a stratum.

    From the ordinary ones; from a rare one while all that is ordinary is explained, but not from a
    NaN, which any mistake spreads; from another dtype than the first where nothing was found.
    """
    nan = any(trace.probe.has_nan for trace in layer.traces)
    plain_enough = layer.ordinary or not (nan or any(other.ordinary for other in lost))
    return plain_enough and (layer.dtype == layers[0].dtype or not any(beam))


def honest(parts: Sequence[Part]) -> list[Part]:
    """Return the conventions."""
    return [part for part in parts if not part.is_mutant]


def telling(layers: Sequence[Stratum], layer: Stratum) -> list[Trace]:
    """Return traces that tell what is added to a norm: the plain and those of small gradients."""
    return [
        trace
        for other in layers
        if (other.dtype, other.method) == (layer.dtype, layer.method)
        and all(feature.startswith("scale=") for feature in other.features)
        for trace in other.traces[:1]
    ]
