"""`Pipeline`: a published construction of instruction data as a readable list of operators."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from vistune.construction.facts import Spoken
from vistune.construction.kit import Kit
from vistune.construction.operators.source import alternatives, require
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, chain
from vistune.errors import InputError, nearest
from vistune.spec import kinds
from vistune.trust import named

FOLDER = "vistune.construction.pipelines"


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A method's way to make data.

    method:  its name, year and where it is described
    needs:   kinds of facts every record must have, "regions or objects" where one of them is enough
    parts:   what else it works with (viewer, painter, a labeler's kind)
    yields:  what comes out, in one line
    steps:   the operators, for a kit
    prompts: every prompt among them, in the order they are first asked
    deviations: where we depart from the publication, and why
    """

    method: str
    needs: tuple[str, ...]
    yields: str
    steps: Callable[[Kit], list[Operator]]
    prompts: tuple[Prompt, ...] = ()
    parts: tuple[str, ...] = ()
    deviations: str = ""

    @property
    def spoken(self) -> Spoken:
        """What the data's own conversations are taken for: for captions where they are among the needs."""
        kinds = {kind for need in self.needs for kind in alternatives(need)}
        return "qa" if "qa" in kinds and "captions" not in kinds else "captions"

    def run(self, records: Iterable[Record], kit: Kit) -> Iterator[Record]:
        """Records in, finished and rejected records out. Raises `InputError` when the kit lacks a part."""
        return chain(records, [require(*self.needs), *self.steps(kit)])


def names() -> list[str]:
    """Every pipeline there is."""
    return kinds(FOLDER)


def load(name: str) -> Pipeline:
    """The pipeline of this name, or `package.module:PIPELINE` of your own. Raises `InputError` with the nearest name."""
    if ":" in name:
        found = named(name, "package.module:PIPELINE")
    elif name in names():
        found = vars(importlib.import_module(f"{FOLDER}.{name}"))["PIPELINE"]
    else:
        raise InputError(f"there is no pipeline {name!r}{nearest(name, names())}")
    if not isinstance(found, Pipeline):
        raise InputError(f"pipeline {name!r} is a {type(found).__name__}, expected a vistune.construction.pipeline.Pipeline")
    return found
