"""The page in a real browser, against a real model that was taught to say where a bus is."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from headless import Browser
from serving_requests import picture, serving

from vistune.evals.human.ratings import read_all
from vistune.evals.human.study import load_study
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn
from vistune.serving.server import Server

ENTER, ESCAPE, RIGHT, DOWN = "\ue007", "\ue00c", "\ue014", "\ue015"
BOX = (0.25, 0.25, 0.75, 0.875)
WORDY = "Two cats on a mat. " * 6


def taught(spec: dict[str, Any]) -> VisionLanguageModel:
    """A tiny model that learned three answers by heart: where, what, and a long one."""
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json(spec))
    shown = (Media("image", data=picture("red")),)

    def sample(question: str, *answer: Text | Region) -> Sample:
        return Sample(question, shown, (Turn("user", (MediaRef(0), Text(question))), Turn("assistant", answer)))

    samples = [
        sample("Where is the bus?", Text("A red bus "), Region(box=BOX)),
        sample("What is in the picture?", Text("A red bus.")),
        sample("yes", Text(WORDY.strip())),
    ]
    renderer, step = model.renderer(), torch.optim.AdamW(model.parameters(), 1e-2)
    batch = model.pack([model.example(each, renderer) for each in samples])
    for _ in range(250):
        loss = model(batch)["text"].sum / batch.supervised
        loss.backward()
        step.step()
        step.zero_grad()
        if loss.item() < 0.01:
            break
    assert loss.item() < 0.05, "the answers were not learned"
    return model.eval()


@pytest.fixture(scope="module")
def page(tiny_spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    model = taught(tiny_spec)
    torch.manual_seed(3)
    other = VisionLanguageModel(ModelSpec.from_json(tiny_spec)).eval()
    with serving({"taught": lambda: model, "other": lambda: other}, votes=tmp_path_factory.mktemp("votes") / "v") as made:
        yield made


def begin(browser: Browser, server: Server) -> None:
    browser.command("window/rect", {"width": 1280, "height": 900})
    browser.complaints()  # the browser is everybody's: what pages of other tests wrote is read away
    browser.open(server.url)
    browser.wait("document.getElementById('model').options.length === 2")


def drop(browser: Browser, content: bytes, name: str, mime: str) -> None:
    """What a person's drop gives the page."""
    browser.run(
        f"""const bytes = Uint8Array.from(atob("{base64.b64encode(content).decode()}"), (c) => c.charCodeAt(0));
        const moved = new DataTransfer();
        moved.items.add(new File([bytes], "{name}", {{ type: "{mime}" }}));
        document.dispatchEvent(new DragEvent("drop", {{ dataTransfer: moved, bubbles: true, cancelable: true }}));"""
    )


def ask(browser: Browser, text: str, answers: int) -> None:
    browser.click("#ask")
    browser.press(text + ENTER)
    browser.wait(f"document.querySelectorAll('.turn.assistant .acts').length === {answers}")


def drag(browser: Browser, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A real mouse, pressed and moved over the picture."""
    x, y, width, height = browser.run(
        "document.querySelector('.overlay').scrollIntoView({block: 'center'});"
        "const r = document.querySelector('.overlay').getBoundingClientRect(); return [r.left, r.top, r.width, r.height]"
    )

    def move(place: tuple[float, float]) -> dict[str, Any]:
        return {"type": "pointerMove", "duration": 20, "x": round(x + place[0] * width), "y": round(y + place[1] * height)}

    middle = ((start[0] + end[0]) / 2, end[1])
    steps = [move(start), {"type": "pointerDown", "button": 0}, move(middle), move(end), {"type": "pointerUp", "button": 0}]
    browser.command("actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})


def painted(browser: Browser, x: float, y: float) -> bool:
    """Whether something is drawn over the picture at a place."""
    return bool(
        browser.run(
            f"""const c = document.querySelector(".overlay"), x = Math.round({x} * c.width), y = Math.round({y} * c.height);
            const small = new OffscreenCanvas(8, 8).getContext("2d", {{ willReadFrequently: true }});
            small.drawImage(c, 4 - x, 4 - y);
            return small.getImageData(0, 0, 8, 8).data.some((v) => v > 0)"""
        )
    )


def saved(browser: Browser) -> Sample:
    """The conversation as the save button writes it."""
    text = browser.run(
        """window.kept = null; const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { blob.text().then((text) => { window.kept = text; }); return make(blob); };
        document.getElementById("save").click(); URL.createObjectURL = make;"""
    )
    browser.wait("window.kept")
    text = browser.run("return window.kept")
    return Sample.from_json(json.loads(text))


def test_ask_point_see_a_box_save_and_load(browser: Browser, page: Server, tmp_path: Path) -> None:
    begin(browser, page)
    drop(browser, picture("red"), "bus.png", "image/png")
    browser.wait("document.querySelector('.medium img')?.complete && !document.getElementById('tools').hidden")
    ask(browser, "Where is the bus?", 1)
    assert browser.text(".answer p").startswith("A red bus <loc_")
    assert browser.text(".mark").startswith("A red bus"), "coordinates stand in their colour with the words that name them"
    assert painted(browser, BOX[0], 0.5) and painted(browser, BOX[2], 0.5), "the box is drawn where the answer says"
    assert not painted(browser, 0.1, 0.5)
    browser.click(".mark")
    assert not painted(browser, BOX[2], 0.5), "a click on the words hides it"

    drag(browser, (0.1, 0.2), (0.6, 0.7))
    assert browser.run("return document.getElementById('ask').value") == "[1]"
    ask(browser, " two cats", 2)
    sample = saved(browser)
    regions = [part for turn in sample.turns for part in turn.parts if isinstance(part, Region)]
    assert len(regions) == 1 and regions[0].box == pytest.approx((0.1, 0.2, 0.6, 0.7), abs=0.02)
    assert sample.media[0].data == picture("red") and [turn.role for turn in sample.turns] == ["user", "assistant"] * 2

    browser.click("#new")
    assert browser.text("#log") == ""
    file = tmp_path / "talk.json"
    file.write_text(json.dumps(sample.to_json()))
    browser.fill("#opened", str(file))
    browser.wait("document.querySelectorAll('.turn.assistant .acts').length === 2")
    assert saved(browser).turns == sample.turns, "what was saved is what was loaded"
    ask(browser, "What is in the picture?", 3)
    assert browser.complaints() == []


def held_after(page: Server, name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let a model write so many steps and then wait, however fast it is, until the event is set."""
    method, go_on, left = page.service.engines[name].method, threading.Event(), iter(range(steps))
    advance = method.advance

    def slowly() -> None:
        if next(left, None) is None:
            go_on.wait(30)
        advance()

    monkeypatch.setattr(method, "advance", slowly)
    return go_on


def test_stop_ask_again_and_edit(browser: Browser, page: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(browser, page)
    drop(browser, picture("red"), "bus.png", "image/png")
    browser.wait("document.querySelector('.medium img')?.complete")
    ask(browser, "yes", 1)
    whole = browser.text(".answer p")
    assert whole == WORDY.strip()
    go_on = held_after(page, "taught", 12, monkeypatch)
    browser.run("[...document.querySelectorAll('.acts button')].find((b) => b.textContent === 'Ask again').click()")
    browser.wait("document.querySelector('.answer.busy') && document.querySelector('.answer p').textContent.length > 3")
    browser.press(ESCAPE)
    go_on.set()
    browser.wait("document.querySelectorAll('.turn.assistant .acts').length === 1 && !document.querySelector('.answer.busy')")
    stopped = browser.text(".answer p")
    assert stopped and whole.startswith(stopped)
    deadline = time.monotonic() + 10
    while page.service.flying:  # who stops frees the place
        assert time.monotonic() < deadline
        time.sleep(0.01)
    browser.run("[...document.querySelectorAll('.acts button')].find((b) => b.textContent === 'Edit').click()")
    assert browser.run("return document.getElementById('ask').value") == "yes"
    browser.run("document.getElementById('ask').value = ''")
    ask(browser, "What is in the picture?", 1)
    assert (
        browser.text(".answer p") == "A red bus." and browser.run("return document.querySelectorAll('.turn.user').length") == 1
    )
    assert browser.complaints() == []


def test_two_models_side_by_side_and_a_vote(browser: Browser, page: Server) -> None:
    begin(browser, page)
    drop(browser, picture("red"), "bus.png", "image/png")
    browser.wait("document.querySelector('.medium img')?.complete")
    browser.run("document.getElementById('second').value = 'other'; document.getElementById('rater').value = 'ann'")
    browser.click("#ask")
    browser.press("What is in the picture?" + ENTER)
    browser.wait("document.querySelector('.vote')")
    assert "taught" not in browser.text("#log"), "who answered is hidden until the vote"
    first = browser.run("return document.querySelector('.answer p').textContent") == "A red bus."
    browser.click(f".vote button[value={'first' if first else 'second'}]")
    browser.wait("document.getElementById('state').textContent.includes('kept')")
    assert "taught ★" in browser.text("#log")
    folder = page.service.settings.votes
    assert folder is not None
    study = load_study(folder)
    ratings = read_all(folder, study)
    assert [rating.rater for rating in ratings] == ["ann"] and study.models == ("other", "taught")
    chosen = ratings[0].task.models[{"first": 0, "second": 1}[str(ratings[0].preference)]]
    assert chosen == "taught" and study.items[0].answers["taught"] == "A red bus."


@pytest.mark.slow
def test_by_keyboard_on_a_phone_and_what_a_model_says_is_text(browser: Browser, page: Server) -> None:
    begin(browser, page)
    browser.command("window/rect", {"width": 500, "height": 850})
    drop(browser, picture("red"), "<img src=x onerror=alert(1)>.png", "image/png")
    browser.wait("document.querySelector('.medium img')?.complete")
    assert browser.text("figcaption").startswith("<img src=x"), "a file's name is text"
    browser.run("document.querySelector('.overlay').focus()")
    browser.press(ENTER + RIGHT * 5 + DOWN * 5 + ENTER)
    assert browser.run("return document.getElementById('ask').value") == "[1]"
    browser.press(" yes" + ENTER)
    browser.wait("document.querySelectorAll('.turn.assistant .acts').length === 1")
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
    box = saved(browser).turns[0].parts[1]
    assert isinstance(box, Region) and box.box == pytest.approx((0.5, 0.5, 0.6, 0.6))
    assert browser.complaints() == []


@pytest.mark.slow
def test_a_server_with_a_key_asks_for_it(browser: Browser, tiny_model: VisionLanguageModel) -> None:
    with serving({"m": lambda: tiny_model}, key="sesame") as server:
        browser.open(server.url)
        browser.wait("document.getElementById('options').open")
        browser.run("document.getElementById('key').value = 'sesame'; document.querySelector('#options button').click()")
        browser.wait("document.getElementById('model').options.length === 1")
        assert browser.run("return document.getElementById('model').value") == "m"
