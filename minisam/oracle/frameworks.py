"""Write the script that shows a failure of an optimizer as its users step it."""

from __future__ import annotations

from typing import Any

from minisam.adapters.protocol import Adapter
from minisam.adapters.wire import start_message
from minisam.oracle.comparing import Judgement
from minisam.oracle.notation import brackets, in_whole_numbers, list_of, numbers_in
from minisam.oracle.scripts import Places, in_step, keywords, printing, told, with_comment
from minisam.oracle.watch import Trace

CLOSURE = "value = loss(); value.backward(); return value"
# What the styles of the adapter of PyTorch do; ``{}`` is where several steps are taken.
STEPS = {
    "two_steps": (
        "for step in {n}[optimizer.first_step, optimizer.second_step]:",
        "    loss().backward(); step(zero_grad=True)",
    ),
    "ascent_descent": (
        "for step in {n}[optimizer.ascent_step, optimizer.descent_step]:",
        "    loss().backward(); step()",
    ),
    "closure": (
        f"def closure(): optimizer.zero_grad(); {CLOSURE}",
        "{loop}optimizer.step(closure)",
    ),
    "backward_then_closure": (
        f"def closure(): {CLOSURE}",
        "{loop}closure(); optimizer.step(closure); optimizer.zero_grad()",
    ),
    "plain_step": ("{loop}optimizer.zero_grad(); loss().backward(); optimizer.step()",),
}


def for_torch(trace: Trace, judgement: Judgement, adapter: Adapter, call: str) -> list[str]:
    """Return the script of a PyTorch optimizer; none if it takes more than weights and numbers.

    Its loss is linear: its gradients are the ones that are told, and autograd hands them over.
    """
    hp, count = trace.hp, len(trace.steps)
    words = step_of_torch(adapter)
    special = hp.missing or hp.frozen or hp.groups or hp.scheduled or hp.saved
    elsewhere = "model" in trace.read or "device" in vars(adapter)["arguments"]
    if special or elsewhere or not words or not in_step(trace):
        return []
    several = {"n": f"{count} * " if count > 1 else "", "loop": f"for _ in range({count}): "}
    several["loop"] = several["loop"] if count > 1 else ""
    start = in_whole_numbers(list_of(trace.steps[0].start))
    tensor = f"torch.tensor(x, dtype=torch.{trace.dtype})"
    gradients = brackets(text for seen in trace.steps for text in told(trace, seen))
    return [
        "import torch; from minisam.adapters.reading import ReadingDict",
        f"params = [torch.nn.Parameter({tensor}) for x in {start}]",
        f"optimizer = {call}(params, ReadingDict.of(dict({keywords(trace)})))",
        with_comment(trace, f"gradients, asked = iter({gradients}), []", "d1, d2"),
        "def loss():",
        "    asked.append([p.tolist() for p in params])",
        "    return sum((p * p.new_tensor(g)).sum() for p, g in zip(params, next(gradients)))",
        *(line.format(**several) for line in words),
        printing(trace, judgement, Places(end="[p.tolist() for p in params]", arrays=False)),
    ]


def step_of_torch(adapter: Adapter) -> tuple[str, ...]:
    """Return the lines that take a step in an adapter's style; none if it has no name."""
    style = vars(adapter).get("style")
    name = getattr(style, "__name__", "")
    if style is vars(adapter)["arguments"].get("style"):  # it is the user's own
        return ("{loop}" + f"{name}(optimizer, loss)",) if name.isidentifier() else ()
    return STEPS.get(name, ())


def of_a_program(trace: Trace, judgement: Judgement, adapter: Any, call: str) -> list[str]:
    """Return the script of a program: the messages, and what it answers to the last."""
    if trace.hp.missing or trace.hp.shards > 1:
        return []
    start = start_message(trace.steps[0].start, trace.hp)
    messages = ["start"]
    lines = ["import json, subprocess", f"start = {python(start)}"]
    for number, seen in enumerate(trace.steps):
        now, name = trace.hp.at(number), f"step{number + 1}" if len(trace.steps) > 1 else "step"
        flat = [brackets(numbers_in(x.ravel()) for x in answer) for answer in seen.answers]
        run = f'"lr": {now.lr}, "rho": {now.rho}, "gradients": {brackets(flat)}'
        lines.append(in_whole_numbers(f'{name} = {{"type": "run", {run}}}'))
        messages.append(name)
    places = Places('reply["points"][{}]', 'reply["params"]', arrays=False, flat=True)
    return [
        *lines,
        f'text = "\\n".join(map(json.dumps, {brackets(messages)}))',
        f"said = subprocess.check_output({adapter.harness.command!r}, input=text, text=True)",
        "reply = json.loads(said.splitlines()[-1])",
        printing(trace, judgement, places),
    ]


def python(message: dict[str, Any]) -> str:
    """Write a message as Python, in whole numbers."""
    return in_whole_numbers(repr(message).replace("'", '"'))
