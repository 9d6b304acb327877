import numpy as np
import pytest
from oracle import implementations as known

from minisam.adapters.plain import as_adapter
from minisam.oracle.checking import check
from minisam.oracle.judge import judge
from minisam.oracle.probes import PROBES
from minisam.oracle.reproduction import reproduction
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS, mutant_adapter


def seen(adapter, slug="sam-three-tensors", dtype="float64"):
    trace = watch(adapter, PROBES[slug], dtype)
    return trace, judge(trace)


def changed(**pieces):
    return mutant_adapter(lambda recipe: recipe.having(**pieces))


@pytest.mark.parametrize("slug", ["sam-one-tensor", "sam-momentum", "sam-lr-schedule"])
def test_a_reproduction_is_short_and_runs_alone(slug, capsys):
    trace, judgement = seen(changed(radius=lambda now: 0.7 * now.rho), slug, "float32")
    text = reproduction(trace, judgement, "step", frozenset({"method", "rho", "lr"}))
    assert len(text.splitlines()) <= 10
    assert "minisam" not in text
    calls = []

    def step(w, grad_fn, **settings):
        calls.append(settings)
        return known.right(w, grad_fn, rho=settings["rho"], lr=settings["lr"])

    exec(text, {"step": step})
    assert all(isinstance(settings["lr"], float) for settings in calls)
    assert "should be" in capsys.readouterr().out


def test_a_missing_gradient_is_missing_in_the_reproduction_too(capsys):
    trace, judgement = seen(
        MUTANTS["R16-missing-second-gradient-no-restore"].adapter, "sam-tensor-missing-at-B"
    )
    text = reproduction(trace, judgement, "step", frozenset({"method", "rho", "lr"}))
    assert "missing" not in text.splitlines()[-2]
    answers = []

    def step(w, grad_fn, **settings):
        answers.append([grad_fn(w), grad_fn([x + 1 for x in w])])
        assert settings.keys() == {"method", "rho", "lr"}
        return w

    exec(text, {"step": step})
    assert [g is None for g in answers[0][0]] == [False, False, False]
    assert [g is None for g in answers[0][1]] == [True, False, False]
    assert "should be" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["averaged", "one by one"])
def test_a_split_batch_is_split_in_the_reproduction_too(how, capsys):
    def step(w, grad_fn, *, rho, lr, momentum, state, shards):
        def mean(point):
            if shards == 1 or how == "averaged":
                return grad_fn(point)
            parts = zip(*(one(point) for one in grad_fn.shards), strict=True)
            return [sum(part) / shards for part in parts]

        return known.right_with_momentum(
            w, mean, rho=rho / 2, lr=lr, momentum=momentum, state=state
        )

    trace, judgement = seen(as_adapter(step), "sam-shards")
    text = reproduction(
        trace, judgement, "step", frozenset({"rho", "lr", "momentum", "shards", "state"})
    )
    assert len(text.splitlines()) <= 10
    asked = []

    def again(w, grad_fn, **settings):
        new = step(w, grad_fn, **settings)
        asked.append(new)
        return new

    exec(text, {"step": again})
    np.testing.assert_array_equal(asked[0][0], trace.steps[0].end[0])
    assert "should be" in capsys.readouterr().out


def half(w, grad_fn, rho, lr):
    return known.half_climb(w, grad_fn, rho=rho, lr=lr)


def by_name(w, grad_fn, *, rho, lr, momentum, weight_decay):
    return half(w, grad_fn, rho, lr)


def by_name_and_rest(w, grad_fn, *, rho, lr, **rest):
    assert not rest
    return half(w, grad_fn, rho, lr)


def by_keywords(w, grad_fn, **hp):
    rho = hp["rho"] if hp["method"] == "sam" and not hp["adaptive"] else 0.0
    assert hp["momentum"] == 0
    return half(w, grad_fn, rho, hp["lr"])


def with_memory(w, grad_fn, *, rho, lr, momentum, state):
    return known.right_with_momentum(w, grad_fn, rho=rho / 2, lr=lr, momentum=momentum, state=state)


def with_memory_by_keywords(w, grad_fn, **hp):
    return known.right_with_momentum(
        w, grad_fn, rho=hp["rho"] / 2, **{k: hp[k] for k in ("lr", "momentum", "state")}
    )


def both_methods(w, grad_fn, *, rho, lr, adaptive):
    return half(w, grad_fn, rho, lr)


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize(
    "step",
    [by_name, by_name_and_rest, by_keywords, with_memory, with_memory_by_keywords, both_methods],
)
def test_it_runs_as_printed_however_a_step_takes_its_arguments(step, capsys):
    report = check(step, "float64", method="sam", probes=["sam-one-tensor"])
    assert report.verdict == "bug: unidentified"
    exec(report.reproduction, {step.__name__: step})
    seen, right = capsys.readouterr().out.split(": [")[1].split("should be")
    seen, right = eval("[" + seen, {"array": np.array})[0], np.array(eval(right)[0])
    space = {}
    start = report.reproduction.splitlines()[1]
    exec(f"import numpy as np\n{start}", space)
    np.testing.assert_allclose(seen - space["w"][0], (right - space["w"][0]) / 2, rtol=1e-6)


def test_a_wrong_number_of_gradients_is_shown_where_one_is_asked_for_twice(capsys):
    def step(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(grad_fn(w) and w, grad_fn(w), strict=True)]

    trace, judgement = seen(as_adapter(step), "sam-one-tensor")
    exec(reproduction(trace, judgement, "step", frozenset({"rho", "lr"})), {"step": step})
    assert capsys.readouterr().out == "gradients asked for in a step: 1 should be at least 2\n"


def test_points_that_print_alike_have_gradients_of_their_own(capsys):
    def step(w, grad_fn, *, rho, lr):
        d1 = grad_fn(w)
        b = [x + 1e-12 * g for x, g in zip(w, d1, strict=True)]
        return [x - lr * g for x, g in zip(w, grad_fn(b), strict=True)]

    trace, judgement = seen(as_adapter(step), "sam-one-tensor")
    space = {"step": step}
    exec(reproduction(trace, judgement, "step", frozenset({"rho", "lr"})), space)
    np.testing.assert_allclose(space["w"][0], trace.steps[0].end[0], rtol=1e-15)


@pytest.mark.parametrize("slug", ["sam-one-tensor", "sam-lr-schedule", "sam-tensor-missing-at-B"])
def test_what_is_no_step_function_gets_the_data_and_a_comment(slug):
    adapter = changed(radius=lambda now: 0.7 * now.rho)
    trace, judgement = seen(adapter, slug)
    text = reproduction(trace, judgement, "make", None)
    assert "make(" not in text
    assert "method='sam', rho=0.05" in text
    space = {}
    exec(text, space)
    for told, kept in zip(space["w"], trace.steps[0].start, strict=True):
        np.testing.assert_array_equal(told, kept)
    for told, kept in zip(space["gradients"][0][0], trace.steps[0].answers[0], strict=True):
        np.testing.assert_array_equal(told, kept)
    expected = [judgement.expected[name].value for name in trace.hp.names]
    for told, value in zip(space["right"], expected, strict=True):
        np.testing.assert_array_equal(told, value)
    assert f"# {', '.join(trace.hp.names)}\n" in text


def test_an_adapter_that_is_no_step_is_not_called_as_one():
    report = check(changed(radius=lambda now: 0.7 * now.rho), "float64", probes=["sam-one-tensor"])
    assert "# Take one step from w with these gradients" in report.reproduction
    assert "grad_fn" not in report.reproduction
