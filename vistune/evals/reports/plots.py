"""Figures of a report: bars with intervals, and a radar where there are three benchmarks or more. SVG text."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vistune.evals.reports.report import Entry, benchmarks, heading, lookup, models

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def bars(entries: Sequence[Entry]) -> str:
    """A panel a benchmark, a bar a model, whiskers for the interval."""
    from matplotlib.figure import Figure

    names, rows, at = benchmarks(entries), models(entries), lookup(entries)
    columns = min(3, len(names))
    lines = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4.2 * columns, (0.9 + 0.4 * len(rows)) * lines), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(names) :]:
        panel.set_visible(False)
    for panel, name in zip(panels, names, strict=False):
        for place, model in enumerate(rows):
            entry = at.get((model, name))
            if entry is None or not math.isfinite(entry.value):
                continue
            bounds = entry.interval or (entry.value, entry.value)
            low, high = (bound if math.isfinite(bound) else entry.value for bound in bounds)
            whiskers = [[max(0.0, entry.value - low)], [max(0.0, high - entry.value)]]
            panel.barh(place, entry.value, xerr=whiskers, color=f"C{place % 10}", height=0.7, error_kw={"elinewidth": 1.2})
        panel.set_title(_plain(heading(entries, name)), fontsize=10)
        panel.set_yticks(range(len(rows)), map(_plain, rows), fontsize=8)
        panel.invert_yaxis()
        panel.set_xlim(left=0, right=100 if entries_unit(entries, name) == "%" else None)
        panel.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def radar(entries: Sequence[Entry]) -> str | None:
    """All benchmarks as spokes; percent runs from 0 to 100, any other scale to the best model's number.

    `None` below three benchmarks that every model was measured on: a radar of less says nothing.
    """
    from matplotlib.figure import Figure

    rows, at = models(entries), lookup(entries)
    names = [
        name
        for name in benchmarks(entries)
        if all((model, name) in at and math.isfinite(at[model, name].value) for model in rows)
    ]
    if len(names) < 3:
        return None
    tops = [
        100.0 if entries_unit(entries, name) == "%" else max(at[model, name].value for model in rows) or 1.0 for name in names
    ]
    labels = [
        _plain(name) if top == 100 else f"{_plain(name)}\n(edge: {top:.3g})" for name, top in zip(names, tops, strict=True)
    ]
    angles = np.linspace(0, 2 * np.pi, len(names), endpoint=False)
    figure = Figure(figsize=(6.5, 5.5), layout="constrained")
    axes = figure.add_subplot(projection="polar")
    for place, model in enumerate(rows):
        shares = [at[model, name].value / top for name, top in zip(names, tops, strict=True)]
        axes.plot([*angles, angles[0]], [*shares, shares[0]], color=f"C{place % 10}", label=_plain(model))
        axes.fill([*angles, angles[0]], [*shares, shares[0]], color=f"C{place % 10}", alpha=0.1)
    axes.set_xticks(angles, labels, fontsize=8)
    axes.set_yticks([0.25, 0.5, 0.75, 1.0], ["25 %", "50 %", "75 %", "100 %"], fontsize=7)
    axes.set_ylim(0, 1)
    figure.legend(loc="outside lower center", fontsize=8, ncols=2)
    return _svg(figure)


def entries_unit(entries: Sequence[Entry], benchmark: str) -> str:
    """The unit of a benchmark's numbers."""
    return next(str(entry.record.get("unit", "")) for entry in entries if entry.benchmark == benchmark)


def _plain(text: str) -> str:
    """The text as it stands: between dollar signs a figure would read formulas, and fail at what is none."""
    return text.replace("$", r"\$")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None})
    text = out.getvalue()
    return text[text.index("<svg") :]  # without the XML prologue, which has no place inside a page
