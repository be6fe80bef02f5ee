"""Fields of a JSON object, read strictly: of the right type, within bounds, or refused by name."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Any

from vistune.errors import nearest
from vistune.serving.refusals import Refusal

_SHOWN = 60


def shown(value: Any) -> str:
    """A value as a sentence can show it."""
    if isinstance(value, list | dict):
        return ("a list of " if isinstance(value, list) else "an object of ") + str(len(value))
    text = repr(value[: _SHOWN + 1] if isinstance(value, str) else value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def no_others(record: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse fields that nothing reads."""
    for name in record:
        if name not in known:
            place = f"{where}.{name}" if where else name
            raise Refusal(f"the field {shown(place)} is not supported{nearest(name[:_SHOWN], list(known))}", param=place[:200])


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise Refusal(f"{where} is {shown(value)}, expected an object", param=where)
    return value


def text(value: Any, where: str) -> str:
    """A string that can be written as UTF-8."""
    if not isinstance(value, str):
        raise Refusal(f"{where} is {shown(value)}, expected text", param=where)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Refusal(f"{where} holds half a surrogate pair, which is no text", param=where) from error
    return value


def number(value: Any, where: str, low: float, high: float) -> float:
    """A finite number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high or not math.isfinite(value):
        raise Refusal(f"{where} is {shown(value)}, expected a number from {low:g} to {high:g}", param=where)
    return float(value)


def whole(value: Any, where: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refusal(f"{where} is {shown(value)}, expected a whole number from {low} to {high}", param=where)
    return value


def truth(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Refusal(f"{where} is {shown(value)}, expected true or false", param=where)
    return value


def one_of(value: Any, where: str, names: Collection[str]) -> str:
    """One of some names."""
    if not isinstance(value, str) or value not in names:
        raise Refusal(f"{where} is {shown(value)}, expected one of {', '.join(names)}", param=where)
    return value
