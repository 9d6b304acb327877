"""A tutorial is a percent-format script and its executed notebook: the same cells, in one form.

Each is performed once, cell by cell. Where the reader is to write something, the cell is run as it
stands, and the check below it has to say "not yet"; then wrong answers are run in its place, of
which the check has to refuse each with a question; then right ones, and it has to say "right".
"""

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from itertools import combinations
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest
from answers import RIGHT, WRONG
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import minisam.lesson
from minisam.lesson.skills import INDENT, QUESTIONS

FOLDER = Path(__file__).parent.parent / "tutorials"
SCRIPTS = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
MINIMA = {
    "01": [(0.0, 0.05), (4.0, 0.05)],
    "02": [(0.0, 0.0)],
    "04": [(0.0, 0.0)],
}  # to be seen in the first picture
MOST_LINES, MOST_BEFORE_THE_PICTURE = 12, 25
MARKS = "✓·✗"
every_tutorial = pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)


def cells_of_script(text):
    """Split a percent-format script into (kind, tags, source) cells."""
    cells = []
    for part in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        heading, _, body = part.partition("\n")
        kind = "markdown" if "[markdown]" in heading else "code"
        tags = re.findall(r'"([^"]+)"', heading)
        lines = body.strip("\n").splitlines()
        if kind == "markdown":
            lines = [re.sub(r"^# ?", "", line) for line in lines]
        cells.append((kind, tags, "\n".join(lines).strip()))
    return cells


def cells_of_notebook(text):
    return [
        (cell["cell_type"], cell["metadata"].get("tags", []), as_in_script("".join(cell["source"])))
        for cell in json.loads(text)["cells"]
    ]


def as_in_script(source):
    """Comment a notebook's magics, as its script does."""
    return re.sub(r"^( *)%", r"\1# %", source, flags=re.MULTILINE).strip()


def solution_of(script):
    return script.parent / "solutions" / script.name


def answers_of(script):
    """Return {tag: code} of a tutorial's solutions."""
    cells = cells_of_script(solution_of(script).read_text(encoding="utf-8"))
    return {tag: source for _, tags, source in cells for tag in tags}


def code_of(script):
    cells = cells_of_script(script.read_text(encoding="utf-8"))
    return [(tags, source) for kind, tags, source in cells if kind == "code"]


def prose_of(script):
    cells = cells_of_script(script.read_text(encoding="utf-8"))
    return "\n".join(source for kind, _, source in cells if kind == "markdown")


@every_tutorial
def test_every_blank_is_filled_in_wrongly_too(script):
    wrong, right = WRONG[script.stem[:2]], RIGHT[script.stem[:2]]
    assert set(wrong) == set(answers_of(script)) >= set(right)
    assert all(len(answers) >= 2 for answers in wrong.values())


def lines_of(source):
    return [line for line in source.splitlines() if line.strip()]


def test_there_are_tutorials():
    assert SCRIPTS


@every_tutorial
def test_script_and_notebook_have_the_same_cells(script):
    notebook = script.with_suffix(".ipynb")
    assert cells_of_script(script.read_text()) == cells_of_notebook(notebook.read_text())


@every_tutorial
def test_notebook_was_executed_from_start_to_end(script):
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert outputs
    assert not [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]
    streams = [[o["name"] for o in cell["outputs"] if "name" in o] for cell in code]
    assert all(len(names) <= 1 for names in streams)  # in pieces, it would differ run by run


@pytest.mark.fault("said-of-the-data", "tutorials")
@pytest.mark.parametrize(("number", "until"), [(8, "def test_accuracy("), (9, "def steps(")])
def test_notebook_counts_what_there_is_now(number, until, monkeypatch):
    """Of the kept results and the catalogue, which change elsewhere: else, execute it again."""
    script, scope = SCRIPTS[number - 1], {"__name__": "__main__"}
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    monkeypatch.chdir(FOLDER)
    with matplotlib.rc_context({"backend": "agg"}):
        for cell in [cell for cell in cells if cell["cell_type"] == "code"]:
            source = as_in_script("".join(cell["source"]))
            if until in source:
                break
            printed = io.StringIO()
            with redirect_stdout(printed):
                exec(source, scope)
            kept = ["".join(output.get("text", [])) for output in cell["outputs"]]
            assert printed.getvalue() == "".join(kept)
    assert until in source


@every_tutorial
def test_every_picture_is_described_for_those_who_do_not_see_it(script):
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    pictures = [o for o in outputs if "image/png" in o.get("data", {})]
    assert pictures
    assert all(len(o["metadata"]["image/png"]["alt"]) > 20 for o in pictures)


@every_tutorial
def test_tutorial_has_the_common_form(script):
    text = prose_of(script)
    parts = ("will be able to**", "**You need**", "## What happened", "## Exercises",
             "**Level 1.**", "**Level 2.**", "**Level 3.**", "## Where it comes from",
             "## Next")  # fmt: skip
    places = [text.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    assert places == sorted(places)
    promised = text[places[0] : places[1]]
    assert len(re.findall(r"^- ", promised, flags=re.MULTILINE)) == 3
    assert len(re.findall(r"^# ", text, flags=re.MULTILINE)) == 1


@every_tutorial
def test_cells_are_short_and_the_first_picture_comes_soon(script):
    _, *sources = [source for _, source in code_of(script)]  # the first one installs
    assert [s for s in sources if len(lines_of(s)) > MOST_LINES] == []
    first = next(k for k, source in enumerate(sources) if "show(" in source)
    before = [line for source in sources[:first] for line in lines_of(source)]
    imports = [line for line in before if line.startswith(("from ", "import "))]
    assert len(before) - len(imports) <= MOST_BEFORE_THE_PICTURE


@every_tutorial
def test_what_is_guessed_is_revealed_below(script):
    text = "\n".join(source for _, source in code_of(script))
    guesses = re.findall(r"^(\w+) = None  # ← your guess", text, flags=re.MULTILINE)
    assert guesses
    for name in guesses:
        after = text.split(f"\n{name} = None", 1)[-1]
        assert re.search(rf"reveal\([^)]*\b{name}\b", after), name


@every_tutorial
def test_every_blank_has_an_answer(script):
    cells = code_of(script)
    tags = [tag for tags, _ in cells for tag in tags]
    assert len(tags) == len(set(tags))
    assert {f"exercise-{level}" for level in (1, 2, 3)} <= set(tags)
    assert set(answers_of(script)) == set(tags)
    blanks = [source for _, source in cells if re.search(r"# ← (?!your guess)", source)]
    assert all(source in [s for tags, s in cells if tags] for source in blanks)


def test_every_skill_has_its_question_and_every_question_its_skill():
    found = [
        re.findall(r'\bskill\(\s*"([^"]+)"', s) for script in SCRIPTS for _, s in code_of(script)
    ]
    names = [name for names in found for name in names]
    assert len(names) == len(set(names))
    assert set(names) == set(QUESTIONS)


def unsaid(prose, code):
    """Return the numbers of a text, of three digits or with a point, that no code or output has."""
    prose = re.sub(r"`[^`]*`|\[[^]]*\]\([^)]*\)", "", prose.partition("## Where it comes from")[0])
    found = re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?!\w)", prose)
    numbers = {n.replace(",", "") for n in found if "." in n or len(n) >= 3}
    said = code.replace("_", "")
    return sorted(n for n in numbers if not re.search(rf"(?<![\d.]){re.escape(n)}0*(?!\d)", said))


@every_tutorial
def test_the_numbers_of_the_prose_come_from_code(script):
    cells = json.loads(script.with_suffix(".ipynb").read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    printed = ["".join(output.get("text", [])) for output in outputs]
    assert unsaid(prose_of(script), "\n".join([s for _, s in code_of(script)] + printed)) == []


def test_a_number_that_no_code_has_would_be_seen():
    prose = "At 0.25 it is 13,002, at 0.5 it is 3.50 and 7.\n## Where it comes from\n1997"
    assert unsaid(prose, "x = 0.25\n13_002") == ["0.5", "3.50"]


def test_the_list_of_tutorials_has_every_one_by_its_title():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d) \| \[([^]]+)\]\(([^)]+)\)", text, flags=re.MULTILINE)
    titles = [prose_of(script).splitlines()[0].removeprefix("# ") for script in SCRIPTS]
    assert listed == [
        (script.name[1], title, f"{script.stem}.ipynb")
        for script, title in zip(SCRIPTS, titles, strict=True)
    ]


@every_tutorial
def test_eta_is_never_the_step_size(script):
    """It is ASAM's, and given by name: see the guide on notation."""
    code = [source for _, source in code_of(script)] + list(answers_of(script).values())
    assert not [
        line for text in code for line in text.splitlines() if re.search(r"\beta\b(?!=)", line)
    ]


@every_tutorial
def test_what_it_links_to_is_there(script):
    for target in re.findall(r"\]\(([^)#]+)\)", prose_of(script)):
        assert target.startswith("http") or (FOLDER / target).exists(), target


def drawn_texts(figure):
    """Return (axes or None, text) of what is written in a figure, without ticks out of view."""
    out_of_view = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                slack = 1e-9 * (high - low)
                if not low - slack <= tick.get_loc() <= high + slack or not axes.axison:
                    out_of_view |= {tick.label1, tick.label2}
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    inside = {text: axes for axes in figure.axes for text in axes.texts}
    return [(inside.get(t), t) for t in texts if t not in out_of_view]


def untidy(figure):
    """Return what is written outside of the page or of its axes, and what lies over each other."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, page, found = canvas.get_renderer(), figure.bbox, []
    boxes = []
    for axes, text in drawn_texts(figure):
        box = text.get_window_extent(renderer)
        limits = page if axes is None else axes.get_window_extent(renderer)
        if not (
            limits.x0 - 1 <= box.x0 and box.x1 <= limits.x1 + 1
            and limits.y0 - 1 <= box.y0 and box.y1 <= limits.y1 + 1
        ):  # fmt: skip
            found.append(f"{text.get_text()!r} is outside")
        boxes.append((text.get_text(), box.padded(-1)))
    found += [
        f"{a!r} lies over {b!r}" for (a, x), (b, y) in combinations(boxes, 2) if x.overlaps(y)
    ]
    return found + [f"{a.get_xlabel()!r}: no title" for a in figure.axes if no_title(figure, a)]


def no_title(figure, axes):
    """Return whether axes of data have no title, nor the figure."""
    data = axes.axison and axes.get_label() != "<colorbar>"
    return data and not axes.get_title() and figure.get_suptitle() == ""


def seen(figure, point):
    """Return whether a point lies within some axes of a figure."""
    return any(
        low < at < high
        for axes in figure.axes
        for (low, high), at in [(sorted(axes.get_xlim()), point[0])]
        if min(axes.get_ylim()) < point[1] < max(axes.get_ylim())
    )


def leads_on(line):
    """Whether a line of a check asks something, or says what was seen of a whole step."""
    return re.search(r"\?$|: [A-Z‖].*\.$", line) is not None


def performed(script):
    """Run a tutorial, with each exercise first as it stands and then with its answer.

    Returns:
        A list of complaints: of checks that say the wrong thing.
    """
    answers, scope, complaints = answers_of(script), {"__name__": "__main__"}, []
    wrong, right = WRONG[script.stem[:2]], RIGHT[script.stem[:2]]
    waiting = None

    def run(source):
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile(source, script.name, "exec"), scope)
        said = printed.getvalue().replace(f"\n{INDENT}", " ")
        return [line for line in said.splitlines() if line[:1] in MARKS]

    for tags, source in code_of(script):
        tag = next((tag for tag in tags if tag in answers), None)
        said = run(source)
        if tag:
            waiting = tag
        elif waiting and re.search(r"\b(skill|check)\(", source):
            if not said or [line for line in said if not line.startswith("· not yet")]:
                complaints.append(f"{waiting}, not done: {said}")
            blank = scope.copy()
            for answer in wrong[waiting]:
                scope.update(blank)
                run(answer)
                refused = [line for line in run(source) if line.startswith("✗ wrong")]
                if not refused:
                    complaints.append(f"{waiting}, wrong: {answer}")
                complaints += [f"nothing asked: {line}" for line in refused if not leads_on(line)]
            for answer in (*filter(None, [right.get(waiting)]), answers[waiting]):
                run(answer)
                said = run(source)
                if [line for line in said if not line.startswith("✓ right")]:
                    complaints.append(f"{waiting}, done: {answer} {said}")
            waiting = None
    return complaints if waiting is None else [*complaints, f"{waiting} is never checked"]


@every_tutorial
def test_tutorial_runs_in_silence_and_its_checks_tell_an_answer_from_a_blank(
    script, monkeypatch, capfd
):
    figures, complaints = [], []

    def keep(figure, alt):
        complaints.extend(untidy(figure))
        figures.append(figure)
        plt.close(figure)

    monkeypatch.setattr(minisam.lesson, "show", keep)
    monkeypatch.chdir(FOLDER)
    with matplotlib.rc_context({"backend": "agg"}):
        complaints += performed(script)
    assert complaints == []
    assert capfd.readouterr().err == ""
    assert figures
    assert plt.get_fignums() == []
    for point in MINIMA.get(script.stem[:2], []):
        assert seen(figures[0], point), point


@pytest.mark.parametrize(
    ("check", "complaint"),
    [
        ("half and half == 2", None),
        ("half and half > 0", "half, wrong: half = 1"),
        ("True", "half, not done: "),
        ("half and isinstance(half, int) and half == 2", "half, done: half = 2.0"),
        ("half == 2", "half, not done: "),
    ],
)
@pytest.mark.fault("cannot-fail", "tutorials")
def test_a_check_that_judges_wrongly_would_be_seen(check, complaint, tmp_path, monkeypatch):
    monkeypatch.setitem(WRONG, "01", {"half": ["half = 1", "half = 4"]})
    monkeypatch.setitem(RIGHT, "01", {"half": "half = 2.0"})
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01.py").write_text('# %% tags=["half"]\nhalf = 2\n')
    script = tmp_path / "01.py"
    script.write_text(
        "# %%\nfrom minisam.lesson import skill\n"
        f'# %% tags=["half"]\nhalf = None\n# %%\nskill("s?", lambda: {check})\n'
    )
    assert all(complaint and text.startswith(complaint) for text in performed(script)[:1])
    assert bool(performed(script)) is (complaint is not None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("return undefined", "It stops: NameError"),
        ("return w[0]", "It stops: the new weights must be a list"),
        ("return [x for x in w]", "One gradient is asked for in a step"),
    ],
)
def test_a_broken_step_is_told_what_it_did(line, told, capsys):
    """In the tutorial in which the student writes SAM: a sentence, not a traceback."""
    cells = code_of(SCRIPTS[3])
    last = next(k for k, (_, source) in enumerate(cells) if "def check(" in source)
    broken = f"def my_step(w, grad_fn, *, rho, lr):\n    d1 = grad_fn(w)\n    {line}"
    scope = {"__name__": "__main__"}
    with matplotlib.rc_context({"backend": "agg"}):
        for tags, source in cells[: last + 1]:
            exec(broken if tags else source, scope)
    assert told in capsys.readouterr().out


def test_the_door_to_the_course_is_open(capsys):
    """The tutorial in which one writes SAM says how a course checks it: that runs as it stands."""
    scope: dict = {}
    exec("import numpy as np\n" + answers_of(SCRIPTS[3])["exercise-2"], scope)
    lines = re.findall(r"`([^`\n]*\bcourse\b[^`\n]*)`", prose_of(SCRIPTS[3]))
    assert len(lines) == 2
    for line in lines:
        exec(line, scope)
    assert "The public checks passed." in capsys.readouterr().out


def test_a_step_in_place_is_drawn_where_it_looked():
    """In the same tutorial: what is marked are copies, and A is not moved."""
    cells = code_of(SCRIPTS[3])
    last = next(k for k, (_, source) in enumerate(cells) if "def points_of(" in source)
    scope = {"__name__": "__main__"}
    for _, source in cells[: last + 1]:
        exec(source, scope)

    def in_place(w, grad_fn, *, rho, lr):
        climb = 0.2 * grad_fn(w)[0]
        w[0] += climb
        w[0] -= climb + lr * grad_fn(w)[0]
        return w

    assert scope["points_of"](in_place) == pytest.approx(scope["right"])
    assert scope["A"].tolist() == [1, 2]


def in_a_browser(*scripts):
    return subprocess.run(
        [sys.executable, str(Path(__file__).parent / "in_a_browser.py"), *map(str, scripts)],
        env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_four_need_nothing_that_a_browser_lacks():
    result = in_a_browser(*SCRIPTS[:4])
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    "line",
    [
        "import threading; threading.Thread(target=print).start()",
        "import subprocess; subprocess.run(['true'])",
        "from concurrent.futures import ProcessPoolExecutor",
        "import signal; signal.setitimer(signal.ITIMER_REAL, 1)",
    ],
)
def test_what_a_browser_lacks_would_be_seen(line, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(line)
    assert in_a_browser(script).returncode != 0


def test_a_changed_cell_would_be_seen():
    script = '# %% [markdown]\n# # Title\n\n# %% tags=["exercise-1"]\nx = 1\n'
    cells = [("markdown", [], "# Title"), ("code", ["exercise-1"], "x = 1")]
    assert cells_of_script(script) == cells
    notebook = {
        "cells": [
            {"cell_type": kind, "metadata": {"tags": tags} if tags else {}, "source": [text]}
            for kind, tags, text in cells
        ]
    }
    assert cells_of_notebook(json.dumps(notebook)) == cells
    notebook["cells"][1]["source"] = ["x = 2"]
    assert cells_of_notebook(json.dumps(notebook)) != cells


def test_untidy_pictures_would_be_seen():
    figure, axes = plt.subplots()
    axes.set_title("tidy")
    assert untidy(figure) == []
    axes.text(0.5, 0.5, "first")
    axes.text(0.51, 0.5, "second")
    axes.text(1.4, 0.5, "third")
    axes.set_title("")
    plt.close(figure)
    assert untidy(figure) == [
        "'third' is outside", "'first' lies over 'second'", "'': no title"
    ]  # fmt: skip
    assert seen(figure, (0.5, 0.5))
    assert not seen(figure, (0.5, 1.5))
