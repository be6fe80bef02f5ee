"""Parquet files by row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vistune.errors import InputError, MissingExtraError, reading


class Parquet:
    """Rows of a parquet file; one row group is held at a time."""

    def __init__(self, path: Path) -> None:
        try:
            from pyarrow import ArrowException, parquet
        except ImportError as error:
            raise MissingExtraError("pyarrow", "datasets", f"reading {path}") from error
        self._path = path
        try:
            metadata = parquet.read_metadata(path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        except ArrowException as error:
            raise InputError(f"{path} is no whole parquet file: {error}") from error
        sizes = [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._group: tuple[int, Any] = (-1, None)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def __getitem__(self, index: int) -> dict[str, Any]:
        from pyarrow import ArrowException, parquet

        group = int(np.searchsorted(self._ends, index, side="right"))
        # Records are mostly asked for in order, and decoding a group costs as much as all its rows.
        if self._group[0] != group:
            try:
                with parquet.ParquetFile(self._path) as file:
                    self._group = (group, file.read_row_group(group))
            except (OSError, ArrowException) as error:
                raise InputError(f"{self.where(index)}: row group {group} cannot be read: {error}") from error
        first = int(self._ends[group - 1]) if group else 0
        with reading(f"{self.where(index)} cannot be read"):  # text is decoded here, which damaged bytes are none of
            row: dict[str, Any] = self._group[1].slice(index - first, 1).to_pylist()[0]
        return row

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_group": (-1, None)}  # a worker reads its own

    def where(self, index: int) -> str:
        """`file: row 12`, counted from 1."""
        return f"{self._path}: row {index + 1}"
