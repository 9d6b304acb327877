import functools
import hashlib
import json
import subprocess
import sys

import pytest
import sweep_cells

from minisam.experiments.compare import compared_trial
from minisam.experiments.trial import trial
from minisam.sweeps.cells import cell_hash, code_hash, full_name


def test_the_hash_depends_on_settings_and_function_but_not_on_order():
    base = cell_hash(sweep_cells.square, {"x": 1, "log": None})
    assert base == cell_hash(sweep_cells.square, {"log": None, "x": 1})
    assert base != cell_hash(sweep_cells.square, {"x": 2, "log": None})
    assert base != cell_hash(sweep_cells.fail_on_odd, {"x": 1, "log": None})


@pytest.mark.fault("cached-by-name", "cell_hash")
def test_results_that_are_kept_are_found_by_the_name_they_have_had():
    for function, name in (
        (trial, "minisam.experiments.trial.trial"),
        (compared_trial, "minisam.experiments.compare.compared_trial"),
    ):
        text = json.dumps([name, {"lr": 0.1, "seed": 0}])
        assert (
            cell_hash(function, {"seed": 0, "lr": 0.1})
            == (hashlib.sha256(text.encode()).hexdigest()[:20])
        )
        assert code_hash(function) is None


class Trainer:
    def __init__(self, k):
        self.k = k

    def train(self, x):
        return self.k * x

    def __call__(self, x):
        return self.k * x

    @classmethod
    def of_class(cls, x):
        return x

    @staticmethod
    def static(x):
        return x


def times(k):
    def trained(x):
        return k * x

    return trained


def replaced(x):
    return 2 * x


before = replaced


def replaced(x):
    return 3 * x


@functools.lru_cache
def cached(x):
    return x


UNNAMED = {
    "closure": times(2),
    "lambda": lambda x: x,
    "method": Trainer(2).train,
    "object": Trainer(2),
    "partial": functools.partial(replaced, 1),
    "partial of a closure": functools.partial(times(2)),
    "replaced": before,
    "a list's method": [].append,
}


@pytest.mark.fault("cached-by-name", "full_name")
@pytest.mark.parametrize("kind", UNNAMED)
def test_what_its_name_does_not_lead_to_is_refused(kind):
    with pytest.raises(ValueError, match=r"function must (have a name|be one that its name leads)"):
        full_name(UNNAMED[kind])


@pytest.mark.fault("cached-by-name", "full_name")
@pytest.mark.parametrize(
    ("function", "name"),
    [
        (replaced, "replaced"),
        (cached, "cached"),
        (Trainer.of_class, "Trainer.of_class"),
        (Trainer.static, "Trainer.static"),
    ],
)
def test_what_its_name_leads_to_has_that_name(function, name):
    assert full_name(function) == f"{__name__}.{name}"
    assert len(code_hash(function)) == 10


def compiled(source):
    names = {"__name__": "notebook", "wraps": functools.wraps}
    exec(source, names)
    return names["f"]


DECORATED = """
def twice(function, k={k}):
    @wraps(function)
    def f(x):
        return function(x) * k
    return f

@twice
def f(x):
    return x + {x}
"""
PAIRS = [
    ("def f(x): return 2 * x", "def f(x): return 3 * x"),
    ("def f(x): return abs(x)", "def f(x): return int(x)"),
    ("def f(x): return 'a'", "def f(x): return 'b'"),
    ("def f(x, k=1): return k", "def f(x, k=2): return k"),
    ("def f(x, *, k=1): return k", "def f(x, *, k=2): return k"),
    ("def f(x): return (lambda: 'a')()", "def f(x): return (lambda: 'b')()"),
    ("def f(x): return x in {1, 2}", "def f(x): return x in {1, 3}"),
    ("def f(x): return [y for y in x if y > 1]", "def f(x): return [y for y in x if y > 2]"),
    (DECORATED.format(k=1, x=1), DECORATED.format(k=1, x=2)),
]


@pytest.mark.fault("cached-by-name", "code_hash")
@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[one for one, _ in PAIRS])
def test_another_code_has_another_hash_and_a_comment_none(one, other):
    assert code_hash(compiled(one)) == code_hash(compiled(f"# said\n\n{one}"))
    assert code_hash(compiled(one)) != code_hash(compiled(other))
    documented = "def f(x):\n    '{}'\n    return 'a', x"
    assert code_hash(compiled(documented.format("Once."))) == (
        code_hash(compiled(documented.format("Again.")))
    )


@pytest.mark.fault("cached-by-name", "code_hash")
def test_the_hash_of_a_code_is_that_of_every_process():
    names = ", ".join(repr(f"name{k}") for k in range(20))  # a set's order is the process's
    code = f"def f(x):\n    return x in {{{names}}}\n"
    code += "from minisam.sweeps.cells import code_hash\nprint(code_hash(f))"
    hashes = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
        for _ in range(3)
    }
    assert len(hashes) == 1


def test_a_function_that_holds_itself_has_a_hash():
    def factorial(n):
        return n * factorial(n - 1) if n else 1

    assert code_hash(factorial) == code_hash(factorial)
