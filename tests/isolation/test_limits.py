"""Time limits: what is late is interrupted, and the caller's own alarm is left as it was."""

import argparse
import math
import signal
import sys
import threading
import time
from fractions import Fraction

import numpy as np
import pytest

from minisam.isolation import limits
from minisam.isolation.limits import Late, check_seconds, seconds, within

needs_timers = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
WRONG = [
    0,
    0.0,
    -1,
    1e-9,
    float("nan"),
    float("inf"),
    -float("inf"),
    1e30,
    10**400,
    True,
    "60",
    None,
]


def for_ever():
    while True:
        time.sleep(0.001)


def around_bare_except():
    while True:
        try:
            sum(range(10))
        except:  # noqa: E722
            continue


def around_finally():
    while True:
        try:
            sum(range(10))
        finally:
            continue  # noqa: B012


def around_except_baseexception():
    while True:
        try:
            raise ValueError
        except BaseException:
            continue


@pytest.mark.fault("time-limit-value", "limits.check_seconds", "limits.seconds")
@pytest.mark.parametrize("value", WRONG)
def test_what_cannot_be_waited_for_is_refused_by_name(value):
    with pytest.raises(
        ValueError, match=r"patience must be a number of seconds from 0\.001 to 86400"
    ):
        check_seconds("patience", value)


@pytest.mark.parametrize("value", [0.001, 1, np.float32(0.5), np.int64(7), Fraction(1, 2), 86_400])
def test_what_can_be_waited_for_is_taken(value):
    check_seconds("patience", value)


def test_a_limit_may_be_any_real_number():
    for limit in (60, np.float32(60), np.int64(60), Fraction(60)):
        assert within(limit, lambda: "done") == "done"


@pytest.mark.fault("time-limit-value", "limits.seconds")
@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e30", "", "soon", "1e999"])
def test_a_text_that_is_no_time_is_refused(text):

    with pytest.raises(
        argparse.ArgumentTypeError, match=r"must be a number of seconds from 0\.001"
    ):
        seconds(text)
    assert seconds("2.5") == 2.5


@needs_timers
@pytest.mark.fault("time-limit-swallowed", "limits.within")
@pytest.mark.parametrize(
    "function",
    [for_ever, around_bare_except, around_finally, around_except_baseexception],
)
def test_what_hangs_is_interrupted_until_it_ends(function):
    with pytest.raises(Late, match=r"a step did not return within 0\.05 s"):
        within(0.05, function)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@needs_timers
@pytest.mark.fault("time-limit-swallowed", "limits.within")
def test_interruptions_come_at_uneven_distances_and_again_should_one_be_lost(monkeypatch):
    """At even ones a function can be met in the same place for ever, where it catches all."""
    alarm, wound, clock = limits.Alarm(7.0, Late()), [], [0.0]
    alarm.frame, alarm.due, alarm.callers, alarm.handler = sys._getframe(), 7.0, math.inf, None
    monkeypatch.setattr(limits.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(signal, "setitimer", lambda which, *when: wound.append(when))
    for _ in range(30):
        clock[0] = alarm.due
        with pytest.raises(limits.Interruption):
            alarm.ring(signal.SIGALRM, sys._getframe())
    (first, *pauses), again = zip(*wound, strict=True)
    assert first == pytest.approx(limits.AGAIN)
    assert 0 < min(pauses) < 1e-5  # while the one before is on its way
    assert max(pauses) <= limits.SOON
    assert len({round(pause, 6) for pause in pauses}) > 10
    assert min(again) > 0


@needs_timers
@pytest.mark.fault("time-limit-swallowed", "limits.within")
def test_what_returns_after_its_interruption_was_swallowed_is_late_all_the_same():
    def swallows():
        try:
            for_ever()
        except BaseException:
            return "as if nothing were"

    with pytest.raises(Late):
        within(0.05, swallows)


@pytest.mark.fault("alarm-of-the-caller", "limits.within")
def test_a_function_that_fails_fails_as_it_is():
    with pytest.raises(KeyError, match="rho"):
        within(60, lambda: {}["rho"])


@needs_timers
class TestAlarmOfTheCaller:
    @pytest.fixture
    def rung(self):
        rung = []
        before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
        yield rung
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    def test_it_has_the_time_left_that_it_would_have(self, rung):
        handler = signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 1000, 7)
        within(60, lambda: time.sleep(0.1))
        left, every = signal.getitimer(signal.ITIMER_REAL)
        assert 500 < left <= 999.9
        assert every == 7
        assert signal.getsignal(signal.SIGALRM) is handler
        assert not rung

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    def test_it_rings_when_it_is_due_and_the_function_goes_on(self, rung):
        signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)

        def patient():
            while len(rung) < 3:
                time.sleep(0.001)
            return "done"

        assert within(60, patient) == "done"
        assert signal.getitimer(signal.ITIMER_REAL)[1] == 0.05

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    def test_it_rings_at_once_where_it_was_due_meanwhile_and_had_no_handler_to_call(self, rung):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        within(60, lambda: time.sleep(0.05))
        assert signal.getsignal(signal.SIGALRM) is signal.SIG_IGN

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    @pytest.mark.parametrize("function", [for_ever, around_bare_except])
    def test_what_its_handler_raises_comes_out(self, function):
        class Enough(Exception):
            pass

        def enough(*_):
            raise Enough

        before = signal.signal(signal.SIGALRM, enough)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        try:
            with pytest.raises(Enough):
                within(60, function)
            assert signal.getsignal(signal.SIGALRM) is enough
        finally:
            signal.signal(signal.SIGALRM, before)

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    @pytest.mark.parametrize(("outer", "inner"), [(0.05, 60), (60, 0.05)])
    def test_one_limit_holds_within_another(self, outer, inner):
        def nested():
            within(inner, for_ever, "the inner one")

        name = "the outer one" if outer < inner else "the inner one"
        with pytest.raises(Late, match=f"{name} did not return within 0.05 s"):
            within(outer, nested, "the outer one")
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)

    @pytest.mark.fault("alarm-of-the-caller", "limits.within")
    def test_an_alarm_that_the_function_leaves_behind_is_not_the_callers(self, rung):
        handler = signal.getsignal(signal.SIGALRM)

        def meddles():
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, 1000)

        within(60, meddles)
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert signal.getsignal(signal.SIGALRM) is handler


@pytest.mark.fault("missing-from-the-platform", "limits.within")
def test_without_timers_a_thread_is_left_behind(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)
    go_on = threading.Event()
    with pytest.raises(Late):
        within(0.05, go_on.wait)
    go_on.set()
    assert within(60, lambda: 7) == 7
    with pytest.raises(KeyError):
        within(60, lambda: {}["rho"])


@pytest.mark.fault("missing-from-the-platform", "limits.within")
def test_without_timers_and_threads_there_is_no_limit(monkeypatch):
    def refuses(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.delattr(signal, "setitimer", raising=False)
    monkeypatch.setattr(threading.Thread, "start", refuses)
    assert within(0.001, lambda: time.sleep(0.01) or 7) == 7
