"""Arrays are rebuilt as they were; what asks for anything else is refused."""

import os
import pickle
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minisam.data.cifar.safe_pickle import loads

protocols = st.integers(2, pickle.HIGHEST_PROTOCOL)


def facts(array):
    return array.dtype, array.shape, array.tobytes()


def test_big_endian_and_fortran_order():
    content = {
        "big": np.arange(5, dtype=">i4"),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
    }
    read = loads(pickle.dumps(content))
    assert np.array_equal(read["big"], content["big"])
    assert np.array_equal(read["fortran"], content["fortran"])


@given(protocol=protocols)
def test_text_and_single_numbers_of_numpy_come_through(protocol):
    """They lie beside the labels in some files; a single number becomes an array without axes."""
    content = {
        "names": np.array(["cat", "Flügel", ""]),
        "bytes": np.array([b"a", b"bcd"]),
        "rate": np.float64(0.2),
        "count": np.int16(-7),
        "author": np.str_("é"),
    }
    read = loads(pickle.dumps(content, protocol=protocol))
    for key, value in content.items():
        assert facts(read[key]) == facts(np.asarray(value))


def reducing(function, *arguments):
    """An object whose pickle calls a function."""

    class Trap:
        def __reduce__(self):
            return function, arguments

    return Trap()


def short(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def naming(module, name):
    return b"\x80\x04}" + short("x") + short(module) + short(name) + b"\x93s."


NDARRAY = b"cnumpy\nndarray\n"
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
MADE = RECONSTRUCT + b"(" + NDARRAY + b"(K\0tU\1btR"  # an empty array
U1 = b"cnumpy\ndtype\n(U\2u1K\0K\1tR"


def an_array(shape, kind, data):
    """A pickle of a dictionary with one array, of given instructions for its parts."""
    return b"\x80\x02}U\1x" + MADE + b"(K\1" + shape + kind + b"\x89" + data + b"tbs."


SCALAR = np.int8(1).__reduce__()[0]

MALICIOUS = {
    "os.system": pickle.dumps({"x": reducing(os.system, "echo no")}),
    "subprocess": pickle.dumps({"x": reducing(subprocess.Popen, ["true"])}),
    "eval": pickle.dumps({"x": reducing(eval, "1")}),
    "builtins.getattr": pickle.dumps({"x": reducing(getattr, "", "join")}),
    "named only": pickle.dumps({"x": os.system}),
    "nested attribute": naming("numpy", "ndarray.__reduce__"),
    "attribute of an allowed module": naming("numpy.core.multiarray", "frombuffer"),
    "numpy.load": naming("numpy", "load"),
    "call of ndarray": b"\x80\x02}U\1x" + NDARRAY + b"(J\xff\xff\xff\x7ftRs.",
    "huge dtype": b"\x80\x02}U\1xcnumpy\ndtype\n(U\x0bV1000000000tRs.",
    "scalar of an object": pickle.dumps({"x": reducing(SCALAR, np.dtype(object), 1)}),
    "scalar of too few bytes": pickle.dumps({"x": reducing(SCALAR, np.dtype("i8"), b"a")}),
    "text of a gigabyte": an_array(b"(K\0t", b"cnumpy\ndtype\n(U\x0bU1000000000K\0K\1tR", b"U\0"),
    "object dtype": pickle.dumps({"x": np.array([1, "a"], object)}),
    "structured dtype": pickle.dumps({"x": np.zeros(1, [("a", "i4")])}),
    "shape larger than its bytes": an_array(b"(J\xff\xff\xff\x7ft", U1, b"U\1a"),
    "negative shape": an_array(b"(J\xff\xff\xff\xffJ\xff\xff\xff\xfft", U1, b"U\1a"),
    "shape that is a list": an_array(b"]K\1a", U1, b"U\1a"),
    "array subclass": pickle.dumps({"x": np.ma.masked_array([1], [0])}),
    "array of another class": (
        b"\x80\x02}U\1x" + RECONSTRUCT + b"(U\4list(K\0tU\1btR(K\1(K\1t" + U1 + b"\x89U\1atbs."
    ),
    "changing a stand-in": b"\x80\x02}U\1x" + RECONSTRUCT + b"}U\6__code__K\1sbs.",
    "changing a class": b"\x80\x02}U\1xcnumpy\ndtype\n}U\4nameK\1sbs.",
    "rot13": b"\x80\x02}U\1xc_codecs\nencode\n(X\1\0\0\0aX\5\0\0\0rot13tRs.",
    "bytes of a gigabyte": b"\x80\x02}U\1xc__builtin__\nbytes\n(J\0\0\0\x40tRs.",
    "persistent object": b"\x80\x02}U\1xU\1aQs.",
    "extension code": b"\x80\x02}U\1x\x82\x01s.",
}


@pytest.mark.parametrize("data", MALICIOUS.values(), ids=MALICIOUS.keys())
def test_malicious_pickles_are_refused(data, capfd, monkeypatch):
    for module, name in [(os, "system"), (subprocess, "Popen")]:
        monkeypatch.setattr(module, name, lambda *a, **k: pytest.fail("it was called"))
    with pytest.raises(ValueError, match=r"\w"):
        loads(data)
    assert capfd.readouterr().out == ""


def test_without_the_allow_list_the_pickle_would_run(monkeypatch):
    """The table above holds real attacks: Python's own loader carries the first one out."""
    ran = []
    monkeypatch.setattr(os, "system", ran.append)
    pickle.loads(pickle.dumps({"x": reducing(eval, "__import__('os').system('echo no')")}))
    assert ran == ["echo no"]
