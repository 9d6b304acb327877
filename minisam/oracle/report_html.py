"""Reports as one HTML page: implementations by checks, and what was found about each."""

from __future__ import annotations

import html
from collections.abc import Sequence

from minisam.oracle.report import Report, Result

STYLE = """
.minisam{font:15px/1.45 system-ui,sans-serif;color:#1d2733;max-width:1200px}
.minisam table{border-collapse:collapse;font-size:13px}
.minisam td,.minisam th{border:1px solid #d5dbe3;padding:3px 6px;text-align:center}
.minisam th.name,.minisam td.name{text-align:left;white-space:nowrap}
.minisam thead th.probe{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400}
.minisam pre{background:#f4f6f8;padding:10px;overflow:auto;font-size:12.5px}
.minisam .pass{background:#cfe8d5}.minisam .fail,.minisam .error{background:#f0b4b4}
.minisam .known{background:#f6e3a8}.minisam .range{background:#dfe3ea}
.minisam .verdict{font-weight:600}.minisam .wide{overflow-x:auto}
"""
SIGNS = {"pass": "✓", "fail": "✗", "error": "!", "known": "k", "out of range": "○", "not run": "–"}
MEANINGS = (
    "✓ agrees, ✗ fails, ! adapter error, k known to fail, ○ out of range, – not run; "
    "one sign per dtype: float64, float32, bfloat16"
)


def cell(results: Sequence[Result]) -> str:
    """A table's cell: one sign per dtype, coloured by the worst."""
    order = ("error", "fail", "known", "out of range", "pass", "not run")
    worst = min((result.status for result in results), key=order.index, default="not run")
    signs = "".join(SIGNS[result.status] for result in results) or "–"
    shown = worst.split()[-1] if worst != "not run" else "none"
    title = "; ".join(f"{r.dtype}: {r.status} {r.reason}".strip() for r in results)
    return f'<td class="{shown}" title="{html.escape(title, quote=True)}">{signs}</td>'


def matrix(reports: Sequence[Report]) -> str:
    """The table of implementations (rows) by probes (columns) that ran anywhere."""
    probes = list(
        dict.fromkeys(r.probe for rep in reports for r in rep.results if r.status != "not run")
    )
    head = "".join(f'<th class="probe">{html.escape(probe)}</th>' for probe in probes)
    rows = []
    for report in reports:
        by_probe = {probe: [r for r in report.results if r.probe == probe] for probe in probes}
        cells = "".join(cell(by_probe[probe]) for probe in probes)
        rows.append(
            f'<tr><td class="name">{html.escape(report.name)}</td>'
            f'<td class="name verdict">{html.escape(report.verdict)}</td>{cells}</tr>'
        )
    return (
        '<div class="wide"><table><thead><tr><th class="name">implementation</th>'
        f'<th class="name">verdict</th>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
        f"</div><p>{html.escape(MEANINGS)}</p>"
    )


def fragment(report: Report) -> str:
    """One report, for a notebook."""
    return f'<style>{STYLE}</style><div class="minisam"><pre>{html.escape(str(report))}</pre></div>'


def page(reports: Sequence[Report]) -> str:
    """One page with everything in it, that loads nothing."""
    details = "".join(
        f"<h2>{html.escape(report.name)}</h2><pre>{html.escape(str(report))}</pre>"
        for report in reports
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>minisam check</title>'
        f'<style>{STYLE}</style></head><body class="minisam"><h1>minisam check</h1>'
        f"{matrix(reports)}{details}</body></html>\n"
    )
