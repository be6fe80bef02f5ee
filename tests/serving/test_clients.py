"""Commands that ask a model, over a server and from its folder: the same answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from serving_requests import picture
from typer.testing import CliRunner

from vistune.chat import Conversation
from vistune.cli import app
from vistune.errors import InputError
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.sample import Media, Region
from vistune.serving.client import RemoteModel, messages
from vistune.serving.server import Server


@pytest.fixture(scope="session")
def folder(tiny_model: VisionLanguageModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The served model as a checkpoint."""
    made = tmp_path_factory.mktemp("checkpoint") / "tiny"
    save(tiny_model, made, {"llm", "vision", "connector"})
    return made


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    (place / "inner").mkdir(parents=True)
    for name, color in {"b.png": "red", "a.png": "blue", "inner/c.png": "green"}.items():
        (place / name).write_bytes(picture(color))
    (place / "notes.txt").write_text("no picture")
    (place / "away.png").symlink_to(tmp_path.parent)
    return place


def run(*command: str) -> str:
    done = CliRunner().invoke(app, list(command), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def predictions(path: Path) -> dict[str, str]:
    return {record["id"]: record["answer"] for record in map(json.loads, path.read_text().splitlines())}


def test_predictions_over_http_are_those_of_the_folder(folder: Path, pictures: Path, server: Server, tmp_path: Path) -> None:
    run("caption", str(folder), str(pictures), "--out", str(tmp_path / "folder.jsonl"), "--max-new-tokens", "10")
    config = tmp_path / "served.yaml"
    config.write_text(f"url: {server.url}v1\nmodel: tiny\ncodec: {{kind: location_tokens, bins: 8}}\n")
    asked = ("caption", f"http:{config}", str(pictures), "--max-new-tokens", "10")
    run(*asked, "--out", str(tmp_path / "http.jsonl"))
    found = predictions(tmp_path / "folder.jsonl")
    assert list(found) == ["a.png", "b.png", "inner/c.png"]
    assert predictions(tmp_path / "http.jsonl") == found

    lines = (tmp_path / "folder.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "folder.jsonl").write_text(lines[0] + lines[1][:7])  # killed while it wrote the second
    run("caption", str(folder), str(pictures), "--out", str(tmp_path / "folder.jsonl"), "--max-new-tokens", "10")
    assert predictions(tmp_path / "folder.jsonl") == found


def test_chat_says_the_same_here_and_there_as_it_comes(folder: Path, pictures: Path, server: Server) -> None:
    shown = ["--image", str(pictures / "a.png"), "--image", str(pictures / "b.png"), "--max-new-tokens", "12"]
    here = run("chat", str(folder), "What is it?", *shown)
    assert run("chat", "tiny", "What is it?", *shown, "--url", server.url) == here
    pointed = [*shown, "--region", "0.1,0.2,0.5,0.6"]
    assert run("chat", "tiny", "yes", *pointed, "--url", server.url) == run("chat", str(folder), "yes", *pointed)


def test_a_spoken_answer_is_the_whole_answer(tiny_model: VisionLanguageModel, server: Server, pictures: Path) -> None:
    answers = []
    for model in (tiny_model, RemoteModel(server.url, "tiny")):
        talk, pieces = Conversation(model, str(pictures / "a.png"), 12, [Media.file("image", str(pictures / "b.png"))]), []
        talk.say = pieces.append
        for question in ("What?", "Where is the bus?"):
            answers.append(talk.ask(question, Region(box=(0.1, 0.1, 0.5, 0.5))))
            assert "".join(pieces) == answers[-1] and len(pieces) > 1
            pieces.clear()
    assert answers[:2] == answers[2:]


REFUSED = [
    ("http://127.0.0.1:9", "tiny", "is the server running"),
    ("", "other", "is not served here"),
    ("ftp://x", "tiny", "expected an address"),
]


@pytest.mark.parametrize(("url", "name", "said"), REFUSED)
def test_what_a_server_refuses_is_one_sentence(server: Server, url: str, name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Conversation(RemoteModel(url or server.url, name), None).ask("What?")


def test_media_of_all_kinds_are_sent(tmp_path: Path) -> None:
    from vistune.sample import MediaRef, Sample, Text, Turn

    media = []
    for kind, name in (("image", "a.png"), ("video", "a.mp4"), ("audio", "a.mp3"), ("points", "a.ply")):
        (tmp_path / name).write_bytes(picture("red"))
        media.append(Media.file(kind, str(tmp_path / name)))  # type: ignore[arg-type]
    parts: list[Any] = [*map(MediaRef, range(4)), Region(media=3, point=(0.5, 0.5)), Text("?")]
    content = messages(Sample("s", tuple(media), (Turn("user", tuple(parts)),)))[0]["content"]
    assert [part["type"] for part in content] == ["image_url", "video_url", "input_audio", "vistune", "vistune", "text"]
    assert content[2]["input_audio"]["format"] == "mp3" and content[4]["vistune"]["region"]["on"] == 3
