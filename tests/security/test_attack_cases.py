"""Inputs on which the project once failed, made anew from what is known of them, and tried by the command that failed."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from tests.cli_calls import called
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.evals.prediction import read_predictions
from vistune.evals.reading.sources import load
from vistune.evals.score import open_benchmark, read_samples
from vistune.evals.score import score as scored
from vistune.model.interchange.import_original import read_pickled_mapping
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.pretrained import read_tokenizer
from vistune.model.weights.tensors import read_tensors
from vistune.sample import Region
from vistune.serving.guard import refused
from vistune.serving.refusals import Refusal

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def vistune() -> Command:
    """A command's exit code, and all that it says."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        done = called(*arguments)
        return done.returncode, done.stdout + done.stderr

    return run


def photograph(path: Path) -> None:
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste("red", (5, 5, 15, 15))
    picture.save(path)


def test_a_picture_of_some_bytes_and_a_hundred_megapixels_is_one_rejected_record(vistune: Command, tmp_path: Path) -> None:
    # VP8L, 16,383 by 16,384 pixels in one colour: the sizes stand in 14 bits each behind the signature 0x2f.
    bits = struct.pack("<I", (16382 | 16383 << 14) & 0xFFFFFFFF)
    chunk = b"\x2f" + bits + b"\x07\x10\x11\xfd\x0f\x44\x44\xff\x03"
    body = b"WEBPVP8L" + struct.pack("<I", len(chunk)) + chunk
    (tmp_path / "bomb.webp").write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    photograph(tmp_path / "ok.png")
    turns = [{"from": "human", "value": "<image>\nq"}, {"from": "gpt", "value": "a"}]
    records = [{"id": str(n), "image": name, "conversations": turns} for n, name in enumerate(("ok.png", "bomb.webp"))]
    (tmp_path / "d.json").write_text(json.dumps(records))
    code, said = vistune("data", "check", f"conversations:{tmp_path}/d.json?images={tmp_path}")
    assert code == 1 and "2 samples, 2 different media, 1 samples with problems" in said and "megapixels" in said


def coco(folder: Path, *annotations: dict[str, Any]) -> str:
    photograph(folder / "a.png")
    images = [{"id": n, "file_name": "a.png", "width": 40, "height": 20} for n in (1, 2)]
    held = [{"id": n, "category_id": 1} | more for n, more in enumerate(annotations)]
    (folder / "c.json").write_text(
        json.dumps({"images": images, "annotations": held, "categories": [{"id": 1, "name": "cat"}]})
    )
    return f"coco:{folder}/c.json?images={folder}"


def test_a_number_beyond_floats_is_one_rejected_record(vistune: Command, tmp_path: Path) -> None:
    boxes = ({"image_id": 1, "bbox": [4, 5, 10**309, 10]}, {"image_id": 2, "bbox": [4, 5, 10, 10]})
    code, said = vistune("data", "check", coco(tmp_path, *boxes))
    assert code == 1 and "2 samples, 1 different media, 1 samples with problems" in said and "too large" in said


@pytest.mark.parametrize(("crowd", "kept"), [("0", 1), (0, 1), ("1", 0), (1, 0)])
def test_a_crowd_in_words_is_read_as_the_number_it_is(crowd: Any, kept: int, tmp_path: Path) -> None:
    sample = read(coco(tmp_path, {"image_id": 1, "bbox": [4, 5, 10, 10], "iscrowd": crowd}))[0]
    assert sum(isinstance(part, Region) for turn in sample.turns for part in turn.parts) == kept


@pytest.mark.parametrize(
    "place", [{"offset": 0, "length": 1 << 62}, {"offset": 1 << 70, "length": 5}, {"offset": -1, "length": 5}]
)
def test_a_range_of_bytes_that_a_file_does_not_have_is_rejected(
    place: dict[str, int], vistune: Command, tmp_path: Path
) -> None:
    photograph(tmp_path / "a.png")
    turns = [{"role": "user", "content": [{"media": 0}, {"text": "q"}]}, {"role": "assistant", "content": [{"text": "a"}]}]
    record = {"id": "1", "media": [{"kind": "image", "path": "a.png"} | place], "turns": turns}
    (tmp_path / "s.jsonl").write_text(json.dumps(record) + "\n")
    code, said = vistune("data", "check", f"samples:{tmp_path}/s.jsonl")
    assert code == 1 and "1 samples with problems" in said


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="File name too long"):
        load(tmp_path / ("9" * 5000))


def test_weights_by_number_are_no_weights_by_name(tmp_path: Path) -> None:
    torch.save({"model": {0: torch.zeros(2), "a": torch.zeros(2)}}, tmp_path / "m.pth")
    with pytest.raises(InputError, match="something other than tensors by name"):
        read_pickled_mapping(tmp_path / "m.pth")


def test_a_tokenizer_whose_longest_text_is_a_word(tiny_language: str, tmp_path: Path) -> None:
    from shutil import copytree

    folder = copytree(tiny_language, tmp_path / "language")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"model_max_length": "1e5"}))
    with pytest.raises(InputError, match="model_max_length of '1e5'"):
        read_tokenizer(str(folder), str(folder), None)


def test_text_in_a_parquet_file_that_is_none(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    from vistune.data.records.parquet import Parquet

    bad = pyarrow.array([b"a\xff"], pyarrow.binary()).cast(pyarrow.string(), safe=False)
    parquet.write_table(pyarrow.table({"a": bad}), tmp_path / "rows.parquet")
    with pytest.raises(InputError, match="row 1 cannot be read"):
        Parquet(tmp_path / "rows.parquet")[0]


def test_a_backbone_of_ours_with_a_nan_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.tensor([0.0, float("nan")])}, tmp_path / "m.safetensors")
    torch.save({"a": torch.tensor([0.0, float("inf")])}, tmp_path / "m.pt")
    for name in ("m.safetensors", "m.pt"):
        with pytest.raises(InputError, match="NaN or infinite"):
            read_tensors(str(tmp_path / name))


PARTS: dict[str, dict[str, Any]] = {
    "a list among numbers": {"connector": {"kind": "class_taps", "taps": [4, [8]]}},
    "text in the place of a list": {"connector": {"kind": "class_taps", "taps": "48"}},
    "an object among names": {"adapt": {"llm": {"kind": "lora", "rank": 2, "targets": [{"x": "q_proj"}]}}},
    "an unknown key that is no text": {"connector": {"kind": "mlp", True: 2}},
    "a language model's unknown key": {"llm": {"path": "builtin:language", "kind": "x"}},
    "a rank below one": {"adapt": {"llm": {"kind": "lora", "rank": -32}}},
    "a dropout of more than everything": {"adapt": {"llm": {"kind": "lora", "rank": 2, "dropout": 10**400}}},
    "more places than any embedding": {"codec": {"kind": "location_tokens", "bins": 10**400}},
}


@pytest.mark.parametrize("name", PARTS)
def test_arguments_of_parts_that_are_none(name: str, tiny_spec: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        VisionLanguageModel(ModelSpec.from_json(tiny_spec | PARTS[name]))


def test_a_tokenizer_that_lacks_its_own_word_for_the_unknown(tiny_language: str, tmp_path: Path) -> None:
    from shutil import copytree

    folder = copytree(tiny_language, tmp_path / "language")
    file = folder / "tokenizer.json"
    record = json.loads(file.read_text())
    record["model"] |= {"unk_token": "<nowhere>", "vocab": {"a": 0}, "merges": []}
    file.write_text(json.dumps(record))
    with pytest.raises(InputError):
        read_tokenizer(str(folder), str(folder), None)


def test_half_a_character_anywhere_in_a_prediction(tmp_path: Path) -> None:
    (tmp_path / "p.jsonl").write_text('{"id": "1", "answer": "a", "prompt": "\\ud800"}\n')
    with pytest.raises(InputError, match="line 1: the text holds half of a surrogate pair"):
        read_predictions(tmp_path / "p.jsonl")


def score(name: str, predictions: Path, truth: Path) -> dict[str, float]:
    bench = open_benchmark({"kind": name})
    return dict(scored(bench, predictions, read_samples(bench, str(truth))).values)


@pytest.mark.parametrize("missing", ["area", "iscrowd"])
def test_truth_without_a_field_that_the_official_rule_reads(missing: str, tmp_path: Path) -> None:
    """No crowd is what is meant by its absence; no size is one sentence."""
    fixture = Path(__file__).parents[1] / "evals" / "fixtures" / "coco_detection"
    file = tmp_path / "annotations" / "instances_val2017.json"
    truth = json.loads((fixture / "annotations" / file.name).read_text())
    for record in truth["annotations"]:
        del record[missing]
    file.parent.mkdir()
    file.write_text(json.dumps(truth))
    if missing == "area":
        with pytest.raises(InputError, match="annotation 1: field 'area' is missing"):
            score("coco_detection", fixture / "results.json", tmp_path)
    else:
        assert score("coco_detection", fixture / "results.json", tmp_path) == score(
            "coco_detection", fixture / "results.json", fixture
        )


@pytest.mark.parametrize("wrong", [{"w": 10**400}, {"x1": 10**400}, {"w": "1" + "0" * 400}])
def test_sides_and_corners_beyond_floats(wrong: dict[str, Any], tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    record = {"image": "a.png", "w": 8, "h": 8, "x1": 0, "y1": 0, "x2": 4, "y2": 4, "name": "cat"} | wrong
    (tmp_path / "d.jsonl").write_text(json.dumps(record) + "\n")
    spec = {"kind": "regions", "path": str(tmp_path / "d.jsonl"), "images": str(tmp_path), "phrase": "name"}
    with pytest.raises(InputError, match=r"d\.jsonl: line 1"):
        read(spec | {"box": ["x1", "y1", "x2", "y2"], "width": "w", "height": "h"})[0]


def test_a_refusal_that_repeats_half_a_character_is_an_answer() -> None:
    made = refused(Refusal("the field \ud800 is not supported", param="\ud800"))
    assert json.loads(bytes(made.body))["error"]["param"] == "?"
