"""Archives are unpacked whole, into their folder, or not at all."""

import gzip
import io
import os
import tarfile

import pytest

from minisam.data.cifar import archive as archive_module
from minisam.data.cifar.archive import unpack_archive
from minisam.data.cifar.find import BadFile

WANTED = ("a", "b")


def build(path, members, mode="w:gz"):
    """Write an archive of (name or TarInfo, content) pairs."""
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def special(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


GOOD = [("set/a", b"1"), ("set/b", b"22")]


def refused(tmp_path, path, message):
    """The archive is refused, and the folder beside it looks as before."""
    before = sorted(os.listdir(tmp_path))
    target = tmp_path / "target"
    with pytest.raises(BadFile, match=message):
        unpack_archive(path, "set", WANTED, target)
    assert os.listdir(target) == []
    target.rmdir()
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_wanted_files_are_written_and_others_left_out(tmp_path, mode):
    path = build(tmp_path / "x.tar", [*GOOD, ("set/readme", b"no"), ("set/sub/a", b"no")], mode)
    folder = unpack_archive(path, "set", WANTED, tmp_path / "new")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {"a": b"1", "b": b"22"}
    assert os.listdir(tmp_path / "new") == ["set"]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("../evil", "leads outside"),
        ("set/../../evil", "leads outside"),
        ("/tmp/evil", "leads outside"),
        ("set\\..\\evil", "leads outside"),
        ("C:evil", "leads outside"),
        (special("set/link", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (special("set/a", tarfile.SYMTYPE, "b"), "no plain file"),
        (special("set/hard", tarfile.LNKTYPE, "set/b"), "no plain file"),
        (special("set/device", tarfile.CHRTYPE), "no plain file"),
        (special("set/disk", tarfile.BLKTYPE), "no plain file"),
        (special("set/pipe", tarfile.FIFOTYPE), "no plain file"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_dangerous_members_are_refused(tmp_path, member, message, first):
    members = [(member, b""), *GOOD] if first else [*GOOD, (member, b"")]
    refused(tmp_path, build(tmp_path / "x.tar.gz", members), message)
    assert not (tmp_path.parent / "evil").exists()


def test_a_link_planted_before_the_file_is_not_followed(tmp_path):
    """set -> elsewhere, then set/a: written through the link by a careless program."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    members = [(special("set", tarfile.SYMTYPE, str(elsewhere)), b""), *GOOD]
    refused(tmp_path, build(tmp_path / "x.tar.gz", members), "no plain file")
    assert os.listdir(elsewhere) == []


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "MOST_UNPACKED", 10 << 20)
    path = build(tmp_path / "x.tar.gz", [("set/a", bytes(30 << 20)), GOOD[1]])
    assert path.stat().st_size < 100_000
    refused(tmp_path, path, "unpacks to more than 10,485,760 bytes")


def test_a_bomb_beside_the_wanted_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "MOST_UNPACKED", 10 << 20)
    path = build(tmp_path / "x.tar.gz", [("set/zeros", bytes(30 << 20)), *GOOD])
    refused(tmp_path, path, "unpacks to more than")


def test_a_bomb_in_a_header_is_refused(tmp_path):
    """A name of eight million letters, which tarfile would read at once."""
    path = tmp_path / "x.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("set/a")
        info.pax_headers = {"comment": "x" * (8 << 20)}
        tar.addfile(info, io.BytesIO(b""))
    refused(tmp_path, path, "a header of")


def test_too_many_members_are_refused(tmp_path):
    members = [(f"set/{i}", b"") for i in range(archive_module.MOST_MEMBERS + 1)]
    refused(tmp_path, build(tmp_path / "x.tar.gz", members), "more than 100 members")


def test_a_missing_file_is_named(tmp_path):
    refused(tmp_path, build(tmp_path / "x.tar.gz", GOOD[:1]), "it lacks b")


@pytest.mark.parametrize("keep", [0, 10, 60, -30, -9, -1])
def test_truncated_archives_are_refused(tmp_path, keep):
    whole = build(tmp_path / "whole", [("set/a", os.urandom(3000)), ("set/b", os.urandom(3000))])
    path = tmp_path / "x.tar.gz"
    path.write_bytes(whole.read_bytes()[:keep])
    refused(tmp_path, path, "damaged, or no archive|cut short|lacks")


@pytest.mark.parametrize(
    "content", [b"<html>Sorry</html>", b"\x1f\x8b", bytes(2000), b"PK\x03\x04"]
)
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    refused(tmp_path, path, "damaged, or no archive|lacks")


def test_damage_inside_the_compressed_data_is_refused(tmp_path):
    whole = build(tmp_path / "whole", [("set/a", os.urandom(3000)), ("set/b", os.urandom(3000))])
    content = bytearray(whole.read_bytes())
    content[1500] ^= 1
    path = tmp_path / "x.tar.gz"
    path.write_bytes(content)
    # Stored bytes may unpack with the flip in them: then the checksum at the end tells.
    refused(tmp_path, path, "damaged, or no archive")


def test_an_archive_within_an_archive_is_not_opened(tmp_path):
    inner = build(tmp_path / "inner", GOOD)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(gzip.compress(inner.read_bytes()))
    refused(tmp_path, path, "damaged, or no archive|lacks")


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    path = build(tmp_path / "x.tar.gz", GOOD)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive_module.shutil, "copyfileobj", full)
    with pytest.raises(OSError, match="No space left"):
        unpack_archive(path, "set", WANTED, tmp_path / "target")
    assert os.listdir(tmp_path / "target") == []


def test_a_complete_folder_of_another_process_is_left_in_place(tmp_path):
    path = build(tmp_path / "x.tar.gz", GOOD)
    unpack_archive(path, "set", WANTED, tmp_path)
    (tmp_path / "set" / "mine").write_text("keep")
    unpack_archive(path, "set", WANTED, tmp_path)
    assert sorted(os.listdir(tmp_path / "set")) == ["a", "b", "mine"]
    assert sorted(os.listdir(tmp_path)) == ["set", "x.tar.gz"]
