import sys

import pytest
from adapters.test_process import HARNESS
from oracle.printed import agree, differ, printed_by, shrunk

from minisam.adapters.process import process
from minisam.oracle.frameworks import step_of_torch
from minisam.oracle.reproduction import reproduction

HALF = "m.get('rho') and m.update(rho=m['rho'] / 2)"


@pytest.fixture
def harness(tmp_path):
    adapters = []

    def make(before="pass", after="pass"):
        path = tmp_path / "harness.py"
        path.write_text(HARNESS.format(before=before, after=after), encoding="utf-8")
        adapters.append(process([sys.executable, str(path)]))
        return adapters[-1]

    yield make
    for adapter in adapters:
        adapter.close()


@pytest.mark.parametrize(
    "mistake", [{"before": HALF}, {"after": "w = points[-1]"}, {"after": "points.pop()"}]
)
def test_a_programs_script_runs_as_printed(mistake, harness):
    adapter = harness(**mistake)
    script = reproduction(*shrunk(adapter), adapter, "harness.py")
    lines = script.splitlines()
    assert len(lines) <= 12  # the command, with the folders of a test, takes more than one
    assert differ(*printed_by(script, {}))
    harness()  # the same file, put right
    assert agree(*printed_by(script, {}))


def test_a_program_is_shown_the_messages_themselves_where_they_fit(harness, monkeypatch):
    adapter = harness(before=HALF)
    failure = shrunk(adapter)
    adapter.close()
    monkeypatch.setattr(adapter.harness, "command", ["node", "sam.js"])
    script = reproduction(*failure, adapter, "sam.js")
    assert "minisam" not in script
    assert '"gradients": [[[3, 4]], [[2, 6]]]' in script
    assert "subprocess.check_output(['node', 'sam.js'], input=text, text=True)" in script
    assert len(script.splitlines()) <= 10


def test_several_steps_of_a_program_are_taken_through_its_adapter(harness):
    first = "m.update(lr=globals().setdefault('first', m['lr'])) if m['type'] == 'run' else 0"
    adapter = harness(before=f"globals().pop('first', 0) if m['type'] == 'start' else {first}")
    failure = shrunk(adapter, probes=["sam-lr-schedule"])
    assert len(failure[0].steps) == 2
    script = reproduction(*failure, adapter, "harness.py")
    assert "oracle.process" in script
    assert differ(*printed_by(script, {}))


class Torch:
    """Only the marks of an adapter of PyTorch."""

    def __init__(self, style, own):
        self.style, self.arguments = style, {"style": style} if own else {}


def two_steps(optimizer, loss):
    raise AssertionError("only its name is of interest")


def test_a_step_is_written_as_the_style_does_it():
    assert "loss().backward(); step(zero_grad=True)" in step_of_torch(Torch(two_steps, False))[1]
    assert step_of_torch(Torch(two_steps, True)) == ("{loop}two_steps(optimizer, loss)",)
    assert step_of_torch(Torch(lambda optimizer, loss: None, True)) == ()
