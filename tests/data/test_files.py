"""Where files are looked for, and what a wrong one is said to be."""

from pathlib import Path

import pytest

from minisam.data.files import cache_folder, file_hash, looks_like


def test_the_environment_comes_first(monkeypatch):
    monkeypatch.setenv("MINISAM_DATA", "~/data")
    assert cache_folder() == Path.home() / "data"


@pytest.mark.parametrize(
    ("platform", "variable", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "chosen/minisam"),
        ("win32", "LOCALAPPDATA", "chosen/minisam"),
    ],
)
def test_the_platforms_cache_folder(platform, variable, expected, monkeypatch, tmp_path):
    monkeypatch.delenv("MINISAM_DATA", raising=False)
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv(variable, str(tmp_path / "chosen"))
    assert cache_folder() == tmp_path / expected


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("linux", ".cache/minisam"),
        ("darwin", "Library/Caches/minisam"),
        ("win32", "AppData/Local/minisam"),
    ],
)
def test_the_default_cache_folder(platform, expected, monkeypatch):
    for variable in ("MINISAM_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder() == Path.home() / expected


def test_hashes_are_of_the_whole_file(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert file_hash(tmp_path / "x", "md5") == "900150983cd24fb0d6963f7d28e17f72"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"  <!DOCTYPE HTML>", "is a web page, perhaps an error message"),
        (b"<html>", "is a web page, perhaps an error message"),
        (b"\x1f\x8b", "is compressed, perhaps the archive itself"),
        (b"\x80\x02}", "is cut short"),
        (b"\x80\x02}.", "is another file than the official one"),
    ],
)
def test_what_a_wrong_file_is_said_to_be(content, said):
    assert looks_like(content) == said
