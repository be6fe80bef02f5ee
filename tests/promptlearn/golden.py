"""The recorded tiny CLIP and the comparison with what official modules gave on it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.towers.openai_weights import from_openai

FOLDER = Path(__file__).parent.parent / "golden" / "prompt_learning"
CASES = json.loads((FOLDER / "cases.json").read_text())
NAMES = ("cat", "forest", "golden retriever", "annual crop land", "highway or road")
SATELLITE = Classes(NAMES, "a centered satellite photo of {}.")
PHOTO = Classes(NAMES, "a photo of a {}.")
ENGINES = pytest.mark.parametrize("make", [Engine, Engine.plain])


class WordTable:
    """The rows of the recorded vocabulary, by word; any other word is a KeyError."""

    def __init__(self):
        self.table = json.loads((FOLDER / "words.json").read_text())

    def __call__(self, text):
        return [token for word in re.findall(r"\w+|[^\w\s]", text.lower()) for token in self.table[word]]


def backbone() -> DualEncoder:
    """The recorded dual encoder. Rows of the vocabulary that were not recorded are NaN, so that a wrong id shows."""
    weights = {
        name: value.float() if value.is_floating_point() else value
        for name, value in load_file(FOLDER / "clip_tiny.safetensors").items()
    }
    embedding = torch.full((49408, 64), float("nan"))
    embedding[weights.pop("token_embedding.ids").long()] = weights.pop("token_embedding.rows")
    weights["token_embedding.weight"] = embedding
    return DualEncoder(from_openai(weights, head_width=32), WordTable(), identity="tiny")


class Case:
    """One recording: `param`, `inputs`, `out`, `loss`, `grad` by name, with the file's own tolerance."""

    def __init__(self, name: str):
        self.name = name
        self.settings = CASES[name]["settings"]
        self.tolerance = CASES[name]["tolerance"]
        self.tensors = load_file(FOLDER / f"{name}.safetensors")
        shared = load_file(FOLDER / "clip_tiny_inputs.safetensors")
        self.shared = shared
        self.images = Images(shared["image"])
        self.labels = shared["label"]

    def part(self, kind: str) -> dict[str, torch.Tensor]:
        """All tensors of a kind, by their name."""
        return {key.removeprefix(f"{kind}/"): value for key, value in self.tensors.items() if key.startswith(f"{kind}/")}

    def same(self, kind: str, mine: torch.Tensor, name: str) -> None:
        """Compare one value with the recording of it."""
        field = {"out": "outputs", "loss": "losses"}.get(kind, "gradients")
        recorded = self.tensors[f"{kind}/{name}"]
        assert mine.shape == recorded.shape, (
            f"{self.name}: {kind}/{name} is {tuple(mine.shape)}, recorded {tuple(recorded.shape)}"
        )
        torch.testing.assert_close(
            mine.detach(), recorded, **self.tolerance[field], msg=lambda text: f"{self.name}: {kind}/{name}\n{text}"
        )


def load(method, case, keys):
    """Set each of my parameters (key) to the recorded one (value); none is left out on either side."""
    recorded = case.part("param")
    assert sorted(keys.values()) == sorted(recorded)
    assert sorted(keys) == sorted(name for name, _ in method.named_parameters())
    shapes = {name: p.shape for name, p in method.named_parameters()}  # a recorded 1x1 convolution is a Linear here
    method.load_state_dict({mine: recorded[theirs].reshape(shapes[mine]) for mine, theirs in keys.items()}, strict=False)


def check_gradients(method, case, keys, kind="grad"):
    for mine, theirs in keys.items():
        grad = method.get_parameter(mine).grad
        case.same(kind, grad.reshape(case.tensors[f"{kind}/{theirs}"].shape), theirs)


def deep(mine, theirs, blocks):
    """Key map of one token set a block: the first at the input, the others entering blocks 1, 2, ..."""
    return {f"{mine}.{i}": theirs.format(block) for i, block in enumerate(blocks)}
