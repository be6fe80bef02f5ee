"""MDETR's annotations: sentences, phrases by their characters, and the sentence with its boxes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Region, Text

CAPTION = "A dog and a cat sit ."


def written(folder: Path, *spans: Any, caption: str = CAPTION) -> str:
    value = {
        "images": [{"id": 5, "file_name": "a.png", "width": 40, "height": 20, "caption": caption}],
        "annotations": [
            {"id": number, "image_id": 5, "bbox": [4 * number, 0, 8, 10], "tokens_positive": span, "caption": f"own {number}"}
            for number, span in enumerate(spans)
        ],
    }
    (folder / "x.json").write_text(json.dumps(value))
    return f"mdetr:{folder}/x.json"


@pytest.mark.parametrize(
    ("label", "said"), [("sentence", [CAPTION] * 2), ("phrase", ["a cat", "A dog"]), ("own", ["own 0", "own 1"])]
)
def test_a_box_is_called_by_what_is_asked_for(tmp_path: Path, label: str, said: list[str]) -> None:
    (sample,) = read(f"{written(tmp_path, [[10, 15]], [[0, 5]])}?label={label}")
    assert [turn.text for turn in sample.turns if turn.role == "assistant"] == said
    assert [region.box for region in sample.regions] == [(0, 0, 0.2, 0.5), (0.1, 0, 0.3, 0.5)]


def test_words_apart_are_one_phrase_and_boxes_stand_behind_their_last_word(tmp_path: Path) -> None:
    (sample,) = read(f"{written(tmp_path, [[10, 15], [0, 5]], [[0, 5]])}?task=ground")
    told = sample.turns[1].parts
    assert [part.text if isinstance(part, Text) else part.label for part in told if isinstance(part, Text | Region)] == [
        "A dog ",
        "A dog",
        " and a cat ",
        "A dog a cat",
        " sit .",
    ]


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([[0, 99]], "lies outside"),
        ([[3]], "no pair"),
        ([], "is empty"),
        ([[5, 5]], "lies outside"),
        ([[-1, 2]], "lies outside"),
    ],
)
def test_places_that_the_sentence_does_not_have(tmp_path: Path, spans: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(f"{written(tmp_path, spans)}?label=phrase")[0]


def test_a_sentence_without_boxes_is_one_to_ground_and_nothing_to_describe(tmp_path: Path) -> None:
    spec = written(tmp_path)
    assert read(f"{spec}?task=ground")[0].turns[1].text == CAPTION
    with pytest.raises(InputError, match="has no annotation"):
        read(spec)[0]
