"""Pickles of plain data (lists, dictionaries, text, numbers), read without the power to run anything."""

from __future__ import annotations

import io
import pickle
import pickletools
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
        # Before anything is built: the memo is allocated by the first opcode that names a number.
        _refuse_huge_memo(data)
        return _PlainUnpickler(io.BytesIO(data), encoding=encoding).load()
    except Exception as error:  # a damaged pickle raises whatever its opcodes ran into
        raise InputError(f"{path} is no pickle of plain data: {error}") from error


def _refuse_huge_memo(data: bytes) -> None:
    """The unpickler's memo is a table as long as its largest number: six bytes could ask for 64 GB."""
    for opcode, number, position in pickletools.genops(data):
        if opcode.name not in ("PUT", "BINPUT", "LONG_BINPUT"):
            continue
        if number is None or position is None or number > position:  # each object numbered so far took a byte and more
            raise pickle.UnpicklingError(f"it numbers its objects up to {number} within {position} bytes")
