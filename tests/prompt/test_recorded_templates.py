"""Every template writes and supervises what the official code of its models was recorded to write and supervise.

Where the recorded code cuts at a length, a whole turn is dropped here, or the sample refused: answers are never taught without
their end. A question that holds the words of a role is supervised here as any other; LLaVA's and Shikra's masks lose it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from numpy import zeros

from vistune.prompt.codec import Codec
from vistune.prompt.spelling import spelled
from vistune.prompt.template import Template, as_text
from vistune.sample import Media, MediaRef, Part, Region, Sample, Text, Turn
from vistune.spec import build

FOLDER = "vistune.prompt.templates"
TOKENS = {"bos": "<s>", "eos": "</s>"}
GOLDEN = json.loads((Path(__file__).parent.parent / "golden" / "templates_recorded.json").read_text())


def conversation(turns: list[list[str]], mark: str) -> Sample:
    media: list[Media] = []
    made = []
    for role, text in turns:
        parts: list[Text | MediaRef] = []
        for index, piece in enumerate(text.split(mark)):
            if index:
                parts.append(MediaRef(len(media)))
                media.append(Media.file("image", "x.png"))
            if piece:
                parts.append(Text(piece))
        made.append(Turn(role, tuple(parts)))  # type: ignore[arg-type]
    return Sample("s", tuple(media), tuple(made))


@pytest.mark.parametrize("case", GOLDEN["cases"], ids=lambda case: case["name"])
def test_prompt_and_supervision_are_the_recorded_ones(case: dict) -> None:
    template = build(FOLDER, {"kind": case["template"], **case["arguments"]}, Template)
    mark = case.get("picture", "<image>")
    pieces = template.pieces(conversation(case["turns"], mark), case["turns"][-1][0] == "user")
    assert as_text(pieces, TOKENS, mark).removeprefix(case["begin"]) == case["prompt"].removeprefix(case["begin"])
    if case["supervised"] is None:  # a prompt to answer, or recorded without its labels
        return
    supervised: list[str] = []
    previous = False
    for piece in pieces:
        if piece.trained and previous:
            supervised[-1] += as_text([piece], TOKENS)
        elif piece.trained:
            supervised.append(as_text([piece], TOKENS))
        previous = piece.trained
    assert supervised == case["supervised"]


REGIONS = json.loads((Path(__file__).parent.parent / "golden" / "templates_with_regions.json").read_text())


def part_of(recorded: object, size: tuple[int, int]) -> Part:
    if isinstance(recorded, str):
        return Text(recorded)
    ((kind, values),) = recorded.items()  # type: ignore[attr-defined]
    if kind == "picture":
        return MediaRef(0)
    return Region(**{kind: tuple(value / side for value, side in zip(values, size * 2, strict=False))})


@pytest.mark.parametrize("case", REGIONS["cases"], ids=lambda case: case["name"])
def test_prompts_with_regions_are_the_recorded_ones(case: dict) -> None:
    """Ferret's `<region_fea>` is words here; where a region encoder fills it, the head of that kind writes it."""
    size = tuple(case["size"])
    picture = Media("image", data=zeros((size[1], size[0], 3), "uint8"))
    turns = tuple(Turn(role, tuple(part_of(part, size) for part in parts)) for role, parts in case["turns"])  # type: ignore[arg-type]
    sample = Sample("s", (picture,), turns)
    template, codec = build(FOLDER, case["template"], Template), build("vistune.prompt.codecs", case["codec"], Codec)
    pieces = list(spelled(template.pieces(sample, turns[-1].role == "user"), codec, sample))
    assert as_text(pieces, TOKENS) == case["prompt"]
    assert "".join(as_text([piece], TOKENS) for piece in pieces if piece.trained) == "".join(case["supervised"])
