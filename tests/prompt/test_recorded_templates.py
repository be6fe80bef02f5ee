"""Every template writes and supervises what the official code of its models was recorded to write and supervise.

Where the recorded code cuts at a length, a whole turn is dropped here, or the sample refused: answers are never taught without
their end. A question that holds the words of a role is supervised here as any other; LLaVA's and Shikra's masks lose it.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.prompt.template import as_text
from vistune.sample import Media, MediaRef, Sample, Text, Turn
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
    template = build(FOLDER, {"kind": case["template"], **case["arguments"]})
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
