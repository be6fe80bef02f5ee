"""Dialogues divided by lines of dashes, whose messages hold captions of media between tags (MosIT, T2M).

    Human: Show me a harbour. <Image>ships at dusk</Image>
    GPT: Here is what it sounds like: <Audio>gulls and ropes</Audio>
    ------
    Human: ...

Tags must be closed, not nested, and hold a caption.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, unix

TAGS = {"Image": "image", "Video": "video", "Audio": "audio"}
TAG = re.compile(r"<(Image|Video|Audio)>([^<>]*)</\1>")
_ANY_TAG = re.compile(r"</?\s*(?:Image|Video|Audio)\s*/?>", re.IGNORECASE)
_SPEAKER = re.compile(r"^[ \t]*(Human|GPT):[ \t]*", re.MULTILINE)


def parse(text: str) -> Parsed:
    """Every dialogue is read or reported."""
    blocks = [block.strip() for block in re.split(r"^[ \t]*-{6,}[ \t]*$", unix(text), flags=re.MULTILINE) if block.strip()]
    if not blocks:
        return failed("nothing found", text)
    found = [_dialogue(block) for block in blocks]
    return Parsed(
        tuple(item for item in found if isinstance(item, Item)), tuple(item for item in found if isinstance(item, Problem))
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
