"""InternLM-XComposer's composition, held to a recording of the released demonstration: prompts, and how replies are read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vistune.completer import Request
from vistune.construction.completers.scripted import Scripted
from vistune.programs.hands import Live, PlannerError
from vistune.programs.methods.internlm_xcomposer import Wording, choose, locate_and_caption
from vistune.sample import Media


class Planner:
    """Answers in order and keeps what it was asked."""

    def __init__(self, replies: list[str]) -> None:
        self.asked: list[Request] = []
        self._replies: Iterator[str] = iter(replies)
        self.hands = Live(Scripted(answer=self._answer))

    def _answer(self, request: Request) -> str:
        self.asked.append(request)
        return next(self._replies)


@pytest.fixture
def recording(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "golden/xcomposer_composition.json").read_text(encoding="utf-8"))


def official(recording: dict[str, Any]) -> Wording:
    """The demonstration's sentences, taken from its recorded prompts by leaving out what differs between them."""
    case = recording["locate_and_caption"][0]
    article, part = "".join(case["sections"]), "".join(case["sections"][:2])
    locate, first, second = (prompt["text"] for prompt in case["prompts"])
    caption = first.replace(part, "{article}").replace("<Seg0>", "<Seg{line}>")
    before, _, after = caption.partition('{article}" ')
    known = second[len(before) + len(article) + 2 : second.index(after.replace("{line}", "2"))]
    pieces = recording["select"][0]["text_pieces"]
    return Wording(
        locate=locate.replace(article, "{article}").replace("2行", "{count}行"),
        opening=locate.rpartition("<|Bot|>:")[2],
        caption=f'{before}{{article}}" {{known}}{after}',
        known=known.replace("<Seg0>", "<Seg{line}>").replace("A dog", "{caption}"),
        choose=pieces[0].partition("line0")[0],
        listed=pieces[0].partition("line0\n")[2].removesuffix("A."),
        most=pieces[4],
    )


def test_lines_and_captions(recording: dict[str, Any]) -> None:
    wording = official(recording)
    for case in recording["locate_and_caption"]:
        planner = Planner(case["replies"])
        if "error" in case["output"]:
            with pytest.raises(PlannerError, match="without its number"):
                locate_and_caption(planner.hands, case["sections"], case["image_num"], wording)
        else:
            found = locate_and_caption(planner.hands, case["sections"], case["image_num"], wording)
            assert {str(line): caption for line, caption in found.items()} == case["output"]["captions"]
        assert [request.messages[0].text for request in planner.asked] == [prompt["text"] for prompt in case["prompts"]]


def test_the_choice_among_candidates(recording: dict[str, Any]) -> None:
    wording = official(recording)
    for case in recording["select"]:
        pictures = [Media("image", data=bytes([number])) for number in range(8)]
        planner = Planner(case["replies"])
        shown = {0: pictures[:4], 2: pictures[4:]}
        found = choose(planner.hands, case["text"].split("\n"), shown, wording)
        assert {str(line): index for line, index in found.items()} == case["output"]["selected"]
        asked = [request.messages[0] for request in planner.asked]
        assert [[pictures.index(image) for image in message.images] for message in asked] == case["images_shown"]
        text = [piece for message in asked for piece in message.parts() if isinstance(piece, str)]
        assert text == case["text_pieces"]
