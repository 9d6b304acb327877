"""Draw one step of SAM in two weights, as a submission does it, over the right one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minisam.adapters.protocol import Arrays
from minisam.course.desk import Desk, NoAnswer
from minisam.course.steps import watched
from minisam.optim.perturbation import sam_perturbation
from minisam.oracle.probes import ONE, Probe

PROBE = Probe("course-picture", {"method": "sam", "rho": 0.75, "lr": 0.5}, ONE, 1)
SIZE, MARGIN = 320, 48  # pixels
OURS, THEIRS = "#b0b0b0", "#1f5fa8"
Point = tuple[float, float]


class Path2(NamedTuple):
    """A, B and the new weights."""

    a: Point
    b: Point
    end: Point


def picture_of(desk: Desk, p: float) -> str:
    """Return the picture as SVG; "" if the submission does not take this step."""
    desk.begin("picture")
    probe = PROBE._replace(settings={**PROBE.settings, "p": p})
    rho, lr = PROBE.settings["rho"], PROBE.settings["lr"]
    try:
        seen = watched(desk, "step", probe, "float64", 0, lambda hp: ((), {"rho": rho, "lr": lr}))
    except NoAnswer:
        return ""
    if seen.failure is not None or not seen.trace.steps:
        return ""
    step = seen.trace.steps[0]
    d1 = step.answers[0] if step.answers else [np.zeros(2)]
    d2 = step.answers[-1] if step.answers else [np.zeros(2)]
    right = right_path(step.start, d1, d2, rho, lr, p)
    b = step.queries[-1] if step.queries else step.start
    return svg(Path2(point(step.start), point(b), point(step.end)), right)


def point(arrays: Arrays) -> Point:
    """Return two weights."""
    return float(arrays[0][0]), float(arrays[0][1])


def right_path(a: Arrays, d1: Arrays, d2: Arrays, rho: float, lr: float, p: float) -> Path2:
    """Return where the right step goes, given the same gradients."""
    climb = sam_perturbation({"w": a[0]}, {"w": d1[0]}, rho, p)["w"]
    return Path2(point(a), point([a[0] + climb]), point([a[0] - lr * d2[0]]))


def svg(theirs: Path2, ours: Path2) -> str:
    """Draw a path over the right one; what is not finite is not drawn."""
    points = [*theirs, *ours]
    if not np.all(np.isfinite(points)):
        return ""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    span = float(np.max(high - low)) or 1.0
    low = (low + high - span) / 2  # so that it stands in the middle
    scale = (SIZE - 2 * MARGIN) / span

    def at(one: Point) -> Point:
        x, y = (np.asarray(one) - low) * scale
        return MARGIN + float(x), SIZE - MARGIN - float(y)

    lines: list[str] = []
    for path, color, width, dash in ((ours, OURS, 5, ""), (theirs, THEIRS, 2, "6 3")):
        lines += pointer(at(path.a), at(path.b), color, width, dash)
        lines += pointer(at(path.a), at(path.end), color, width, "")
    for name, one in (("A", theirs.a), ("B", theirs.b), ("new w", theirs.end)):
        x, y = at(one)
        lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{THEIRS}"/>')
        lines.append(f'<text x="{x + 6:.1f}" y="{y - 6:.1f}" font-size="13">{name}</text>')
    label = "Your climb to B (dashed) and your step (solid), over the right ones in grey"
    head = (f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{label}" '
            f'width="{SIZE + MARGIN}" height="{SIZE}">')  # fmt: skip
    return "\n".join([head, *lines, "</svg>"])


def pointer(start: Point, end: Point, color: str, width: int, dash: str) -> Sequence[str]:
    """Draw an arrow."""
    (x, y), (u, v) = start, end
    length = float(np.hypot(u - x, v - y))
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    line = (f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{u:.1f}" y2="{v:.1f}" stroke="{color}" '
            f'stroke-width="{width}"{dashes}/>')  # fmt: skip
    if length < 1:
        return [line]
    c, s, size = (u - x) / length, (v - y) / length, 3.0 * width + 3
    back = (u - size * c, v - size * s)
    corners = [(u, v), *((back[0] + k * s, back[1] - k * c) for k in (size / 2.5, -size / 2.5))]
    tip = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    return [line, f'<polygon points="{tip}" fill="{color}"/>']
