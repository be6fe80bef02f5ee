"""JSON dialogues of `{role, image_ids, content}` messages about several pictures (SparklesDialogue).

A dialogue is four messages, user and assistant in turn. Each user message lists the pictures it shows, and names each of
them as `IMAGE#id` in its text. A reply that is no JSON is searched for whole dialogues in either kind of quotes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from vistune.construction.parsers.base import Format, Item, Parsed, Problem, failed, literal, shown, spoken

_FENCE = re.compile(r"```(?:json)?")
_DIALOGUE = re.compile(r"\[\s*\{.*?\}\s*\](?=\s*(?:,|\]|$|\n))", re.DOTALL)
_ROLES = ("user", "assistant", "user", "assistant")


def parse(text: str) -> Parsed:
    """Every dialogue is read or reported; what follows the last whole dialogue of a broken reply is reported too."""
    body = _FENCE.sub("", text).strip()
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # a number too long to read is no JSONDecodeError
        return _search(body)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = [value]
    if not isinstance(value, list) or not value:
        return failed("not a list of dialogues", body)
    return _sorted([_dialogue(dialogue, index, shown(dialogue)) for index, dialogue in enumerate(value)])


def _search(body: str) -> Parsed:
    found: list[Item | Problem] = []
    end = 0
    for match in _DIALOGUE.finditer(body):
        inner = "[" + match.group().lstrip("[ \n")
        try:
            value = literal(inner)
        except ValueError:
            found.append(Problem("not a dialogue", match.group()))
        else:
            found.append(_dialogue(value, len(found), match.group()))
        end = match.end()
    rest = body[end:].strip(" ,\n]")
    if "{" in rest:
        found.append(Problem("cut short", rest))
    return _sorted(found) if found else failed("nothing found", body)


def _sorted(found: Sequence[Item | Problem]) -> Parsed:
    return Parsed(
        tuple(item for item in found if isinstance(item, Item)), tuple(item for item in found if isinstance(item, Problem))
    )


def _dialogue(messages: Any, index: int, text: str) -> Item | Problem:
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        return Problem("not a list of messages", text)
    if tuple(message.get("role") for message in messages) != _ROLES:
        return Problem("roles are not user, assistant, user, assistant", text)
    contents = [message.get("content", message.get("caption")) for message in messages]  # a slip that the released code mends
    if not all(map(spoken, contents)):
        return Problem("a message has no content", text)
    images = [_ids(message.get("image_ids")) for message in messages[::2]]
    if not all(images):
        return Problem("a user message shows no picture", text)
    if index and len(images[1]) != 1:
        return Problem("the second question must add one picture", text)
    ordered = []
    for content, named in zip(contents[::2], images, strict=True):
        places = {image: re.search(rf"IMAGE#{re.escape(image)}(?![0-9A-Za-z_])", content) for image in named}
        if not all(places.values()):
            return Problem("a picture is not named in the text", text)
        ordered.append(tuple(sorted(places, key=lambda image: places[image].start())))  # type: ignore[union-attr]
    first, second, third, fourth = contents
    return Item.of((first, second), (third, fourth), images=tuple(ordered))


def _ids(value: Any) -> list[str]:
    return [shown(image) for image in value] if isinstance(value, list | tuple) else []


def write(items: Sequence[Item]) -> str:
    """The inverse, for items of two pairs with `images`."""
    dialogues = []
    for item in items:
        dialogue: list[dict[str, Any]] = []
        for (ask, tell), images in zip(item.pairs, item.fields["images"], strict=True):
            dialogue += [
                {"role": "user", "image_ids": list(images), "content": ask},
                {"role": "assistant", "content": tell},
            ]
        dialogues.append(dialogue)
    return json.dumps(dialogues, ensure_ascii=False)


FORMAT = Format(
    "messages",
    "Reply with a JSON list of dialogues. A dialogue is a list of exactly four messages, alternating the roles 'user' and "
    "'assistant'; a user message has the keys role, image_ids and content, an assistant message role and content. Name every "
    "picture of image_ids in that message's content as IMAGE#id.",
    parse,
    write,
    independent=True,
)
