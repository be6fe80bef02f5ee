"""Records of a MATLAB file, the form in which several older data sets keep their lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from vistune.errors import InputError, nearest


class Matlab:
    """One variable's elements: a vector's as `{variable: value}`, a struct array's as its fields; `@number` counts from 1."""

    def __init__(self, path: Path, variable: str | None) -> None:
        from scipy.io import loadmat

        self._path = path
        try:
            variables = loadmat(path, simplify_cells=True)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror or error}") from error
        except Exception as error:  # the parser fails in as many ways as a file can be broken in
            raise InputError(f"{path} is no whole MATLAB file: {error}") from error
        # `loadmat` adds entries of its own, such as `__header__`.
        known = [name for name in variables if not name.startswith("__")]
        variable = known[0] if variable is None and len(known) == 1 else variable
        if variable is None or variable not in known:
            raise InputError(f"{path}: name one of its variables with at{nearest(str(variable), known)}")
        self._variable = variable
        value = variables[variable]
        self._items = list(value.ravel() if isinstance(value, np.ndarray) else value if isinstance(value, list) else [value])

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self._items[index]
        fields = item if isinstance(item, dict) else {self._variable: item}
        return {"@number": index + 1, **{key: _plain(value) for key, value in fields.items()}}

    def where(self, index: int) -> str:
        """`file: variable 12`, counted from 1."""
        return f"{self._path}: {self._variable} {index + 1}"


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
