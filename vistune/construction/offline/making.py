"""Requests for media, scripts in which media are shown, and prompts from which pictures are made."""

from __future__ import annotations

from vistune.construction.offline.asked import Asked, Rule, pairs, sentence, told
from vistune.construction.offline.collection import captions, find
from vistune.construction.offline.scenes import CONVERSATION, without_boxes
from vistune.construction.parsers.base import Item
from vistune.world.instructions import converse
from vistune.world.scene import make_scene

_KINDS = {"image": ("picture", "Image"), "video": ("film", "Video"), "audio": ("recording", "Audio")}


def request(asked: Asked) -> list[Item]:
    """Two requests for a medium of the record's kind, by what it is about; the medium itself is handed over after them."""
    kind = asked.record.media[0].kind
    what = {**{name: word for name, (word, _) in _KINDS.items()}, "points": "point cloud"}[kind]
    about = " ".join(asked.record.facts.captions[:1]) or what
    return pairs(
        (
            (f"I am looking for a {what} that goes with this, {about}.", f"Here is a {what} of it."),
            (f"Could you make me a {what}? It should have {about}.", f"Gladly, this {what} has it."),
        )
    )


def script(asked: Asked) -> list[Item]:
    """Three exchanges, in each of which the assistant shows a picture, a film or a sound of the collection, in this order."""
    rng = asked.rng()
    spoken = []
    for kind, (word, tag) in _KINDS.items():
        held = list(captions(kind))
        caption = held[int(rng.integers(len(held)))]
        spoken.append((f"Show me a {word} about this.", f"Here is a {word}. <{tag}>{caption}</{tag}>"))
    return [Item(tuple(spoken))]


def painting(asked: Asked) -> list[Item]:
    """The prompt of a picture: one of the collection in keywords, its first thing in double brackets."""
    held = list(captions("image"))
    first, *others = held[int(asked.rng().integers(len(held)))].replace(" and ", ", ").split(", ")
    return told(", ".join([f"(({first}))", *(f"({other})" for other in others)]))


def painted(asked: Asked) -> list[Item]:
    """A conversation about the picture that the prompt finds."""
    scene = make_scene(find("image", asked.record.notes["picture"]))
    found = converse(scene, asked.rng(), min(asked.turns, 4), without_boxes(CONVERSATION))
    return [Item(tuple((asked.words(one.question), sentence(asked.words(one.answer))) for one in found))] if found else []


RULES: dict[str, Rule] = {"request": request, "script": script, "painting": painting, "painted": painted}
