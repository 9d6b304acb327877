import json
import shutil
import sys
import textwrap
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from minisam.adapters.library import own
from minisam.adapters.process import process
from minisam.adapters.protocol import FEATURES, HYPERPARAMETERS, AdapterError, Unsupported, observe
from minisam.adapters.wire import SCHEMA
from minisam.vectors import load_vectors, replay

JAVASCRIPT = Path(__file__).parent / "harness" / "sam.js"
SHAPES = {"fc.weight": (2, 3), "fc.bias": (2,)}
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")

# A right harness, for SGD and SAM; what is wrong is put in its place.
HARNESS = """
import json, math, sys

def answer(m):
    global w, h
    {before}
    if m["type"] == "stop":
        raise SystemExit
    if m["type"] == "start":
        w, h = m["params"], m
        return {{"params": w}}
    points, script = [], m["gradients"]
    def ask(point):
        points.append([list(t) for t in point])
        return script[min(len(points), len(script)) - 1]
    d = ask(w)
    if h["method"] == "sam":
        n = math.sqrt(sum(x * x for t in d for x in t)) or 1.0
        c = m["rho"] / n
        d = ask([[x + c * g for x, g in zip(*pair)] for pair in zip(w, d)])
    w = [[x - m["lr"] * g for x, g in zip(*pair)] for pair in zip(w, d)]
    {after}
    return {{"points": points, "params": w}}

print("harness started", file=sys.stderr)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
"""


@pytest.fixture
def harness(tmp_path):
    started = []

    def make(before="pass", after="pass", **options):
        path = tmp_path / f"harness{len(started)}.py"
        parts = {
            key: textwrap.indent(textwrap.dedent(text), "    ").strip()
            for key, text in (("before", before), ("after", after))
        }
        path.write_text(HARNESS.format(**parts))
        started.append(process([sys.executable, "-S", str(path)], **options))
        return started[-1]

    yield make
    for adapter in started:
        adapter.close()


def problem(seed=0, **changed):
    rng = np.random.default_rng(seed)
    w = [rng.normal(size=shape) for shape in SHAPES.values()]
    return w, {**HYPERPARAMETERS, "names": tuple(SHAPES), **changed}


def gradient(point):
    return [np.sin(3 * x) + x for x in point]


def trajectory(adapter, steps, w, h):
    run = adapter(w, h)
    seen = []
    for _ in range(steps):
        seen.append(observe(run, w, gradient))
        w = seen[-1].end
    return seen


def test_gradients_that_depend_on_the_point_are_found_without_callbacks(harness):
    w, h = problem(rho=0.3)
    for ours, theirs in zip(
        trajectory(own(), 4, w, h), trajectory(harness(), 4, w, h), strict=True
    ):
        assert len(theirs.queries) == 2
        for a, b in zip(ours.queries[1] + ours.end, theirs.queries[1] + theirs.end, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14, atol=0)


def test_two_runs_take_turns(harness):
    adapter = harness()
    (w, h), (v, _) = problem(), problem(seed=1)
    alone = [one.end for one in trajectory(adapter, 3, w, h)]
    first, second = adapter(w, h), adapter(v, h)
    for expected in alone:
        seen = observe(first, w, gradient)
        for a, b in zip(seen.end, expected, strict=True):
            np.testing.assert_array_equal(a, b)
        v = observe(second, v, gradient).end


def test_schedules_arrive_step_by_step(harness):
    w, h = problem(lr=[0.5, 0.25], rho=[0.0, 0.5])
    for ours, theirs in zip(
        trajectory(own(), 3, w, h), trajectory(harness(), 3, w, h), strict=True
    ):
        for a, b in zip(ours.end, theirs.end, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-16)


def test_vectors_go_over_as_scripts(harness):
    adapter = harness()
    ran = 0
    for vector in load_vectors(["sgd", "sam"]):
        plain = vector["requires"] == [f"method:{vector['hyperparameters']['method']}"]
        if plain and "ScaleSafe" not in vector["flags"]:
            assert replay(adapter, vector).passed, vector["slug"]
            ran += 1
    assert ran >= 20


def test_a_wrong_optimizer_in_a_right_harness_is_seen(harness):
    adapter = harness(after="w = points[-1]")  # stays at B
    vectors = {vector["slug"]: vector for vector in load_vectors()}
    outcome = replay(adapter, vectors["sam-norm-4"])
    assert (outcome.passed, outcome.quantity) == (False, "end")


def test_messages_obey_their_schema(harness, tmp_path):
    log = tmp_path / "log"
    adapter = harness(before=f"open({str(log)!r}, 'a').write(json.dumps(m) + '\\n')")
    trajectory(adapter, 2, *problem(p=np.inf))
    replay(adapter, load_vectors(["sam"])[0])
    adapter.close()
    schema = json.loads(SCHEMA.read_text())
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    messages = [json.loads(line) for line in log.read_text().splitlines()]
    assert {message["type"] for message in messages} == {"start", "run", "stop"}
    for message in messages:
        validator.validate(message)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({"type": "run", "lr": 0.1, "rho": 0.1})


def failure(adapter, **changed):
    with pytest.raises(AdapterError) as caught:
        trajectory(adapter, 2, *problem(**changed))
    return str(caught.value)


def test_a_harness_that_hangs(harness):
    asleep = "import time\nif m['type'] == 'run': time.sleep(60)"
    assert "gave no answer within 0.3 s (asked to run)" in failure(
        harness(before=asleep, timeout=0.3)
    )


def test_a_harness_may_be_slow_to_start(harness):
    slow = "import time\nif 'w' not in globals(): time.sleep(0.6)"
    assert trajectory(harness(before=slow, timeout=0.5), 1, *problem())
    assert "gave no answer within 0.2 s" in failure(harness(before=slow, startup=0.2))


def test_a_harness_that_dies_tells_why(harness):
    message = failure(harness(before="raise ValueError('no such thing')"))
    assert "ended with exit code 1" in message
    assert "no such thing" in message


def test_one_death_is_forgiven(harness, tmp_path):
    flag = tmp_path / "died"
    once = f"""
        import os
        if m["type"] == "run" and not os.path.exists({str(flag)!r}):
            open({str(flag)!r}, "w")
            os._exit(3)
    """
    w, h = problem()
    ends = [one.end for one in trajectory(harness(before=once), 3, w, h)]
    assert flag.exists()
    for a, b in zip(ends[-1], trajectory(harness(), 3, w, h)[-1].end, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_harness_that_never_worked_is_not_tried_for_ever(harness, tmp_path):
    log = tmp_path / "starts"
    adapter = harness(before=f"open({str(log)!r}, 'a').write('x'); raise ValueError")
    first = failure(adapter)
    assert first == failure(adapter)
    assert log.read_text() == "xx"


def test_a_second_death_is_not(harness):
    always = "import os\nif m['type'] == 'run' and m['lr'] == 0.1: os._exit(3)"
    assert "exit code 3" in failure(harness(before=always))


def test_a_harness_that_prints(harness):
    message = failure(harness(before="print('now at', m['type'])"))
    assert "'now at start'" in message
    assert "standard error" in message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"before": "if m['type'] == 'start': m['params'][0][0] += 1e-9"}, "hand back the numbers"),
        ({"before": "if m['type'] == 'run': return {'params': w}"}, "no 'points'"),
        ({"after": "w = w[:1]"}, "flat lists"),
        ({"after": "w = [[w], w[1]]"}, "flat lists"),
        ({"after": "return {'points': 3, 'params': w}"}, "points must hold"),
        ({"before": "if m['type'] == 'run': return {'error': 'boom'}"}, "boom"),
        ({"after": "import random; w = [[random.random() for x in t] for t in w]"}, "determin"),
    ],
)
def test_a_broken_harness_is_told_from_a_broken_optimizer(harness, wrong, said):
    assert said in failure(harness(**wrong))


def test_points_that_change_with_later_answers_are_refused(harness):
    prophet = """
        if m["type"] == "run" and m["lr"] == 0.1:
            shift = float(len(m["gradients"]))
            return {"points": [[[x + shift for x in t] for t in w]] * 3, "params": w}
    """
    assert "different points" in failure(harness(before=prophet))


def test_endless_questions_are_not_followed(harness):
    endless = """
        if m["type"] == "run" and m["lr"] == 0.1:
            return {"points": [w] * (len(m["gradients"]) + 1), "params": w}
    """
    assert "more than 64" in failure(harness(before=endless))


def test_what_is_not_supported_is_not_an_error(harness):
    adapter = harness(before="if m.get('method') == 'asam': return {'unsupported': 'no ASAM'}")
    with pytest.raises(Unsupported, match="no ASAM"):
        adapter(*problem(method="asam"))
    assert trajectory(adapter, 1, *problem())


def test_not_a_number_travels_as_null(harness):
    nan = harness(after="w = [[None] * len(t) for t in w]")
    assert all(np.isnan(x).all() for x in trajectory(nan, 1, *problem())[0].end)


def test_gradients_that_json_cannot_hold_are_not_sent(harness):
    w, h = problem()
    run = harness()(w, h)
    with pytest.raises(Unsupported, match="not finite"):
        run(lambda point: [np.full_like(x, np.nan) for x in point])


def test_a_batch_is_split_only_for_a_harness_that_can(harness):
    w, h = problem(shards=2)
    with pytest.raises(Unsupported, match="does not split"):
        harness()(w, h)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="command must name a program"):
        process("")
    with pytest.raises(ValueError, match="timeout must be"):
        process("cat", timeout=0)
    with pytest.raises(ValueError, match="startup must be"):
        process("cat", startup=-1)
    with pytest.raises(ValueError, match="features must be among"):
        process("cat", features=["colour"])
    with pytest.raises(AdapterError, match="cannot start no-such-program"):
        process("no-such-program")(*problem())


@needs_node
@pytest.mark.parametrize("method", ["sgd", "sam", "asam"])
def test_the_javascript_harness_agrees(method):
    assert len(JAVASCRIPT.read_text().splitlines()) <= 40
    adapter = process([NODE, str(JAVASCRIPT)])
    try:
        outcomes = [replay(adapter, vector) for vector in load_vectors([method])]
        assert [one.slug for one in outcomes if one.passed is False] == []
        assert sum(one.passed is True for one in outcomes) >= 14
        w, h = problem(method=method, momentum=0.9, nesterov=True, weight_decay=0.01)
        for ours, theirs in zip(
            trajectory(own(), 4, w, h), trajectory(adapter, 4, w, h), strict=True
        ):
            for a, b in zip(ours.end, theirs.end, strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
    finally:
        adapter.close()


PROBED = {"groups", "saved", "scheduler"}  # by the oracle's probes alone


def test_every_feature_is_one_that_vectors_require():
    required = {need for vector in load_vectors() for need in vector["requires"]}
    assert set(FEATURES) - PROBED <= required


@pytest.mark.fault("time-limit-value", "oracle.process")
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e30, "10"])
@pytest.mark.parametrize("name", ["timeout", "startup"])
def test_a_limit_that_is_no_time_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} must be a number of seconds from 0.001"):
        process("cat", **{name: value})
