"""The page of results: a line for each recipe and task, over all seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_HEAD = """# Methods at nano size

Every row was measured by `python -m benchmarks.methods RECIPE --seed N` on questions of the embedded data set's test split;
`methods.jsonl` beside this page has each seed with its interval, and the machine. The backbones are those that ship with the
package, so numbers say whether a method's mechanism works and what it looks at, not how good it is at its published size.
Scores are percent right, of captions CIDEr-D (from 0 to 10); with several seeds the mean, lowest and highest in brackets, else
the 95 % interval. `blind` shows another sample's media; `majority` is the most frequent answer in training. A star marks a task
that was measured with an earlier version of its recipe; a method without a table has not been measured.
"""
_COLUMNS = ("task", "seeds", "score", "blind", "majority", "other controls")


def page(rows: Sequence[Mapping[str, Any]]) -> str:
    """The page in Markdown."""
    methods: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        methods[row["recipe"]].append(row)
    return "\n".join([_HEAD, *(line for name, own in methods.items() for line in _method(name, own))])


def _method(name: str, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    speed = max(row["tokens_per_second"] for row in rows)
    yield f"## {name}\n\n{rows[0]['trained']:,} parameters trained; {speed:,.0f} tokens a second.\n"
    yield f"| {' | '.join(_COLUMNS)} |\n|---|---:|---:|---:|---:|---|"
    tasks: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        tasks[row["task"]].append(row)
    for task, own in tasks.items():
        others = [key for key in own[0]["controls"] if key != "blind"]
        said = ", ".join(f"{key.replace('_', ' ')} {_mean(own, key)}" for key in others)
        mark = "*" if any(row.get("earlier") for row in own) else ""
        cells = [task + mark, str(len(own)), _score(own), _mean(own, "blind"), _number(own[0], own[0]["majority"]), said]
        yield f"| {' | '.join(cells)} |"
    yield ""


def _score(rows: Sequence[Mapping[str, Any]]) -> str:
    values = [row["score"] for row in rows]
    low, high = (rows[0]["low"], rows[0]["high"]) if len(rows) == 1 else (min(values), max(values))
    mean = sum(values) / len(values)
    return f"**{_number(rows[0], mean)}** ({_number(rows[0], low)} – {_number(rows[0], high)})"


def _mean(rows: Sequence[Mapping[str, Any]], control: str) -> str:
    values = [row["controls"][control] for row in rows]
    return _number(rows[0], sum(values) / len(values))


def _number(row: Mapping[str, Any], value: float) -> str:
    return f"{value:.2f}" if row["task"].endswith("caption") else f"{value:.1f}"
