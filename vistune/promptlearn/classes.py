"""Class names as an input: which classes are asked for in this call, in what words, and were they taught?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vistune.errors import InputError, nearest


@dataclass(frozen=True, slots=True)
class Structure:
    """What a description of a class says, taken apart: entities, attributes, and which of them belong together (HPT)."""

    entities: tuple[str, ...]
    attributes: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        known = {*self.entities, *self.attributes}
        for link in self.links:
            if not set(link) <= known:
                raise InputError(f"the link {link[0]!r} - {link[1]!r} names what is neither an entity nor an attribute")


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The candidate classes of one call.

    `template` is the hand-written sentence with `{}` for the name, `split` whether the classes were taught (`seen`), not
    (`unseen`), or both are in (`mixed`), `descriptions` sentences and `structures` their structure by class name, where a
    method wants them.
    """

    names: tuple[str, ...]
    template: str = "a photo of a {}."
    split: Literal["seen", "unseen", "mixed"] = "seen"
    descriptions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    structures: Mapping[str, tuple[Structure, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.names:
            raise InputError("a list of classes is empty: a classifier needs at least one class name")
        if len(set(self.names)) != len(self.names):
            doubled = next(name for name in self.names if self.names.count(name) > 1)
            raise InputError(f"class {doubled!r} is listed twice: every class needs a name of its own")
        if "{}" not in self.template:
            raise InputError(f"template {self.template!r} has no place for the class name: write {{}} where it belongs")

    def __len__(self) -> int:
        return len(self.names)

    def texts(self, template: str | None = None) -> tuple[str, ...]:
        """The sentence of every class."""
        return tuple((template or self.template).format(name) for name in self.names)

    @property
    def ending(self) -> str:
        """What a prompt ends with: a full stop where the template has one."""
        return "." if self.template.endswith(".") else ""

    def subset(self, names: Sequence[str], split: Literal["seen", "unseen", "mixed"] | None = None) -> Classes:
        """Some of these classes, in the order given. Raises `InputError` for a name that is not among them."""
        for name in names:
            self.index(name)
        return replace(self, names=tuple(names), split=split or self.split)

    def index(self, name: str) -> int:
        """The place of a class. Raises `InputError` for an unknown name, with the nearest known one."""
        if name not in self.names:
            raise InputError(f"class {name!r} is unknown{nearest(name, list(self.names))}")
        return self.names.index(name)

    def sentences(self, count: int, method: str) -> list[tuple[str, ...]]:
        """`count` sentences about each class, in turn when a class has fewer. Raises `InputError` for a class with none."""
        found = []
        for name in self.names:
            known = self.descriptions.get(name, ())
            if not known:
                raise InputError(f"{method} needs descriptions, and class {name!r} has none: give --descriptions FILE.json")
            found.append(tuple(known[i % len(known)] for i in range(count)))
        return found

    def structure(self, numbers: Sequence[int], method: str) -> list[Structure]:
        """The `numbers[i]`-th structure of class i, in turn. Raises `InputError` for a class that has none."""
        missing = [name for name in self.names if not self.structures.get(name)]
        if missing:
            raise InputError(f"{method} needs structures, and class {missing[0]!r} has none: give --descriptions FILE.json")
        known = [self.structures[name] for name in self.names]
        return [own[number % len(own)] for own, number in zip(known, numbers, strict=True)]
