import errno
import json
import math
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from disks import full_disk
from hypothesis import given
from hypothesis import strategies as st

from minisam.checkpoint import load_checkpoint
from minisam.data import LabelNoise, load
from minisam.data.cifar.write import write_dataset
from minisam.data.human_noise import human_labels
from minisam.data.matrix_files import read_matrix
from minisam.files import check_writable, expanded, jsonable, write_atomically, write_json
from minisam.sweeps.sweep import sweep


class Pair(NamedTuple):
    x: object
    y: object


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
    for path in ("a/~/b", "a~", "."):
        assert expanded(path) == Path(path)


NAMED = {  # each takes a path under this name
    "path": (lambda at: write_atomically(at, lambda file: file.write(b"x")), load_checkpoint,
             lambda at: read_matrix(at, 3),
             lambda at: human_labels(LabelNoise("human", path=at), "cifar10", ".", np.zeros(1))),
    "folder": (lambda at: write_dataset(load("toy", train_size=5, test_size=1), at),),
    "data_dir": (lambda at: load("cifar10", data_dir=at),),
    "out": (lambda at: sweep(math.pow, [], at),),
}  # fmt: skip


@pytest.mark.fault("file-written", "files.expanded")
@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_an_empty_path_is_not_the_current_folder(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, functions in NAMED.items():
        for function in functions:
            with pytest.raises(ValueError, match=f"^{name} must be the path of a file"):
                function(text)
    assert os.listdir(tmp_path) == []


@pytest.mark.fault("missing-from-the-platform", "files.expanded")
def test_a_home_that_nobody_knows_is_said_by_name(monkeypatch):
    def unknown(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    with pytest.raises(ValueError, match=r"'~nobody-here/x' .*write the path without ~"):
        expanded("~nobody-here/x")


def test_a_half_written_file_is_not_a_result(tmp_path, monkeypatch):
    path = tmp_path / "cell.json"
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_json(path, {"a": 1})
    assert list(tmp_path.iterdir()) == []


def test_results_become_plain_json():
    nested = {
        "a": [np.arange(2), (np.float32(0.5), np.nan)],
        1: np.bool_(True),
        "s": "t",
        "n": None,
    }
    assert jsonable(nested) == {"a": [[0, 1], [0.5, None]], "1": True, "s": "t", "n": None}
    step = Pair(np.int64(1), (2.5, None))
    assert jsonable(step) == {"x": 1, "y": [2.5, None]}
    with pytest.raises(TypeError, match="JSON can hold, got set"):
        jsonable({"a": {1}})


@pytest.mark.fault("round-trip", "plain")
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_plain_values_are_what_json_gives_back(value):
    assert json.loads(json.dumps(jsonable(value, finite=False))) == jsonable(value, finite=False)


@pytest.mark.fault("round-trip", "plain")
def test_nan_stays_where_it_may_and_two_keys_of_one_text_are_refused():
    kept = jsonable({"lr": np.float32("nan"), "top": -np.inf}, finite=False)
    assert np.isnan(kept["lr"])
    assert kept["top"] == -np.inf
    with pytest.raises(ValueError, match=r"settings must have keys that differ as text, got"):
        jsonable({1: "a", "1": "b"}, "settings")


@pytest.mark.fault("file-written", "write_atomically")
def test_a_full_disk_leaves_the_old_file_and_is_told_with_the_path(tmp_path):
    path = write_atomically(tmp_path / "run.npz", lambda file: file.write(b"old"))
    with full_disk(), pytest.raises(OSError, match=r"run\.npz'$") as caught:
        write_atomically(path, lambda file: file.write(bytes(20_000)))
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(path))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["run.npz"]


@pytest.mark.fault("file-written", "write_atomically")
@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_and_what_it_points_to_is_written(exists, tmp_path):
    target, link = tmp_path / "scratch" / "run.npz", tmp_path / "run.npz"
    target.parent.mkdir()
    if exists:
        target.write_bytes(b"old")
    link.symlink_to(target)
    write_atomically(link, lambda file: file.write(b"new"))
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["run.npz"]


@pytest.mark.fault("file-written", "write_atomically")
def test_a_folder_that_cannot_be_written_to_is_named_by_the_path_that_was_asked_for(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match=r"file'$"):
        write_atomically(tmp_path / "file" / "run.npz", lambda file: file.write(b"x"))
    with pytest.raises(OSError, match=r"x{300}\.json'$") as caught:
        write_atomically(tmp_path / f"{'x' * 300}.json", lambda file: file.write(b"x"))
    assert caught.value.errno == errno.ENAMETOOLONG
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.fault("file-written", "write_atomically")
def test_the_longest_name_that_a_file_may_have_is_written(tmp_path):
    path = tmp_path / ("é" * 127)  # 254 bytes, of at most 255
    assert write_atomically(path, lambda file: file.write(b"x")).read_bytes() == b"x"


@pytest.mark.fault("file-written", "write_atomically")
def test_a_file_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anything
    with pytest.raises(PermissionError, match=r"run\.npz'$"):
        write_atomically(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"old"


@pytest.mark.fault("file-written", "write_atomically")
def test_a_private_file_stays_private(tmp_path):
    path = tmp_path / "run.npz"
    path.touch(0o600)
    write_atomically(path, lambda file: file.write(b"new"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.fault("file-written", "write_atomically")
def test_a_device_is_written_to_and_never_replaced(tmp_path):
    code = "from minisam.files import *; write_json('/dev/stdout', [1])"
    with open(tmp_path / "out.txt", "wb") as file:
        subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
    assert json.loads((tmp_path / "out.txt").read_text()) == [1]
    assert os.path.realpath("/dev/stdout") != "/dev/stdout"


@pytest.mark.fault("home-folder", "write_atomically")
def test_a_file_is_written_below_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    path = write_atomically("~/a/run.npz", lambda file: file.write(b"x"))
    assert path == tmp_path / "a" / "run.npz"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.fault("file-written", "write_atomically")
def test_an_error_about_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="source"):
        write_atomically(tmp_path / "a", lambda file: file.write(Path("source").read_bytes()))
    assert os.listdir(tmp_path) == []


def test_an_array_of_numbers_is_one_line_of_json_and_reads_as_before(tmp_path):
    value = {
        "curve": [1, -2.5e-7, None, 3.0],
        "plane": [[1.0, 2.0], [3.0, 4.0]],
        "text": ["[\n 1,\n 2\n]", "[1,  2]"],
        "empty": [],
        "mixed": [1, "nul", {"a": [True, 5]}],
    }
    write_json(tmp_path / "value.json", value)
    text = (tmp_path / "value.json").read_text()
    assert json.loads(text) == value
    assert ' "curve": [1, -2.5e-07, null, 3.0],\n' in text
    assert ' "plane": [\n  [1.0, 2.0],\n  [3.0, 4.0]\n ],\n' in text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("folder", "a folder"),
        ("afile/x", r"which lies below '.*afile', a file"),
        ("afile/x/y/z", r"which lies below '.*afile', a file"),
        ("shut/x", r"but '.*shut' may not be written to"),
        ("locked", r"but '.*locked' may not be written to"),
        ("link/x", r"which lies below '.*afile', a file"),
        pytest.param("x" * 300, f"but: {os.strerror(errno.ENAMETOOLONG)}", id="long"),
    ],
)
def test_a_place_where_no_file_can_be_is_refused_before_it_is_needed(
    name, why, tmp_path, monkeypatch
):
    for folder in ("folder", "shut"):
        (tmp_path / folder).mkdir()
    for file in ("afile", "locked"):
        (tmp_path / file).touch()
    (tmp_path / "link").symlink_to("afile")
    allowed = os.access  # root may write everywhere
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name not in ("shut", "locked") and allowed(path, mode)
    )
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        ValueError, match=f"--out must be a file that can be written, got .*, {why}"
    ):
        check_writable(tmp_path / name, "--out")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["new", "a/b/c", "afile", "link"])
def test_a_place_where_a_file_can_be_is_left_as_it_is(name, tmp_path):
    (tmp_path / "afile").write_text("old")
    (tmp_path / "link").symlink_to("later")
    check_writable(tmp_path / name, "--out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["afile", "link"]
    assert (tmp_path / "afile").read_text() == "old"
