"""Arrays come through unchanged; everything else is refused, in bounded memory and time."""

import io
import pickle
import pickletools
import struct
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minisam.data.cifar import safe_pickle
from minisam.data.cifar.pickled_arrays import LONGEST_NAME, PLAIN_TYPES, short_text, stand_in
from minisam.data.cifar.safe_pickle import MOST_COPIED, loads
from minisam.data.cifar.write import pickle_2

texts = st.text("aZé€\n 0", max_size=5)
protocols = st.integers(2, pickle.HIGHEST_PROTOCOL)
plain_arrays = hnp.arrays(
    st.sampled_from([np.dtype(name) for name in PLAIN_TYPES]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
contents = st.dictionaries(
    texts,
    plain_arrays
    | st.lists(st.integers(-(2**40), 2**40), max_size=5)
    | st.lists(texts, max_size=3)
    | st.floats()
    | st.booleans()
    | st.none(),
    max_size=4,
)


def same(a, b):
    return (
        type(a) is type(b) and repr(a) == repr(b) if not isinstance(a, np.ndarray) else equal(a, b)
    )


def equal(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@given(content=contents, protocol=protocols)
def test_plain_contents_come_through_unchanged(content, protocol):
    read = loads(pickle.dumps(content, protocol=protocol))
    assert read.keys() == content.keys()
    assert all(same(read[key], value) for key, value in content.items())


def test_what_python_2_wrote():
    read = loads(pickle_2({"labels": [6, 9], "data": np.eye(2, dtype=np.uint8), "name": "é"}))
    assert read["labels"] == [6, 9]
    assert np.array_equal(read["data"], np.eye(2))
    assert read["name"] == "é".encode()


HUNGRY = {
    "bytes longer than the file": b"\x80\x05\x96" + struct.pack("<Q", 1 << 40) + b".",
    "number of a gigabyte": b"\x80\x02}U\1x\x8b" + struct.pack("<i", 1 << 30) + b"s.",
    "nested tuples as a key": b"\x80\x02})" + b"2\x86" * 60 + b"K\1s.",
    "nested tuples by memo": b"\x80\x02})" + b"q\0h\0\x86" * 60 + b"K\1s.",
    "nested lists": b"\x80\x02}U\6labels]" + b"q\0]h\0ah\0a" * 60 + b"s.",
    "endless dictionaries": b"\x80\x02" + b"}" * 100_000 + b".",
}


@pytest.mark.fault("input-bomb", "CIFAR pickle")
@pytest.mark.parametrize("data", HUNGRY.values(), ids=HUNGRY.keys())
def test_memory_and_time_are_bounded(data, monkeypatch):
    """Each of these makes Python's unpickler take gigabytes, or forever."""
    monkeypatch.setattr(safe_pickle, "MOST_INSTRUCTIONS", 50_000)
    with pytest.raises(ValueError, match=r"\w"):
        loads(data)


def test_memo_slots_are_numbered_for_nothing():
    """Python's unpickler takes 64 gigabytes for the slots below this one."""
    data = b"\x80\x02}r" + struct.pack("<I", 4_000_000_000) + b"."
    assert loads(data) == {}


def unicode(n):
    return b"X" + struct.pack("<I", n) + n * b"a"


SETUP = (
    b"\x80\x02}U\1x("
    + b"c_codecs\nencode\nq\0"
    + unicode(1000)
    + unicode(6).replace(b"aaaaaa", b"latin1")
    + b"\x86q\1"
)
REPEATED = {  # an instruction of a few bytes that makes something large each time
    "encoding a long text": (b"h\0h\1R", "encodes more text than it has"),
    "a key that is long": (b"}" + unicode(LONGEST_NAME + 1) + b"Ns", "a name of 1,001 characters"),
    "many arguments": (b"h\0(" + b"N" * 5 + b"tR", "a function with 5 arguments"),
}


@pytest.mark.fault("input-bomb", "CIFAR pickle")
@pytest.mark.parametrize(("piece", "message"), REPEATED.values(), ids=REPEATED.keys())
def test_nothing_large_is_made_again_and_again(piece, message):
    """A pickle of a megabyte would fill any memory, or take hours."""
    with pytest.raises(ValueError, match=message):
        loads(SETUP + 1000 * piece + b"ts.")


@pytest.mark.fault("input-bomb", "CIFAR pickle")
def test_a_long_string_is_never_copied_again():
    raw = b"T" + struct.pack("<I", MOST_COPIED + 1) + bytes(MOST_COPIED + 1) + b"q\0"
    read = loads(b"\x80\x02}(U\1a" + raw + b"U\1bh\0u.")
    assert read["a"] is read["b"]


def test_a_text_may_be_encoded_once():
    assert loads(SETUP + b"h\0h\1Rts.").keys() == {"x"}


@given(protocol=protocols)
def test_large_strings_and_arrays_come_through_whatever_they_are_read_from(protocol):
    content = {"data": np.arange(MOST_COPIED, dtype=np.uint16), "text": (MOST_COPIED + 1) * "é"}
    data = pickle.dumps(content, protocol=protocol)
    for source in (data, bytearray(data), memoryview(data)):
        read = loads(source)
        assert equal(read["data"], content["data"])
        assert read["text"] == content["text"]
    raw = (MOST_COPIED + 1) * b"a"
    assert loads(pickle.dumps({"raw": raw}, protocol=protocol)) == {"raw": raw}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        b"\x80",
        b"\x80\x02",
        b"\x80\x02}",
        b"\x80\x02K\1.",
        b"not a pickle",
        b"<html></html>",
        pickle.dumps([1]),
        pickle.dumps({1: 2}),
        pickle.dumps({"a": 1})[:-3],
    ],
)
def test_damaged_pickles_are_refused(data):
    with pytest.raises(ValueError, match=r"it (is|has|holds|uses|asks)"):
        loads(data)


@pytest.mark.parametrize("data", [rb"S'\i'", rb"S'\777'", rb"ci\i"])
def test_a_strange_escape_sequence_is_damage_and_warns_nobody(data):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match=r"it (is|has|holds|uses|asks)"):
            loads(data + b"\n.")
    assert not caught


def instructions(data):
    try:
        return [opcode.name for opcode, _, _ in pickletools.genops(data)]
    except ValueError:
        return []


class Unpickler(pickle.Unpickler):
    """Python's own machine, with the same stand-ins."""

    find_class = staticmethod(stand_in)


@given(content=contents, protocol=protocols, data=st.data())
def test_damaged_files_are_read_as_python_reads_them(content, protocol, data):
    """What both accept, both read alike; what one refuses, it refuses with a ValueError."""
    whole = bytearray(pickle.dumps(content, protocol=protocol))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.sampled_from([0, 1, 0x28, 0x2E, 0x4B, 0x52, 0x62, 0x7D, 0xFF]))
    # A memo slot of a large number makes Python's unpickler take gigabytes: it is shown none.
    assume(not any(name == "LONG_BINPUT" for name in instructions(bytes(whole))))
    try:
        read = loads(whole)
    except ValueError:
        return
    try:
        usual = Unpickler(io.BytesIO(whole), encoding="bytes").load()
    except Exception:  # whatever a damaged pickle makes of it
        return
    assert [short_text(key) for key in usual] == list(read)
    assert all(same(safe_pickle.opened(usual[key]), value) for key, value in read.items())


def test_a_dictionary_saved_by_numpy():
    file = io.BytesIO()
    np.save(file, {"clean_label": np.arange(3)}, allow_pickle=True)
    start = file.getvalue().index(b"\n") + 1
    assert np.array_equal(loads(file.getvalue()[start:])["clean_label"], np.arange(3))
