"""Benchmarks whose official download is a data set repository on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.reading.annotations import records
from vistune.files import kept

_PARQUET = b"PAR1"


def hub_rows(source: str, pattern: str, split: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """`(place, row)` of a data set that is published as parquet files.

    `source` is one such file, the same rows as JSON or JSONL (without pictures they can be scored, not asked), the folder
    that has them at `pattern`, or a folder that `datasets` wrote with `save_to_disk` (of which `split` is read, where it has
    several). Raises `InputError` when it is none of them.
    """
    from vistune.data.readers.huggingface import is_saved, open_rows
    from vistune.data.records.parquet import Parquet

    path = Path(source)
    if path.is_file() and not is_parquet(path):
        yield from records(path)
        return
    if is_saved(path):
        saved = open_rows(source, part=split)
        yield from ((saved.where(index), saved[index]) for index in range(len(saved)))
        return
    # Shards are numbered with leading zeros, so their names sort as their rows follow.
    files = [path] if path.is_file() else sorted(path.glob(pattern))
    if not files:
        raise InputError(f"{source}: has no {pattern}, where the official download keeps it")
    for file in files:
        rows = Parquet(file if file == path else kept(path, file))
        yield from ((rows.where(index), rows[index]) for index in range(len(rows)))


def is_parquet(path: Path) -> bool:
    """Does the file begin as parquet does? Its name says nothing."""
    try:
        with path.open("rb") as file:
            return file.read(len(_PARQUET)) == _PARQUET
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
