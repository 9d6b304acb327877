"""Submissions of every kind that a grader of A2 meets, and what each deserves of the 18 points."""

import numpy as np

from minisam.cli.main import main

FULL = (1, 2, 3, 4, 4, 3, 1)  # of the seven skills
NONE = (0,) * 7
SGD = (1, *NONE[1:])
RIGHT = """
def right(w, grad_fn, *, rho, lr):
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g * g) for g in d1))
    c = rho / n if n > 0 else 0.0
    d2 = grad_fn([x + c * g for x, g in zip(w, d1)])
    return [x - lr * g for x, g in zip(w, d2)]
"""
WRONG = (
    "def wrong(w, grad_fn, *, rho, lr):\n    return [x - lr * g for x, g in zip(w, grad_fn(w))]\n"
)
STEP = "def step(w, grad_fn, *, rho, lr):\n"
DONE = RIGHT + STEP + "    {}\n    return right(w, grad_fn, rho=rho, lr=lr)\n"
FIRST = STEP + "    d1 = grad_fn(w)\n    n = np.sqrt(sum((g**2).sum() for g in d1)) or 1.0\n"
BACK = "    return [x - lr * g for x, g in zip(w, d2)]\n"


def lost(*positions):
    """The points of a step that loses these skills."""
    return tuple(0 if k in positions else points for k, points in enumerate(FULL))


HANGS = {
    "in a step": STEP + "    while True: pass",
    "swallowing everything": STEP + "    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "with the alarm off": "import signal\n" + STEP + "    signal.setitimer(signal.ITIMER_REAL, 0)\n"
    "    while True: pass",
    "at import": "while True: pass",
    "asleep": "import time\n" + STEP + "    time.sleep(10**6)",
}  # what deserves nothing, with "timed out"

KINDS = {  # name: (text, status, points by skill)
    "right": (RIGHT + "step = right", "graded", FULL),
    "stub": (STEP + "    raise NotImplementedError('your code here')", "not written yet", NONE),
    "stub that passes": (STEP + "    pass", "not written yet", NONE),
    "asks for input": (STEP + "    input('rho? ')\n    return w", "raises", NONE),
    "exits": ("import sys\n" + STEP + "    sys.exit(0)", "raises", NONE),
    "exits hard": ("import os\n" + STEP + "    os._exit(0)", "ended", NONE),
    "crashes": ("import ctypes\n" + STEP + "    ctypes.string_at(0)", "ended", NONE),
    "exits at import": ("import sys\nsys.exit(0)", "not importable", NONE),
    "raises at import": ("raise RuntimeError('at import')", "not importable", NONE),
    "interrupts": (STEP + "    raise KeyboardInterrupt", "raises", NONE),
    "recurs": (STEP + "    return step(w, grad_fn, rho=rho, lr=lr)", "raises", NONE),
    "the library's own": (
        "import minisam\n" + STEP + "    return minisam.sam(minisam.sgd(lr=lr), rho=rho)",
        "raises",
        NONE,
    ),
    "patches the report": (
        WRONG + "import minisam.oracle.report as r\ntry:\n"
        "    r.Report.conforms = property(lambda self: True)\nexcept Exception as e: print(e)\n"
        "step = wrong",
        "graded",
        SGD,
    ),
    "patches grade": (
        WRONG + "import minisam, minisam.oracle.grading as g\n"
        "minisam.grade = g.grade = lambda *a, **k: float(k.get('points', 1.0))\nstep = wrong",
        "graded",
        SGD,
    ),
    "patches NumPy": (
        WRONG + "np.array_equal = np.allclose = lambda *a, **k: True\nstep = wrong",
        "graded",
        SGD,
    ),
    "prints megabytes": (DONE.format("for i in range(100): print('x' * 10000)"), "graded", FULL),
    "writes to stderr": ("import sys\n" + DONE.format("print('debug', file=sys.stderr)"), "graded",
                         FULL),
    "takes 8 GB": (DONE.format("global K; K = np.ones(10**9)"), "raises", NONE),
    "forks": (
        "import os\n" + DONE.format("if not getattr(step, 'done', 0): step.done = 1; os.fork()"),
        "graded",
        FULL,
    ),
    "writes files": (DONE.format("open('leftover.txt', 'w').write('x')"), "graded", FULL),
    "changes folder": ("import os\nos.chdir('/')\nos.environ['HOME'] = '/'\n" + DONE.format("pass"),
                       "graded", FULL),
    "declines": (
        "class Unsupported(Exception): pass\n"
        + DONE.format("if len(w) > 1 or rho > 0.06: raise Unsupported('mine does not do this')"),
        "graded",
        (1, 2, 0, 0, 0, 0, 0),
    ),
    "np.seterr": ("np.seterr(all='raise')\n" + RIGHT + "step = right", "graded", FULL),
    "other names": ("def step(weights, gradient, learning_rate, rho): return weights",
                    "signature", NONE),
    "positional": (RIGHT + "def step(w, f, rho, lr):\n  return right(w, f, rho=rho, lr=lr)",
                   "graded", FULL),
    "missing name": (RIGHT, "no function", NONE),
    "syntax error": ("def step(w, grad_fn, *, rho, lr)\n    return w", "not importable", NONE),
    "class": (
        RIGHT + "class SAM:\n    def __init__(self, rho, lr): self.rho, self.lr = rho, lr\n"
        "    def step(self, w, f): return right(w, f, rho=self.rho, lr=self.lr)\nstep = SAM",
        "signature",
        NONE,
    ),
    "not normalized": (
        STEP + "    d2 = grad_fn([x + rho * g for x, g in zip(w, grad_fn(w))])\n" + BACK,
        "graded",
        lost(3),
    ),
    "downhill": (FIRST + "    d2 = grad_fn([x - rho * g / n for x, g in zip(w, d1)])\n" + BACK,
                 "graded", lost(2)),
    "never restored": (
        FIRST + "    old = w\n    for x, g in zip(w, d1): x += rho * g / n\n    d2 = grad_fn(w)\n"
        "    return [x - lr * g for x, g in zip(old, d2)]",
        "graded",
        lost(4),
    ),
    "two mistakes": (
        STEP + "    d1 = grad_fn(w)\n"
        "    b = [x + rho * g / (np.sqrt((g**2).sum()) or 1.0) for x, g in zip(w, d1)]\n"
        "    d2 = grad_fn(b)\n    return [x - lr * g for x, g in zip(b, d2)]",
        "graded",
        lost(3, 4),
    ),
    "float64 from float32": (
        DONE.format("w = [x.astype(float) for x in w]"),
        "graded",
        lost(6),
    ),
}  # fmt: skip

STYLES = {  # all of them right
    "tuple": DONE.replace("return right(", "return tuple(right(", 1).format("pass")[:-1] + ")",
    "generator": RIGHT + STEP + "    yield from right(w, grad_fn, rho=rho, lr=lr)",
    "in place": FIRST + "    d2 = grad_fn([x + rho * g / n for x, g in zip(w, d1)])\n"
    "    for x, g in zip(w, d2): x -= lr * g\n    return w",
    "by subtraction": FIRST + "    for x, g in zip(w, d1): x += rho * g / n\n    d2 = grad_fn(w)\n"
    "    for x, g in zip(w, d1): x -= rho * g / n\n" + BACK,
    "flat vector": STEP + """\
    flat = lambda a: np.concatenate([x.ravel() for x in a])
    def un(v):
        out, i = [], 0
        for x in w:
            out.append(v[i:i + x.size].reshape(x.shape)); i += x.size
        return out
    v = flat(w); g = flat(grad_fn(w)); n = np.linalg.norm(g)
    b = v + rho * g / n if n else v
    return un(v - lr * flat(grad_fn(un(b))))
""",
    "Python floats": STEP + """\
    d1 = grad_fn(w)
    n = sum(float(x) ** 2 for g in d1 for x in g.ravel()) ** 0.5
    c = rho / n if n else 0.0
    d2 = grad_fn([x + c * g for x, g in zip(w, d1)])
""" + BACK,
    "class wrapper": RIGHT + "class Sam:\n    def __call__(self, w, f, *, rho, lr):\n"
    "        return right(w, f, rho=rho, lr=lr)\nstep = Sam()",
    "+ 1e-8": FIRST.replace(" or 1.0", "") + "    d2 = grad_fn([x + rho * g / (n + 1e-8) "
    "for x, g in zip(w, d1)])\n" + BACK,
    "ε under the root": FIRST.replace(") or 1.0", " + 1e-12)")
    + "    d2 = grad_fn([x + rho * g / n for x, g in zip(w, d1)])\n" + BACK,
    "three gradients": FIRST
    + "    d2 = grad_fn([x + rho * g / n for x, g in zip(w, grad_fn(w))])\n"
    + BACK,
}  # fmt: skip


def text_of(body):
    """A submission's text."""
    return f"import numpy as np\n{body}\n"


def right(w, grad_fn, *, rho, lr):
    """The right step, as a function."""
    d1 = grad_fn(w)
    n = np.sqrt(sum(np.sum(g * g) for g in d1))
    c = rho / n if n > 0 else 0.0
    d2 = grad_fn([x + c * g for x, g in zip(w, d1, strict=True)])
    return [x - lr * g for x, g in zip(w, d2, strict=True)]


def course(*words, said=("--as-root",)):
    """Run a command; what runs as root here is the tests' own."""
    return main(["course", *map(str, words), *(said if words[0] in ("grade", "show") else ())])


def fill(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x = 1\n")
