"""The data that these tests ask for by name."""

import pytest
from course import submissions as known
from data_fixtures import cifar10_folder, real_data, toy_data  # noqa: F401


@pytest.fixture
def folder(tmp_path):
    for name, kind in (("ann", "right"), ("bob", "downhill")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "hw2.py").write_text(known.text_of(known.KINDS[kind][0]))
    return tmp_path / "in"
