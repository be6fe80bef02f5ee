"""Dialogues divided by lines of dashes, whose messages hold captions of media between tags (MosIT, T2M).

    Human: Show me a harbour. <Image>ships at dusk</Image>
    GPT: Here is what it sounds like: <Audio>gulls and ropes</Audio>
    ------
    Human: ...

Tags must be closed, not nested, and hold a caption. A line that begins with three dashes or more ends a dialogue, and headings
such as `Dialogue 2:` are left out, as the released code has it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

TAGS = {"Image": "image", "Video": "video", "Audio": "audio"}
TAG = re.compile(r"<(Image|Video|Audio)>([^<>]*)</\1>")
_NAMED = re.compile(r"<(?:Image|Video|Audio)>")
_ANY_TAG = re.compile(r"</?\s*(?:Image|Video|Audio)\s*/?>", re.IGNORECASE)
_END = re.compile(r"^[ \t]*-{3}.*$", re.MULTILINE)
_HEADING = re.compile(r"^Dialogue\b[ \t]*\d*[ \t]*:?[ \t]*$", re.MULTILINE)
_LONGEST = 300  # words of a dialogue that the released code keeps
_SPEAKER = re.compile(r"^[ \t]*(Human|GPT):[ \t]*", re.MULTILINE)


def parse(text: str) -> Parsed:
    """Every dialogue is read or reported."""
    plain = _HEADING.sub("", unix(text))
    blocks = [block.strip() for block in _END.split(plain) if block.strip()]
    if not blocks:
        return failed("nothing found", text)
    found = [_dialogue(block) for block in blocks]
    behind = tuple(Problem("text behind the dashes", line) for line in _END.findall(plain) if re.search(r"\w", line))
    return Parsed(
        tuple(item for item in found if isinstance(item, Item)),
        tuple(item for item in found if isinstance(item, Problem)) + behind,
    )


def _dialogue(block: str) -> Item | Problem:
    before, *rest = _SPEAKER.split(block)
    speakers, said = rest[::2], [words.strip() for words in rest[1::2]]
    if before.strip() or not rest or speakers != ["Human", "GPT"] * (len(speakers) // 2):
        return Problem("speakers do not alternate", block)
    if not all(said):
        return Problem("a speaker says nothing", block)
    for words in said:
        if any(not match[1].strip() for match in TAG.findall(words)):
            return Problem("a medium has no caption", block)
        if _ANY_TAG.search(TAG.sub("", words)):
            return Problem("a tag is not closed", block)
    return Item(tuple(zip(said[::2], said[1::2], strict=True)))


def as_released(text: str) -> Parsed:
    """The reading of the released code, for data that are to equal its own.

    A dialogue counts when it is ended by dashes, has fewer than 300 words, begins with a line of the human's, ends with one of
    the assistant's, and media are named in lines of the assistant's and in none of the human's. A speaker's text begins behind
    the last mark in it and keeps its line ends.
    """
    *ended, rest = _END.split(unix(text))
    found = [_released(block) for block in ended]
    if rest.strip():
        found.append(Problem("not ended by dashes", rest))
    if not found:
        return failed("nothing found", text)
    return Parsed(
        tuple(item for item in found if isinstance(item, Item)), tuple(item for item in found if isinstance(item, Problem))
    )


def _released(block: str) -> Item | Problem:
    lines = [line for line in block.split("\n") if line and not line.startswith("Dialogue")]
    if not lines or not lines[0].startswith("Human") or not lines[-1].startswith("GPT"):
        return Problem("not from a line of the human's to one of the assistant's", block)
    shown = {
        speaker: [line for line in lines if line.startswith(speaker) and _NAMED.search(line)] for speaker in ("Human", "GPT")
    }
    if shown["Human"] or not shown["GPT"]:
        return Problem("media not from the assistant alone", block)
    if sum(len(line.split()) for line in lines) >= _LONGEST:
        return Problem("too long", block)
    said: list[tuple[str, str]] = []
    for line in lines:
        speaker = next((speaker for speaker in ("Human", "GPT") if line.startswith(speaker)), None)
        if speaker is None:
            said[-1] = (said[-1][0], f"{said[-1][1]}{line}\n")
        else:
            said.append((speaker, f"{line}\n"))
    if [speaker for speaker, _ in said] != ["Human", "GPT"] * (len(said) // 2):
        return Problem("speakers do not alternate", block)
    words = [text.rpartition(f"{speaker}: ")[2] for speaker, text in said]
    return Item(tuple(zip(words[::2], words[1::2], strict=True)))


def write(items: Sequence[Item]) -> str:
    """The inverse."""
    return "\n------\n".join("\n".join(f"Human: {ask}\nGPT: {tell}" for ask, tell in item.pairs) for item in items)


FORMAT = Format(
    "media_dialogues",
    "Begin messages with 'Human: ' and 'GPT: ' in turn, the human first. Where a message holds a picture, film or sound, write "
    "its caption between <Image> and </Image>, <Video> and </Video>, or <Audio> and </Audio>. Put a line '------' between "
    "dialogues. Write nothing else.",
    parse,
    write,
    independent=True,
)
