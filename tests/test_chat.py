"""What a chat is told that it cannot do."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.chat import Conversation
from vistune.cli import app
from vistune.commands._talk import converse
from vistune.errors import InputError, TooLongError
from vistune.model.answering.answers import Answer
from vistune.sample import MediaRef, Region


def test_a_drawing_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.fromarray(np.zeros((20, 30, 3), dtype=np.uint8)).save(picture)
    found = Answer("there", (Region(box=(0.1, 0.1, 0.9, 0.9)),))
    model: Any = SimpleNamespace(answer=lambda samples, count, say: [found])
    talk = Conversation(model, str(picture))
    talk.ask("Where?")
    with pytest.raises(InputError, match=r"cannot write .*boxes\.nothing"):
        talk.draw(tmp_path / "boxes.nothing")
    assert talk.draw(tmp_path / "boxes.png") == tmp_path / "boxes.png"


@pytest.mark.parametrize("command", [["chat", "DIR", "What?"], ["predict", "DIR", "--data", "world", "--out", "FILE"]])
def test_answers_have_at_least_one_token(command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--max-new-tokens", "0"])
    assert done.exit_code == 2 and "--max-new-tokens" in done.output


class _Short:
    """Reads at most six turns, and answers with how many it was given and how many of them show the picture."""

    def answer(self, samples: Any, max_new_tokens: int = 9, say: Any = None, **options: Any) -> list[Answer]:
        turns = samples[0].turns
        if len(turns) > 6:
            raise TooLongError("too long")
        shown = sum(isinstance(part, MediaRef) for turn in turns for part in turn.parts)
        return [Answer(f"{len(turns)} turns, {shown} pictures")]


def picture_of(folder: Path) -> str:
    Image.fromarray(np.zeros((20, 30, 3), dtype=np.uint8)).save(folder / "a.png")
    return str(folder / "a.png")


def test_a_long_conversation_loses_its_oldest_turns_and_keeps_the_picture(tmp_path: Path) -> None:
    talk = Conversation(_Short(), picture_of(tmp_path))
    assert [talk.ask("What?") for _ in range(4)] == [f"{n} turns, 1 pictures" for n in (1, 3, 5, 5)]
    assert talk.dropped == 2


def test_lines_with_a_slash_are_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(
        ["What?", "/reset", "And?", "/region 0 0 1 1 What is it?", "/rest", "/set num_beams=2", "/image gone.png", "/quit"]
    )
    monkeypatch.setattr("builtins.input", lambda prompt: next(lines))
    talk = Conversation(_Short(), picture_of(tmp_path))
    converse(talk, None)
    said = capsys.readouterr()
    assert said.out.splitlines() == ["1 turns, 1 pictures", "1 turns, 1 pictures", "3 turns, 1 pictures"]
    assert "did you mean 'reset'" in said.err and "gone" in said.err
    assert talk.options == {"num_beams": 2} and isinstance(talk.turns[-2].parts[-1], Region)


def test_a_question_that_is_too_long_alone_is_said(tmp_path: Path) -> None:
    def refuse(samples: Any, count: int, say: Any) -> list[Answer]:
        raise TooLongError("takes 9 tokens")

    model: Any = SimpleNamespace(answer=refuse)
    with pytest.raises(TooLongError):
        Conversation(model, None).ask("What?")
