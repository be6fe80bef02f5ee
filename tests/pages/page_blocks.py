"""The blocks of the README and of all docs, as they stand there.

A block is shell (`sh`), Python, or something to read (`yaml`, `json`, `text`). Shell and Python run, in the order of the page;
only a block behind `<!-- not run: REASON -->` does not. A block whose first line is `# PATH` is the file of that name.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"(?:^<!-- not run: ([^>]*) -->\n+)?^```([\w-]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL, PYTHON = "sh", "python"
RUN = (SHELL, PYTHON)
READ = ("yaml", "json", "text")
FILE = re.compile(r"# ([\w./-]+\.(?:py|yaml))\b")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, its text, the line it begins at, and why it is not run ("" where it is)."""

    language: str
    text: str
    line: int
    not_run: str

    @property
    def file(self) -> str | None:
        """The path that its first line names."""
        named = FILE.match(self.text)
        return named[1] if named else None

    def lines(self) -> list[str]:
        """Lines of a shell block; what goes on behind a backslash is joined, prompts are cut off."""
        joined = re.sub(r"\\\n\s*", " ", self.text).splitlines()
        return [line.strip().removeprefix("$ ") for line in joined if line.strip()]


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for match in BLOCK.finditer(text):
        line = text[: match.start(2)].count("\n") + 1
        found.append(Block(match[2], match[3], line, match[1] or ""))
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every `vistune ...` in the page's shell blocks, those that are not run among them."""
    for block in blocks(page, SHELL):
        for line in block.lines():
            start = re.search(r"(?:^|-m )vistune ", line)
            if start:
                words = shlex.split(line[start.start() :].removeprefix("-m "), comments=True)
                yield words[1 : next((place for place, word in enumerate(words) if word in (">", "|", "&&")), None)]
