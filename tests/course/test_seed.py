"""The seed of a class is made once, is nobody else's, and stays the same."""

import os
import threading

import pytest

from minisam.course.seed import known_seed, new_seed, refuse_new_seed
from minisam.files import write_json


def test_a_secret_is_made_once_and_is_nobody_elses(tmp_path):
    path = tmp_path / "a" / "secret"
    assert new_seed(path) == known_seed(path)
    assert new_seed(tmp_path / "b") != new_seed(tmp_path / "c")
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("")
    with pytest.raises(ValueError, match="empty"):
        known_seed(path)


def test_a_seed_is_one_of_very_many(tmp_path):
    seeds = set()
    for text in map(str, range(64)):
        (tmp_path / text).write_text(text)
        seeds.add(known_seed(tmp_path / text))
    assert len(seeds) == 64
    assert 2**63 <= max(seeds) < 2**64


def test_a_secret_is_looked_at_before_it_is_made(tmp_path):
    (tmp_path / "afile").touch()
    with pytest.raises(ValueError, match="--seed-file must be a file that can be written"):
        known_seed(tmp_path / "afile" / "x")
    assert known_seed(tmp_path / "a" / "secret") is None
    assert [path.name for path in tmp_path.iterdir()] == ["afile"]


def test_no_seed_is_made_for_results_that_had_another(tmp_path):
    secret = tmp_path / "secret"
    refuse_new_seed(tmp_path, secret)  # nothing is kept
    write_json(tmp_path / "results" / "ann.json", {})
    with pytest.raises(ValueError, match=r"^--seed-file must be the one .*secret', which is not"):
        refuse_new_seed(tmp_path, secret)
    secret.touch()
    refuse_new_seed(tmp_path, secret)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with a name")
def test_a_seed_may_come_through_a_pipe(tmp_path):
    (tmp_path / "file").write_text("x\n")
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=["x"], daemon=True)
    writer.start()
    assert known_seed(tmp_path / "pipe") == known_seed(tmp_path / "file")
    writer.join()
