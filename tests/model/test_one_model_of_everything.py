"""A model that reads picture, film, sound, points and regions, and makes masks and pictures, goes where any other one goes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from test_modalities import model_of, recipe_of, sample_of, spec_of, write_samples
from typer.testing import CliRunner

import vistune
from vistune.chat import Conversation
from vistune.cli import app
from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.model.interchange.export import export
from vistune.model.interchange.merge import merge
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, Region
from vistune.trust import trusting

PARTS = {"vision", "connector", "ear", "ear_mlp", "cloud", "cloud_mlp", "roi", "heads", "llm"}
ADAPTED = {"adapt": {"llm": {"kind": "lora", "rank": 4, "dropout": 0.2}}}


@pytest.fixture(scope="module")
def tuned(tiny_language: str, tiny_clip: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of such a model, with adapters and dropout in the language model."""
    folder = tmp_path_factory.mktemp("everything")
    spec = spec_of({"llm": tiny_language, "vision": {"kind": "huggingface", "path": tiny_clip}, "connector": "mlp"}) | ADAPTED
    spec |= {"template": {"kind": "vicuna_v1", "system": ""}, "codec": {"kind": "location_tokens", "bins": 8}}
    made = recipe_of(spec, write_samples(folder), steps=2)
    made = made.override({"stages.0.train": {**made.stages[0].train, "llm.adapter": 1e-2}})
    with trusting(["small_parts"]):
        return vistune.train(made, folder / "run", report=False)


def test_the_log_has_the_share_of_the_processor_and_every_part_is_counted(tuned: Path, tiny_spec: dict[str, Any]) -> None:
    from vistune.training.planning.flops import FlopModel, Load

    lines = [json.loads(line) for line in (tuned.parent / "logs" / "tune.jsonl").read_text().splitlines()]
    assert all(0 < line["mfu"] < 1 for line in lines)
    with trusting(["small_parts"]):
        model = model_of(spec_of(tiny_spec))
    batch = model.pack([model.example(sample_of(0), model.renderer())])
    counted = FlopModel(model).step([Load.of(batch, model)])
    assert {name for name, flops in counted.items() if flops.total > 0} == PARTS


def test_it_is_planned_without_weights(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    run = tmp_path / "run.yaml"
    run.write_text(recipe_of(spec_of(tiny_spec), write_samples(tmp_path)).to_yaml())
    command = ["plan", str(run), "--gpus", "2", "--words", "100", "--answers", "50", "--trust", "small_parts", "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.output)
    with trusting(["small_parts"]):
        model = model_of(spec_of(tiny_spec))
    frozen = sum(weight.numel() for name in ("vision", "llm") for weight in model.get_submodule(name).parameters())
    assert row["parameters"] == sum(weight.numel() for weight in model.parameters())
    assert row["trained"] == row["parameters"] - frozen


def test_its_adapters_are_merged_and_it_answers_the_same(tuned: Path, tmp_path: Path) -> None:
    with trusting(["small_parts"]):
        assert merge(tuned, tmp_path / "merged") < 1e-3
        before, after = load(tuned), load(tmp_path / "merged")
    assert isinstance(before, VisionLanguageModel) and isinstance(after, VisionLanguageModel)
    samples = [sample_of(number) for number in range(2)]
    for one, two in zip(before.logits(samples), after.logits(samples), strict=True):
        torch.testing.assert_close(one, two, atol=1e-3, rtol=1e-3)
    assert before.generate(samples, 8) == after.generate(samples, 8)
    assert not any("lora" in name for name, _ in after.named_parameters())


def test_export_names_what_it_would_lose(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    with trusting(["small_parts"]):
        model = model_of(spec_of(tiny_spec))
    with pytest.raises(InputError, match=r"the modality video and the modality audio .* the head mask and the head picture"):
        export(model, tmp_path / "out")
    only_heads = {"heads": spec_of(tiny_spec)["heads"]}
    with trusting(["small_parts"]), pytest.raises(InputError, match=r"holds the head mask and the head picture$"):
        export(model_of(tiny_spec | only_heads), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_chat_shows_media_of_every_kind_and_keeps_the_made_ones(tuned: Path, tmp_path: Path) -> None:
    """The words of the answer are given; the mask and the picture are what the heads decode behind them."""
    picture = tmp_path / "a.png"
    Image.fromarray(np.full((40, 30, 3), 90, dtype=np.uint8)).save(picture)
    media = sample_of(1).media
    further = [media[index] for index in (1, 2, 3)]  # a film, a sound, points
    with trusting(["small_parts"]):
        model = load(tuned)
    assert isinstance(model, VisionLanguageModel)
    words = model.llm.tokenizer("here [SEG] and [IMG0][IMG1]", add_special_tokens=False)["input_ids"]
    asked: list[int] = []

    def said(inputs: Any, *rest: Any, **options: Any) -> list[list[int]]:
        asked.append(sum(inputs.lengths))
        return [words if len(asked) in (1, 2) else []]

    talk = Conversation(model, str(picture), 8, further)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.llm, "generate_ids", said)
        talk.ask("What is this?")
    shown = {part.index for turn in talk.turns for part in turn.parts if hasattr(part, "index")}
    assert shown == {0, 1, 2, 3}
    assert [type(region) for region in talk.regions] == [Region] and [made.kind for made in talk.media] == ["image"]
    assert talk.draw(tmp_path / "out.png") == tmp_path / "out.png"
    (kept,) = talk.keep(tmp_path / "out.png")
    assert np.array_equal(np.asarray(Image.open(kept)), talk.media[0].data) and kept.name == "out.1.png"


def test_the_command_takes_a_film_a_sound_and_points(tuned: Path, tmp_path: Path) -> None:
    """Files of the package's own data: a WAV and a cloud; what the model has no sense for is one sentence."""
    sound, cloud = tmp_path / "a.wav", tmp_path / "a.npy"
    from vistune.world.sounds.sound import wav

    sound.write_bytes(wav(np.zeros((1600, 1), dtype=np.float32)))
    np.save(cloud, np.zeros((9, 6), dtype=np.float32))
    command = ["chat", str(tuned), "What?", "--trust", "small_parts", "--max-new-tokens", "2", "--audio", str(sound)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    wrong = CliRunner().invoke(app, [*command[:-1], str(tmp_path / "gone.wav")])
    assert isinstance(wrong.exception, InputError) and "gone.wav" in str(wrong.exception)


def test_media_that_were_made_become_files(tmp_path: Path) -> None:
    from vistune.data.media.keep import keep
    from vistune.world.sounds.sound import wav

    data = wav(np.zeros((16, 1), dtype=np.float32))
    assert keep(Media("audio", data=data), tmp_path / "a").read_bytes() == data
    assert keep(Media("audio", data=data), tmp_path / "a").name == "a.wav"
    film = np.zeros((2, 4, 4, 3), dtype=np.uint8)
    assert np.array_equal(np.load(keep(Media("video", data=film), tmp_path / "b")), film)
    with pytest.raises(InputError, match="cannot write"):
        keep(Media("audio", data=data), tmp_path / "no" / "a")


assert sys.modules["small_parts"]
