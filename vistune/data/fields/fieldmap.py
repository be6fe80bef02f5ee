"""Field expressions: how a field map says where a value of a sample comes from in a raw record.

"question"                        a key
"annotations.0.caption"           a path: names into objects, numbers into lists, `*` over a list or an object's values
"COCO_{image_id:012d}.jpg"        a template: paths in braces, with Python's format specs; one that holds `*` gives a list
"hint?"                           optional: absent and null give None, also in a template, as a whole: "{id}/{image?}"
"=Which breed is this?"           the text itself, the same for every record
["A", "B?", "C?"]                 several: a list of those that are there
"""

from __future__ import annotations

import base64
import binascii
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from vistune.data.fields.media_files import media_file
from vistune.data.fields.typed import as_label, as_list, dig
from vistune.errors import InputError
from vistune.sample import Media, MediaKind

Expression: TypeAlias = str
Stored: TypeAlias = Literal["file", "base64"]


def value_of(record: Any, expression: Expression, where: str) -> Any:
    """What an expression gives for a record. Raises `InputError`, beginning with `where`, when a needed key is missing."""
    if expression.startswith("="):
        return expression[1:]
    if "{" in expression:
        return _template(record, expression, where)
    if not expression.endswith("?"):
        return dig(record, expression, where)
    path = expression[:-1]
    head, _, rest = path.partition(".")
    if not isinstance(record, Mapping) or record.get(head) is None:
        return None
    return value_of(record[head], f"{rest}?", where) if rest else record[head]


def label_of(record: Any, expression: Expression, where: str) -> str:
    """Text (or a number as text); an optional expression without value gives an empty string."""
    value = value_of(record, expression, where)
    return "" if value is None and expression.endswith("?") else as_label(value, where, f"{expression!r}")


def labels_of(record: Any, expression: Expression | Sequence[Expression], where: str) -> list[str]:
    """A list of texts: from a list in the record, or from one expression each (empty ones, as tables have them, left out)."""
    if not isinstance(expression, str):
        return [text for one in expression if (text := label_of(record, one, where))]
    value = value_of(record, expression, where)
    if value is None and expression.endswith("?"):
        return []
    items = list(value.values()) if isinstance(value, Mapping) else as_list(value, where, f"{expression!r}")
    return [as_label(item, where, f"an element of {expression!r}") for item in items]


def media_of(
    record: Any,
    expression: Expression | Sequence[Expression],
    where: str,
    kind: MediaKind,
    folder: Path,
    stored: Stored = "file",
) -> list[Media]:
    """Media from file names, from `{bytes, path}` as parquet holds them, or from base64 text; null gives none."""
    found: list[Media] = []
    for one in [expression] if isinstance(expression, str) else expression:
        value = value_of(record, one, where)
        if value is None or (value == "" and one.endswith("?")):
            continue
        for item in value if isinstance(value, list | tuple) else [value]:
            found.append(medium_of(item, where, kind, folder, stored))
    return found


def medium_of(value: Any, where: str, kind: MediaKind, folder: Path, stored: Stored = "file") -> Media:
    """One medium from what a record holds of it: a file name, `{bytes, path}`, bytes, base64 text, or a shard's own file."""
    if isinstance(value, Media):
        return value
    if isinstance(value, Mapping) and value.get("bytes") is not None:
        value = value["bytes"]
    elif isinstance(value, Mapping) and "path" in value:
        value = value["path"]
    if isinstance(value, bytes):
        return Media(kind, data=value)
    if stored == "file":
        # Some tables name files by bare numbers (Visual Genome's `107899`); `type` and not `isinstance`, since True is an
        # int.
        return media_file(kind, folder, str(value) if type(value) is int else value, where)
    if not isinstance(value, str):
        raise InputError(f"{where}: the {kind} is not base64 text")
    try:
        return Media(kind, data=base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{where}: the {kind} is not base64: {error}") from error


def _template(record: Any, template: str, where: str) -> str | list[str] | None:
    try:
        pieces = list(string.Formatter().parse(template))
    except ValueError as error:
        raise InputError(f"the field template {template!r} is broken: {error}") from error
    results, many = [""], False
    for literal, path, spec, conversion in pieces:
        results = [result + literal for result in results]
        if path is None:
            continue
        if conversion or not path:
            raise InputError(f"the field template {template!r} may hold keys and format specs only")
        head = path.partition(".")[0]
        if "?" in path and value_of(record, head.removesuffix("?") + "?", where) is None:
            return None
        path = path.replace("?", "")
        value = dig(record, path, where)
        values = [value]
        if "*" in path:
            values, many = list(as_list(value, where, f"{path!r}")), True
        filled = [_formatted(as_label(one, where, f"{path!r}"), spec or "", path, template, where) for one in values]
        # A list in the record makes one name for each of its elements, in order.
        results = [result + text for result in results for text in filled]
    return results if many else results[0]


def _formatted(value: str, spec: str, path: str, template: str, where: str) -> str:
    try:
        # Numbers arrive as text from CSV and as numbers from JSON; `{id:012d}` has to work for both.
        return format(int(value) if spec and spec[-1] in "dxX" else value, spec)
    except ValueError as error:
        raise InputError(f"{where}: {path} {value!r} does not fit the template {template!r}: {error}") from error
