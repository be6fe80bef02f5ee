"""A real (tiny, untaught) checkpoint answers a benchmark, and its predictions follow its weights."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from vistune.errors import InputError
from vistune.evals.reading.annotations import asked
from vistune.evals.run import predict
from vistune.model.answering.answerer import CheckpointModel
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.sample import Media, Sample


@pytest.fixture
def folder(tiny_spec: dict[str, Any], tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(tiny_spec)), tmp_path / "model", {"connector"})
    return tmp_path / "model"


def question(name: str, color: str) -> Sample:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 32), color).save(buffer, "PNG")
    return asked(name, "What is in the picture?", [Media("image", data=buffer.getvalue())], ["a bus"])


def test_predictions_resume_and_follow_the_weights(folder: Path, tmp_path: Path) -> None:
    samples = [question("a", "red"), question("b", "blue")]
    model = CheckpointModel(folder)
    first = predict(model, samples, tmp_path / "p.jsonl", {"max_new_tokens": 4})
    assert [prediction.id for prediction in first] == ["a", "b"]
    assert predict(CheckpointModel(folder), samples, tmp_path / "p.jsonl", {"max_new_tokens": 4}) == first
    assert model.identity.startswith("model@") and model.rendered(samples[0]) == model.rendered(samples[1])

    with torch.no_grad():
        next(iter(model.model.get_submodule("connector").parameters())).add_(1.0)
    save(model.model, folder, {"connector"})
    with pytest.raises(InputError, match="answered by another model"):
        predict(CheckpointModel(folder), samples, tmp_path / "p.jsonl", {"max_new_tokens": 4})
