"""Benchmarks whose official download is a data set repository on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.reading.annotations import records
from vistune.files import kept

PREFIX = "hub:"
_PARQUET = b"PAR1"


def local_folder(source: str) -> str:
    """`hub:owner/name` or `hub:owner/name@revision` as the folder of its snapshot, fetched unless it is there already.

    Any other source is given back as it is: nothing is fetched that was not asked for by this prefix. Raises `InputError`
    when the name is malformed, or the repository cannot be reached.
    """
    if not source.startswith(PREFIX):
        return source
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    name, _, revision = source.removeprefix(PREFIX).partition("@")
    try:
        return str(snapshot_download(name, repo_type="dataset", revision=revision or None))
    except (OSError, HfHubHTTPError, HFValidationError) as error:
        raise InputError(f"{source}: the hub gives no data set of that name: {str(error).splitlines()[0]}") from error


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
