"""The review page draws what is known about a medium on that medium, wherever it stands among the sample's media."""

from __future__ import annotations

import re
from pathlib import Path

from tests.construction.pipelines import inputs
from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts
from vistune.construction.operators.compose import demonstrations
from vistune.construction.parsers import question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import load
from vistune.construction.record import Record, pairs_to_turns
from vistune.construction.running.runner import run
from vistune.construction.sources import Sources
from vistune.sample import Media, Region


def test_a_records_own_boxes_stand_on_its_own_picture(tmp_path: Path):
    pipeline = load("mimic_it")
    ask = question_answer.write([Item.of(("What runs?", "A dog runs."))])
    writer = scripted({"ask": ask})
    (tmp_path / "in").mkdir()
    records = list(Sources(inputs.coco(tmp_path / "in", 40), pipeline.spoken))
    run("mimic_it", pipeline, records, kit(writer), tmp_path / "out", {})
    page = (tmp_path / "out" / "review.html").read_text()
    cards = re.findall(r"<article class=\"made\".*?</article>", page, re.DOTALL)
    drawn = [[figure.count('class="box"') for figure in re.findall(r"<figure>.*?</figure>", card)] for card in cards]
    assert [0, 0, 2] in drawn  # two related pictures, then the record's own with its dog and its ball
    assert {tuple(counts) for counts in drawn} <= {(2,), (0, 2), (0, 0, 2)}


def test_all_kinds_of_boxes_move_with_their_medium():
    one = (Region(box=(0.1, 0.1, 0.4, 0.9), label="dog"),)
    records = [
        Record(
            str(number),
            (Media.file("image", f"{number}a.png"), Media.file("image", f"{number}b.png")),
            Facts(objects=one, regions=(Region(media=1, box=(0.2, 0.2, 0.3, 0.3), label="a dog"),), ocr=one),
            turns=pairs_to_turns([("Q?", "A.")]),
        )
        for number in range(2)
    ]
    first, second = demonstrations(1)(records)
    assert [item.media for item in (*first.facts.objects, *first.facts.regions, *first.facts.ocr)] == [0, 1, 0]
    assert [item.media for item in (*second.facts.objects, *second.facts.regions, *second.facts.ocr)] == [2, 3, 2]
    assert second.media[2].path == "1a.png"
