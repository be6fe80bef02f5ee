"""Many files as one table: a path whose parts in braces match anything and become keys of every record.

data/{sequence}/vqla/label/{frame}_QA.txt        one record: {"sequence": "seq_2", "frame": "frame000", ...}
"""

from __future__ import annotations

import os
import re
import string
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from vistune.data.fields.typed import as_object
from vistune.data.records.json_records import Records
from vistune.errors import InputError


def expand(pattern: str) -> list[tuple[Path, dict[str, str]]]:
    """The files that a pattern matches, sorted, each with what its braces matched; a name used twice matches the same text.

    Hidden files and folders are not looked at. Raises `InputError` for a broken pattern and when no file matches.
    """
    parts = Path(pattern).parts
    first = next(number for number, part in enumerate(parts) if "{" in part)
    found: list[tuple[Path, dict[str, str]]] = [(Path(*parts[:first]), {})]
    for depth, part in enumerate(parts[first:], first):
        last = depth == len(parts) - 1
        found = [deeper for folder, names in found for deeper in _step(folder, part, names, pattern, last=last)]
    if not found:
        raise InputError(f"no file is called {pattern}")
    return found


def _step(folder: Path, part: str, names: dict[str, str], pattern: str, *, last: bool) -> list[tuple[Path, dict[str, str]]]:
    if "{" not in part:
        inner = folder / part
        return [(inner, names)] if (inner.is_file() if last else inner.is_dir()) else []
    expression = re.compile(_regex(part, names, pattern))
    try:
        # Sorted, because a folder's own order differs between machines and would move every sample.
        entries = sorted(entry.name for entry in os.scandir(folder) if (entry.is_file() if last else entry.is_dir()))
    except OSError as error:
        raise InputError(f"cannot read the folder {folder}: {error.strerror or error}") from error
    matches = [(name, expression.fullmatch(name)) for name in entries if not name.startswith(".")]
    return [(folder / name, {**names, **match.groupdict()}) for name, match in matches if match is not None]


def _regex(part: str, names: dict[str, str], pattern: str) -> str:
    try:
        pieces = list(string.Formatter().parse(part))
    except ValueError as error:
        raise InputError(f"the path {pattern} is broken: {error}") from error
    result, here = [], set[str]()
    for literal, name, spec, conversion in pieces:
        result.append(re.escape(literal))
        if name is None:
            continue
        if not name.isidentifier() or spec or conversion:
            raise InputError(f"the path {pattern} may hold plain names in braces, not {{{name}}}")
        if name in names:
            result.append(re.escape(names[name]))
        else:
            # A name that comes twice in one part of the path must match the same text again.
            result.append(f"(?P={name})" if name in here else f"(?P<{name}>.+)")
            here.add(name)
    return "".join(result)


class Files:
    """The records of all files that a pattern matches, file after file; what its braces matched and `@number` join each.

    `@number` is the record's number within its file, from 1.
    """

    def __init__(self, pattern: str, open_file: Callable[[Path], Records]) -> None:
        files = expand(pattern)
        self._tables = [open_file(path) for path, _ in files]
        self._names = [names for _, names in files]
        self._ends = np.array(list(accumulate(map(len, self._tables))))

    def __len__(self) -> int:
        return int(self._ends[-1])

    def _place(self, index: int) -> tuple[int, int]:
        file = int(np.searchsorted(self._ends, index, side="right"))
        return file, index - (int(self._ends[file - 1]) if file else 0)

    def __getitem__(self, index: int) -> dict[str, Any]:
        file, row = self._place(index)
        record = as_object(self._tables[file][row], self.where(index))
        return {**self._names[file], "@number": row + 1, **record}

    def where(self, index: int) -> str:
        """The record's place in its file."""
        file, row = self._place(index)
        return self._tables[file].where(row)
