"""Numbered lines `instruction [tool, argument, ...]` (GPT4Tools).

Arguments are separated by commas. A surplus comma belongs to the last argument of a tool whose last argument is free
text, and is a fault for any other tool; the free text keeps bare commas, as in the released code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

PLACEHOLDER = "example.jpg"
_NUMBER = re.compile(r"^\s*\d{1,3}[.)]\s*")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as the language model sees it. `needs_image`: the first argument is a picture. `prerequisite`: another tool
    whose result the picture must be (an edge map before edge-to-image)."""

    name: str
    use: str
    arguments: int = 1
    needs_image: bool = True
    prerequisite: str | None = None

    @property
    def free_text(self) -> bool:
        """May the last argument hold commas?"""
        return (self.arguments, self.needs_image) in ((1, False), (2, True), (2, False))


def parse(text: str, tools: Mapping[str, Tool], spellings: Mapping[str, str] | None = None) -> Parsed:
    """Every line is read or reported. `spellings`: other names (lower case) a model uses for a tool -> its name."""
    known = {name.lower(): name for name in tools} | dict(spellings or {})
    lines = [line for line in unix(text).split("\n") if line.strip()]
    if not lines:
        return failed("nothing found", text)
    found = [_line(line, tools, known) for line in lines]
    return Parsed(
        tuple(item for item in found if isinstance(item, Item)), tuple(item for item in found if isinstance(item, Problem))
    )


def _line(line: str, tools: Mapping[str, Tool], known: Mapping[str, str]) -> Item | Problem:
    parts = re.split(r"[\[\]]", _NUMBER.sub("", line))
    if len(parts) < 2:
        return Problem("no brackets", line)
    if re.search(r"\w", "".join(parts[2:])):
        return Problem("text behind the brackets", line)
    instruction = parts[0].replace('"', "").strip()
    spoken, *arguments = (part.strip().strip('"') for part in parts[1].split(","))
    if spoken.lower() not in known:
        return Problem("unknown tool", line)
    tool = tools[known[spoken.lower()]]
    if len(arguments) > tool.arguments and tool.free_text:
        arguments[tool.arguments - 1 :] = [",".join(arguments[tool.arguments - 1 :])]
    if len(arguments) != tool.arguments or not all(arguments):
        return Problem("wrong number of arguments", line)
    if tool.needs_image and arguments[0] != PLACEHOLDER:
        return Problem("the first argument is not the picture", line)
    return Item.of((instruction, ""), tool=tool.name, arguments=tuple(arguments))


def write(items: Sequence[Item]) -> str:
    """The inverse."""
    return "\n".join(
        f"{number}. {item.pairs[0][0]} [{', '.join((item.fields['tool'], *item.fields['arguments']))}]"
        for number, item in enumerate(items, 1)
    )


def tool_lines(tools: Mapping[str, Tool], spellings: Mapping[str, str] | None = None) -> Format:
    """The format for a set of tools."""
    return Format(
        "tool_lines",
        "Write one numbered line per instruction: the instruction, then in square brackets the tool's name and its arguments, "
        f"separated by commas. Where a tool takes a picture, its first argument is {PLACEHOLDER}. Write nothing else.",
        partial(parse, tools=tools, spellings=spellings),
        write,
        independent=True,
    )
