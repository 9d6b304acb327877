"""Where files are looked for, and what a wrong one is said to be."""

from pathlib import Path

import numpy as np
import pytest

from minisam.data import load
from minisam.data.cifar.download import fetch
from minisam.data.cifar.find import cache_folder, file_hash, seems_to_be


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


@pytest.mark.fault("home-folder", "data.files.cache_folder")
def test_a_cache_folder_may_begin_with_a_tilde(monkeypatch, tmp_path):
    """A variable that a container's recipe sets keeps its tilde."""
    monkeypatch.delenv("MINISAM_DATA", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "~/cache")
    assert cache_folder() == tmp_path / "cache" / "minisam"


@pytest.fixture
def no_home(monkeypatch):
    """Nobody knows a home folder, as for a user id that is in no list of users, without $HOME."""

    def unknown(path):
        if str(path).startswith("~"):
            raise RuntimeError("Could not determine home directory.")
        return path

    monkeypatch.setattr(Path, "expanduser", unknown)
    for variable in ("MINISAM_DATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.fault("missing-from-the-platform", "load", "data fetch", "data.files.cache_folder")
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_home_folder_one_is_asked_for(platform, no_home, monkeypatch):
    monkeypatch.setattr("sys.platform", platform)
    for action in (cache_folder, lambda: load("cifar10"), lambda: fetch("cifar10")):
        with pytest.raises(ValueError, match=r"home folder.* not known: name a folder .*data_dir"):
            action()


@pytest.mark.fault("missing-from-the-platform", "load")
def test_without_a_home_folder_data_elsewhere_is_read(no_home, cifar10_folder, monkeypatch):
    data = load("cifar10", cifar10_folder, unknown_files=True)
    monkeypatch.setenv("MINISAM_DATA", str(cifar10_folder))
    assert np.array_equal(load("cifar10", unknown_files=True).train.labels, data.train.labels)
    with pytest.raises(ValueError, match="home folder that '~nobody/data' begins with is not kn"):
        load("cifar10", "~nobody/data")


@pytest.mark.fault("file-read", "load", "data fetch")
@pytest.mark.parametrize("action", [load, lambda name, folder: fetch(name, "python", folder)])
def test_a_file_in_place_of_the_data_folder_is_refused(action, tmp_path):
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes(b"x")
    with pytest.raises(ValueError, match=r"data_dir must be a folder, .*gz is a file: name "):
        action("cifar10", archive)


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
    assert seems_to_be(content) == said
