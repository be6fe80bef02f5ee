"""Taking typed values out of a raw record; whatever is missing or of another type is an `InputError` that names the place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from vistune.errors import InputError, nearest

Record: TypeAlias = Mapping[str, Any]

_NAMES = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    type(None): "null",
}


def kind_of(value: Any) -> str:
    """What JSON calls a value's type."""
    return "null" if value is None else _NAMES.get(type(value), type(value).__name__)


def wrong(where: str, name: str, value: Any, expected: str) -> InputError:
    """The error for a field of the wrong type."""
    shown = json.dumps(value, ensure_ascii=False, default=str)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return InputError(f"{where}: {name} is {kind_of(value)} ({shown}), expected {expected}")


def as_object(value: Any, where: str, name: str = "the record") -> Record:
    """A JSON object."""
    if not isinstance(value, Mapping):
        raise wrong(where, name, value, "an object")
    return value


def as_list(value: Any, where: str, name: str) -> Sequence[Any]:
    """A JSON list."""
    if not isinstance(value, list | tuple):
        raise wrong(where, name, value, "a list")
    return value


def as_text(value: Any, where: str, name: str) -> str:
    """Text, exactly."""
    if not isinstance(value, str):
        raise wrong(where, name, value, "text")
    return value


def as_label(value: Any, where: str, name: str) -> str:
    """Text, or a number as text: ids and answers are written either way."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise wrong(where, name, value, "text or a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise wrong(where, name, value, "a finite number")
    return str(value)


def as_number(value: Any, where: str, name: str) -> float:
    """A finite number."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise wrong(where, name, value, "a finite number")
        return float(value)
    except OverflowError as error:  # a whole number beyond floats
        raise InputError(f"{where}: {name} is a number of {len(str(value))} digits, which is too large") from error


def as_whole(value: Any, where: str, name: str) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise wrong(where, name, value, "a whole number")
    return value


def is_crowd(record: Record, where: str) -> bool:
    """COCO's mark of a group of objects: 0 or 1, as a number, a truth value or text. Raises `InputError` for any other."""
    value = record.get("iscrowd", 0)
    if isinstance(value, str):
        value = {"0": 0, "1": 1, "": 0}.get(value.strip(), value)
    if value is None:
        return False
    if not isinstance(value, bool | int | float) or value not in (0, 1):
        raise wrong(where, "'iscrowd'", record["iscrowd"], "0 or 1")
    return bool(value)


def need(record: Record, key: str, where: str) -> Any:
    """The value of a key that must be there."""
    if key not in record:
        raise InputError(f"{where}: the key {key!r} is missing{nearest(key, [str(known) for known in record])}")
    return record[key]


def dig(value: Any, path: str, where: str) -> Any:
    """Follow a dotted path: names into objects, numbers into lists, `*` over all elements of a list or values of an object.

    `dig(record, "annotations.0.bbox", where)`; `"answers.*.answer"` gives a list.
    """
    for depth, step in enumerate(steps := path.split(".")):
        if step == "*":
            rest = ".".join(steps[depth + 1 :])
            values = list(value.values()) if isinstance(value, Mapping) else value
            items = as_list(values, where, ".".join(steps[:depth]) or "the record")
            return [dig(item, rest, where) if rest else item for item in items]
        if isinstance(value, list | tuple):
            if not step.isdigit() or int(step) >= len(value):
                raise InputError(f"{where}: {path!r}: there is no element {step} in a list of {len(value)}")
            value = value[int(step)]
        else:
            value = need(as_object(value, where, ".".join(steps[:depth]) or "the record"), step, where)
    return value


def plain_text(data: bytes) -> str:
    """A text file's words: without the byte order mark, with line feeds for line ends, without white space at its ends.

    Raises `UnicodeDecodeError` for what is not UTF-8.
    """
    return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
