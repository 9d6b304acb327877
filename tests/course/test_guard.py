import itertools
import os

import pytest

from minisam.course import guard as module
from minisam.course.guard import Guard, guards_to_try, sandbox, tasks_of_this_user


def test_the_strongest_guard_is_tried_first(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    found = guards_to_try(Guard(bwrap="/usr/bin/bwrap"))
    assert [(bool(one.bwrap), one.other_user) for one in found] == [
        (True, True), (True, False), (False, True), (False, False)
    ]  # fmt: skip
    user = "another user: it cannot read the interpreter or NumPy"
    bwrap = "bubblewrap: it does not work here"
    assert [one.why_not for one in found] == [(), (user,), (bwrap,), (bwrap, user)]


def test_what_is_off_is_said_with_its_reason(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    (only,) = guards_to_try(Guard())
    lines = only.layers()
    assert "off: bubblewrap: it is not installed" in lines
    assert "off: another user: the grader does not run as root" in lines
    assert any("10 s of computing, 2048 MiB" in line for line in lines)


def test_what_runs_as_root_is_said(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert "can read and change everything" in Guard().exposed()
    assert not any("few processes" in line for line in Guard().layers())  # root has no limit
    for safe in (Guard(other_user=True), Guard(bwrap="/usr/bin/bwrap")):
        assert safe.exposed() == ""
    assert any("few processes" in line for line in Guard(other_user=True).layers())
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert Guard().exposed() == ""


def test_every_child_has_another_user():
    one = Guard(other_user=True)
    assert len({one.next_user() for _ in range(10)}) == 10
    assert Guard().next_user() is None


def test_users_come_round_within_those_that_are_free(monkeypatch):
    monkeypatch.setattr(module, "used", itertools.count(2 * module.USERS - 1))
    one, first = Guard(other_user=True), module.FIRST_USER
    assert [one.next_user(), one.next_user()] == [first + module.USERS - 1, first]


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="no /proc")
def test_our_own_processes_do_not_count_as_the_submissions():
    assert Guard().limits(None)["NPROC"] > tasks_of_this_user() - 5
    assert Guard().limits(61184)["NPROC"] == module.EXTRA_PROCESSES


def test_the_sandbox_has_little_room_where_it_can_be_limited(monkeypatch):
    monkeypatch.setattr(module, "knows_size", lambda _: True)
    words = sandbox("bwrap", "/folder", "/usr/bin/python3")
    rooms = [words[k : k + 4] for k, word in enumerate(words) if word == "--size"]
    assert rooms == [["--size", str(module.ROOM), "--tmpfs", at] for at in ("/tmp", "/folder")]
    assert "--bind" not in words


def test_a_bubblewrap_that_is_none_knows_nothing():
    assert not module.knows_size("/no/such/bwrap")


def test_the_sandbox_shows_the_system_for_reading_only_and_one_folder():
    words = sandbox("bwrap", "/folder", "/usr/bin/python3")
    assert "--unshare-all" in words
    assert words.count("--bind") == 1
    assert words[words.index("--bind") + 1] == "/folder"
