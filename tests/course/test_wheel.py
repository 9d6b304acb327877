"""The wheel that is put beside what is released is one, and is this minisam."""

import base64
import csv
import hashlib
import io
import os
import subprocess
import sys
import zipfile

import pytest

from minisam.course import wheel as module
from minisam.course.wheel import wheel


def test_every_file_is_listed_with_its_hash():
    name, content = wheel()
    assert wheel() == (name, content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {one.external_attr >> 16 for one in archive.infolist()} == {0o100644}
        files = {path: archive.read(path) for path in archive.namelist()}
    (own,) = [path for path in files if path.endswith(".dist-info/RECORD")]
    rows = {path: (digest, size) for path, digest, size in csv.reader(
        files[own].decode().splitlines())}  # fmt: skip
    assert rows.keys() == files.keys()
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        assert rows[path] == (("", "") if path == own else (f"sha256={digest}", str(len(data))))
    assert {"minisam/course/sources/hw2.txt", "minisam/py.typed"} < files.keys()
    assert not [path for path in files if "__pycache__" in path]


def python(*words, **options):
    words = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(words, capture_output=True, text=True, check=True, **options)


def test_pip_installs_what_is_released_and_it_releases_the_same(tmp_path):
    """As a student does, but for what minisam needs, which is here already."""
    pytest.importorskip("pip")
    name, content = wheel()
    (tmp_path / name).write_bytes(content)
    options = ["--quiet", "--no-index", "--no-deps", "--target", tmp_path / "site"]
    python("pip", "install", *options, f"./{name}", cwd=tmp_path)
    here = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    python("minisam", "course", "release", "a2", "--out", "hw2", cwd=tmp_path, env=here)
    assert (tmp_path / "hw2" / name).read_bytes() == content
    assert (tmp_path / "site" / "minisam" / "__init__.py").is_file()


def test_where_it_is_not_installed_a_person_must_say_where_it_comes_from(monkeypatch):
    def absent(name):
        raise module.PackageNotFoundError(name)

    monkeypatch.setattr(module, "distribution", absent)
    with pytest.raises(ValueError, match="--install must say where minisam comes from"):
        wheel()
