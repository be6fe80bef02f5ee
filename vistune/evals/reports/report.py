"""A report over finished evaluations: one row a model, one column a benchmark."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.files import read_json
from vistune.spec import describe, is_number, matches

_OPTIONAL = {"n": int, "unparsed": int, "missing": int, "extra": int, "unit": str}
"""What a result may hold beside its values, and of which type."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model on one benchmark: the content of a `result.json`, and the folder it lies in."""

    model: str
    benchmark: str
    folder: Path
    record: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The headline's name."""
        return str(next(iter(self.record["values"])))

    @property
    def value(self) -> float:
        """The headline; NaN where it is not a number."""
        value = self.record["values"][self.name]
        return math.nan if value is None else float(value)

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller headline is the better one, as its metric says."""
        return bool((self.record.get("details") or {}).get("lower_is_better"))

    @property
    def guessed(self) -> int:
        """Answers that the benchmark's official rule read as one of the allowed ones although they say none."""
        return int((self.record.get("details") or {}).get("guessed", 0))

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its confidence interval, where there is one."""
        found = self.record.get("interval") or {}
        low, high = found.get("low"), found.get("high")
        return None if low is None or high is None else (float(low), float(high))


def collect(folders: Iterable[str | Path]) -> list[Entry]:
    """Every `result.json` under the folders. Raises `InputError` when there is none, or two of one model and benchmark."""
    entries: dict[tuple[str, str], Entry] = {}
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("result.json")):
            entry = _entry(path)
            known = entries.setdefault((entry.model, entry.benchmark), entry)
            if known is not entry:
                raise InputError(
                    f"{path} and {known.folder / 'result.json'} are both {entry.model} on {entry.benchmark}: keep one"
                )
    if not entries:
        raise InputError(f"no result.json under {', '.join(map(str, folders))}: run `vistune eval` first")
    return list(entries.values())


def _entry(path: Path) -> Entry:
    record = read_json(path)
    try:
        values, rule = dict(record["values"]), record["rule"]
        if not values or not isinstance(rule, str):
            raise ValueError("it needs values, and the rule as text")
        if not all(value is None or is_number(value) for value in values.values()):
            raise ValueError("its values are numbers")
        for key, hint in _OPTIONAL.items():
            if record.get(key) is not None and not matches(record[key], hint):
                raise ValueError(f"{key} is {record[key]!r}, expected {describe(hint)}")
        entry = Entry(str(record["model"]), str(record["benchmark"]), path.parent, record)
        # Each raises for what it cannot read; a guess is counted, and a bound is a number.
        _ = entry.value, entry.interval, entry.lower_is_better, entry.guessed
        return entry
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not a result of `vistune eval` ({error})") from error


def models(entries: Sequence[Entry]) -> list[str]:
    """The models, in order of appearance."""
    return list(dict.fromkeys(entry.model for entry in entries))


def benchmarks(entries: Sequence[Entry]) -> list[str]:
    """The benchmarks, in order of appearance."""
    return list(dict.fromkeys(entry.benchmark for entry in entries))


def cell(entry: Entry | None) -> str:
    """`61.3 [59.8, 62.7]`, two more decimals where the scale is not percent; `-` where nothing was measured."""
    if entry is None or math.isnan(entry.value):
        return "-"
    digits = 1 if entry.record.get("unit") == "%" else 3
    interval = entry.interval
    return f"{entry.value:.{digits}f}" + (f" [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]" if interval else "")


def lookup(entries: Sequence[Entry]) -> dict[tuple[str, str], Entry]:
    """Entries by model and benchmark."""
    return {(entry.model, entry.benchmark): entry for entry in entries}


def best(entries: Sequence[Entry]) -> set[tuple[str, str]]:
    """The best model on each benchmark, ties included, where there are several to compare.

    A model most of whose answers were guessed at by the rule is none: silence is no skill.
    """
    found: set[tuple[str, str]] = set()
    for benchmark in benchmarks(entries):
        column = [entry for entry in entries if entry.benchmark == benchmark and not math.isnan(entry.value)]
        if len(column) < 2:
            continue
        choose = min if column[0].lower_is_better else max
        said = [entry for entry in column if 2 * entry.guessed <= entry.record.get("n", 0)]
        top = choose((entry.value for entry in said), default=math.nan)
        found |= {(entry.model, benchmark) for entry in said if entry.value == top}
    return found


def heading(entries: Sequence[Entry], benchmark: str) -> str:
    """`gqa (accuracy, %)`. Raises `InputError` when models were scored by different rules."""
    column = [entry for entry in entries if entry.benchmark == benchmark]
    rules = {entry.record["rule"] for entry in column}
    if len(rules) > 1:
        raise InputError(
            f"{benchmark} was scored by different rules ({', '.join(sorted(rules))}): numbers cannot share a column"
        )
    unit = column[0].record.get("unit", "")
    arrow = " ↓" if column[0].lower_is_better else ""
    return f"{benchmark} ({column[0].name}{', ' + unit if unit else ''}){arrow}"


def markdown(entries: Sequence[Entry]) -> str:
    """The table, then how many answers were unparsed or missing. The best of each column is bold."""
    names, at, top = benchmarks(entries), lookup(entries), best(entries)
    lines = ["| model | " + " | ".join(heading(entries, name) for name in names) + " |", "|---" * (len(names) + 1) + "|"]
    for model in models(entries):
        cells = [cell(at.get((model, name))) for name in names]
        marked = [f"**{text}**" if (model, name) in top else text for name, text in zip(names, cells, strict=True)]
        lines.append(f"| {model} | " + " | ".join(marked) + " |")
    notes = [note for entry in entries for note in _notes(entry)]
    return "\n".join([*lines, "", "Intervals: 95 %, bootstrap.", *notes]) + "\n"


def _notes(entry: Entry) -> list[str]:
    counts = {name: entry.record.get(name, 0) for name in ("unparsed", "missing", "extra")} | {"guessed": entry.guessed}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return [f"- {entry.model} on {entry.benchmark}: {said} of {entry.record.get('n')} answers"] if said else []


def to_csv(entries: Sequence[Entry]) -> str:
    """One line a value: model, benchmark, rule, name, value, unit, low, high, n, unparsed, missing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["model", "benchmark", "rule", "name", "value", "unit", "low", "high", "n", "unparsed", "missing"])
    for entry in entries:
        for name, value in entry.record["values"].items():
            low, high = (entry.interval or ("", "")) if name == entry.name else ("", "")
            common = [entry.record.get(key, "") for key in ("n", "unparsed", "missing")]
            row = [entry.model, entry.benchmark, entry.record["rule"], name, value, entry.record.get("unit", ""), low, high]
            writer.writerow([*row, *common])
    return out.getvalue()


def html_table(entries: Sequence[Entry]) -> str:
    """The table as HTML."""
    names, at, top = benchmarks(entries), lookup(entries), best(entries)
    head = "".join(f"<th>{escape(heading(entries, name))}</th>" for name in names)
    body = ""
    for model in models(entries):
        cells = "".join(
            f'<td class="best">{text}</td>' if (model, name) in top else f"<td>{text}</td>"
            for name in names
            for text in [escape(cell(at.get((model, name))))]
        )
        body += f"<tr><th>{escape(model)}</th>{cells}</tr>"
    notes = "".join(f"<li>{escape(note[2:])}</li>" for entry in entries for note in _notes(entry))
    return f"<table><thead><tr><th>model</th>{head}</tr></thead><tbody>{body}</tbody></table><ul>{notes}</ul>"
