"""Questions that point at regions, answers to questions asked before, and sentences about one region."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vistune.construction.boxes import Notation, overlap
from vistune.construction.offline.asked import Asked, Rule, pairs, sentence, told
from vistune.construction.offline.scenes import CONVERSATION, RELATION, without_boxes
from vistune.construction.parsers.base import Item
from vistune.construction.prompt import Ask
from vistune.errors import InputError
from vistune.world.expressions import indefinite, phrase
from vistune.world.instructions import converse
from vistune.world.scene import Scene, SceneObject
from vistune.world.tasks.detailed_caption import field
from vistune.world.tasks.spatial import direction

_UNIT = Notation("unit")


def question(asked: Asked) -> list[Item]:
    """A question in words, without its answer."""
    spoken = _question(asked)
    return told(spoken[0]) if spoken else []


def pointing(asked: Asked) -> list[Item]:
    """A question that shows things as `<Region>box</Region>`, of the kind that the prompt is named after."""
    spoken = _pointing(asked)
    return told(spoken[0]) if spoken else []


def pointing_several(asked: Asked) -> list[Item]:
    """Questions of all those kinds that the picture lends itself to, one a line."""
    return told("\n".join(ask for ask, _ in _several(asked)))


def pointing_pairs(asked: Asked) -> list[Item]:
    """The same questions with their answers."""
    return pairs(_several(asked))


def answer_several(asked: Asked) -> list[Item]:
    """Those questions of the record before, each with its answer."""
    before = next(one.request for one in reversed(asked.record.exchanges) if isinstance(one.request, Ask))
    return pairs(_several(replace(asked, seed=before.seed or 0)))


def _several(asked: Asked) -> list[tuple[str, str]]:
    rng = asked.rng()
    found = [spoken for ask in _POINTING.values() if (spoken := ask(asked.scene, rng)) is not None]
    return list(dict(found).items())


def answer(asked: Asked) -> list[Item]:
    """The answer to the question that was asked of the record before. Raises `InputError` where none was."""
    for exchange in reversed(asked.record.exchanges):
        before = exchange.request
        if isinstance(before, Ask) and before.prompt is not None and before.prompt.kind in _ASKED:
            spoken = _ASKED[before.prompt.kind](replace(asked, prompt=before.prompt, seed=before.seed or 0))
            assert spoken is not None, "a question was asked, and the draws are the same"
            return told(spoken[1])
    raise InputError(f"record {asked.record.id!r} holds no question that the offline completer asked")


def _question(asked: Asked) -> tuple[str, str] | None:
    found = converse(asked.scene, asked.rng(), 1, without_boxes(CONVERSATION))
    if not found:
        return None
    return asked.words(found[0].question), sentence(asked.words(found[0].answer))


def _pointing(asked: Asked) -> tuple[str, str] | None:
    return _POINTING[asked.prompt.name](asked.scene, asked.rng())


_ASKED = {"question": _question, "pointing": _pointing}


def _mark(thing: SceneObject) -> str:
    return f"<Region>{_UNIT.write(thing.box)}</Region>"


def _smallest(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    target = min(scene.objects, key=lambda thing: (thing.box[2] - thing.box[0]) * (thing.box[3] - thing.box[1]))
    return f"What is the small thing at {_mark(target)}?", sentence(f"it is {indefinite(phrase(target))}")


def _of_a_kind(scene: Scene, rng: np.random.Generator) -> tuple[str, str] | None:
    kinds = [thing.kind for thing in scene.objects]
    several = [thing for thing in scene.objects if kinds.count(thing.kind) > 1]
    if not several:
        return None
    target = several[int(rng.integers(len(several)))]
    return f"Of the {target.kind}s, which one is at {_mark(target)}?", sentence(f"the {phrase(target)}")


def _related(scene: Scene, rng: np.random.Generator) -> tuple[str, str] | None:
    found = [(a, side, b) for a in scene.objects for b in scene.objects if a is not b and (side := direction(a, b))]
    if not found:
        return None
    a, side, b = found[int(rng.integers(len(found)))]
    return f"How does {_mark(a)} lie to {_mark(b)}?", sentence(f"the {phrase(a)} is {RELATION[side]} the {phrase(b)}")


def _coloured(scene: Scene, rng: np.random.Generator) -> tuple[str, str]:
    target = scene.objects[int(rng.integers(len(scene.objects)))]
    return f"Which colour does {_mark(target)} have?", sentence(f"it is {target.colour}")


def _read(scene: Scene, rng: np.random.Generator) -> tuple[str, str] | None:
    written = [thing for thing in scene.objects if thing.kind != "shape"]
    if not written:
        return None
    target = written[int(rng.integers(len(written)))]
    return f"What is written at {_mark(target)}?", sentence(f"it reads {target.name}")


_POINTING = {
    "small_object": _smallest,
    "same_category": _of_a_kind,
    "relation": _related,
    "attribute": _coloured,
    "reading": _read,
}


def _target(asked: Asked) -> SceneObject:
    """The thing in the box that the record's note names."""
    box = next(box for _, _, box in _UNIT.find(asked.record.notes["box"]))
    return max(asked.scene.objects, key=lambda thing: overlap(thing.box, box))


def region(asked: Asked) -> list[Item]:
    """One sentence about one region."""
    target = _target(asked)
    return told(sentence(f"{indefinite(phrase(target, size=True))} is {field(target)}"))


def region_questions(asked: Asked) -> list[Item]:
    """What it is, its colour and its size, each asked of "the region"."""
    target = _target(asked)
    name = target.name if target.kind != "word" else f'the word "{target.name}"'
    return pairs(
        (
            (f"Which {target.kind} is in the region?", sentence(name)),
            ("What colour is the thing in the region?", sentence(f"it is {target.colour}")),
            (f"Is the {target.kind} in the region small or large?", sentence(f"it is {target.size}")),
        )
    )


RULES: dict[str, Rule] = {
    "question": question,
    "pointing": pointing,
    "pointing_several": pointing_several,
    "pointing_pairs": pointing_pairs,
    "answer": answer,
    "answer_several": answer_several,
    "region": region,
    "region_questions": region_questions,
}
