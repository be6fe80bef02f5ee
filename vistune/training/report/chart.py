"""A line chart as SVG inside a page: no library, no script, readable light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

Line = Sequence[tuple[float, float]]
WIDTH, HEIGHT, LEFT, BOTTOM = 420, 180, 52, 22
COLOURS = ("#2a6fdb", "#d9742b", "#2e9e5b", "#b13fa0", "#8a6d1f", "#c2413b")
MOST = 400  # points of a line


def chart(title: str, lines: Mapping[str, Line], dots: Mapping[str, Line] | None = None) -> str:
    """`lines` are drawn through, `dots` marked as well; empty when there is nothing finite to draw."""
    every = {**lines, **(dots or {})}
    points = [point for line in every.values() for point in line if all(map(math.isfinite, point))]
    if not points:
        return ""
    x0, x1 = min(x for x, _ in points), max(x for x, _ in points)
    y0, y1 = min(y for _, y in points), max(y for _, y in points)
    y0 = min(0.0, y0)
    y1 = y1 if y1 > y0 else y0 + 1
    x1 = x1 if x1 > x0 else x0 + 1

    def place(x: float, y: float) -> str:
        across = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - 8)
        return f"{across:.1f},{8 + (y1 - y) / (y1 - y0) * (HEIGHT - BOTTOM - 8):.1f}"

    drawn = []
    for number, (name, line) in enumerate(every.items()):
        colour = COLOURS[number % len(COLOURS)]
        kept = [point for point in line if all(map(math.isfinite, point))][:: max(1, len(line) // MOST)]
        path = " ".join(place(*point) for point in kept)
        drawn.append(f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{path}"/>')
        if dots and name in dots:
            for point in kept:
                x, y = place(*point).split(",")
                drawn.append(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>')
    ticks = "".join(
        f'<text x="{LEFT - 6}" y="{place(x0, value).split(",")[1]}" text-anchor="end">{value:.3g}</text>'
        for value in (y0, (y0 + y1) / 2, y1)
    )
    ends = (
        f'<text x="{LEFT}" y="{HEIGHT - 6}">{x0:g}</text><text x="{WIDTH - 8}" y="{HEIGHT - 6}" text-anchor="end">{x1:g}</text>'
    )
    legend = " ".join(
        f'<span style="color:{COLOURS[number % len(COLOURS)]}">&#9632;</span> {escape(name)}'
        for number, name in enumerate(every)
    )
    return (
        f'<figure class="chart"><figcaption>{escape(title)} <small>{legend if len(every) > 1 else ""}</small></figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"><g>{"".join(drawn)}</g>'
        f'<g class="ticks">{ticks}{ends}</g></svg></figure>'
    )
