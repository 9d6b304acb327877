"""Write a failure down as a few lines of Python: what an implementation does, and what it should.

The script stands beside what was checked, and calls it: a step function as it is, without minisam;
PyTorch's optimizers and programs as their users do; everything else through its adapter. Gradients
are told in the order in which they were asked for, so that the same implementation gets the same
ones. One that is put right asks for as many as it should, so there are always enough for it.
"""

from __future__ import annotations

from keyword import iskeyword

from minisam.adapters.protocol import Adapter
from minisam.oracle.comparing import Judgement
from minisam.oracle.frameworks import for_torch, of_a_program
from minisam.oracle.notation import folded
from minisam.oracle.scripts import answering, of_a_step, of_an_adapter, printing, steps_of
from minisam.oracle.watch import Trace

LINES = 10
NAMES = {"plain": "step", "": "adapter"}  # of what was checked, where its own is no word of Python
OWN_WORDS = {"torch": for_torch, "process": of_a_program}


def reproduction(trace: Trace, judgement: Judgement, adapter: Adapter, call: str) -> str:
    """Write Python that shows a failure: at most ten lines if its numbers are short.

    With a split batch there may be eleven: the script answers for every shard, and for all of it.

    Args:
        trace: what was seen.
        judgement: what is wrong there.
        adapter: the implementation's. One with ``kind`` "plain" is a step function.
        call: the name of what was checked; if it is no word of Python, its own name will do.
    """
    kind = getattr(adapter, "kind", "")
    names = (call, getattr(adapter, "name", ""), NAMES.get(kind, "make"))
    call = next(name for name in names if name.isidentifier() and not iskeyword(name))
    shown = trace._replace(steps=trace.steps[: judgement.step + 1])
    if kind in OWN_WORDS:
        lines = folded_lines(OWN_WORDS[kind](shown, judgement, adapter, call))
        if 0 < len(lines) <= LINES:
            return "\n".join(lines)
    if kind == "plain":
        opening = of_a_step(shown, vars(adapter)["accepts"], call)
    else:
        opening = of_an_adapter(shown, adapter, call)
    lines = [*opening.lines, *answering(shown), *steps_of(shown, opening)]
    return "\n".join(folded_lines([*lines, printing(shown, judgement)]))


def folded_lines(lines: list[str]) -> list[str]:
    """Fold those that are too long."""
    return [part for line in lines for part in folded(line)]
