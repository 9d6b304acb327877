import errno
import os
import stat
import tempfile

import pytest
from disks import full_disk

from minisam.data.folders import check_not_read, whole_folder
from minisam.files import write_atomically


@pytest.mark.fault("file-written", "folders.whole_folder")
@pytest.mark.parametrize("there", [[], ["a.txt"], ["a.txt", "mine.txt"]])
def test_an_error_leaves_a_folder_as_it_was(there, tmp_path):
    path = tmp_path / "new" / "folder"
    for name in there:
        path.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("old")

    def fail(error):
        with whole_folder(path) as work:
            (work / "a.txt").write_text("half")
            raise error

    for error in (OSError("No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
        assert path.exists() == bool(there)
        assert {file.name: file.read_text() for file in path.glob("*")} == dict.fromkeys(
            there, "old"
        )
        assert os.listdir(path.parent) == (["folder"] if there else [])
        assert not there or sorted(os.listdir(path)) == there


@pytest.mark.fault("file-written", "folders.whole_folder")
def test_a_folder_gets_its_files_and_keeps_others(tmp_path):
    path = tmp_path / "folder"
    for content in ("first", "second"):
        with whole_folder(path) as work:
            (work / "a.txt").write_text(content)
        (path / "mine.txt").write_text("mine")
        assert (path / "a.txt").read_text() == content
    assert sorted(os.listdir(path)) == ["a.txt", "mine.txt"]
    plain = tmp_path / "plain"
    plain.mkdir()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.fault("file-written", "folders.whole_folder")
def test_a_link_to_a_folder_is_that_folder_and_one_to_a_file_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "source.txt").write_text("source")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    (tmp_path / "real" / "a.txt").symlink_to(tmp_path / "source.txt")
    with whole_folder(tmp_path / "link") as work:
        (work / "a.txt").write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"
    assert (tmp_path / "source.txt").read_text() == "source"


@pytest.mark.fault("file-written", "folders.whole_folder")
def test_a_file_in_place_of_a_folder_and_a_folder_in_place_of_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder" / "b.txt").mkdir(parents=True)

    def write_two(path):
        with whole_folder(path) as work:
            (work / "a.txt").write_text("new")
            (work / "b.txt").write_text("new")

    with pytest.raises(NotADirectoryError, match=r"file is a file, not a folder to write to"):
        write_two(tmp_path / "file")
    with pytest.raises(IsADirectoryError, match=r"b\.txt is a folder, not a file"):
        write_two(tmp_path / "folder")
    assert os.listdir(tmp_path / "folder") == ["b.txt"]


@pytest.mark.fault("file-written", "folders.check_not_read")
def test_what_is_read_is_not_written_over_by_whatever_path(tmp_path):
    source = tmp_path / "a.txt"
    source.write_text("x")
    (tmp_path / "soft").symlink_to(source)
    os.link(source, tmp_path / "hard")
    (tmp_path / "other").write_text("x")
    around = tmp_path / "b" / ".." / "a.txt"
    (tmp_path / "b").mkdir()
    for target in (source, tmp_path / "soft", tmp_path / "hard", around):
        with pytest.raises(ValueError, match=r"a\.txt is read, and would be written over as .*"):
            check_not_read([tmp_path / "new", target], [tmp_path / "none", source])
    check_not_read([tmp_path / "new", tmp_path / "other"], [tmp_path / "none", source])


@pytest.mark.fault("file-written", "folders.whole_folder")
def test_an_error_names_the_path_that_was_asked_for(tmp_path, monkeypatch):
    def write_to(path):
        with whole_folder(path) as work:
            write_atomically(work / "a.txt", lambda file: file.write(bytes(2000)))

    for name in ("new", "x" * 255):
        with full_disk(1000), pytest.raises(OSError, match=rf"'{tmp_path / name / 'a.txt'}'$"):
            write_to(tmp_path / name)
    with pytest.raises(OSError, match=r"x{256}'$"):
        write_to(tmp_path / ("x" * 256))

    def refuse(**options):
        raise PermissionError(errno.EACCES, "Permission denied", "/.tmp.abc")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(PermissionError, match=rf"'{tmp_path / 'new'}'$"):
        write_to(tmp_path / "new")
    assert os.listdir(tmp_path) == []
