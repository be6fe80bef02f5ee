"""BLIP-2 and InstructBLIP as `transformers` has them: the same logits, the same tokens, the same bytes after a round trip."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from damaged import check_refused, shard, tokenless, unknown
from families import blip_tower, decoder, encoder_decoder, tokenizer

from vistune.errors import InputError
from vistune.model.interchange.export import export
from vistune.model.interchange.export_blip import processor_inputs
from vistune.model.interchange.import_any import import_any
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel, question_sample
from vistune.model.weights.checkpoint import load

TEMPLATE = {"kind": "plain", "begin": "", "question_text": True, "media_first": True, "answer_suffix": "{eos}"}
DECODER = TEMPLATE | {"media_suffix": "{bos}", "answer_prefix": " "}
ENCODER = TEMPLATE | {"user_suffix": "{eos}"}
KINDS = ("blip2-opt", "blip2-flan", "instructblip-llama", "instructblip-flan")
FORMER = {"kind": "q_former", "queries": 5, "hidden": 32, "layers": 2, "heads": 4}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("parts")
    (place / "words").mkdir()
    tokenizer().save_pretrained(place / "words")
    made = {"words": str(place / "words"), "tower": blip_tower(place / "tower")}
    made |= {"opt": decoder("opt", place / "opt", word_embed_proj_dim=32), "llama": decoder("llama", place / "llama")}
    return made | {"flan": encoder_decoder("flan", place / "flan")}


def spec(folders: dict[str, str], kind: str) -> ModelSpec:
    architecture, _, llm = kind.partition("-")
    return ModelSpec(
        llm=folders[llm],
        vision={"kind": "huggingface", "path": folders["tower"], "layer": -1, "cls": "keep", "fit": "resize"},
        connector=FORMER | ({"tokenizer": folders["words"]} if architecture == "instructblip" else {}),
        template=DECODER if llm in ("opt", "llama") else ENCODER,
    )


def made(folders: dict[str, str], kind: str) -> VisionLanguageModel:
    torch.manual_seed(3)
    model = VisionLanguageModel(spec(folders, kind)).eval()
    with torch.no_grad():  # a norm that differs from the tower's own, and queries that tell pictures apart
        model.connector.norm.bias.normal_()
        model.connector.queries.normal_()
        model.connector.proj.weight.normal_()
    return model


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Our model, and the directory it was exported to."""
    model = made(folders, request.param)
    out = tmp_path_factory.mktemp("out") / request.param
    assert export(model, out) <= 1e-5
    return model, out


def picture(seed: int) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (40, 31, 3), dtype=np.uint8)


def test_answers_are_the_same_tokens(pair: Any) -> None:
    model, out = pair
    copy = hf.AutoModelForImageTextToText.from_pretrained(out).eval()
    processor = hf.AutoProcessor.from_pretrained(out, backend="pil")
    answers = []
    for seed, question in ((1, "What is in the picture?"), (2, "Where is the blue seven?"), (3, "Two cats")):
        sample = question_sample(picture(seed), question)
        inputs = processor_inputs(model, processor, sample)
        ids = copy.generate(**inputs, max_new_tokens=6, do_sample=False)[0]
        theirs = ids[1:] if copy.config.is_encoder_decoder else ids[-6:]
        answers.append(model.generate([sample], max_new_tokens=6)[0])
        assert answers[-1] == processor.tokenizer.decode(theirs).split("</s>")[0].strip()
        chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        text = processor.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
        again = processor(images=sample.media[0].data, text=[text], return_tensors="pt")
        assert {name: value.tolist() for name, value in again.items()} == {n: v.tolist() for n, v in inputs.items()}
    assert len(set(answers)) > 1


def test_export_import_export_changes_no_byte(pair: Any, tmp_path: Path) -> None:
    model, out = pair
    difference = import_any(out, tmp_path / "ours")
    assert difference is not None and difference <= 1e-5
    again = load(tmp_path / "ours")
    sample = question_sample(picture(4), "What is it?")
    assert again.generate([sample], max_new_tokens=6) == model.generate([sample], max_new_tokens=6)
    export(again, tmp_path / "again")
    names = sorted(str(file.relative_to(out)) for file in out.rglob("*") if file.is_file())
    assert names == sorted(str(f.relative_to(tmp_path / "again")) for f in (tmp_path / "again").rglob("*") if f.is_file())
    assert [name for name in names if (out / name).read_bytes() != (tmp_path / "again" / name).read_bytes()] == []


def test_a_tower_is_read_from_a_whole_model(pair: Any, folders: dict[str, str]) -> None:
    model, out = pair
    vision = {"kind": "huggingface", "path": str(out), "layer": -1, "cls": "keep", "fit": "resize"}
    whole = VisionLanguageModel(ModelSpec(llm=folders["llama"], vision=vision, connector="linear")).vision
    pixels = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(whole(pixels).x, model.vision(pixels).x)


@pytest.fixture(scope="module")
def exported(folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "hf"
    export(made(folders, "instructblip-flan"), out)
    return out


def narrow(folder: Path) -> None:
    file = folder / "config.json"
    config = json.loads(file.read_text())
    config["qformer_config"]["intermediate_size"] = 31
    file.write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (shard, "model-00001-of-00002.safetensors is missing"),
        (tokenless, "lacks the image token '<image>' as number 7"),
        (unknown, "'audio_tower.weight' belongs to no part of a BLIP-2"),
        (narrow, "qformer_config.intermediate_size is not what"),
        (lambda folder: shutil.rmtree(folder / "qformer_tokenizer"), "qformer_tokenizer is missing"),
    ],
)
def test_a_damaged_directory_is_one_sentence_and_leaves_nothing(
    exported: Path, tmp_path: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    check_refused(import_any, exported, tmp_path, damage, complaint)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"vision": "CLIP"}, "the vision tower is none of BLIP-2's"),
        ({"vision": {"layer": -2}}, "reads the tower's last layer"),
        ({"fusion": "zero_init_attention"}, "the fusion 'zero_init_attention' is not"),
        ({"template": DECODER | {"user_suffix": " Answer:"}}, "adds words to the question"),
        ({"template": "plain"}, "sets prompts in another way"),
    ],
)
def test_what_transformers_cannot_express_is_refused(
    folders: dict[str, str], tiny_clip: str, tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    record = spec(folders, "instructblip-llama").to_json()
    if change.get("vision") == "CLIP":
        change = {"vision": record["vision"] | {"path": tiny_clip}}
    elif "vision" in change:
        change = {"vision": record["vision"] | change["vision"]}
    with pytest.raises(InputError, match=complaint):
        export(VisionLanguageModel(ModelSpec.from_json(record | change)).eval(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
