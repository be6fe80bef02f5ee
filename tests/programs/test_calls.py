"""One call: what is bound, and tools that raise, hang, lie, give too much or die; the session stays as it was."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.programs.hands import Live
from vistune.programs.observation import Observation, ToolError
from vistune.programs.running import bind, in_order, observe
from vistune.programs.session import Session, UnknownNameError
from vistune.programs.tool import Image, Tool, Toolbox, tool_of
from vistune.sample import Media, Region


def picture(value: int = 7) -> Media:
    return Media("image", data=np.full((4, 5, 3), value, np.uint8))


def raises(image: Image) -> str:
    raise ValueError("no\nsuch luck")


def hangs(image: Image) -> str:
    time.sleep(60)
    return "late"


def lies(image: Image) -> str:
    return {"text": 3}  # type: ignore[return-value]


def floods(image: Image) -> str:
    return "x" * 2**30


def paints_much(image: Image) -> Media:
    return Media("image", data=np.zeros((20_000, 20_000, 3), np.uint8))


def names_a_file(image: Image) -> Media:
    return Media.file("image", "/etc/passwd")


def dies(image: Image) -> str:
    os._exit(3)


def eats(image: Image) -> str:
    return str(len(bytearray(8 * 2**30)))


def echoes(image: Image, text: str = "") -> Observation:
    return Observation(text, (picture(9),), (Region(box=(0.1, 0.2, 0.3, 0.4), label="x"),))


BROKEN = [
    (raises, "raises failed: ValueError: no such luck"),
    (hangs, "hangs took longer than its 1 seconds"),
    (lies, "lies gave a dict, expected text, a medium, regions or an Observation"),
    (floods, "floods gave 1,073,741,824 characters, which is more than 20,000"),
    (paints_much, "paints_much gave a image of 1,200,000,000 bytes, which is more than 67,108,864"),
    (names_a_file, "names_a_file gave the path of a file, expected what is in it"),
]


@pytest.mark.parametrize(("run", "said"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_tool_is_a_sentence_and_the_session_works_on(run: object, said: str) -> None:
    session, events = Session(), []
    name = session.add(picture()).name
    hands = Live(None, events.append)
    tool = tool_of(run, limit_s=1.0 if run is hangs else 60.0)  # type: ignore[arg-type]
    with pytest.raises(ToolError) as refused:
        hands.use(tool, {"image": name}, session)
    assert str(refused.value) == said
    assert [event["event"] for event in events] == ["call", "refused"] and events[1]["why"] == said
    assert [held.name for held in session] == [name]
    seen, held = hands.use(tool_of(echoes), {"image": name, "text": "fine"}, session)
    assert seen.text == "fine" and held[0].parents == (name,) and len(session) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "said"),
    [
        (raises, "ValueError: no such luck"),
        (hangs, "took longer than its 5 seconds"),
        (lies, "gave a dict"),
        (dies, "its process ended with code 3"),
        (eats, "MemoryError"),
        (floods, "characters, which is more than"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_isolated_tool_is_ended_with_its_process(run: object, said: str) -> None:
    session = Session()
    name = session.add(picture()).name
    tool = tool_of(run, isolated=True, limit_s=5.0 if run is hangs else 120.0)  # type: ignore[arg-type]
    with pytest.raises(ToolError, match=said):
        observe(bind(tool, {"image": name}, session))


@pytest.mark.slow
def test_an_isolated_tool_gives_what_it_gives_at_home() -> None:
    session = Session()
    written = {"image": session.add(picture()).name, "text": "same"}
    apart = observe(bind(tool_of(echoes, isolated=True, limit_s=120.0), written, session))
    assert apart == observe(bind(tool_of(echoes), written, session))


def test_a_path_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    session = Session()
    session.add(picture())
    for name in (str(tmp_path / "secret.png"), "../secret.png", "file:///etc/passwd", "http://127.0.0.1/x.png", ""):
        with pytest.raises(ToolError, match="there is no medium"):
            bind(tool_of(echoes), {"image": name}, session)


def many(image: Image, count: int, where: Region, note: str = "") -> str:
    "Does much.\n\nAnd more."
    return f"{count} {where.bounds()} {note}"


def test_arguments_are_bound_by_their_kinds() -> None:
    session = Session()
    name = session.add(picture()).name
    sound = session.add(Media("audio", data=b"RIFF")).name
    tool = tool_of(many)
    assert (tool.name, tool.use) == ("many", "Does much.")
    call = bind(tool, {"image": name, "count": "3", "where": "[0.1, 0.2, 0.3, 0.4]"}, session)
    assert observe(call).text == "3.0 (0.1, 0.2, 0.3, 0.4) "
    wrong = {
        "takes no 'size'": {"size": 1},
        "needs count, where as well": {"image": name},
        "expected a number": {"image": name, "count": "many", "where": [0, 0]},
        "which is a audio, expected a image": {"image": sound, "count": 1, "where": [0, 0]},
        "expected a box of four numbers": {"image": name, "count": 1, "where": [0, 0, 1]},
        "not xyxy within": {"image": name, "count": 1, "where": [0.5, 0, 0.1, 1]},
        "expected text": {"image": name, "count": 1, "where": [0, 0], "note": 3},
        "expected the name of a image": {"image": 3, "count": 1, "where": [0, 0]},
    }
    for said, written in wrong.items():
        with pytest.raises(ToolError, match=said):
            bind(tool, written, session)
    for number in ("nan", "inf", "9" * 400, True, None):
        with pytest.raises(ToolError, match="expected a number"):
            bind(tool, {"image": name, "count": number, "where": [0, 0]}, session)


def test_arguments_given_by_place() -> None:
    def ask(image: Image, question: str) -> str:
        return question

    assert in_order(tool_of(ask), ["a.png", "what", "exactly"]) == {"image": "a.png", "question": "what, exactly"}
    with pytest.raises(ToolError, match="takes 1 arguments, not 2"):
        in_order(tool_of(raises), ["a.png", "b.png"])


def test_a_signature_that_no_planner_could_fill_is_refused() -> None:
    def untyped(image, what):  # type: ignore[no-untyped-def]
        return ""

    def starred(*images: str) -> str:
        return ""

    with pytest.raises(InputError, match="parameter 'image' needs one of these types"):
        tool_of(untyped)
    with pytest.raises(InputError, match="has no name that a planner could fill"):
        tool_of(starred)
    with pytest.raises(InputError, match="two tools have the same name"):
        Toolbox(tool_of(raises, "A b"), tool_of(raises, "A_b"))


def test_the_schema_is_what_openai_s_chat_takes() -> None:
    function = tool_of(many).schema()["function"]
    assert function["parameters"]["required"] == ["image", "count", "where"]
    assert [value["type"] for value in function["parameters"]["properties"].values()] == ["string", "number", "array", "string"]
    assert Tool("Get Photo Description", "", raises, ()).schema()["function"]["name"] == "Get_Photo_Description"


def test_the_same_content_has_one_name_and_made_media_are_files(tmp_path: Path) -> None:
    session = Session(tmp_path)
    first, again = session.add(picture()), session.add(picture())
    assert first is again and first.name.startswith("image/") and not list(tmp_path.iterdir())
    made = session.add(picture(1), "paint", (first.name,), {"text": "x"})
    assert made.to_json() == {
        "name": made.name, "kind": "image", "tool": "paint", "parents": [first.name], "arguments": {"text": "x"}
    }  # fmt: skip
    assert [path.suffix for path in tmp_path.iterdir()] == [".png"]
    session.add(picture(2), "paint", name="../../out.png")
    assert {path.parent for path in tmp_path.rglob("*.png")} == {tmp_path}
    assert session.last().name == "../../out.png"
    with pytest.raises(UnknownNameError):
        session.last("video")
    with pytest.raises(InputError, match="comes as a file's bytes"):
        session.add(Media("audio", data=np.zeros((4, 1), np.float32)), "speak")
