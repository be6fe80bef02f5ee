"""The programs on the world: planners scripted, every tool the real one on the shipped backbones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistune.completer import Reply, Request
from vistune.construction.completers.scripted import Scripted
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.journal import read_journal
from vistune.programs.hands import Live
from vistune.programs.loop import Outcome
from vistune.programs.methods.assistgpt import Assistgpt
from vistune.programs.methods.bubogpt import Bubogpt
from vistune.programs.methods.detgpt import Detgpt
from vistune.programs.methods.gpt4tools import Gpt4tools
from vistune.programs.methods.internlm_xcomposer import InternlmXcomposer
from vistune.programs.methods.llava_interactive import LlavaInteractive
from vistune.programs.methods.ophglm import Ophglm
from vistune.programs.methods.videochat_text import VideochatText
from vistune.programs.program import Program
from vistune.programs.session import Session
from vistune.programs.tool import tool_of
from vistune.programs.tools.read_text import ReadText
from vistune.sample import Media, Sample, Text, Turn
from vistune.trust import trusting
from vistune.world.errands.errand import make_errand
from vistune.world.scene import make_scene

DETECTOR = {"kind": "segmenter_and_encoder", "least": 0.0, "side": 6}


def says(text: str) -> dict[str, object]:
    return {"kind": "tests.programs.says:Says", "text": text}


@pytest.fixture
def trusted() -> object:
    with trusting(["tests"]):
        yield


def scene(count: int = 2, kind: str = "digit") -> tuple[Media, list[tuple[str, tuple[float, ...]]]]:
    """A picture of which the shipped detector finds everything, with its objects."""
    for seed in range(200):
        found = make_scene(seed, "test", count=count)
        if all(thing.kind == kind for thing in found.objects) and len({thing.colour for thing in found.objects}) == count:
            return Media("image", data=found.image), [(f"{t.colour} {t.name}", t.box) for t in found.objects]
    raise AssertionError("no such scene")


def run(
    program: Program, task: Sample, answer: Callable[[Request], str | Reply] | Sequence[str] = ()
) -> tuple[Outcome, Session]:
    session = Session()
    for medium in task.media:
        session.add(medium)
    left = iter(()) if callable(answer) else iter(answer)
    planner = Scripted(answer=answer if callable(answer) else lambda request: next(left))
    return program.run(task, session, Live(planner)), session


def task(text: str, *media: Media, **more: object) -> Sample:
    return Sample("task", media, (Turn("user", (Text(text),)),), **more)  # type: ignore[arg-type]


def test_wishes_at_a_person_s_hand_cut_out_and_leave_the_rest_alone(trusted: object) -> None:
    picture, things = scene(1)
    box = list(things[0][1])
    wishes = [
        {"tool": "remove", "arguments": {"image": "$0", "region": box}},
        {"tool": "move", "arguments": {"image": "$0", "region": box, "to": [0.2, 0.2]}},
    ]
    outcome, session = run(LlavaInteractive(), task("", picture, meta={"wishes": wishes}))
    assert outcome.ended == "answer" and len(outcome.made) == 2
    before = np.asarray(picture.data).astype(int)
    height, width = before.shape[:2]
    x1, y1, x2, y2 = (round(value * side) for value, side in zip(box, (width, height, width, height), strict=True))
    from vistune.data.media.image import load_image

    removed = np.asarray(load_image(session[outcome.made[0]].medium)).astype(int)
    outside = np.ones((height, width), bool)
    outside[max(0, y1 - 3) : y2 + 3, max(0, x1 - 3) : x2 + 3] = False
    assert (removed[outside] == before[outside]).all()
    contrast = lambda pixels: np.abs(pixels - np.median(before[outside], axis=0))[y1:y2, x1:x2].max()  # noqa: E731
    assert contrast(removed) < 0.5 * contrast(before)
    moved = np.asarray(load_image(session[outcome.made[1]].medium)).astype(int)
    assert np.abs(moved - removed).max() > 50 and session[outcome.made[1]].parents == (session.last().parents[0],)


def test_a_wish_that_cannot_be_done_ends_with_a_sentence() -> None:
    picture, _ = scene(1)
    wrong = task("", picture, meta={"wishes": [{"tool": "remove", "arguments": {"image": "$0", "region": [0.1, 0.1]}}]})
    outcome, _ = run(LlavaInteractive(), wrong)
    assert outcome.ended == "tool" and "a point has no area" in outcome.why
    with pytest.raises(InputError, match="wishes are a list"):
        run(LlavaInteractive(), task("", picture, meta={"wishes": "remove it"}))
    assert run(LlavaInteractive(), task("hello"))[0].ended == "tool"


def test_targets_of_a_reasoned_answer_are_found(trusted: object) -> None:
    picture, things = scene(1)
    name = things[0][0]
    said = f"It is a digit.\nTherefore the answer is: [{name}]"
    detect = {"kind": "detect", "by": DETECTOR}
    outcome, _ = run(Detgpt(says(said), detect), task("What can be counted with?", picture))
    assert outcome.text == "It is a digit." and {region.label for region in outcome.regions} == {name}


def test_phrases_of_the_answer_get_the_masks_of_what_they_name(trusted: object) -> None:
    picture, things = scene(1)
    name = things[0][0]
    said = f"The picture holds one {name}."
    by = DETECTOR
    program = Bubogpt(says(said), {"kind": "tag", "names": [name], "by": by}, {"kind": "segment", "by": by})

    def match(request: Request) -> str:
        assert request.messages[1].text == f"<List>['{name}']</List><Text>{said}</Text>"
        return f"one {name} - {name}"

    outcome, _ = run(program, task("What is it?", picture), match)
    assert outcome.text == said and outcome.regions[0].label == f"one {name}"
    assert outcome.regions[0].mask is not None and outcome.regions[0].mask.shape == (64, 64)


def test_text_on_a_page_is_read_where_it_stands() -> None:
    pytest.importorskip("rapidocr", reason="needs the extra ocr")
    page = read("world:?task=page_heading&split=test")[0]
    session = Session()
    written = {"image": session.add(page.media[0]).name}
    seen, _ = Live(None).use(tool_of(ReadText()), written, session)
    assert seen.text.split("\n")[0] == page.turns[1].text
    first = seen.regions[0]
    assert first.label == page.turns[1].text and first.bounds()[3] < 0.2 and len(seen.regions) > 3


def test_an_article_gets_the_pictures_of_a_folder_that_fit(tmp_path: Path) -> None:
    for index in range(6):
        drawn = make_scene(index, "test", count=1)
        Image.fromarray(drawn.image).save(tmp_path / f"{index}.png")
    wanted = make_scene(0, "test", count=1).objects[0]
    program = InternlmXcomposer({"kind": "retrieve", "folder": str(tmp_path), "count": 3}, pictures=1)
    replies = ["<Seg1>", f'a {wanted.size} {wanted.colour} {wanted.name}"', "A"]
    outcome, session = run(program, task("Title\nfirst\nsecond\nthird"), replies)
    lines = outcome.text.split("\n")
    assert lines[:3] == ["Title", "first", "second"] and lines[3].startswith(f"[{outcome.made[0]}: a ") and lines[4] == "third"
    assert len(session) == 3


def test_a_film_is_told_frame_by_frame_and_talked_about(trusted: object) -> None:
    said = "a digit moves"
    film = Media("video", data=np.zeros((16, 32, 32, 3), np.uint8) + np.arange(16, dtype=np.uint8)[:, None, None, None])
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return " It moves. "

    outcome, session = run(VideochatText(says(said), frames=4), task("What happens?", film), answer)
    assert outcome.text == "It moves." and asked[0].messages[0].text.count("a digit moves") == 4
    assert sum(held.medium.kind == "image" for held in session) == 4


def test_a_report_is_written_from_what_is_classified_and_found() -> None:
    picture, things = scene(1)
    name = things[0][0]
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return "It is harmless."

    segment = {"kind": "segment", "by": DETECTOR}
    program = Ophglm({"kind": "classify", "names": [name, "yellow star"]}, [name], segment)
    outcome, _ = run(program, task("Is it bad?", picture), answer)
    report = asked[0].messages[0].text
    assert f"Impression: {name} (" in report and f"{name}: " in report and "% of the picture" in report
    assert outcome.text == "It is harmless." and outcome.regions


def test_what_was_solved_is_an_example_for_what_is_like_it(tmp_path: Path) -> None:
    picture, _ = scene(1)
    store = tmp_path / "solved.jsonl"
    program = Assistgpt(["crop", "edges"], examples=str(store), truth=True)
    sample = Sample("one", (picture,), (Turn("user", (Text("Where are its edges?"),)),), answers=("there",))
    name = "Act: Edge_Detection_On_Image(visual[0])"
    outcome, _ = run(program, sample, [name, 'Act: answer("nowhere")', name, 'Act: answer("There")'])
    assert outcome.text == "There" and len(outcome.made) == 1
    assert [record["question"] for _, record in read_journal(store)] == ["Where are its edges?"]
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return 'Act: answer("there")'

    run(program, sample, answer)
    assert any('answer("There")' in message.text for message in asked[0].messages)


def test_an_errand_of_the_world_is_asked_as_the_program_asks() -> None:
    """What the world teaches is what the program says to its planner: the same words for the same errand."""
    errand = make_errand(3, "test")
    asked: list[Request] = []

    def answer(request: Request) -> str:
        asked.append(request)
        return f"Thought: Do I need to use a tool? No\nAI: {errand.told}"

    described = [errand.question.partition(": ")[2].partition("\n")[0]]
    sample = task(errand.said, Media("image", data=errand.scene.image), meta={"described": described})
    outcome, session = run(Gpt4tools({}, format="react_chat"), sample, answer)
    assert asked[0].messages[-1].text == errand.question.replace(errand.picture, session.last().name)
    assert outcome.text == errand.told
    with pytest.raises(InputError, match="expected a list of texts"):
        run(Gpt4tools({}), task("hello", meta={"described": "a cat"}))
