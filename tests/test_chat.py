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
from vistune.errors import InputError
from vistune.sample import Region


def test_a_drawing_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    Image.fromarray(np.zeros((20, 30, 3), dtype=np.uint8)).save(picture)
    codec = SimpleNamespace(decode=lambda text, size: [Region(box=(0.1, 0.1, 0.9, 0.9))])
    model: Any = SimpleNamespace(codec=codec, generate=lambda samples, count: ["there"])
    talk = Conversation(model, str(picture))
    talk.ask("Where?")
    with pytest.raises(InputError, match=r"cannot write .*boxes\.nothing"):
        talk.draw(tmp_path / "boxes.nothing")
    assert talk.draw(tmp_path / "boxes.png") == tmp_path / "boxes.png"


@pytest.mark.parametrize("command", [["chat", "DIR", "What?"], ["predict", "DIR", "--data", "world", "--out", "FILE"]])
def test_answers_have_at_least_one_token(command: list[str]) -> None:
    done = CliRunner().invoke(app, [*command, "--max-new-tokens", "0"])
    assert done.exit_code == 2 and "--max-new-tokens" in done.output
