"""Taught on one modality, asked about another: media go the way of others that a joint encoder reads, too."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import vistune
from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.model.modalities.base import probe
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.nano import NANO_JOINT
from vistune.recipe import Recipe
from vistune.sample import Media, MediaRef, Sample, Text, Turn

SMALL = {
    "joint": 16,
    "vision_width": 16,
    "audio_width": 16,
    "vision_depth": 1,
    "audio_depth": 1,
    "mels": 32,
    "clips": 2,
    "heard": 2,
}


def spec_of(tiny_spec: dict[str, Any]) -> dict[str, Any]:
    return tiny_spec | {
        "parts": {"joint": NANO_JOINT | SMALL, "places": {"kind": "frame_concat", "positions": 4}, "hearing": "linear"},
        "modalities": {
            "video": {"chain": ["vision", "connector"], "frames": 2},
            "audio": {"chain": ["joint", "places", "hearing"], "before": "Sound: "},
        },
    }


def sample_of(medium: Media) -> Sample:
    return Sample("s", (medium,), (Turn("user", (MediaRef(0), Text("?"))), Turn("assistant", (Text("yes"),))))


def test_a_film_goes_the_way_of_sounds_and_back(tiny_spec: dict[str, Any]) -> None:
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json(spec_of(tiny_spec)))
    film = sample_of(probe("video"))

    def tokens() -> torch.Tensor:
        batch = pack([model.example(film, model.renderer())])
        return model.encode(batch)[0]["video"][0]

    as_film = tokens()
    with model.encoding_as({"video": "audio"}):
        as_sound, words = tokens(), model.prompt_text(film)
        joint, places, hearing = (model.parts[name] for name in ("joint", "places", "hearing"))
        seen = joint.see(joint.read(film.media[0]).inputs, "video")  # type: ignore[operator]
        expected = hearing.proj(seen.x[:, 0] + places.positions[: len(seen.x)])  # type: ignore[operator, index]
        torch.testing.assert_close(as_sound, expected)
    assert words != model.prompt_text(film) and torch.equal(tokens(), as_film)


def test_a_stage_teaches_sounds_on_films(tiny_spec: dict[str, Any], tmp_path: Any) -> None:
    rates = {"hearing": 1e-2, "places": 1e-2}
    stage = {"name": "tune", "data": "world:?task=films&size=4", "train": rates, "batch": 2, "encode_as": {"video": "audio"}}
    spec = spec_of(tiny_spec)
    recipe = Recipe.from_json({"name": "one", "model": spec, "stages": [stage]})
    folder = vistune.train(recipe, tmp_path / "run", report=False)  # refuses what should have changed and did not
    torch.manual_seed(0)
    begun = VisionLanguageModel(ModelSpec.from_json(spec))
    model = load(folder)
    assert isinstance(model, VisionLanguageModel)
    assert not torch.equal(model.get_parameter("hearing.proj.weight"), begun.get_parameter("hearing.proj.weight"))
    assert model.generate([sample_of(probe("audio"))], 2)


@pytest.mark.parametrize(
    ("kinds", "complaint"),
    [
        ({"audio": "video"}, "audio: video, but their encoder reads image"),
        ({"video": "points"}, "the model reads"),
        ({"film": "audio"}, "the model reads"),
    ],
)
def test_ways_that_there_are_not_are_refused(tiny_spec: dict[str, Any], kinds: dict[str, str], complaint: str) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(spec_of(tiny_spec)))
    with pytest.raises(InputError, match=complaint), model.encoding_as(kinds, "stage 'tune'"):
        pass
