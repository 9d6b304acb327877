"""Write one HTML page: implementations by checks, and what was found about each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from minisam.oracle.probes import PROBES
from minisam.oracle.report_text import on_the_script, tried

if TYPE_CHECKING:  # who makes a report loads this module for a page
    from minisam.oracle.report import Report, Result

CSS = """
.minisam{font:15px/1.5 system-ui,sans-serif;color:#1d2733;background:#fff;padding:4px 16px}
.minisam h2{margin:1.6em 0 .3em}.minisam p,.minisam ul{max-width:46em;margin:.5em 0}
.minisam .wide{overflow-x:auto}.minisam table{border-collapse:collapse;font-size:13px}
.minisam td,.minisam th{border:1px solid #d5dbe3;padding:3px 6px;text-align:center}
.minisam thead th{vertical-align:bottom}.minisam .name{text-align:left;white-space:nowrap}
.minisam .first{position:sticky;left:0;background:#fff}
.minisam thead th.probe span{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400}
.minisam pre{background:#f4f6f8;padding:10px;overflow:auto;font-size:12.5px}
.minisam .pass{background:#cfe8d5}.minisam .fail,.minisam .error{background:#f0b4b4}
.minisam .known{background:#f6e3a8}.minisam .range{background:#dfe3ea}
.minisam .verdict{font-weight:600}.minisam .small{font-size:13px;color:#566373}
"""
SIGNS = {"pass": "✓", "fail": "✗", "error": "!", "known": "k", "out of range": "○", "not run": "–"}
MEANINGS = {
    "pass": "agrees",
    "fail": "fails",
    "error": "adapter error",
    "known": "known to fail",
    "out of range": "differs where squares of the gradient leave the number range: no mistake",
    "not run": "not run",
}


def cell(results: Sequence[Result]) -> str:
    """Write a table's cell: one sign per dtype, coloured by the worst."""
    order = ("error", "fail", "known", "out of range", "pass", "not run")
    worst = min((result.status for result in results), key=order.index, default="not run")
    signs = "".join(SIGNS[result.status] for result in results) or "–"
    shown = worst.split()[-1] if worst != "not run" else "none"
    title = "; ".join(f"{r.dtype}: {r.status} {r.reason}".strip() for r in results)
    return f'<td class="{shown}" title="{escape(title)}">{signs}</td>'


def in_order(values: Iterable[str]) -> list[str]:
    """Return each value once."""
    return list(dict.fromkeys(values))


def matrix(reports: Sequence[Report]) -> str:
    """Write the table of implementations (rows) by probes (columns) that ran anywhere."""
    ran = [r for report in reports for r in report.results if r.status != "not run"]
    probes, dtypes = in_order(r.probe for r in ran), in_order(r.dtype for r in ran)
    probes.sort(key=[*PROBES, *probes].index)
    methods = in_order(probe.split("-")[0] for probe in probes)
    probes.sort(key=lambda probe: methods.index(probe.split("-")[0]))
    head = "".join(
        f'<th class="probe" title="{escape(PROBES[probe].note if probe in PROBES else "")}">'
        f"<span>{escape(probe)}</span></th>"
        for probe in probes
    )
    rows, used = [], set()
    for number, report in enumerate(reports):
        by_probe = {
            probe: [r for r in report.results if r.probe == probe and r.dtype in dtypes]
            for probe in probes
        }
        used |= {r.status for results in by_probe.values() for r in results}
        cells = "".join(cell(by_probe[probe]) for probe in probes)
        rows.append(
            f'<tr><td class="name first"><a href="#r{number}">{escape(report.name)}</a></td>'
            f'<td class="name verdict">{escape(report.verdict)}</td>{cells}</tr>'
        )
    legend = ", ".join(f"{SIGNS[s]} {meaning}" for s, meaning in MEANINGS.items() if s in used)
    each = "one sign per dtype: " + ", ".join(dtypes) if len(dtypes) > 1 else ", ".join(dtypes)
    return (
        '<div class="wide"><table><thead><tr><th class="name first">implementation</th>'
        f'<th class="name">verdict</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f'</div><p class="small">{escape(legend)}; {each}. Point at a check or a sign for more.</p>'
    )


def section(report: Report) -> str:
    """Write what the terminal shows of one report, and what it shows with --verbose folded away."""
    told = [one for one in report.advice if not on_the_script(report, one)]
    rest = [one for one in report.advice if on_the_script(report, one)]
    advice = "".join(f"<li>{escape(one)}</li>" for one in told)
    parts = [
        f"<h2>{escape(report.name)}</h2>",
        f'<p class="verdict">{escape(report.verdict)}</p>',
        f"<p>{escape(report.headline)}</p>",
        f"<ul>{advice}</ul>" if advice else "",
    ]
    if report.reproduction:
        parts += [f"<p>{escape(report.beside)}</p>", f"<pre>{escape(report.reproduction)}</pre>"]
    parts.append(f'<p class="small">{escape(tried(report))}</p>')
    failures = [f"{report.failures()}."] if report.failures() else []
    more = (f"<p>{escape(one)}</p>" for one in [*rest, *failures, *report.remarks()])
    folded = f'<details class="small"><summary>more</summary>{"".join(more)}</details>'
    return "".join([*parts, folded])


def fragment(report: Report) -> str:
    """Write one report, for a notebook."""
    return f'<style>{CSS}</style><div class="minisam">{section(report)}</div>'


def page(reports: Sequence[Report]) -> str:
    """Write one page with everything in it, that loads nothing."""
    details = "".join(
        f'<div id="r{number}">{section(report)}</div>' for number, report in enumerate(reports)
    )
    versions = in_order(f"{k} {v}" for report in reports for k, v in report.versions.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>minisam check</title>'
        f'<style>{CSS}</style></head><body class="minisam"><h1>minisam check</h1>'
        f'{matrix(reports)}{details}<p class="small">{escape(", ".join(versions))}</p>'
        "</body></html>\n"
    )
