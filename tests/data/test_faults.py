"""The fault table: what can be wrong with a data set on disk, and the error that says so.

Each fault is made in a good folder or archive; the error must be of a documented kind and name the
file, and nothing may be left behind. Downloads have a table of their own, in test_download.
"""

import hashlib
import io
import os
import pickle
import tarfile

import numpy as np
import pytest
from broken_files import PAGE, POINTER, lock
from data_server import ARCHIVE, small_archive

from minisam.data import BadFile, load
from minisam.data.cifar import layouts
from minisam.data.cifar.pickled_arrays import UnsafePickle
from minisam.data.cifar.write import write_dataset

FOLDER = "cifar-10-batches-py"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_archive(tmp_path_factory.mktemp("small"))


@pytest.fixture
def place(tmp_path, small, monkeypatch):
    """A folder with a good archive whose hashes are the official ones as far as anybody knows."""
    monkeypatch.setattr(layouts, "LAYOUTS", (small[1], layouts.layouts("cifar10", "binary")[0]))
    (tmp_path / ARCHIVE).write_bytes(small[0])
    return tmp_path


def change(path, edit):
    content = bytearray(path.read_bytes())
    path.write_bytes(bytes(edit(content) or content))


def flip(content):
    content[len(content) // 2] ^= 1


def batch(**changes):
    content = {"data": np.zeros((10, 3072), np.uint8), "labels": list(range(10))}
    return lambda _: pickle.dumps({**content, **changes})


class Trap:
    """Calls a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


NESTED = b"\x80\x04}\x8c\1x\x8c\5numpy\x8c\x14ndarray.__subclasses\x93s."
HUGE = (
    b"\x80\x02}U\4datacnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\1btR"
    b"(K\1(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ftcnumpy\ndtype\n(U\2u1K\0K\1tR\x89U\1atbs."
)

# What happens to one unpacked file, and what is then said. First as everybody loads it, …
CHANGED_FILES = {
    "truncated": ("data_batch_2", lambda c: c[:-100], "is cut short"),
    "one flipped byte": ("data_batch_3", flip, "is another file than the official one"),
    "one byte more": ("data_batch_1", lambda c: c + b"\0", "is cut short"),
    "empty": ("test_batch", lambda c: b"\n", "another file"),
    "of no bytes": ("test_batch", lambda c: c.clear() or b"", "another file|is empty"),
    "web page": ("test_batch", lambda c: PAGE, "is a web page"),
    "pointer of Git LFS": ("test_batch", lambda c: POINTER, "is a pointer of Git LFS"),
    "meta that is a pointer": ("batches.meta", lambda c: POINTER, "is a pointer of Git LFS"),
    "archive under its name": ("data_batch_1", lambda c: b"\x1f\x8b\x08", "is compressed"),
    "of another batch": ("data_batch_4", batch(), "another file"),
    "meta of another set": ("batches.meta", batch(), "another file"),
    "runs a program": (
        "data_batch_5",
        lambda c: pickle.dumps({"x": Trap(os.system, "echo no")}),
        "another file",
    ),
}
# … then as one loads files of one's own, whose hash nobody knows.
UNKNOWN_FILES = {
    "truncated": ("data_batch_2", lambda c: c[:-100], "damaged"),
    "web page": ("data_batch_2", lambda c: PAGE, "is a web page"),
    "pointer of Git LFS": ("data_batch_2", lambda c: POINTER, "is a pointer of Git LFS"),
    "meta that is a page": ("batches.meta", lambda c: b"\xef\xbb\xbf" + PAGE, "a web page"),
    "of no bytes": ("test_batch", lambda c: c.clear() or b"", "is empty"),
    "calls os.system": (
        "data_batch_1",
        lambda c: pickle.dumps({"x": Trap(os.system, "no")}),
        "asks",
    ),
    "calls eval": ("data_batch_1", lambda c: pickle.dumps({"x": Trap(eval, "no")}), "asks for"),
    "nested attribute": ("data_batch_1", lambda c: NESTED, "asks for numpy.ndarray.__subclasses"),
    "huge allocation": ("data_batch_1", lambda c: HUGE, "does not match its 1 bytes"),
    "huge memo": ("data_batch_1", lambda c: b"\x80\x02}r\xff\xff\xff\xff.", "has no 'data'"),
    "deeply nested": ("data_batch_1", lambda c: b"\x80\x02" + b"(" * 99 + b".", "list|holds|dam"),
    "object array": ("data_batch_1", batch(data=np.array([[None]])), "a list of something else"),
    "no labels": ("data_batch_1", batch(labels=[]), "10 images but 0 labels"),
    "label 10": ("data_batch_1", batch(labels=[10] * 10), "do not lie from 0 to 9"),
    "labels that are text": ("data_batch_1", batch(labels=["a"] * 10), "no whole numbers"),
    "images of another size": ("test_batch", batch(data=np.zeros((10, 784), np.uint8)), "784"),
    "images of floats": ("test_batch", batch(data=np.zeros((10, 3072))), "no array of bytes"),
    "nine class names": (
        "batches.meta",
        lambda c: pickle.dumps({"label_names": list("abcdefghi")}),
        "names 9 classes, cifar10 has 10",
    ),
    "the same name twice": (
        "batches.meta",
        lambda c: pickle.dumps({"label_names": list("abcdefghii")}),
        "names 9 classes",
    ),
    "no class names": ("batches.meta", lambda c: pickle.dumps({}), "no names"),
    "class names that are numbers": (
        "batches.meta",
        lambda c: pickle.dumps({"label_names": list(range(10))}),
        "no names",
    ),
}


@pytest.mark.fault("file-read", "CIFAR pickle")
@pytest.mark.parametrize("fault", CHANGED_FILES)
def test_a_file_that_is_not_the_official_one(fault, place, capfd):
    name, edit, message = CHANGED_FILES[fault]
    load("cifar10", place)
    path = place / FOLDER / name
    change(path, lambda content: edit(content))
    before = sorted(place.rglob("*"))
    with pytest.raises(BadFile, match=message) as raised:
        load("cifar10", place)
    assert str(path) in str(raised.value)
    assert "unknown_files=True" in str(raised.value)
    assert sorted(place.rglob("*")) == before
    assert "no" not in capfd.readouterr().out


@pytest.mark.fault("file-read", "CIFAR pickle")
@pytest.mark.parametrize("fault", UNKNOWN_FILES)
def test_an_unknown_file_that_is_bad(fault, place, capfd):
    name, edit, message = UNKNOWN_FILES[fault]
    load("cifar10", place)
    change(place / FOLDER / name, edit)
    with pytest.raises((BadFile, UnsafePickle), match=message) as raised:
        load("cifar10", place, unknown_files=True)
    assert FOLDER in str(raised.value)
    assert capfd.readouterr().out == ""


def test_hash_is_checked_before_unpickling(place, monkeypatch):
    """A pickle of unknown hash is not opened unless it was asked for."""
    load("cifar10", place)
    change(place / FOLDER / "batches.meta", flip)
    monkeypatch.setattr("minisam.data.cifar.read.loads", lambda data: pytest.fail("unpickled"))
    with pytest.raises(BadFile, match="another file"):
        load("cifar10", place)


def repack(edit):
    """Change the archive's members: a list of (TarInfo, content)."""

    def change_archive(archive):
        with tarfile.open(fileobj=io.BytesIO(bytes(archive))) as tar:
            members = [(m, tar.extractfile(m).read() if m.isfile() else b"") for m in tar]
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w:gz") as tar:
            for info, content in edit(members):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        return file.getvalue()

    return change_archive


def with_member(name, kind=tarfile.REGTYPE, target="", content=b"evil"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return repack(lambda members: [(info, content if kind == tarfile.REGTYPE else b""), *members])


# What happens to the archive; with its hash known, only the first four can be.
CHANGED_ARCHIVES = {
    "truncated": (lambda c: c[:-1000], "cut short or damaged"),
    "pointer of Git LFS": (lambda c: POINTER, "is a pointer of Git LFS"),
    "of no bytes": (lambda c: c.clear() or b"", "cut short or damaged|is empty"),
    "one flipped byte": (flip, "cut short or damaged"),
    "web page": (lambda c: PAGE, "is a web page"),
    "another archive": (with_member("cifar-10-batches-py/more"), "cut short or damaged"),
}
UNKNOWN_ARCHIVES = {
    "of no bytes": (lambda c: c.clear() or b"", "is empty"),
    "pointer of Git LFS": (lambda c: POINTER, "is a pointer of Git LFS"),
    "truncated": (lambda c: c[:-1000], "damaged, or no archive"),
    "web page": (lambda c: PAGE, "is a web page"),
    "parent folder": (with_member("../evil"), "leads outside"),
    "parent folder within": (with_member("cifar-10-batches-py/../../evil"), "leads outside"),
    "absolute path": (with_member("/tmp/minisam-evil"), "leads outside"),
    "drive": (with_member("C:\\evil"), "leads outside"),
    "symbolic link": (
        with_member("cifar-10-batches-py/x", tarfile.SYMTYPE, "/etc"),
        "no plain file",
    ),
    "folder that is a link": (with_member(FOLDER, tarfile.SYMTYPE, "/tmp"), "no plain file"),
    "hard link": (with_member("x", tarfile.LNKTYPE, "/etc/passwd"), "no plain file"),
    "device": (with_member("x", tarfile.CHRTYPE), "no plain file"),
    "pipe": (with_member("x", tarfile.FIFOTYPE), "no plain file"),
    "lacks a batch": (
        repack(lambda ms: [m for m in ms if not m[0].name.endswith("batch_3")]),
        "lacks data_batch_3",
    ),
    "bomb": (with_member(f"{FOLDER}/zeros", content=bytes(40 << 20)), "unpacks to more than"),
    "batch that calls os.system": (
        repack(
            lambda ms: [
                (i, pickle.dumps({"x": Trap(os.system, "no")}) if i.name.endswith("h_1") else c)
                for i, c in ms
            ]
        ),
        "asks for",
    ),
}


@pytest.mark.fault("file-read", "CIFAR archive")
@pytest.mark.parametrize("fault", CHANGED_ARCHIVES)
def test_an_archive_that_is_not_the_official_one(fault, place):
    edit, message = CHANGED_ARCHIVES[fault]
    change(place / ARCHIVE, edit)
    with pytest.raises(BadFile, match=message) as raised:
        load("cifar10", place)
    assert str(place / ARCHIVE) in str(raised.value)
    assert os.listdir(place) == [ARCHIVE]


@pytest.mark.fault("file-read", "CIFAR archive")
@pytest.mark.parametrize("fault", UNKNOWN_ARCHIVES)
def test_an_unknown_archive_that_is_bad(fault, place, monkeypatch):
    edit, message = UNKNOWN_ARCHIVES[fault]
    monkeypatch.setattr("minisam.data.cifar.archive.MOST_UNPACKED", 20 << 20)
    change(place / ARCHIVE, edit)
    with pytest.raises((BadFile, UnsafePickle), match=message):
        load("cifar10", place, unknown_files=True)
    expected = [ARCHIVE, FOLDER] if "batch that" in fault else [ARCHIVE]
    assert sorted(os.listdir(place)) == sorted(expected)
    assert not (place.parent / "evil").exists()


@pytest.mark.fault("file-read", "CIFAR pickle", "CIFAR archive", "CIFAR binary")
@pytest.mark.parametrize("version", ["python", "binary"])
@pytest.mark.parametrize("locked", ["batch_2", "test_batch", "batches.meta", ARCHIVE])
def test_a_locked_file_is_named(locked, version, place, toy_data, monkeypatch):
    """As for somebody who may not read it: the tests may run as one who may read all."""
    if locked != ARCHIVE:
        write_dataset(toy_data, place, version=version, force=True)
        (place / ARCHIVE).unlink()
    path = next(path for path in place.rglob("*") if path.is_file() and locked in path.name)
    lock(path, monkeypatch)
    with pytest.raises(PermissionError, match=r"Permission denied: '.*" + path.name):
        load("cifar10", place, unknown_files=True)


@pytest.mark.fault("file-read", "CIFAR binary")
@pytest.mark.parametrize(
    "change_text",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b" \n\n"),
        lambda text: text.rstrip(),
    ],
    ids=["mark", "Windows line ends", "spaces and empty lines", "no end of line"],
)
def test_class_names_as_editors_leave_them(change_text, tmp_path, toy_data):
    folder = write_dataset(toy_data, tmp_path, version="binary")
    path = folder / "batches.meta.txt"
    path.write_bytes(change_text(path.read_bytes()))
    assert load("cifar10", tmp_path).class_names == toy_data.class_names


@pytest.mark.fault("round-trip", "data write")
def test_class_names_of_several_words_come_back_as_they_were(tmp_path, toy_data):
    names = ("flatfish, gegrillt", "Flügel", *toy_data.class_names[2:])
    write_dataset(toy_data._replace(class_names=names), tmp_path, version="binary")
    assert load("cifar10", tmp_path).class_names == names


def test_a_file_that_grows_while_it_is_read(place, monkeypatch):
    load("cifar10", place)
    size = os.stat(place / FOLDER / "batches.meta").st_size

    class Grown:
        st_size = size + 1

    monkeypatch.setattr("minisam.data.cifar.find.os.fstat", lambda descriptor: Grown)
    with pytest.raises(BadFile, match="was changed while it was read"):
        load("cifar10", place)


def test_a_file_too_large_to_read(place, monkeypatch):
    load("cifar10", place)
    monkeypatch.setattr("minisam.data.cifar.find.LARGEST", 100)
    with pytest.raises(BadFile, match="more than any file of cifar10"):
        load("cifar10", place)


@pytest.mark.parametrize("name", ["data_batch_4", "test_batch", "batches.meta"])
def test_a_missing_file_is_named(name, place):
    load("cifar10", place)
    (place / FOLDER / name).unlink()
    (place / ARCHIVE).unlink()
    with pytest.raises(FileNotFoundError, match=f"lacks {name}"):
        load("cifar10", place)


@pytest.mark.fault("file-read", "CIFAR binary")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes(3074), "no whole number of records"),
        (bytes([10]) + bytes(3072), "lie from 0 to 9"),
        (b"", "is empty"),
        (PAGE, "is a web page"),
        (POINTER, "is a pointer of Git LFS"),
    ],
)
def test_bad_binary_files(content, message, place, toy_data):
    folder = write_dataset(toy_data, place, version="binary", force=True)
    (folder / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(BadFile, match=message) as raised:
        load("cifar10", place, version="binary")
    assert "data_batch_3.bin" in str(raised.value)


def test_the_table_has_enough_faults_and_each_is_another():
    tables = (CHANGED_FILES, UNKNOWN_FILES, CHANGED_ARCHIVES, UNKNOWN_ARCHIVES)
    assert sum(map(len, tables)) >= 40
    good = bytearray(batch()(None))
    made = {
        hashlib.sha256(bytes(edit(bytearray(good)) or b"in place")).hexdigest()
        for _, edit, _ in UNKNOWN_FILES.values()
    }
    assert len(made) == len(UNKNOWN_FILES)
