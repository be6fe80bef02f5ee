"""Writers who were shown positions write some: they become regions of things that are known, or their samples are rejected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.construction.pipelines.cases import CASES
from tests.construction.pipelines.inputs import DOG_UNIT
from tests.construction.pipelines.models import kit, scripted
from vistune.completer import Request
from vistune.construction.boxes import BoxError, Notation, overlap
from vistune.construction.completers.scripted import Scripted
from vistune.construction.pipeline import load, names
from vistune.construction.prompt import Ask
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.sample import Region, Text

BOXED = {"objects", "regions", "ocr"}
NAMES = [name for name in names() if any(BOXED & set(prompt.context) for prompt in load(name).prompts)]
OUTSIDE = {
    "unit": "[0.900,0.900,0.100,7.000]",
    "thousandths": "[900, 900, 100, 7000]",
    "pixels": "X: 900 Y: 90 Width: 10 Height: 700",
}
UNKNOWN = {
    "unit": "[0.510,0.510,0.530,0.530]",
    "thousandths": "[510, 510, 530, 530]",
    "pixels": "X: 3 Y: 2 Width: 4 Height: 3",
}


def tempted(replies: Mapping[str, str], boxes: Mapping[str, str]) -> Scripted:
    """A writer who begins everything with a box in the notation that was shown."""

    def answer(request: Request) -> str:
        assert isinstance(request, Ask) and request.prompt is not None
        prompt = request.prompt
        items = prompt.format.parse(replies[prompt.name]).items if prompt.name in replies else prompt.shot[1]
        said = f"It is at {boxes[prompt.notation]}. "
        return prompt.format.write(
            [
                replace(item, pairs=tuple((ask and said + ask, tell and said + tell) for ask, tell in item.pairs))
                for item in items
            ]
        )

    return Scripted(answer=answer)


def looks_like_a_box(text: str) -> bool:
    for notation in (Notation(), Notation("thousandths"), Notation("pixels", (200, 100))):
        try:
            if list(notation.find(text)):
                return True
        except BoxError:
            return True
    return False


def made_with(name: str, folder: Path, boxes: Mapping[str, str]) -> list[Record]:
    pipeline, case = load(name), CASES[name]
    records = list(Sources(case.data(folder), pipeline.spoken))
    return [record for record in finished(pipeline, records, kit(tempted(case.replies, boxes))) if record.exchanges]


def test_most_published_constructions_show_positions():
    assert {"svit", "llava_instruct", "videochat", "gpt4tools", "mm_it", "lamm", "pvit", "llavar"} <= set(NAMES)
    assert "detgpt" not in NAMES  # the paper shows names alone


@pytest.mark.parametrize("boxes", [OUTSIDE, UNKNOWN], ids=["outside", "unknown"])
@pytest.mark.parametrize("name", [*NAMES, "detgpt"])
def test_no_box_of_a_writer_stays_text_or_lies_beside_everything_known(name: str, boxes: Mapping[str, str], tmp_path: Path):
    made = made_with(name, tmp_path, boxes)
    assert made
    for record in made:
        if record.reject:
            continue
        known = [item.bounds() for item in (*record.facts.objects, *record.facts.regions, *record.facts.ocr)]
        for part in (part for turn in record.turns for part in turn.parts):
            assert not (isinstance(part, Text) and looks_like_a_box(part.text)), part
            assert not isinstance(part, Region) or any(overlap(part.bounds(), box) >= 0.5 for box in known), part


@pytest.mark.parametrize("name", ["svit", "llava_instruct", "lamm", "lrv_instruction", "mm_it"])
def test_a_known_box_becomes_a_region(name: str, tmp_path: Path):
    boxes = {"unit": "[0.600,0.500,0.800,0.900]", "pixels": "X: 120 Y: 50 Width: 40 Height: 40"}
    ball = (0.6, 0.5, 0.8, 0.9)
    if name == "svit":  # whose pictures are padded to a square
        boxes, ball = {"unit": "[0.600,0.500,0.800,0.700]"}, (0.6, 0.5, 0.8, 0.9)
    if name == "lamm":
        boxes, ball = {"unit": "[0.100,0.100,0.500,0.900]"}, (0.1, 0.1, 0.5, 0.9)
    made = [record for record in made_with(name, tmp_path, boxes) if not record.reject]
    assert made
    for record in made:
        found = [part.bounds() for turn in record.turns for part in turn.parts if isinstance(part, Region)]
        assert found and any(box == pytest.approx(ball) for box in found)


def test_a_demonstration_of_the_test_is_a_box():
    assert all(map(looks_like_a_box, (*OUTSIDE.values(), *UNKNOWN.values())))
    assert not looks_like_a_box("Seven of [one, two].")


def test_even_a_known_box_is_refused_where_words_are_asked_for(tmp_path: Path):
    pipeline, case = load("pvit"), CASES["pvit"]
    replies = case.replies | {"tell": f"The dog {DOG_UNIT} is brown."}
    made = list(finished(pipeline, list(Sources(case.data(tmp_path), pipeline.spoken)), kit(scripted(replies))))
    told = [record for record in made if record.exchanges and record.exchanges[-1].step == "tell"]
    assert told and {record.reason for record in told} == {"boxes"}
