"""Transition matrices in files: as they lie about, read alike or refused by name."""

import io

import numpy as np
import pytest
from broken_files import IN_ITS_PLACE, lock
from hypothesis import given
from hypothesis import strategies as st
from strategies import stochastic_matrices

from minisam.data import BadFile
from minisam.data.matrix_files import parse_text, read_matrix

MATRIX = np.array([[0.9, 0.1, 0.0], [0.0, 0.9, 0.1], [0.25, 0.0, 0.75]])
COMMA = "\n".join(",".join(map(str, row)) for row in MATRIX.tolist())
SEMICOLON = COMMA.replace(",", ";").replace(".", ",")
FORMS = {
    "plain": COMMA.encode(),
    "end of line at the end": f"{COMMA}\n".encode(),
    "mark of a spreadsheet": f"{COMMA}\n".encode("utf-8-sig"),
    "UTF-16": COMMA.encode("utf-16"),
    "empty lines": f"\n{COMMA}\n\n  \n".replace("\n", "\n\n").encode(),
    "Windows line ends": COMMA.replace("\n", "\r\n").encode(),
    "old Macintosh line ends": COMMA.replace("\n", "\r").encode(),
    "tabs": COMMA.replace(",", "\t").encode(),
    "spaces": COMMA.replace(",", "   ").encode(),
    "comma and space": COMMA.replace(",", ", ").encode(),
    "a comma at the end of a line": COMMA.replace("\n", ",\n").encode(),
    "semicolons": COMMA.replace(",", ";").encode(),
    "semicolons and decimal commas": SEMICOLON.encode(),
    "comments": f"# T of a ä\n{COMMA} # the last\n".encode(),
    "exponents and signs": COMMA.replace("0.1", "+1e-1").encode(),
}
BAD = {
    "a heading": (b"cat,dog,frog\n" + COMMA.encode(), "line 1: .*'cat'"),
    "a name to each line": (b"cat," + COMMA.encode(), "line 1: .*'cat'"),
    "quotes": (COMMA.replace("0.9", '"0.9"').encode(), "line 1: .*0.9"),
    "decimal commas between commas": (COMMA.replace(".", ",").encode(), r"got \(3, 6\)"),
    "a short line": (COMMA.replace("\n0.0,", "\n").encode(), "line 2 has 2 numbers, .* have 3"),
    "cut": (COMMA.encode()[:-1], "rows that sum to 1"),
    "a line less": (COMMA.encode()[:24], r"matrix must have shape \(3, 3\), got \(2, 3\)"),
    "a matrix more": (2 * (COMMA + "\n").encode(), r"got \(6, 3\)"),
    "percent": (COMMA.replace("0.1", "10%").encode(), "line 1: .*10%"),
    "NaN": (COMMA.replace("0.1", "nan").encode(), "no negative entry, and rows that sum"),
    "infinity": (COMMA.replace("0.1", "inf").encode(), "rows that sum to 1"),
    "negative": (COMMA.replace("0.9,0.1", "1.1,-0.1").encode(), "no negative entry"),
    "only comments": (b"# nothing\n", r"got \(0,\)"),
    "Latin-1": (b"# \xe4\n" + COMMA.encode(), "it is no text in UTF-8"),
    "an archive": (b"PK\x03\x04\xff\xfe", "it is no text in UTF-8"),
}


def saved(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


BAD_ARRAYS = {
    "cut": (saved(MATRIX)[:-8], "damaged"),
    "cut in the head": (saved(MATRIX)[:9], "damaged"),
    "of another size": (saved(np.eye(4)), r"shape \(3, 3\), got \(4, 4\)"),
    "of no axes": (saved(np.float64(1)), r"got \(\)"),
    "text": (saved(MATRIX.astype(str)), "got an array of <U32"),
    "truth values": (saved(np.eye(3, dtype=bool)), "got an array of bool"),
    "records": (saved(np.zeros(3, [("a", "f8"), ("b", "f8")])), "got an array of"),
    "objects": (saved(MATRIX.astype(object), allow_pickle=True), "damaged .*allow_pickle"),
    "too large": (saved(MATRIX).replace(b"(3, 3)", b"(3,10000000000000)"), "damaged"),
    "text under the name": (COMMA.encode(), "damaged"),
}


@pytest.mark.fault("file-read", "matrix file", "data noise")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("suffix", [".csv", ".txt", ".TSV"])
def test_every_form_is_the_same_matrix(form, suffix, tmp_path):
    path = tmp_path / f"T{suffix}"
    path.write_bytes(FORMS[form])
    assert np.array_equal(read_matrix(path, 3), MATRIX)


@pytest.mark.fault("file-read", "matrix file")
@pytest.mark.fault("dtype", "matrix file")
@pytest.mark.parametrize("kind", [np.float64, np.float32, ">f8", np.float16])
def test_an_array_of_any_real_type_is_read(kind, tmp_path):
    stored = np.array([[0.5, 0.5, 0], [0, 1, 0], [0.25, 0, 0.75]]).astype(kind)
    np.save(tmp_path / "T.npy", np.asfortranarray(stored))
    assert np.array_equal(read_matrix(tmp_path / "T.npy", 3), stored)


@pytest.mark.fault("file-read", "matrix file")
@pytest.mark.parametrize("fault", BAD)
def test_bad_text_is_refused_by_name(fault, tmp_path):
    content, message = BAD[fault]
    (tmp_path / "T.csv").write_bytes(content)
    with pytest.raises(BadFile, match=rf"T\.csv is no transition matrix of 3 classes: .*{message}"):
        read_matrix(tmp_path / "T.csv", 3)


@pytest.mark.fault("file-read", "matrix file")
@pytest.mark.parametrize("fault", BAD_ARRAYS)
def test_a_bad_array_is_refused_by_name(fault, tmp_path):
    content, message = BAD_ARRAYS[fault]
    (tmp_path / "T.npy").write_bytes(content)
    with pytest.raises(BadFile, match=rf"T\.npy is no transition matrix of 3 classes: .*{message}"):
        read_matrix(tmp_path / "T.npy", 3)


@pytest.mark.fault("file-read", "matrix file")
@pytest.mark.parametrize("suffix", [".csv", ".npy"])
@pytest.mark.parametrize("kind", IN_ITS_PLACE)
def test_what_lies_in_the_place_of_a_file_is_said(suffix, kind, tmp_path):
    content, said = IN_ITS_PLACE[kind]
    (tmp_path / f"T{suffix}").write_bytes(content)
    with pytest.raises(BadFile, match=rf"T\{suffix} {said}"):
        read_matrix(tmp_path / f"T{suffix}", 3)


@pytest.mark.fault("file-read", "matrix file")
def test_a_file_too_large_for_a_matrix_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr("minisam.data.cifar.find.SMALL", 10)
    (tmp_path / "T.csv").write_text(COMMA)
    with pytest.raises(BadFile, match=r"T\.csv is too large: it has more than 10 bytes"):
        read_matrix(tmp_path / "T.csv", 3)


@pytest.mark.fault("file-read", "matrix file")
def test_what_cannot_be_opened_is_named(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_matrix(tmp_path / "none.csv", 3)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(OSError, match=r"folder\.csv"):
        read_matrix(tmp_path / "folder.csv", 3)
    for name in ("T.pdf", "T", "T.npz"):
        with pytest.raises(ValueError, match=rf"ending in \.npy, .*\.txt, got .*{name}$"):
            read_matrix(tmp_path / name, 3)
    (tmp_path / "T.csv").write_text(COMMA)
    lock(tmp_path / "T.csv", monkeypatch)
    with pytest.raises(PermissionError, match=r"T\.csv"):
        read_matrix(tmp_path / "T.csv", 3)


@pytest.mark.fault("home-folder", "matrix file")
def test_the_file_may_begin_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "T.csv").write_text(COMMA)
    assert np.array_equal(read_matrix("~/T.csv", 3), MATRIX)


@pytest.mark.fault("round-trip", "matrix file")
@given(st.integers(2, 5).flatmap(stochastic_matrices), st.sampled_from([", ", ",", "\t", " ", ";"]))
def test_every_matrix_comes_back_bit_for_bit(matrix, separator):
    """`repr` of a float is read back exactly."""
    text = "\r\n".join(separator.join(map(repr, row)) for row in matrix.tolist())
    assert np.array_equal(parse_text(text), matrix)
