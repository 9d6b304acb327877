"""What is served in another process is the same implementation."""

import sys
from pathlib import Path

import pytest

import minisam
from minisam.adapters.process import process
from minisam.adapters.protocol import AdapterError
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
