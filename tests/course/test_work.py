"""What a student handed in is read as it is, or it is said why not."""

import json

import pytest
from course.submissions import fill

from minisam.course.work import MOST_BYTES, Work, read_submission


def test_a_file_may_be_as_large_as_the_limit_and_no_larger(tmp_path):
    path = tmp_path / "hw2.py"
    path.write_bytes(b"#" * MOST_BYTES)
    assert read_submission(Work("ann", path), "hw2").parts == ("#" * MOST_BYTES,)
    path.write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(ValueError, match="larger than 4 MiB"):
        read_submission(Work("ann", path), "hw2")


def test_a_digest_changes_with_the_text_the_kind_and_the_trouble_and_not_with_the_place(tmp_path):
    fill(tmp_path, "a.py", "b.py", "c.ipynb", "d.py")
    (tmp_path / "d.py").write_text("x = 2\n")
    a, b, c, d = (Work(p.stem, p).digest() for p in sorted(tmp_path.iterdir()))
    assert a == b
    others = Work("a", tmp_path / "a.py", "several"), Work("a", None), Work("a", None, "several")
    assert len({a, c, d, *(one.digest() for one in others)}) == 6


@pytest.mark.fault("file-read", "minisam course grade")
@pytest.mark.parametrize(("name", "content"), [
    ("hw2.py", b"x = 1\0"), ("hw2.py", "x = 1".encode("utf-16")),
    ("hw2.py", b"x" * (5 << 20)), ("hw2.ipynb", b'{"cells": ['), ("hw2.ipynb", b" " * (17 << 20)),
])  # fmt: skip
def test_what_cannot_be_read_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=r"it(s code)? is"):
        read_submission(Work("ann", tmp_path / name), "hw2")


def test_pictures_do_not_count_and_code_does(tmp_path):
    picture = {"data": {"image/png": "x" * (MOST_BYTES + 1)}}
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [picture]}
    path = tmp_path / "hw2.IPYNB"
    path.write_text(json.dumps({"cells": [cell]}))
    assert read_submission(Work("ann", path), "hw2").parts == ("x = 1",)
    long = {**cell, "outputs": [], "source": "#" * (MOST_BYTES // 2 + 1)}
    path.write_text(json.dumps({"cells": [long, long]}))
    with pytest.raises(ValueError, match="its code is larger than 4 MiB"):
        read_submission(Work("ann", path), "hw2")


def test_a_file_counts_as_what_it_is_and_not_as_what_it_is_called(tmp_path):
    cells = [{"cell_type": "code", "source": "x = 1"}]
    (tmp_path / "hw2.py").write_text("\n" + json.dumps({"cells": cells}))
    (tmp_path / "hw2.ipynb").write_text("x = 1\n")
    notebook, script = (
        read_submission(Work("ann", tmp_path / name), "hw2") for name in ("hw2.py", "hw2.ipynb")
    )
    assert (notebook.file, notebook.parts, notebook.whole) == ("hw2.ipynb", ("x = 1",), False)
    assert (script.file, script.parts, script.whole) == ("hw2.py", ("x = 1\n",), True)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbfx = 1\r\ny = 2\r\n", b"x = 1\ny = 2\n"])
def test_marks_of_editors_do_not_matter(tmp_path, content):
    (tmp_path / "a.py").write_bytes(content)
    assert read_submission(Work("a", tmp_path / "a.py"), "hw2").parts == ("x = 1\ny = 2\n",)


def test_of_a_notebook_the_code_is_read(tmp_path):
    cells = [{"cell_type": "code", "source": ["x = 1\n", "y = 2"]}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    found = read_submission(Work("a", tmp_path / "a.ipynb"), "hw2")
    assert (found.file, found.parts, found.whole) == ("hw2.ipynb", ("x = 1\ny = 2",), False)
