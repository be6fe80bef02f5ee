"""What benchmarks there are, read off their files."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass, fields
from typing import Any

from vistune.evals.benchmark import Benchmark
from vistune.evals.score import BENCHMARKS
from vistune.spec import kinds, resolve


@dataclass(frozen=True, slots=True)
class Listed:
    """One benchmark: its first line, the official files it reads, the form of answers and results, its variants."""

    name: str
    about: str
    files: dict[str, str]
    answers: str
    results: str
    variants: dict[str, Any]


def listing() -> list[Listed]:
    """Every benchmark, by name."""
    return [_listed(name) for name in kinds(BENCHMARKS)]


def _listed(name: str) -> Listed:
    bench = resolve(BENCHMARKS, name, Benchmark)
    about = (inspect.getdoc(importlib.import_module(f"{BENCHMARKS}.{name}")) or "").partition("\n")[0]
    variants = {field.name: field.default for field in fields(bench) if field.name != "prompt"}
    return Listed(name, about, dict(bench.files), bench.answer_form, bench.result_form, variants)


def table() -> str:
    """The benchmarks as a Markdown table."""
    lines = ["| name | what | official file | answers |", "|---|---|---|---|"]
    rows = (f"| `{item.name}` | {item.about} | `{item.files['annotations']}` | {item.answers} |" for item in listing())
    return "\n".join([*lines, *rows]) + "\n"
