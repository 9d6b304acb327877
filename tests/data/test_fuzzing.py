"""Random damage, for minutes: the parsers raise nothing but what they document.

Inputs are small files of every layout, damaged at random; an input after which a parser said
something new is kept and damaged further, so that the search goes where the messages lead.
FUZZ_SECONDS sets how long each parser is searched.
"""

import contextlib
import gzip
import io
import os
import pickle
import re
import tarfile
import time

import numpy as np
import pytest

from minisam.data.archive import unpack
from minisam.data.cifar import parse
from minisam.data.files import BadFile
from minisam.data.layouts import layouts
from minisam.data.write import pickle_2

SECONDS = float(os.environ.get("FUZZ_SECONDS", "60"))
TOKENS = [
    *(bytes([i]) for i in (0, 1, 0x28, 0x2E, 0x4B, 0x52, 0x62, 0x65, 0x73, 0x7D, 0x80, 0xFF)),
    *(b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"cnumpy\nndarray\n", b"cos\nsystem\n", b"h\0", b"\x94"),
    *(
        b"cnumpy\ndtype\n",
        b"cnumpy.core.multiarray\n_reconstruct\n",
        b"R",
        b"b",
        b"u.",
        b"(t",
        b"]",
    ),
]


def damage(rng, content):
    """Change, insert, remove or repeat a few bytes, mostly near an end: between are pixels."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        n = len(content)
        near = min(n, 400)
        place = int(rng.integers(0, near + 1))
        place = place if rng.random() < 0.6 else n - place
        token = TOKENS[rng.integers(len(TOKENS))]
        length = int(rng.integers(0, 9))
        match rng.integers(5):
            case 0:
                content[place : place + len(token)] = token
            case 1:
                content[place:place] = token
            case 2:
                del content[place : place + length]
            case 3:
                content[place:place] = content[place : place + length]
            case _:
                if n:
                    content[min(place, n - 1)] ^= 1 << int(rng.integers(8))
    return bytes(content)


def search(seeds, attempt, seconds=SECONDS):
    """Damage the seeds for so long; return how many inputs were tried and what was said."""
    rng = np.random.default_rng(0)
    corpus, said = list(seeds), set()
    tried, end = 0, time.perf_counter() + seconds
    while time.perf_counter() < end:
        content = damage(rng, corpus[rng.integers(len(corpus))])
        message = attempt(content)
        tried += 1
        kind = re.sub(r"\d", "", message)[:30]
        if kind not in said and len(content) < 20_000:
            said.add(kind)
            corpus.append(content)
    return tried, said


def pickled_seeds():
    planes = np.random.default_rng(0).integers(0, 256, (2, 3072), np.uint8)
    content = {"data": planes, "labels": [1, 2], "fine_labels": [3, 4], "coarse_labels": [5, 6]}
    yield pickle_2(content)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        yield pickle.dumps(content, protocol=protocol)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [*layouts("cifar10"), *layouts("cifar100")], ids=str)
def test_parsers(layout):
    record = bytes([3] * len(layout.labels)) + bytes(range(256)) * 12
    seeds = list(pickled_seeds()) if layout.version == "python" else [record, 2 * record]

    def attempt(content):
        try:
            parse(content, layout)
        except ValueError as error:  # anything else fails the test
            return str(error)
        return "read"

    tried, said = search(seeds, attempt, SECONDS / 4)
    print(f"{layout.name} {layout.version}: {tried:,} inputs, {len(said)} kinds of answers")
    assert tried > 1000
    assert "read" in said
    assert len(said) >= 3


def archive_seeds():
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        file = io.BytesIO()
        with tarfile.open(fileobj=file, mode="w", format=form) as tar:
            for name in ("set/a", "set/b", f"set/{'x' * 90}"):
                info = tarfile.TarInfo(name)
                info.size = 700
                tar.addfile(info, io.BytesIO(os.urandom(700)))
        yield file.getvalue()


@pytest.mark.slow
def test_archives(tmp_path):
    path, target = tmp_path / "x.tar.gz", tmp_path / "target"

    def attempt(content):
        path.write_bytes(gzip.compress(content, 1) if len(content) % 2 else content)
        try:
            unpack(path, "set", ("a", "b"), target)
        except BadFile as error:
            assert os.listdir(target) in ([], ["set"])
            return str(error)
        assert sorted(os.listdir(target / "set")) == ["a", "b"]
        return "unpacked"

    tried, said = search(archive_seeds(), attempt, SECONDS / 2)
    print(f"archives: {tried:,} inputs, {len(said)} kinds of answers")
    assert sorted(os.listdir(tmp_path)) == ["target", "x.tar.gz"]
    assert tried > 100
    assert "unpacked" in said


def test_the_search_finds_a_planted_fault():
    """A parser that fails on one byte in one place is found out within a second."""

    def attempt(content):
        with contextlib.suppress(IndexError):
            if content[3] == 0xFF:
                raise RuntimeError
        return "read"

    with pytest.raises(RuntimeError):
        search([b"0123456789"], attempt, seconds=5)
