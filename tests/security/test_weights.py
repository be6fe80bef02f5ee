"""Weights that are not numbers are refused by name wherever they are read, written, turned or asked."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import vistune
from vistune.errors import InputError
from vistune.files import dump_yaml, read_yaml
from vistune.model.interchange.export import export
from vistune.model.interchange.import_llava import import_llava
from vistune.model.interchange.probe import largest_difference
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.model.weights.numbers import check_finite
from vistune.sample import Sample, Text, Turn

VALUES = {"NaN": math.nan, "inf": math.inf, "-inf": -math.inf}


def made(spec: dict[str, Any], folder: Path, parts: set[str], **changes: Any) -> Path:
    torch.manual_seed(0)
    save(VisionLanguageModel(ModelSpec.from_json(spec | changes)), folder, parts)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, tiny_spec: dict[str, Any]) -> Path:
    """A checkpoint with every weight."""
    return made(tiny_spec, tmp_path_factory.mktemp("whole") / "model", {"llm", "vision", "connector"})


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory, tiny_spec: dict[str, Any]) -> Path:
    """A checkpoint with adapters."""
    adapt = {"llm": {"kind": "lora", "rank": 2}}
    return made(tiny_spec, tmp_path_factory.mktemp("adapted") / "model", {"connector", "llm.adapter"}, adapt=adapt)


def poisoned(source: Path, target: Path, part: str, value: float) -> tuple[Path, str]:
    """A copy of a directory with one bad number in its last matrix whose name holds `part`; and that matrix's name."""
    shutil.copytree(source, target)
    file = target / "model.safetensors"
    weights = load_file(file)
    name = [name for name, tensor in weights.items() if part in name and tensor.ndim == 2][-1]
    weights[name] = weights[name].clone()
    weights[name][-1, -1] = value
    save_file(weights, file, metadata={"format": "pt"})
    return target, name


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("part", ["connector.", "llm.", "vision."])
def test_a_checkpoint_with_a_weight_that_is_no_number_is_refused(whole: Path, tmp_path: Path, part: str, value: str) -> None:
    folder, name = poisoned(whole, tmp_path / "bad", part, VALUES[value])
    with pytest.raises(InputError, match=f"1 of the .* weights in '{name}' are NaN or infinite"):
        vistune.load(folder)


def test_every_command_says_so(whole: Path, adapted: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
    bad, name = poisoned(whole, tmp_path / "bad", "connector.", math.nan)
    data = "world:?task=captions&size=2"
    for arguments in (
        ("chat", bad, "hello"),
        ("predict", bad, "--data", data, "--out", tmp_path / "answers.jsonl"),
        ("export", bad, "--out", tmp_path / "exported"),
    ):
        assert name in refused(*arguments)
    bad, name = poisoned(adapted, tmp_path / "bad2", "lora_B", math.inf)
    assert name in refused("merge", bad, "--out", tmp_path / "merged")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "bad2"]


def test_whole_numbers_are_no_weights(whole: Path, tmp_path: Path, tiny_spec: dict[str, Any], tiny_clip: str) -> None:
    shutil.copytree(whole, tmp_path / "bad")
    file = tmp_path / "bad" / "model.safetensors"
    weights = load_file(file)
    name = next(name for name in weights if name.startswith("connector.") and name.endswith("weight"))
    save_file(weights | {name: weights[name].long()}, file, metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"{name} holds int64, the model's holds float32"):
        vistune.load(tmp_path / "bad")
    shutil.copytree(tiny_clip, tmp_path / "clip")
    file = tmp_path / "clip" / "model.safetensors"
    weights = load_file(file)
    name = next(name for name in weights if name.endswith("fc1.weight"))
    save_file(weights | {name: weights[name].to(torch.int8)}, file, metadata={"format": "pt"})
    with pytest.raises(InputError, match=f"{name} in model.safetensors holds whole numbers"):
        VisionLanguageModel(
            ModelSpec.from_json(tiny_spec | {"vision": {"kind": "huggingface", "path": str(tmp_path / "clip")}})
        )


@pytest.mark.parametrize("part", ["vision", "llm"])
def test_a_backbone_with_a_nan_is_refused(tmp_path: Path, part: str, tiny_spec: dict[str, Any], tiny_language: str) -> None:
    source = tiny_language if part == "llm" else tiny_spec["vision"]["path"]
    folder, name = poisoned(Path(source), tmp_path / "bad", "mlp.", math.nan)
    changed = str(folder) if part == "llm" else {"kind": "huggingface", "path": str(folder)}
    with pytest.raises(InputError, match=f"bad: 1 of the .*{name.rpartition('layers')[2]}.* are NaN or infinite"):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | {part: changed}))


def test_an_import_with_a_nan_is_refused_and_leaves_nothing(whole: Path, tmp_path: Path) -> None:
    export(vistune.load(whole), tmp_path / "hf")
    bad, name = poisoned(tmp_path / "hf", tmp_path / "bad", "proj", math.nan)
    with pytest.raises(InputError, match=name):
        import_llava(bad, tmp_path / "ours")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad", "hf"]


def test_a_model_that_became_nan_is_neither_kept_nor_exported(whole: Path, tmp_path: Path) -> None:
    model = vistune.load(whole)
    with torch.no_grad():
        next(model.connector.parameters()).view(-1)[0] = math.nan
    with pytest.raises(InputError, match="are NaN or infinite"):
        save(model, tmp_path / "kept", {"connector"})
    with pytest.raises(InputError, match="are NaN or infinite"):
        export(model, tmp_path / "hf")
    assert list(tmp_path.iterdir()) == []


def asked(text: str) -> Sample:
    return Sample("1", turns=(Turn("user", (Text(text),)), Turn("assistant", (Text("yes"),))))


def test_a_model_whose_logits_are_no_numbers_does_not_answer(whole: Path) -> None:
    model = vistune.load(whole)
    assert isinstance(model.generate([asked("hello")], max_new_tokens=2)[0], str)
    for value in (math.nan, math.inf):
        with torch.no_grad():
            model.llm.model.get_output_embeddings().weight[5, 3] = value
        for options in ({}, {"num_beams": 2}, {"do_sample": True}):
            with pytest.raises(InputError, match="the model's logits are NaN or infinite"):
                model.generate([asked("hello")], max_new_tokens=2, **options)
    with pytest.raises(InputError, match="the model's logits are NaN or infinite"):
        model.rank(asked("hello"), ["yes", "no"])


def test_the_largest_of_some_differences_is_nan_where_one_is() -> None:
    one, nan = torch.zeros(2, 3), torch.tensor([[0.0, math.nan]])
    assert max([0.0, math.nan]) == 0.0  # why it is not asked
    assert math.isnan(largest_difference([one, nan], [one, torch.zeros(1, 2)]))
    assert largest_difference([one, one + 2], [one[:, :2], torch.zeros(2, 5)]) == 2.0


def test_numbers_of_every_format_are_looked_at() -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e4m3fn):
        check_finite({"x": torch.ones(3).to(dtype), "none": torch.zeros(0).to(dtype)}, "here")
        with pytest.raises(InputError, match="here: 1 of the 3 weights in 'x'"):
            check_finite({"x": torch.tensor([1.0, math.nan, 2.0]).to(dtype)}, "here")
    check_finite({"ids": torch.tensor([1, 2])}, "here")


HUGE = {"kind": "mlp", "hidden": [400_000, 400_000]}
"""A connector of 640 GB."""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"connector": HUGE}, r"model\.safetensors (lacks|has the unknown tensor) 'connector\."),
        (
            {
                "parts": {"more": "linear", "cloud": "point_bert", "cloud_more": HUGE},
                "modalities": {"points": ["cloud", "more"]},
            },
            "",
        ),
        ({"vision": {"kind": "patch_rows", "patch": 8}, "connector": HUGE}, ""),
    ],
)
def test_a_part_whose_weights_nobody_sent_takes_no_memory(
    whole: Path, changes: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(whole, tmp_path / "model")
    config = read_yaml(folder / "vistune.yaml")
    config["model"] = config["model"] | changes
    (folder / "vistune.yaml").write_text(dump_yaml(config))
    monkeypatch.setattr("vistune.model.answering.opening.assemble", lambda *_: pytest.fail("memory was taken"))
    with pytest.raises(InputError, match=said):
        vistune.load(folder)


def test_a_part_that_begins_at_random_must_lie_in_the_file(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "model")
    config = read_yaml(folder / "vistune.yaml")
    config["parts"].remove("connector")
    (folder / "vistune.yaml").write_text(dump_yaml(config))
    with pytest.raises(InputError, match="the weights of 'connector' begin at random and do not lie there"):
        vistune.load(folder)
