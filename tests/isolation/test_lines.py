"""The line of a user's file that an exception came from, wherever the file is run."""

import pytest

from minisam.adapters.protocol import AdapterError
from minisam.adapters.targets import imported
from minisam.cli.main import main
from minisam.isolation.lines import line_of

FAILS = "import numpy as np\n\n\ndef load():\n    return np.load(rate)\n\n\nload()\n"


@pytest.mark.fault("said-of-the-code", "minisam check", "minisam specification --try")
def test_a_file_that_cannot_be_imported_is_told_with_its_line(tmp_path, capsys):
    (tmp_path / "fails.py").write_text(FAILS)
    told = "NameError: name 'rate' is not defined (fails.py, line 5: \"return np.load(rate)\")"
    with pytest.raises(AdapterError) as info:
        imported(f"{tmp_path}/fails.py:step", 10.0)
    assert str(info.value) == told
    for door in (["check"], ["specification", "1", "--try"]):
        assert main([*door, f"{tmp_path}/fails.py:step"]) == 2
        assert told in capsys.readouterr().err


def test_what_was_never_raised_has_no_line():
    assert line_of(ValueError()) == ""
