"""XML without entity declarations, which can expand a kilobyte into gigabytes or name other files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from vistune.errors import InputError


def read_xml(path: str | Path) -> ElementTree.Element:
    """The root element. Raises `InputError` for a file that cannot be read, is not XML, or declares entities."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if b"<!ENTITY" in data or b"<\0!\0E\0N\0T" in data:
        raise InputError(f"{path} declares XML entities, which are not expanded")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise InputError(f"{path}: not XML: {error}") from error


def child_text(element: ElementTree.Element, path: str, where: str) -> str:
    """The text of the first child at `path`. Raises `InputError`, beginning with `where`, when there is none."""
    text = element.findtext(path)
    if text is None or not text.strip():
        raise InputError(f"{where}: <{element.tag}> has no <{path}>")
    return text.strip()


def child_number(element: ElementTree.Element, path: str, where: str) -> float:
    """The number in the first child at `path`."""
    text = child_text(element, path, where)
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{where}: <{path}> is {text!r}, expected a number") from error
