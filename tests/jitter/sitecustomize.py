"""Run anything with arithmetic as another machine might do it: the jitter run.

Python imports this file at its start where its folder is on the path,

    PYTHONPATH=$PWD/tests/jitter python -m pytest

and so does every process that the tests start. It changes the source of minisam, of the tests and
of autograd as they are imported, since ``@`` and the methods of ndarray cannot be replaced:
``a @ b`` becomes ``__jitter__.matmul(a, b)``, ``np.exp`` and ``x.sum`` become
``__jitter__.attribute(np, "exp")`` and so on. What `jittered` makes of these is told there.
"""

import ast
import builtins
import hashlib
import sys
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

HERE = Path(__file__).parent
TESTS = f"{HERE.parent}/"
NAMES = {"dot", "matmul", "vdot", "inner", "tensordot", "einsum", "sum", "mean", "var", "std"}
NAMES |= {"norm", "pow", "atan2", "atanh", "lgamma"}
NAMES |= {"exp", "expm1", "log", "log1p", "tanh", "sin", "cos", "logaddexp", "power", "hypot"}
NAMES |= {"__dict__"}  # from which autograd makes its own NumPy
NAMES |= {"eigh", "eigvalsh", "eigvals", "qr", "svd", "lstsq", "solve", "inv", "det", "cholesky"}


class Rewriter(ast.NodeTransformer):
    """Sends products, powers and the names above through `jittered`."""

    def call(self, old, name, *arguments):
        function = ast.Attribute(ast.Name("__jitter__", ast.Load()), name, ast.Load())
        return ast.copy_location(ast.Call(function, list(arguments), []), old)

    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr not in NAMES or not isinstance(node.ctx, ast.Load):
            return node
        return self.call(node, "attribute", node.value, ast.Constant(node.attr))

    def visit_BinOp(self, node):
        self.generic_visit(node)
        name = {ast.MatMult: "matmul", ast.Pow: "power"}.get(type(node.op))
        return self.call(node, name, node.left, node.right) if name else node


class Loader(SourceFileLoader):
    """Compiles rewritten source; Python keeps what it compiled under ``sys.pycache_prefix``."""

    def source_to_code(self, data, path, **_):
        tree = Rewriter().visit(ast.parse(data, path))
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)


class Finder:
    """Finds modules where Python does, and gives those of minisam, tests, autograd the loader."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        tested = spec.origin.startswith(TESTS) and not spec.origin.endswith("jittered.py")
        if tested or name.partition(".")[0] in ("minisam", "autograd"):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
            return spec
        return None


class Lazy:
    """The module `jittered`, which imports NumPy, from its first use on."""

    def __getattr__(self, name):
        import jittered

        return getattr(jittered, name)


def come_first():
    """Find modules before others do, such as pytest, which has a loader of its own for tests."""
    sys.meta_path[:] = [Finder, *(other for other in sys.meta_path if other is not Finder)]


if __name__ == "sitecustomize":  # as Python imports it; pytest looks for doctests in it, too
    builtins.__jitter__ = Lazy()
    come_first()
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    sys.pycache_prefix = str(HERE / "__pycache__" / version)  # apart from what is compiled as it is
