"""JSON as the standard has it: what Python's parser would quietly accept or change is refused, by file and record."""

from __future__ import annotations

import json
import math
from typing import Any

from vistune.errors import InputError
from vistune.files import too_long


def parse_json(raw: bytes, where: str, *, finite: bool = True) -> Any:
    """Parse one JSON value.

    Raises `InputError`, beginning with `where`, for bytes that are not UTF-8, broken JSON, NaN and infinities (also those that
    arise from 1e999; not with `finite=False`, since result files that Python wrote may hold them where nobody looks), a key
    given twice, half a surrogate pair, and nesting too deep to parse.
    """
    try:
        value = (_DECODER if finite else _LOOSE).decode(raw.decode("utf-8"))
        if b"\\u" in raw:  # only an escape can smuggle in half of a surrogate pair
            json.dumps(value, ensure_ascii=False).encode("utf-8")
        return value
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: byte {error.start} of the record is not UTF-8") from error
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: the text holds half of a surrogate pair") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON: {error.msg} at character {error.pos}") from error
    except ValueError as error:
        said = too_long(error) if str(error).startswith("Exceeds the limit") else str(error)
        raise InputError(f"{where}: {said}") from error
    except RecursionError as error:
        raise InputError(f"{where}: JSON nested too deeply") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        met: set[str] = set()
        twice = next(key for key, _ in pairs if key in met or met.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} is given twice")
    return record


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)
_LOOSE = json.JSONDecoder(object_pairs_hook=_object)
