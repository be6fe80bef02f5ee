"""Media made for a description: text-to-image synthesis, or retrieval behind the same protocol."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.kit import Kit
from vistune.construction.record import Operator, each


def paint(kit: Kit, note: str, kind: str = "image") -> Operator:
    """Make a medium from a note and append it to the record's media. Raises `InputError` without a painter."""
    brush = kit.brush()
    return each(lambda record: replace(record, media=(*record.media, brush.paint(kind, record.notes[note]))))
