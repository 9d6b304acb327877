"""Every kind of fault has its tests, and the table of them is the one that is kept."""

from kinds import HERE, KINDS, marked, table


def test_every_kind_is_tested_somewhere_and_every_mark_names_a_kind_and_a_place():
    found = marked()
    assert set(found) == set(KINDS)
    assert all(found.values())


def test_the_table_is_as_kept():
    assert (HERE / "kinds.md").read_text(encoding="utf-8") == table(marked()), (
        "run `python tests/kinds.py`"
    )


def test_a_mark_is_found_wherever_it_stands(tmp_path):
    (tmp_path / "test_one.py").write_text(
        'x = pytest.param(1, marks=pytest.mark.fault("shape", "mlp", "cnn"))\n'
        'y = pytest.mark.fault("dtype")\n'
    )
    places = {"mlp": {"test_one.py"}, "cnn": {"test_one.py"}}
    assert marked(tmp_path) == {"shape": places, "dtype": {}}
