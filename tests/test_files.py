import os
import stat
from pathlib import Path

import pytest

from minisam.files import expanded, write_atomically


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["result.json"]


def test_the_result_has_ordinary_permissions(tmp_path):
    path = write_atomically(tmp_path / "a" / "b", lambda file: file.write(b"x"))
    plain = tmp_path / "plain"
    plain.write_bytes(b"x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_ctrl_c_just_after_the_renaming_is_still_ctrl_c(tmp_path, monkeypatch):
    replace = os.replace

    def interrupted(source, target):
        replace(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "a", lambda file: file.write(b"new"))
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_two_writers_of_one_path_do_not_disturb_each_other(tmp_path):
    path = tmp_path / "a"

    def slow(file):
        file.write(b"first")
        write_atomically(path, lambda other: other.write(b"2nd"))
        assert path.read_bytes() == b"2nd"

    write_atomically(path, slow)
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a"]


def test_a_pipe_is_written_to_and_a_folder_is_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(pipe, lambda file: file.write(b"x"))
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder'$"):
        write_atomically(tmp_path / "folder", lambda file: file.write(b"x"))
    assert sorted(os.listdir(tmp_path)) == ["folder", "pipe"]


@pytest.mark.fault("home-folder", "files.expanded")
def test_a_tilde_at_the_start_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert expanded("~/a") == expanded(Path("~/a")) == tmp_path / "a"
    assert expanded("~") == tmp_path
    for path in ("a/~/b", "a~", ""):
        assert expanded(path) == Path(path)


@pytest.mark.fault("missing-from-the-platform", "files.expanded")
def test_a_home_that_nobody_knows_is_said_by_name(monkeypatch):
    def unknown(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    with pytest.raises(ValueError, match=r"'~nobody-here/x' .*write the path without ~"):
        expanded("~nobody-here/x")
