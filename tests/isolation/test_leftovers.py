"""What code that is not trusted left goes, and nothing else does."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from minisam.isolation.leftovers import is_root, remove_files_of, remove_tree


@pytest.mark.fault("file-written", "minisam course grade")
@pytest.mark.parametrize("root", [is_root(), False])
def test_a_folder_of_closed_folders_and_links_is_removed_and_nothing_else(
    tmp_path, monkeypatch, root
):
    monkeypatch.setattr("minisam.isolation.leftovers.is_root", lambda: root)
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    (gone / "closed" / "inner").mkdir(parents=True)
    (gone / "closed" / "inner" / "file").touch()
    kept.mkdir(mode=0o750)
    (kept / "file").touch()
    (gone / "link").symlink_to(kept)
    (tmp_path / "link").symlink_to(kept)
    for folder in ("closed/inner", "closed", "."):
        (gone / folder).chmod(0)
    if root:
        monkeypatch.setattr(os, "chmod", lambda *_: pytest.fail("root opens what it need not"))
    for path in (gone, tmp_path / "link", tmp_path / "absent"):
        remove_tree(str(path))
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (kept / "file").exists()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o750


@pytest.mark.skipif(not shutil.which("rm"), reason="no system with so long paths")
def test_folders_within_folders_are_removed_however_deep_but_not_for_ever(tmp_path, monkeypatch):
    deep = tmp_path / "deep"
    deep.mkdir()
    above = os.open(deep, os.O_RDONLY)
    for _ in range(sys.getrecursionlimit() + 10):
        os.mkdir("d", dir_fd=above)
        below = os.open("d", os.O_RDONLY, dir_fd=above)
        os.close(above)
        above = below
    os.close(above)
    with monkeypatch.context() as hurried:
        hurried.setattr("minisam.isolation.leftovers.LONGEST", 1e-6)
        remove_tree(str(deep))
        assert deep.exists()
    remove_tree(str(deep))
    assert not deep.exists()


@pytest.mark.skipif(os.name != "posix", reason="other systems have no users by number")
def test_what_a_user_left_is_removed_though_some_is_gone_meanwhile(tmp_path, monkeypatch):
    names = [tmp_path / name for name in ("a", "b", "c")]
    for path in names:
        path.touch()
    lstat = Path.lstat

    def vanishing(path):
        if path == names[1]:
            path.unlink()
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", vanishing)
    remove_files_of(os.getuid(), [str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
