"""One model with a picture, a film, a sound, points, a region in the question, a mask and a produced picture in the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_parts
import torch

import vistune
from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.model.packing import pack
from vistune.model.part import begun_at_random
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Recipe
from vistune.sample import Media, MediaRef, Produce, Region, Sample, Text, Turn
from vistune.trust import trusting

PARTS = {name: f"small_parts:{name}" for name in ("Levels", "Cloud", "BoxMean", "PatchMask", "Signals", "Dreams")}


@pytest.fixture(autouse=True)
def trusted() -> Iterator[None]:
    with trusting(["small_parts"]):
        yield


def spec_of(tiny_spec: dict[str, Any], picture_head: str = "Signals") -> dict[str, Any]:
    return tiny_spec | {
        "parts": {
            "ear": PARTS["Levels"],
            "ear_mlp": "mlp",
            "cloud": PARTS["Cloud"],
            "cloud_mlp": "linear",
            "roi": PARTS["BoxMean"],
        },
        "modalities": {
            "image": {"chain": ["vision", "connector"], "before": "Picture {n}: "},
            "video": {"chain": ["vision", "connector"], "frames": 2},
            "audio": ["ear", "ear_mlp"],
            "points": ["cloud", "cloud_mlp"],
            "box": {"chain": ["roi"], "words": "before"},
        },
        "heads": {"mask": PARTS["PatchMask"], "picture": PARTS[picture_head]},
    }


def sample_of(number: int, kinds: str = "ivap") -> Sample:
    draw = np.random.default_rng(number)
    picture = Media("image", data=draw.integers(0, 255, (40, 30, 3), dtype=np.uint8))
    film = Media("video", data=draw.integers(0, 255, (3, 20, 24, 3), dtype=np.uint8))
    sound = Media("audio", data=draw.standard_normal((600 + number, 1)).astype(np.float32))
    cloud = Media("points", data=draw.standard_normal((9, 6)).astype(np.float32))
    media = {"i": picture, "v": film, "a": sound, "p": cloud}
    shown = [media[kind] for kind in kinds]
    target = Media("image", data=draw.integers(0, 255, (8, 8, 3), dtype=np.uint8))
    mask = draw.random((40, 30)) > 0.5
    ask = (*(MediaRef(index) for index in range(len(shown))), Text("What is "), Region(0, box=(0.2, 0.1, 0.7, 0.9)), Text("?"))
    say = (Text("It is "), Region(0, mask=mask), Text(" and looks like "), Produce(len(shown)), Text("."))
    return Sample(str(number), (*shown, target), (Turn("user", ask), Turn("assistant", say)))


def model_of(spec: dict[str, Any]) -> VisionLanguageModel:
    torch.manual_seed(0)
    return VisionLanguageModel(ModelSpec.from_json(spec))


@pytest.mark.parametrize("head", ["Signals", "Dreams"])
def test_sums_of_losses_alone_are_those_of_the_packed_row(tiny_spec: dict[str, Any], head: str) -> None:
    model = model_of(spec_of(tiny_spec, head))
    renderer = model.renderer()
    examples = [model.example(sample_of(number, kinds), renderer) for number, kinds in enumerate(("ivap", "i", "ia", "iv"))]
    together = model(pack(examples))
    assert set(together) == {"text", "mask_bce", "pixels"}
    for name, loss in together.items():
        alone = sum(model(pack([example]))[name].sum for example in examples)
        torch.testing.assert_close(loss.sum, alone, atol=1e-4, rtol=1e-5)
    assert pack(examples).counts == {"text": pack(examples).supervised, "produce_mask": 4, "produce_image": 4}


@pytest.mark.parametrize("head", ["Signals", "Dreams"])
def test_every_part_learns(tiny_spec: dict[str, Any], head: str) -> None:
    model = model_of(spec_of(tiny_spec, head))
    losses = model(pack([model.example(sample_of(0), model.renderer())]))
    sum(loss.sum for loss in losses.values()).backward()  # type: ignore[union-attr]
    for name in ("ear", "ear_mlp", "cloud", "cloud_mlp", "roi", "heads", "connector"):
        missing = [key for key, value in model.get_submodule(name).named_parameters() if value.grad is None]
        assert not missing, (name, missing)


def test_a_region_is_read_on_its_own_picture(tiny_spec: dict[str, Any]) -> None:
    """In a packed row the second sample's region must not look at the first sample's picture."""
    model = model_of(spec_of(tiny_spec))
    examples = [model.example(sample_of(number), model.renderer()) for number in (1, 2)]
    (first,), (second,) = (model.encode(pack([example]))[0]["box"] for example in examples)
    both = model.encode(pack(examples))[0]["box"]
    assert torch.equal(both[0], first) and torch.equal(both[1], second) and not torch.equal(first, second)


def write_samples(folder: Path, count: int = 8) -> str:
    path = folder / "samples.jsonl"
    path.write_text("\n".join(json.dumps(sample_of(number).to_json()) for number in range(count)))
    return f"samples:{path}"


def recipe_of(spec: dict[str, Any], data: str, **stage: Any) -> Recipe:
    rates = dict.fromkeys(("connector", "ear", "ear_mlp", "cloud", "cloud_mlp", "roi", "heads"), 1e-2)
    made = {"name": "tune", "data": data, "batch": 2, "steps": 6, "train": rates, "losses": {"mask_bce": 0.5}, **stage}
    return Recipe.from_json({"name": "all", "model": spec, "stages": [made]})


def log_of(out: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (out / "logs" / "tune.jsonl").read_text().splitlines()]


def test_it_trains_keeps_features_saves_and_answers(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    data = write_samples(tmp_path)
    spec = spec_of(tiny_spec)
    plain = vistune.train(recipe_of(spec, data, cache="off"), tmp_path / "plain", report=False)
    kept = vistune.train(recipe_of(spec, data, cache="encoder"), tmp_path / "kept", report=False)
    assert log_of(tmp_path / "plain") == log_of(tmp_path / "kept")
    model, same = load(plain), load(kept)
    assert isinstance(model, VisionLanguageModel) and isinstance(same, VisionLanguageModel)
    samples = [sample_of(number) for number in range(2)]
    assert all(map(torch.equal, model.logits(samples), same.logits(samples)))
    begun = model_of(spec)
    for name in ("ear.proj.weight", "roi.proj.weight", "heads.mask.text.weight"):
        assert not torch.equal(model.get_parameter(name), begun.get_parameter(name)), name


def test_parts_that_began_at_random_are_kept_untrained(tiny_spec: dict[str, Any]) -> None:
    assert begun_at_random(model_of(spec_of(tiny_spec))) == {
        "connector", "ear", "ear_mlp", "cloud", "cloud_mlp", "roi", "heads",
    }  # fmt: skip


@pytest.mark.parametrize("head", ["Signals", "Dreams"])
def test_answers_hold_the_regions_and_media_that_the_text_calls_for(tiny_spec: dict[str, Any], head: str) -> None:
    model = model_of(spec_of(tiny_spec, head)).eval()
    sample = sample_of(3)
    calls = "[SEG] then <dream>" if head == "Dreams" else "[SEG] then [IMG0][IMG1] again [IMG0][IMG1]"
    script = [iter([model.llm.tokenizer(calls, add_special_tokens=False)["input_ids"]]), iter([[], [], []])]

    def scripted(inputs: Any, limit: int, stop: Any, pauses: Any, **options: Any) -> list[list[int]]:
        return [next(script[0], []) or next(script[1])]

    model.llm.generate_ids = scripted  # type: ignore[method-assign, assignment]
    (answer,) = model.answer([sample])
    assert answer.text.startswith("[SEG] then")
    assert [region.mask is not None for region in answer.regions] == [True]
    assert len(answer.media) == (1 if head == "Dreams" else 2)
    assert all(isinstance(made.data, np.ndarray) and made.data.shape == (4, 4, 3) for made in answer.media)


def test_what_no_part_reads_or_makes_is_refused_by_name(tiny_spec: dict[str, Any]) -> None:
    model = model_of(tiny_spec)
    with pytest.raises(InputError, match="no encoder for video media"):
        model.example(sample_of(0, "iv"), model.renderer())
    silent = Sample("q", sample_of(0, "i").media, (Turn("user", (Text("Draw."),)), Turn("assistant", (Produce(1),))))
    with pytest.raises(InputError, match="no head that makes image media"):
        model.example(silent, model.renderer())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"modalities": {"image": ["vision", "connector"], "sound": ["ear"]}}, "has no kind 'sound'"),
        ({"modalities": {"audio": ["eer", "ear_mlp"]}}, "names the part 'eer', which is not there"),
        ({"parts": {"ear": "small_parts:Levels"}}, "model.parts.ear is used by no modality"),
        ({"parts": {"ear": "small_parts:Levels"}, "modalities": {"audio": ["ear"]}}, "ends 12 wide, but 32 is read behind it"),
        ({"parts": {"llm": "mlp"}}, "a part has a name of its own"),
        ({"heads": {"a": "small_parts:Signals", "b": "small_parts:Dreams"}}, "both make produce_image"),
    ],
)
def test_specs_that_cannot_be_wired_end_in_a_sentence(
    tiny_spec: dict[str, Any], changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        model_of(tiny_spec | changes)


assert small_parts
