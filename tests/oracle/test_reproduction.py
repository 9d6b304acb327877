import numpy as np
import pytest
from oracle import implementations as known
from oracle.printed import agree, differ, printed_by, script_of, shrunk
from oracle.slips import ASAM_SLIPS, EVERY, SLIPS, adapter_of

from minisam.adapters.plain import as_adapter
from minisam.oracle.checking import check
from minisam.oracle.judge import judge
from minisam.oracle.notation import folded, numbers_in
from minisam.oracle.probes import PROBES
from minisam.oracle.reproduction import reproduction
from minisam.oracle.watch import watch
from minisam.variants.mutants import MUTANTS, mutant_adapter

WRONG = [*SLIPS, *ASAM_SLIPS]
MISTAKES = [m for m in MUTANTS.values() if not m.equivalent and m.dtypes[0] == "float64"]
SHARDED = ("M22-another-batch", "M29-shards-summed", "M30-own-climb-per-shard",
           "R11-last-shard-climbs")  # fmt: skip


def check_slip(name):
    method = "asam" if name in ASAM_SLIPS else "sam"
    script = script_of(adapter_of(name), name, method)
    lines = script.splitlines()
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 88
    assert "minisam" not in script
    assert differ(*printed_by(script, {name: EVERY[name]}))


@pytest.mark.fault("said-of-the-code", "oracle.check")
@pytest.mark.parametrize("name", WRONG[::8])
def test_a_script_runs_as_printed_and_shows_what_it_says(name):
    check_slip(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_every_script_runs_as_printed_and_shows_what_it_says(name):
    check_slip(name)


def check_mistake(mutant):
    script = script_of(mutant.adapter, "its adapter", mutant.methods[0])
    lines = script.splitlines()
    assert len(lines) <= (11 if mutant.name in SHARDED else 10)
    assert max(map(len, lines)) <= 88
    assert differ(*printed_by(script, {"adapter": mutant.adapter}))
    assert agree(*printed_by(script, {"adapter": mutant_adapter()}))


@pytest.mark.parametrize("mutant", MISTAKES[::8], ids=lambda mutant: mutant.name)
def test_what_is_put_right_prints_the_right_numbers(mutant):
    check_mistake(mutant)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MISTAKES, ids=lambda mutant: mutant.name)
def test_every_mistake_that_is_put_right_prints_the_right_numbers(mutant):
    check_mistake(mutant)


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


def with_all_there_is(w, grad_fn, *, rho, lr, eta, p, scope, names, frozen, method, dtype):
    assert (method, dtype, len(names)) == ("sam", "float64", len(w))
    assert (p, scope, frozen) == (2, "weights", ())
    return half(w, grad_fn, rho, lr)


@pytest.mark.fault("signature", "oracle.check")
@pytest.mark.parametrize(
    "step",
    [
        by_name,
        by_name_and_rest,
        by_keywords,
        with_memory,
        with_memory_by_keywords,
        both_methods,
        with_all_there_is,
    ],
)
def test_it_runs_as_printed_however_a_step_takes_its_arguments(step):
    report = check(step, "float64", method="sam", probes=["sam-one-tensor"])
    seen, right = printed_by(report.reproduction, {step.__name__: step})
    # half of the climb of ρ = ½ along (3, 4), from (1, 2)
    assert (seen, right) == ([[1.15, 2.2]], [[1.3, 2.4]])


def test_a_step_without_a_name_is_called_step():
    adapter = as_adapter(lambda w, grad_fn, *, rho, lr: half(w, grad_fn, rho, lr))
    assert "w = step(w, grad_fn, rho=0.5, lr=0.25)" in script_of(adapter, adapter.name)


def test_a_step_that_goes_by_another_name_is_called_by_its_own():
    report = check(known.half_climb, "float64", name="SAM, second try", probes=["sam-one-tensor"])
    assert "w = half_climb(w, grad_fn, rho=0.5, lr=0.25)" in report.reproduction


def test_a_wrong_number_of_gradients_is_shown_where_one_is_asked_for_twice():
    def step(w, grad_fn, *, rho, lr):
        return [x - lr * g for x, g in zip(grad_fn(w) and w, grad_fn(w), strict=True)]

    assert printed_by(script_of(as_adapter(step), "step"), {"step": step}) == (1, ">=2")


def test_a_missing_gradient_is_missing_in_the_script_too():
    adapter = MUTANTS["R16-missing-second-gradient-no-restore"].adapter
    script = script_of(adapter, "adapter", probes=["sam-tensor-missing-at-B"])
    assert "[[[3], [4]], [None, [6]]]" in script
    answers = []

    def asks_twice(params, hp):
        def run(grad_fn):
            answers.extend([grad_fn(params), grad_fn([x + 1 for x in params])])
            return params

        return run

    printed_by(script, {"adapter": asks_twice})
    assert [[g is None for g in answer] for answer in answers] == [[False, False], [True, False]]


@pytest.mark.parametrize("how", ["averaged", "one by one"])
def test_a_split_batch_is_split_in_the_script_too(how):
    def step(w, grad_fn, *, rho, lr, momentum, state, shards):
        def mean(point):
            if shards == 1 or how == "averaged":
                return grad_fn(point)
            parts = zip(*(one(point) for one in grad_fn.shards), strict=True)
            return [sum(part) / shards for part in parts]

        return known.right_with_momentum(
            w, mean, rho=rho / 2 if shards > 1 else rho, lr=lr, momentum=momentum, state=state
        )

    adapter = as_adapter(step)
    trace, judgement = shrunk(adapter, probes=["sam-shards"])
    script = reproduction(trace, judgement, adapter, "step")
    assert len(script.splitlines()) <= 10
    seen, right = printed_by(script, {"step": step})
    np.testing.assert_allclose(seen, trace.steps[0].queries[2], rtol=1e-8)  # as NumPy prints it
    assert differ(seen, right)


def test_a_step_that_has_no_velocity_is_told_of_split_batches():
    def half_of_it(w, grad_fn, *, rho, lr, shards):
        d1 = grad_fn(w)
        length = np.sqrt(sum(np.sum(g * g) for g in d1))
        b = [x + g * (rho / length) if length else x for x, g in zip(w, d1, strict=True)]
        d2 = grad_fn(b) if shards == 1 else grad_fn.shards[0](b)
        return [x - lr * g for x, g in zip(w, d2, strict=True)]

    report = check(half_of_it, "float64")
    assert {one.probe for one in report.results if one.status == "fail"} == {"sam-shards-plain"}
    assert "It goes wrong only with a batch in parts." in report.advice
    assert any("3 gradients of parts are asked for in a step, not at" in x for x in report.advice)
    assert len(report.reproduction.splitlines()) <= 10
    assert printed_by(report.reproduction, {"half_of_it": half_of_it}) == (3, ">=4")


def test_what_cannot_be_shrunk_is_told_with_the_probes_own_numbers():
    adapter = mutant_adapter(lambda recipe: recipe.having(radius=lambda now: 0.7 * now.rho))
    trace = watch(adapter, PROBES["sam-six-tensors"], "float32")
    script = reproduction(trace, judge(trace), adapter, "adapter")
    assert max(map(len, script.splitlines())) <= 88
    assert differ(*printed_by(script, {"adapter": adapter}))
    assert agree(*printed_by(script, {"adapter": mutant_adapter()}))


def test_numbers_are_written_as_short_as_they_are():
    assert numbers_in(np.array([[0.1, 3.0]], np.float32)) == "[[0.1, 3.0]]"
    assert numbers_in(np.array([np.nan, -np.inf])) == "[np.nan, np.-inf]".replace("np.-", "-np.")
    assert numbers_in(np.array([2.4000000000000004]), 7) == "[2.4]"


def test_a_long_line_is_folded_where_python_reads_on():
    line = f"    w = step(w, {', '.join(f'argument_{k}={k}' for k in range(12))})"
    lines = folded(line)
    assert max(map(len, lines)) <= 88
    assert len(lines) > 1
    compile("def f():\n" + "\n".join(lines), "script", "exec")


KEPT = {}


def remembers_in_a_global(w, grad_fn, *, rho, lr, momentum):
    """A velocity that belongs to whoever stepped last: lost if that was somebody else."""
    same = all(map(np.array_equal, w, KEPT.get("w", []))) and "w" in KEPT
    state = KEPT if same else {}
    new = known.right_with_momentum(w, grad_fn, rho=rho, lr=lr, momentum=momentum, state=state)
    KEPT.update(w=new, velocity=state["velocity"])
    return new


def test_what_only_shows_beside_another_run_is_shown_beside_one():
    script = script_of(as_adapter(remembers_in_a_global), "step", probes=["sam-two-runs-momentum"])
    assert "other = step(other, lambda point: point, " in script
    assert len(script.splitlines()) <= 10
    assert differ(*printed_by(script, {"step": remembers_in_a_global}))

    def by_hand(params, hp):
        return as_adapter(remembers_in_a_global)(params, hp)

    script = script_of(by_hand, "adapter", probes=["sam-two-runs-momentum"])
    assert "other(lambda point: point)" in script
    assert len(script.splitlines()) <= 10
    assert differ(*printed_by(script, {"adapter": by_hand}))
    assert agree(*printed_by(script, {"adapter": mutant_adapter()}))
