"""What benchmarks there are, read off their files, and the published numbers that each reproduces."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from vistune.evals.benchmark import Described
from vistune.evals.score import BENCHMARKS
from vistune.spec import kinds, resolve

PUBLISHED = Path(__file__).with_name("published_scores.json")


@dataclass(frozen=True, slots=True)
class Published:
    """Numbers of one file that are reproduced: name -> number as printed, under which variant, from whose files.

    `status`: P published by the authors, P(test) in a test of theirs, R printed by the official code, S of the official rule
    on synthetic judgements. `within` is how near a rule comes that is not equal, 0 for one that is. `cells` is how many
    further numbers of a result file are held.
    """

    name: str
    file: str
    source: str
    variant: dict[str, Any]
    numbers: dict[str, str]
    status: str
    within: float
    cells: int


@dataclass(frozen=True, slots=True)
class Listed:
    """One benchmark: its first line, the official files it reads, the form of answers, ids and results, its variants.

    `variants`: name -> default; `choices`: name -> allowed values, where they are few. `examples`: a result form's name -> a
    file in that form. `reproduces` is empty where no published file holds the benchmark's number.
    """

    name: str
    about: str
    notes: str
    files: dict[str, str]
    answers: str
    ids: str
    results: str
    examples: dict[str, str]
    variants: dict[str, Any]
    choices: dict[str, list[Any]]
    departs: str
    reproduces: list[Published]


def listing() -> list[Listed]:
    """Every benchmark, by name."""
    return [listed(name) for name in kinds(BENCHMARKS)]


def listed(name: str) -> Listed:
    """One benchmark. Raises `InputError` for a name that none has, with the nearest right one."""
    bench = resolve(BENCHMARKS, name, Described)
    about = (inspect.getdoc(importlib.import_module(f"{BENCHMARKS}.{name}")) or "").partition("\n")[0]
    hints = get_type_hints(bench)
    variants = {field.name: field.default for field in fields(bench)}
    choices = {key: list(get_args(hints[key])) for key in variants if get_origin(hints[key]) is Literal}
    return Listed(
        name,
        about,
        inspect.getdoc(bench) or "",
        dict(bench.files),
        bench.answer_form,
        bench.ids,
        bench.result_form,
        dict(bench.examples),
        variants,
        choices,
        bench.departs,
        [_published(row) for row in published_rows() if row["benchmark"] == name],
    )


@lru_cache(1)
def published_rows() -> Sequence[Mapping[str, Any]]:
    """The table of published numbers, a row a file and variant."""
    rows: list[Mapping[str, Any]] = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return rows


def _published(row: Mapping[str, Any]) -> Published:
    file = row["predictions"].removeprefix("second/").removesuffix(".gz")
    within, cells = float(row.get("within", 0)), int(row.get("cells_held", 0))
    return Published(
        row["name"], file, row["source"], dict(row["options"]), dict(row["expected"]), row["status"], within, cells
    )
