"""Be the child of the grader: run a submission, and call its functions.

This file needs NumPy only, and nothing of minisam: it is started by its path, ``python -I -S``, and
speaks lines of JSON over private copies of the ends of its pipes. Both sides use `Peer`:

    {"ask": "call", "args": [...], "named": {...}}     call a function by name, or a lent one
    {"value": ..., "after": [...]}                     what it returned, and its arguments then
    {"raised": "ValueError", "text": "...", "line": 7, "source": "..."}

A child is asked to ``start`` (limits), ``run`` (a submission's text) and ``call`` (one of its
functions). It says numbers, never a score.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.machinery
import inspect
import json
import linecache
import os
import signal
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

MOST_ITEMS = 300_000  # numbers in one array, and items of one iterator: they fit into a line
LONGEST_LINE = 8 << 20  # bytes
LONGEST = {"raised": 80, "text": 500, "source": 120}  # characters of a report
OUR_CHECK = "minisam.course.check"  # which the grader does without
DEEPEST = 12  # questions within questions
PR_SET_PDEATHSIG = 1  # of Linux
KINDS = "fiub"  # of the arrays that can be sent


class PeerError(Exception):
    """What came through the pipe is no message."""


class Told(Exception):
    """The other side's function raised; ``report`` has its type, text, line and source."""

    def __init__(self, report: dict[str, Any]) -> None:
        super().__init__(f"{report.get('raised')}: {report.get('text')}")
        self.report = report


class Other:
    """Stand for a value that can't be sent; ``kind`` says what it was."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Seeded:
    """Stand for ``numpy.random.default_rng(seed)``, which the other side makes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


class Peer:
    """One end of the pipe: it asks the other end, and meanwhile answers what that one asks.

    Args:
        receive: returns the next line; raises whatever is to end everything.
        send: writes a line, given without its end.
        named: functions that the other side may ask for at any time.
        passing: exceptions that come out of `serve`, though a lent function raised them.
        file: where a submission's lines are from, so that an error can name its own.
    """

    def __init__(
        self,
        receive: Callable[[], bytes],
        send: Callable[[str], Any],
        named: dict[str, Callable[..., Any]] | None = None,
        passing: tuple[type[BaseException], ...] = (),
        file: str = "",
    ) -> None:
        self.receive, self.send, self.passing, self.file = receive, send, passing, file
        self.functions: dict[Any, Callable[..., Any]] = dict(named or {})
        self.depth = 0

    def ask(self, what: str | int, *args: Any, **named: Any) -> tuple[Any, list]:
        """Return what a function of the other side returns, and its arguments afterwards.

        Raises:
            Told: if it raises.
            PeerError: if the other side does not keep to the messages.
        """
        lent = set(self.functions)
        message = {"ask": what, "args": self.encode(list(args)), "named": self.encode(named)}
        self.depth += 1
        try:
            self.send(self.line_of(message))
            while True:
                reply = self.read()
                if "ask" not in reply:
                    return self.outcome(reply)
                self.serve(reply)
        finally:
            self.depth -= 1
            for key in set(self.functions) - lent:  # what was lent for this question only
                del self.functions[key]

    def outcome(self, reply: dict[str, Any]) -> tuple[Any, list]:
        """Read a reply."""
        if "raised" in reply:
            raise Told(checked_report(reply))
        if "value" not in reply or not isinstance(reply.get("after"), list):
            raise PeerError(f"a reply has neither a value nor an error, only {sorted(reply)[:5]}")
        return self.decode(reply["value"]), self.decode(reply["after"])

    def serve(self, message: dict[str, Any]) -> None:
        """Answer a question with what the function returns or raises."""
        function = self.functions.get(message["ask"])
        if function is None or self.depth > DEEPEST:
            raise PeerError(f"asks for {message['ask']!r:.40}, which is not lent")
        args, named = self.decode(message.get("args")), self.decode(message.get("named"))
        if not isinstance(args, list) or not isinstance(named, dict):
            raise PeerError("a question has no arguments")
        self.depth += 1
        try:
            value = self.encode(function(*args, **named))
            line = self.line_of({"value": value, "after": self.encode(args)})
        except self.passing:
            raise
        except BaseException as error:  # a submission may raise anything
            line = self.line_of(error_report(error, self.file))
        finally:
            self.depth -= 1
        self.send(line)

    def line_of(self, message: dict[str, Any]) -> str:
        """Return a message as text.

        Raises:
            ValueError: if it is longer than the other side reads.
        """
        line = json.dumps(message)
        if len(line) >= LONGEST_LINE:
            raise ValueError(f"more than {LONGEST_LINE >> 20} MiB cannot be sent at once")
        return line

    def read(self) -> dict[str, Any]:
        """Return the next message."""
        line = self.receive()
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            raise PeerError(f"wrote {line[:60]!r}, which is no message") from None
        if not isinstance(message, dict) or not isinstance(message.get("ask", ""), (str, int)):
            raise PeerError(f"wrote {line[:60]!r}, which is no message")
        return message

    def encode(self, value: Any) -> Any:
        """Return a value as JSON holds it; functions are lent, and go by their number."""
        import numpy as np  # after the limits are set

        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, np.generic):
            small = isinstance(value, float) or abs(value) < 2**1000
            return value if small else {"other": "a huge integer"}
        if isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.kind not in KINDS or value.size > MOST_ITEMS:
                return {"other": f"an array of {value.size} entries of type {value.dtype}"}
            wide = value.dtype.kind == "f" and value.dtype.itemsize > 8  # than JSON's numbers
            kind = np.dtype(float) if wide else value.dtype.newbyteorder("=")
            flat = np.asarray(value, kind).ravel().tolist()
            return {"array": flat, "shape": list(value.shape), "dtype": str(value.dtype)}
        if isinstance(value, dict):
            return {"dict": [[self.encode(key), self.encode(one)] for key, one in value.items()]}
        if isinstance(value, (list, tuple)):
            items = [self.encode(one) for one in value]
            return items if isinstance(value, list) else {"tuple": items}
        if isinstance(value, Iterator):
            return [self.encode(one) for _, one in zip(range(MOST_ITEMS), value)]  # noqa: B905
        if isinstance(value, Other):
            return {"other": value.kind}
        if isinstance(value, Seeded):
            return {"seed": value.seed}
        if callable(value) and not isinstance(value, type):
            number = max((key for key in self.functions if isinstance(key, int)), default=0) + 1
            self.functions[number] = value
            return {"function": number}
        return {"other": type(value).__name__}

    def decode(self, value: Any, depth: int = 0) -> Any:
        """Return a value of the other side's.

        Raises:
            PeerError: if it is none.
        """
        if depth > DEEPEST:
            raise PeerError("a value is nested too deep")
        if isinstance(value, list):
            return [self.decode(one, depth + 1) for one in value]
        if not isinstance(value, dict):
            return value
        if "array" in value:
            return decoded_array(value)
        if "tuple" in value and isinstance(value["tuple"], list):
            return tuple(self.decode(value["tuple"], depth + 1))
        if "dict" in value:
            try:
                return {key: self.decode(one, depth + 1) for key, one in value["dict"]}
            except (TypeError, ValueError):
                raise PeerError("a dict is none") from None
        if isinstance(value.get("function"), int):
            number = value["function"]
            return lambda *args, **named: self.ask(number, *args, **named)[0]
        if isinstance(value.get("seed"), int):
            try:
                return seeded_generator(value["seed"])
            except (TypeError, ValueError):
                raise PeerError("a seed is none") from None
        if "other" in value:
            return Other(str(value["other"])[:80])
        raise PeerError(f"a value has the keys {sorted(value)[:5]}")


def seeded_generator(seed: int) -> Any:
    """Return NumPy's generator of a seed."""
    import numpy as np  # after the limits are set

    return np.random.default_rng(seed)


def decoded_array(message: dict[str, Any]) -> Any:
    """Return the array of a message; a NumPy number if it has no axes."""
    import numpy as np  # after the limits are set

    try:
        dtype = np.dtype(str(message["dtype"]))
        if dtype.kind not in KINDS:
            raise ValueError
        array = np.array(message["array"], dtype)
        if array.ndim != 1:
            raise ValueError
        return array.reshape([int(n) for n in message["shape"]])[()]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise PeerError("an array is none") from None


def error_report(error: BaseException, file: str) -> dict[str, Any]:
    """Describe an exception: its type, its text, and the last line of the submission."""
    try:
        text = str(error)
    except BaseException:  # it is a submission's own
        text = ""
    report: dict[str, Any] = {"raised": type(error).__name__, "text": text}
    if isinstance(error, Told):  # what we lent raised it
        report |= {key: error.report[key] for key in report}
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno if isinstance(error.lineno, int) else 0
        report |= {"text": str(error.msg), "line": line, "source": str(error.text or "").strip()}
        return cut_report(report)
    with contextlib.suppress(Exception):
        frames = traceback.extract_tb(error.__traceback__)
        own = [one for one in frames if one.filename.startswith(file)]
        if own:
            report |= {"line": own[-1].lineno or 0, "source": own[-1].line or ""}
    return cut_report(report)


def cut_report(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report whose texts are as short as the other side wants them."""
    return {key: one[: LONGEST[key]] if key in LONGEST else one for key, one in report.items()}


def checked_report(report: Any) -> dict[str, Any]:
    """Return a report of the other side's: ``raised``, ``text``, and perhaps a line.

    Raises:
        PeerError: if it is none.
    """
    if not isinstance(report, dict):
        raise PeerError("a report is none")
    texts = {key: report.get(key, "") for key in LONGEST}
    line = report.get("line", 0)
    good = all(isinstance(one, str) and len(one) <= LONGEST[key] for key, one in texts.items())
    if not good or not isinstance(line, int):
        raise PeerError("a report is none")
    return {**texts, **({"line": line} if "line" in report else {})}


class OnlyNumpy:
    """Find NumPy, which lies where other packages lie, too, and nothing else of what lies there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Return where NumPy is."""
        if name != "numpy":
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self.folder])


class Absent:
    """Stand for what a submission imports and the grader has not; to use it is an error."""

    def __init__(self, error: ImportError, forgiven: bool = False) -> None:
        self.__dict__["_why"] = f"{error}: the grader has NumPy only"
        self.__dict__["_forgiven"] = forgiven

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ModuleNotFoundError(self._why)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Refuse, unless it is forgiven."""
        if self._forgiven:
            return
        raise ModuleNotFoundError(self._why)


def forgiving(text: str, file: str) -> Any:
    """Return a compiled text, where an import of what is not there harms only who uses it."""
    tree = ast.parse(text, file)
    body: list[ast.stmt] = []
    for node in tree.body:
        imports = isinstance(node, (ast.Import, ast.ImportFrom))
        if not imports or getattr(node, "module", "") == "__future__":
            body.append(node)
        elif isinstance(node, ast.Import):
            body += [attempt(ast.copy_location(ast.Import([one]), node)) for one in node.names]
        else:
            body.append(attempt(node))
    tree.body = body
    return compile(ast.fix_missing_locations(tree), file, "exec")


def attempt(node: Any) -> ast.stmt:
    """Return an import that puts an `Absent` in the place of what is not there."""
    lines = []
    for one in node.names:
        name = one.asname or one.name.partition(".")[0]
        full = f"{getattr(node, 'module', '')}.{one.name}"
        given = f"__absent__(__error__, {full == OUR_CHECK})"
        lines.append(f" {given}" if one.name == "*" else f" {name} = {given}")
    head = "try:\n pass\nexcept ModuleNotFoundError as __error__:\n"
    (whole,) = ast.parse(head + "\n".join(lines)).body
    for inner in ast.walk(whole):
        ast.copy_location(inner, node)
    whole.body = [node]  # type: ignore[attr-defined]
    return whole


class Runner:
    """A child's work: what it is asked to do."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.module = types.ModuleType(file.partition(".")[0])

    def start(self, limits: dict[str, int], numpy_in: str) -> dict[str, Any]:
        """Set the limits, import NumPy, and say which limits hold."""
        held = [name for name, value in limits.items() if limit(name, value)]
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # where memory runs out, this process goes first
        with contextlib.suppress(Exception):  # on Linux, the child ends with the grader
            import ctypes  # for this only

            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        sys.meta_path.insert(0, OnlyNumpy(numpy_in))
        import numpy as np  # here, after the limits

        return {"numpy": np.__version__, "limits": held}

    def run(self, parts: list[str], all_must_run: bool) -> dict[str, Any]:
        """Run a submission's text, or a notebook's cells; return its functions' signatures.

        A cell that raises is noted, and the next one is run; a file that raises is told.
        """
        sys.modules[self.module.__name__] = self.module
        failed: list[dict] = []

        def absent(error: ImportError, forgiven: bool) -> Absent:
            if forgiven:  # a cell of ours, which every notebook has
                return Absent(error, True)
            failed.append(cut_report({"raised": type(error).__name__, "text": str(error)}))
            return Absent(error)

        vars(self.module)["__absent__"] = absent
        for number, text in enumerate(parts):
            file = self.file if all_must_run else f"{self.file}, cell {number + 1}"
            linecache.cache[file] = (len(text), None, text.splitlines(True), file)
            try:
                exec(forgiving(text, file), vars(self.module))
            except BaseException as error:
                if all_must_run:
                    raise
                failed.append(error_report(error, file))
        return {"functions": self.signatures(), "failed": failed}

    def signatures(self) -> dict[str, str]:
        """Return what the submission defines that can be called."""
        found = {}
        for name, value in vars(self.module).items():
            if callable(value) and not name.startswith("_") and not isinstance(value, Absent):
                found[name] = signature_of(name, value)[:200]
        return found

    def call(self, name: str, args: list, named: dict[str, Any]) -> Any:
        """Call a function of the submission."""
        return getattr(self.module, name)(*args, **named)


def signature_of(name: str, function: Any) -> str:
    """Return how a function says that it is called."""
    kind = "class " if isinstance(function, type) else ""
    try:
        return f"{kind}{name}{inspect.signature(function)}"
    except (TypeError, ValueError):
        return f"{kind}{name}(...)"


def limit(name: str, value: int) -> bool:
    """Set a limit of the process; return whether it holds."""
    try:
        import resource  # not on Windows

        number = getattr(resource, f"RLIMIT_{name}")
        most = value + 1 if name == "CPU" else value  # what catches the first signal is killed
        _, ceiling = resource.getrlimit(number)
        if ceiling != resource.RLIM_INFINITY:
            value, most = min(value, ceiling), min(most, ceiling)
        resource.setrlimit(number, (value, most))
    except (ImportError, AttributeError, ValueError, OSError):
        return False
    return True


def answer_grader(file: str) -> None:
    """Answer the grader until it closes the pipe."""
    requests, replies, process = os.fdopen(os.dup(0), "rb"), os.dup(1), os.getpid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what is printed goes elsewhere
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)  # type: ignore[union-attr]

    def send(text: str) -> None:
        if os.getpid() != process:  # a copy, forked by the submission, ends here
            os._exit(0)
        line = text.encode() + b"\n"
        while line:
            line = line[os.write(replies, line) :]

    def receive() -> bytes:
        line = requests.readline()
        if not line or os.getpid() != process:
            os._exit(0)
        return line

    work = Runner(file)
    named: dict[str, Callable[..., Any]] = {"start": work.start, "run": work.run}
    named["call"] = work.call
    peer = Peer(receive, send, named, file=file)
    while True:
        peer.serve(peer.read())


if __name__ == "__main__":
    answer_grader(sys.argv[1])
