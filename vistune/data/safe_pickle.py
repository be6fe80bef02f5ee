"""Pickles of plain data (lists, dictionaries, text, numbers), read without the power to run anything."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

from vistune.errors import InputError


class _PlainUnpickler(pickle.Unpickler):
    """Refuses every global: a pickle can then build built-in containers and scalars only, and call nothing."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}")


def load_plain_pickle(path: str | Path, encoding: str = "latin-1") -> Any:
    """Read a pickle that holds plain data only (`encoding` is for text that Python 2 wrote).

    Raises `InputError` for a file that cannot be read, is damaged, or asks for any class or function.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        return _PlainUnpickler(io.BytesIO(data), encoding=encoding).load()
    except Exception as error:  # a damaged pickle raises whatever its opcodes ran into
        raise InputError(f"{path} is no pickle of plain data: {error}") from error
