"""What ``import minisam`` brings: little, until it is used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minisam

HOME = Path(minisam.__file__).parent


def python(code, *flags):
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True
    )


def test_import_is_silent_and_brings_no_matplotlib_and_no_scipy():
    result = python(
        "import sys, minisam\n"
        "minisam.sam(minisam.sgd(lr=0.1))\n"
        "assert not {'matplotlib', 'scipy', 'torch', 'pooch'} & set(sys.modules), sys.modules",
        "-W",
        "error",
    )
    assert result.stdout == result.stderr == ""


def test_import_itself_loads_nothing_heavy():
    result = python("import sys, minisam\nprint('numpy' in sys.modules, 'autograd' in sys.modules)")
    assert result.stdout.split() == ["False", "False"]


def test_public_names_resolve():
    for name in minisam.__all__:
        assert callable(getattr(minisam, name))
        assert name in dir(minisam)
    with pytest.raises(AttributeError, match="no attribute 'adam'"):
        minisam.adam  # noqa: B018


def test_every_room_is_reached_by_its_name():
    rooms = {path.stem for path in HOME.glob("*.py") if not path.stem.startswith("__")}
    rooms |= {path.parent.name for path in HOME.glob("*/__init__.py")}
    assert set(minisam._ROOMS) == rooms
    code = "import minisam\nprint(*[getattr(minisam, room).__name__ for room in minisam._ROOMS])"
    assert python(code).stdout.split() == [f"minisam.{room}" for room in minisam._ROOMS]


def test_type_checkers_are_told_the_same_names_and_rooms():
    tree = ast.parse((HOME / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    told = {name.asname: line.module.split(".")[:2] for line in block.body for name in line.names}
    assert told == {name: ["minisam", room] for name, room in minisam._ROOM_OF.items()}
