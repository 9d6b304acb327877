"""What a student is told at once, wherever Python runs."""

import signal
import threading
import types

import pytest
from course import submissions as known

from minisam.course import check, formative
from minisam.course.assignments import NAMES, assignment
from minisam.course.texts import reference, stub


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    monkeypatch.setattr(formative, "tries", {})


def scope_of(text):
    scope = {}
    exec(text, scope)
    return scope


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes_and_the_stub_gets_nothing(name, capsys):
    found = assignment(name)
    check(scope_of(reference(found, {})), name)
    assert formative.PASSED in capsys.readouterr().out
    check(scope_of(stub(found, {})), name)
    out = capsys.readouterr().out
    due = "12 points so far" if name == "a4" else "20 points"  # a person reads the report
    assert out.startswith(f"0 of {due}, not written yet")
    assert formative.PRACTICE in out
    assert set(formative.tries.values()) == {0}


def test_a_function_alone_is_told_of_itself_only(capsys):
    check(known.right, "a2")
    out = capsys.readouterr().out
    assert "mistakes of three" not in out
    assert formative.PASSED in out
    module = types.ModuleType("hw1")
    module.bounce = lambda lr, lam, rho: lr * lam * rho / (2 - lr * lam)
    module.bounce.__name__ = "bounce"
    check(module.bounce, "a1")
    assert len(capsys.readouterr().out.splitlines()) == 3
    check(module, "a1")
    assert len(capsys.readouterr().out.splitlines()) > 8


def downhill(w, grad_fn, *, rho, lr):
    return known.right(w, grad_fn, rho=-rho, lr=lr)


def test_the_name_of_a_mistake_comes_with_the_second_try(capsys):
    check(downhill, "a2")
    assert "M07" not in capsys.readouterr().out
    check(downhill, "a2")
    out = capsys.readouterr().out
    assert "M07-downhill" in out
    assert out.count("?") == 1


@pytest.mark.fault("missing-from-the-platform", "minisam.course.check")
def test_neither_timers_nor_threads_are_needed(monkeypatch, capsys):
    def no_thread(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.delattr(signal, "setitimer", raising=False)
    monkeypatch.setattr(threading.Thread, "start", no_thread)
    check(known.right, "a2")
    assert formative.PASSED in capsys.readouterr().out


def test_one_that_hangs_is_asked_once(capsys):
    def step(w, grad_fn, *, rho, lr):
        while True:
            pass

    check(step, "a2", timeout=0.05)
    assert capsys.readouterr().out.startswith("0 of 20 points, timed out")


@pytest.mark.parametrize(("work", "name", "told"), [
    (3, "a2", "work must be"),
    (known.right, "a1", "work must be named as in a1"),
    (known.right, "a9", "assignment must be among"),
])  # fmt: skip
def test_what_is_no_work_is_refused(work, name, told):
    with pytest.raises(ValueError, match=told):
        check(work, name)


def test_a_limit_and_a_variant_that_are_none_are_refused():
    with pytest.raises(ValueError, match="timeout must be"):
        check(known.right, "a2", timeout=0)
    with pytest.raises(ValueError, match="variant"):
        check(known.right, "a2", {"p": 9})


def test_what_it_does_is_not_changed_by_what_is_printed_or_patched(capsys):
    def step(w, grad_fn, *, rho, lr):
        print("x")
        return downhill(w, grad_fn, rho=rho, lr=lr)

    check(step, "a2")
    assert "15 of 20 points" in capsys.readouterr().out
