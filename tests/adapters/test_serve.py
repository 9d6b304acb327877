"""What is served in another process is the same implementation."""

import sys
from pathlib import Path

import numpy as np
import pytest

import minisam
from minisam.adapters.process import process
from minisam.adapters.protocol import AdapterError
from minisam.adapters.wire import checked_reply
from minisam.oracle.checking import check
from minisam.vectors import load_vectors, replay

HARNESS = """
import sys
sys.path[:0] = {path!r}
from minisam.adapters.library import own
from minisam.adapters.serve import serve

def loud(params, hyperparameters):
    print("this must not come among the replies")
    return own()(params, hyperparameters)

serve(loud)
"""


UNREAD = """
import sys
sys.path[:0] = {path!r}
from minisam.adapters.serve import serve

def sgd(params, hp):
    w = [x.copy() for x in params]

    def run(grad_fn):
        w[:] = [x - hp["lr"] * g for x, g in zip(w, grad_fn(w))]
        if len(w) == 1 and w[0].size == 2 and hp["frozen"]:
            raise ValueError("frozen")
        return w

    return run

serve(sgd)
"""


@pytest.mark.fault("signature", "oracle.process")
def test_what_a_served_implementation_never_reads_is_not_held_against_it(tmp_path):
    path = tmp_path / "harness.py"
    path.write_text(UNREAD.format(path=[str(Path(minisam.__file__).parent.parent)]))
    adapter = process([sys.executable, str(path)])
    probes = ["sgd-plain", "sgd-gradient-zero", "sgd-weight-decay"]
    report = check(adapter, "float64", method="sgd", probes=probes)
    adapter.close()
    assert report.verdict == "conforms"
    assert [r.reason for r in report.results if r.dtype == "float64"] == [
        "", "it does not read momentum", "it does not read momentum",
    ]  # fmt: skip


@pytest.mark.fault("said-of-the-code", "oracle.process")
def test_an_exception_of_a_harness_is_told_with_its_line(tmp_path):
    path = tmp_path / "harness.py"
    path.write_text(UNREAD.format(path=[str(Path(minisam.__file__).parent.parent)]))
    adapter = process([sys.executable, str(path)], features=["frozen"])
    run = adapter([np.ones(2)], {"method": "sgd", "names": ["w"], "frozen": ["w"]})
    with pytest.raises(AdapterError, match=r'frozen \(harness.py, line \d+: "raise ValueError'):
        run(lambda point: point)
    adapter.close()


@pytest.mark.parametrize("unread", ["momentum", ["momentun"], {"momentum": 1}, None])
def test_what_is_unread_must_be_names_that_were_given(unread):
    start = {"hyperparameters": {"lr": 0.5, "momentum": 0.0}, "shapes": [], "params": []}
    reply = {"params": [], "points": [], "unread": unread}
    with pytest.raises(
        AdapterError, match=r"unread must be a list of some of \['lr', 'momentum'\]"
    ):
        checked_reply(reply, start, "points", "params")
    good = {**reply, "unread": ["momentum"]}
    assert checked_reply(good, start, "points", "params") == good


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "harness.py"
    path.write_text(HARNESS.format(path=[str(Path(minisam.__file__).parent.parent)]))
    adapter = process([sys.executable, str(path)], features=["frozen", "missing-gradient"])
    yield adapter
    adapter.close()


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_exact_vectors_pass_but_for_what_is_not_served(served, dtype):
    outcomes = [replay(served, vector, dtype) for vector in load_vectors(["sgd", "sam"])]
    assert [one for one in outcomes if one.passed is False] == []
    reasons = {one.quantity for one in outcomes if one.passed is None}
    unserved = {"schedules are not served", "the adapter has no way to say shards"}
    assert unserved <= reasons <= {*unserved, f"not exact in {dtype}"}
    assert sum(one.passed is True for one in outcomes) > 30


def test_an_exception_is_an_error_with_its_text(served):
    vector = load_vectors(["sam"])[0]
    crooked = {**vector, "hyperparameters": {**vector["hyperparameters"], "decay": "sideways"}}
    with pytest.raises(AdapterError, match="ValueError: decay must be"):
        replay(served, crooked)
