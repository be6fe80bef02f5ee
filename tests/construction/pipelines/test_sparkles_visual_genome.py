"""The part of SparklesDialogue on Visual Genome: four candidates, two or three pictures in the first question."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.construction.pipelines import inputs
from tests.construction.pipelines.models import kit, scripted
from vistune.construction.parsers import messages
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import load
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.sample import MediaRef

VISUAL_GENOME = load("vistune.construction.pipelines.sparkles_dialogue:VISUAL_GENOME")


def made_of(folder: Path, count: int, replies: dict[str, str]) -> list[Record]:
    records = list(Sources(inputs.captioned(folder, count), VISUAL_GENOME.spoken))
    return list(finished(VISUAL_GENOME, records, kit(scripted(replies))))


def test_bundles_of_four_become_dialogues(tmp_path: Path):
    made = made_of(tmp_path, 9, {})
    assert [record.reason for record in made] == ["", "", "bundle too small"]
    first = made[0]
    shown = [[part.index for part in turn.parts if isinstance(part, MediaRef)] for turn in first.turns if turn.role == "user"]
    assert shown == [[0, 1], [2]]
    assert [Path(medium.path or "").name for medium in first.media] == ["2.png", "0.png", "3.png"]  # IMAGE#3, IMAGE#1, IMAGE#4
    assert "picture 1" in first.turns[0].text and "IMAGE#" not in "".join(turn.text for turn in first.turns)


@pytest.mark.parametrize(
    ("first", "reason"),
    [(("1",), "wrong number of pictures"), (("1", "2"), ""), (("1", "2", "3"), ""), (("1", "5"), "unknown picture")],
)
def test_the_first_question_shows_two_or_three_of_four(first: tuple[str, ...], reason: str, tmp_path: Path):
    ask = "What of " + " and ".join(f"IMAGE#{number}" for number in first) + "?"
    reply = messages.write([Item.of((ask, "They differ."), ("And IMAGE#4?", "It differs too."), images=(first, ("4",)))])
    assert [record.reason for record in made_of(tmp_path, 4, {"dialogue": reply})] == [reason]


def test_its_demonstration_keeps_to_four():
    (prompt,) = VISUAL_GENOME.prompts
    (item,) = prompt.shot[1]
    assert {int(image) for images in item.fields["images"] for image in images} <= {1, 2, 3, 4}
    assert prompt.format.parse(prompt.format.write(prompt.shot[1])).items == prompt.shot[1]
