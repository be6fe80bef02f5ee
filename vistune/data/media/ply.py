"""The vertices of a PLY file, ascii or binary."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4", "double": "f8"}
_TYPES |= {"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"}
_TYPES |= {"float32": "f4", "float64": "f8"}
_ORDER = {b"ascii": "", b"binary_little_endian": "<", b"binary_big_endian": ">"}
_COLOURS = (("red", "green", "blue"), ("r", "g", "b"), ("diffuse_red", "diffuse_green", "diffuse_blue"))
_END = re.compile(rb"\nend_header *\r?\n")


@dataclass(frozen=True, slots=True)
class _Element:
    """One kind of row: its name, how many there are, and the properties, `(name, type)`; None where it holds lists."""

    name: str
    count: int
    properties: tuple[tuple[str, str], ...] | None


def read_ply(data: bytes, limit: int) -> NDArray[np.float32]:
    """Vertices of a file's bytes, float32 `[N, 3]`, or `[N, 6]` with colours in [0, 1].

    Raises `ValueError`, its text the end of a sentence that begins with the file's name.
    """
    end = _END.search(data)
    if end is None:
        raise ValueError("is truncated: its PLY header has no end")
    order, elements = _header(data[: end.start()])
    before: list[_Element] = []
    for element in elements:
        if element.name == "vertex":
            following = sum(other.count for other in elements[len(before) + 1 :])
            return _vertices(data[end.end() :], order, before, element, following, limit)
        before.append(element)
    raise ValueError("has no vertices")


def _header(text: bytes) -> tuple[str, list[_Element]]:
    order: str | None = None
    elements: list[_Element] = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if not words or words[0] in (b"comment", b"obj_info"):
            continue
        if words[0] == b"format" and len(words) == 3 and words[1] in _ORDER:
            order = _ORDER[words[1]]
        elif words[0] == b"element" and len(words) == 3 and words[2].isdigit():
            elements.append(_Element(words[1].decode("ascii", "replace"), int(words[2]), ()))
        elif words[0] == b"property" and elements and len(words) >= 3:
            elements[-1] = _with(elements[-1], [word.decode("ascii", "replace") for word in words[1:]], line)
        else:
            raise ValueError(f"is damaged: the PLY header line {line[:60]!r} is not understood")
    if order is None:
        raise ValueError("is damaged: its PLY header names no known format")
    return order, elements


def _with(element: _Element, words: list[str], line: bytes) -> _Element:
    if words[0] == "list" or element.properties is None:
        return _Element(element.name, element.count, None)
    if words[0] not in _TYPES:
        raise ValueError(f"is damaged: the PLY header line {line[:60]!r} names no known type")
    return _Element(element.name, element.count, (*element.properties, (words[1], _TYPES[words[0]])))


def _vertices(
    body: bytes, order: str, before: list[_Element], vertex: _Element, following: int, limit: int
) -> NDArray[np.float32]:
    if vertex.properties is None or any(element.properties is None for element in before):
        raise ValueError("has lists in front of its vertices, which are not read: save the vertices first")
    if vertex.count > limit:
        raise ValueError(f"has {vertex.count} points: more than the {limit / 1e6:.0f} million that are decoded; thin it first")
    names = [name for name, _ in vertex.properties]
    if missing := [axis for axis in ("x", "y", "z") if axis not in names]:
        raise ValueError(f"has vertices without {missing[0]}")
    if len(set(names)) < len(names):
        raise ValueError("is damaged: a property of its vertices is named twice")
    columns = _binary(body, order, before, vertex) if order else _ascii(body, before, vertex, following)
    colours = next((triple for triple in _COLOURS if set(triple) <= set(names)), ())
    types = dict(vertex.properties)
    taken = [columns[axis].astype(np.float32) for axis in ("x", "y", "z")]
    for colour in colours:
        values = columns[colour].astype(np.float32)
        taken.append(values / np.float32(255) if types[colour] == "u1" else values)
    return np.stack(taken, axis=1)


def _binary(body: bytes, order: str, before: list[_Element], vertex: _Element) -> Any:
    def row(element: _Element) -> np.dtype[Any]:
        assert element.properties is not None
        return np.dtype([(f"{number} {name}", order + kind) for number, (name, kind) in enumerate(element.properties)])

    start = sum(element.count * row(element).itemsize for element in before)
    kind = row(vertex)
    there = max(0, len(body) - start) // kind.itemsize
    if there < vertex.count:
        raise ValueError(f"is truncated: it has {there} of {vertex.count} points")
    table = np.frombuffer(body, kind, vertex.count, start)
    assert vertex.properties is not None
    return {name: table[f"{number} {name}"] for number, (name, _) in enumerate(vertex.properties)}


def _ascii(body: bytes, before: list[_Element], vertex: _Element, following: int) -> Any:
    assert vertex.properties is not None
    lines = [line for line in body.splitlines() if line.strip()]
    start, wide = sum(element.count for element in before), len(vertex.properties)
    if len(lines) < start + vertex.count + following:  # the last vertex may be cut in a number, too
        raise ValueError(f"is truncated or damaged: it has {len(lines)} of {start + vertex.count + following} lines")
    rows = [line.split() for line in lines[start : start + vertex.count]]
    whole = [row for row in rows if len(row) == wide]
    if len(whole) < vertex.count:
        raise ValueError(f"is truncated or damaged: it has {len(whole)} of {vertex.count} points with {wide} numbers")
    try:
        table = np.array([[float(word) for word in row] for row in whole]).reshape(-1, wide)
    except ValueError as error:
        raise ValueError("is damaged: a vertex is not made of numbers") from error
    return {name: table[:, number] for number, (name, _) in enumerate(vertex.properties)}
