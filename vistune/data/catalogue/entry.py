"""`Entry`: what the catalogue knows about one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias, get_args

from vistune.errors import InputError, nearest

Task: TypeAlias = Literal[
    "captioning",
    "classification",
    "conversation",
    "detection",
    "entailment",
    "grounding",
    "instruction",
    "question answering",
    "report",
    "segmentation",
]
TASKS: tuple[str, ...] = get_args(Task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One data set: what it is, where it comes from and how it is read.

    name        how it is asked for: `catalogue:NAME`
    task        what a sample asks for, one of `TASKS`
    modality    what it shows, e.g. "image", "video + audio", "text"
    size        the published size, as the paper or the site states it
    licence     the terms as published; look them up before use, they change
    obtain      the official place, by name
    citation    authors, title, place and year
    reader      a reader's spec; `{root}` stands for the data set's folder, `{part}` for the part's name
    parts       the files it comes in (splits, subsets), each with arguments that override `reader`'s; the first is the default
    released    False: there are no files to read (closed, announced only, or a mixture of others); it has no reader
    layout      "confirmed": the file layout is the owners' published one; "unconfirmed": reported by users, compare yours
    note        what a user has to know or do beside unpacking
    aliases     other names that papers' tables have for it
    """

    name: str
    title: str
    task: Task
    modality: str
    size: str
    licence: str
    obtain: str
    citation: str
    reader: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"all": {}})
    released: bool = True
    layout: Literal["confirmed", "unconfirmed"] = "confirmed"
    note: str = ""
    aliases: tuple[str, ...] = ()

    def spec(self, root: str, part: str | None = None, **overrides: Any) -> dict[str, Any]:
        """The reader's spec for the data set unpacked in the folder `root`.

        `overrides` replace the reader's arguments, e.g. `images` where the pictures lie elsewhere. Raises `InputError` for a
        data set without files and for a part that it does not have.
        """
        if not self.released:
            raise InputError(f"{self.title} has no files to read: {self.obtain}")
        chosen = next(iter(self.parts)) if part is None else part
        if chosen not in self.parts:
            raise InputError(f"{self.name} has no part {chosen!r}{nearest(chosen, list(self.parts))}")
        filled: dict[str, Any] = _fill(
            {**self.reader, **self.parts[chosen]}, {"{root}": root.rstrip("/") or "/", "{part}": chosen}
        )
        return {**filled, **overrides}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, as `vistune data show NAME --json` prints it."""
        return {**asdict(self), "aliases": list(self.aliases)}


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    """Replace the placeholders in every text of a nested value."""
    if isinstance(value, str):
        for placeholder, text in names.items():
            value = value.replace(placeholder, text)
        return value
    if isinstance(value, Mapping):
        return {key: _fill(item, names) for key, item in value.items()}
    return [_fill(item, names) for item in value] if isinstance(value, list | tuple) else value
