"""The oracle on code that people copy from repositories, and the table of it in its guide."""

import shutil
import subprocess

import pytest
from backends import copied_torch, repository_table
from backends.clones import defined, text_of
from backends.public_table import GUIDE, spliced
from backends.repositories import COPIED, Copied

pytestmark = [
    pytest.mark.backends,
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
STORED = repository_table.TABLE.read_text(encoding="utf-8").splitlines()
OURS = """import nothing_of_this_name


class SAM:
    def __init__(self, params, base_optimizer, rho: nothing_of_this_name = 0.05, **kwargs):
        self.base_optimizer = base_optimizer(params, **kwargs)
        self.param_groups, self.rho = self.base_optimizer.param_groups, rho

    def move(self, sign):
        params = [p for group in self.param_groups for p in group["params"]]
        if sign > 0:
            norm = torch.stack([p.grad.norm() for p in params]).norm()
            self.climb = [p.grad * (self.rho / norm) if norm > 0 else 0.0 for p in params]
        with torch.no_grad():
            for p, e in zip(params, self.climb):
                p.add_(e, alpha=sign) if torch.is_tensor(e) else None

    def first_step(self, zero_grad):
        self.move(1)
        self.base_optimizer.zero_grad()

    def second_step(self, zero_grad):
        self.move(-1)
        self.base_optimizer.step()
        self.base_optimizer.zero_grad()
"""


@pytest.mark.slow
@pytest.mark.parametrize("one", COPIED, ids=lambda one: f"{one.repository} {one.name}")
def test_the_table_says_what_the_oracle_says(one):
    if one.missing():
        pytest.skip(one.missing())
    (stored,) = [line for line in STORED if line.startswith(repository_table.key(one))]
    assert repository_table.row(one, one.text()) == stored


def test_every_row_is_an_entry_and_the_guide_has_them_all():
    assert list(repository_table.HEAD) == STORED[:2]
    keys = [repository_table.key(one) for one in COPIED]
    assert len(set(keys)) == len(keys) == len(STORED) - 2
    assert all(line.startswith(key) for line, key in zip(STORED[2:], keys, strict=True))
    guide, table = GUIDE.read_text(encoding="utf-8"), "\n".join(STORED) + "\n"
    assert spliced(guide, table, repository_table.BEGIN, repository_table.END) == guide


@pytest.fixture
def clones(tmp_path):
    """A folder of clones with a repository of our own, and the hash of its commit."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    clone = tmp_path / "we" / "sam"
    clone.mkdir(parents=True)
    git = ["git", "-C", str(clone), "-c", "user.name=we", "-c", "user.email=we@localhost"]
    subprocess.run([*git, "init", "-q"], check=True)
    (clone / "sam.py").write_text(OURS, encoding="utf-8")
    subprocess.run([*git, "add", "sam.py"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "one"], check=True)
    told = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    (clone / "sam.py").write_text("changed since", encoding="utf-8")
    return str(tmp_path), told.stdout.strip()[:8]


def test_what_is_read_is_the_file_at_the_commit(clones):
    folder, commit = clones
    assert text_of(folder, "we/sam", commit, "sam.py") == OURS
    assert text_of(folder, "we/sam", commit, "other.py") == ""
    assert text_of(folder, "we/sam", "0" * 8, "sam.py") == ""
    assert text_of(folder, "we/other", commit, "sam.py") == ""


def test_what_is_not_there_is_said(clones):
    folder, commit = clones
    ours = Copied("SAM", "we/sam", commit, "sam.py", copied_torch.wrapper("SAM"), needs="pytest")
    assert ours.missing(folder) == ""
    assert "no clone of we/other" in ours._replace(repository="we/other").missing(folder)
    assert "names no folder" in ours.missing("")
    assert "is not installed" in ours._replace(needs="nothing_of_this_name").missing(folder)


def test_only_what_is_meant_is_run():
    class torch:
        """In place of the real one."""

    assert defined(OURS, "SAM", torch=torch).__name__ == "SAM"
    two = defined("def f(): return g()\ndef g(): return h\nraise OSError", "f", "g", h=3)
    assert [function() for function in two] == [3, 3]


def test_a_row_of_our_own(clones):
    pytest.importorskip("torch")
    folder, commit = clones
    declare = {"restore": "subtract"}
    ours = Copied(
        "SAM", "we/sam", commit, "sam.py", copied_torch.wrapper("SAM"), declare=declare, note="ours"
    )
    probes = ("sam-three-tensors", "sam-momentum", "sam-lr-zero")
    row = repository_table.row(ours, ours.text(folder), probes=probes)
    told = f"sam | conforms as declared | `declare={declare!r}` | ours |"
    assert row == f"| SAM | we/sam | {commit} | sam.py | {told}"
