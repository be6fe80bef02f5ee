"""Directories for other software: the same logits, the same tokens, the same bytes after a round trip; faults are sentences."""

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
from families import decoder, tower
from safetensors.torch import load_file, save_file

from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.model.interchange.export import export
from vistune.model.interchange.export_llava import processor_inputs
from vistune.model.interchange.import_llava import import_llava
from vistune.model.interchange.import_original import import_original
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load
from vistune.sample import Media, MediaRef, Sample, Text, Turn

KINDS = ("llava", "siglip", "cropped", "next")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    place = tmp_path_factory.mktemp("parts")
    return {
        "llm": decoder("llama", place / "llm"),
        "clip": tower("clip", place / "clip"),
        "siglip": tower("siglip", place / "sig"),
    }


def spec(folders: dict[str, str], kind: str) -> ModelSpec:
    clip: dict[str, Any] = {"kind": "huggingface", "path": folders["clip"]}
    vision, connector = {
        "llava": (clip, "mlp"),
        "siglip": ({"kind": "huggingface", "path": folders["siglip"], "layer": -1, "fit": "resize"}, "mlp"),
        "cropped": (clip | {"layer": [1, -2], "fit": "crop"}, "mlp"),
        "next": ({"kind": "anyres", "inner": clip | {"fit": "resize"}}, "anyres"),
    }[kind]
    template = {"kind": "vicuna_v1", "system": "Be brief."}
    return ModelSpec(llm=folders["llm"], vision=vision, connector=connector, template=template, codec="decimals")


@pytest.fixture(scope="module", params=KINDS)
def pair(request: pytest.FixtureRequest, folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Our model, and the directory it was exported to."""
    torch.manual_seed(3)
    model = VisionLanguageModel(spec(folders, request.param)).eval()
    out = tmp_path_factory.mktemp("out") / request.param
    assert export(model, out) <= 1e-5
    return model, out


def samples() -> list[Sample]:
    dice = np.random.default_rng(5)
    shapes = ((50, 31), (20, 64), (33, 33))
    pictures = tuple(Media("image", data=dice.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes)
    answer = Turn("assistant", (Text("A red bus."),))
    return [
        Sample("one", pictures[:1], (Turn("user", (MediaRef(0), Text("\nWhat is it?"))), answer)),
        Sample("text", (), (Turn("user", (Text("Say no."),)), answer, Turn("user", (Text("Why?"),)), answer)),
        Sample("two", pictures[1:], (Turn("user", (MediaRef(0), Text(" and "), MediaRef(1), Text(" differ?"))), answer)),
    ]


def test_logits_are_those_of_transformers_alone_and_in_a_mixed_batch(pair: Any) -> None:
    model, out = pair
    copy = hf.AutoModelForImageTextToText.from_pretrained(out).eval()
    processor = hf.AutoProcessor.from_pretrained(out, backend="pil")
    expected = []
    with torch.no_grad():
        for sample in samples():
            expected.append(copy(**processor_inputs(model, processor, sample)).logits[0])
        alone = [model.logits([sample])[0] for sample in samples()]
    for ours, mixed, theirs in zip(alone, model.logits(samples()), expected, strict=True):
        vocabulary = ours.shape[-1]
        torch.testing.assert_close(ours, theirs[:, :vocabulary], atol=1e-5, rtol=0)
        torch.testing.assert_close(mixed, theirs[:, :vocabulary], atol=1e-5, rtol=0)


def test_greedy_answers_are_the_same_tokens_through_the_chat_template(pair: Any) -> None:
    model, out = pair
    copy = hf.AutoModelForImageTextToText.from_pretrained(out).eval()
    processor = hf.AutoProcessor.from_pretrained(out, backend="pil")
    picture = samples()[0].media[0].data
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "What is it?"}]},
    ]
    inputs = processor.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )
    ids = copy.generate(**inputs, max_new_tokens=8, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    theirs = processor.tokenizer.decode(ids).split("</s>")[0].strip()
    assert model.chat(picture, "What is it?", max_new_tokens=8) == theirs


def test_export_import_export_changes_no_byte(pair: Any, tmp_path: Path) -> None:
    _, out = pair
    assert import_llava(out, tmp_path / "ours") <= 1e-5
    export(load(tmp_path / "ours"), tmp_path / "again")
    names = sorted(file.name for file in out.iterdir())
    assert names == sorted(file.name for file in (tmp_path / "again").iterdir())
    assert [name for name in names if (out / name).read_bytes() != (tmp_path / "again" / name).read_bytes()] == []


def test_vision_keys_are_those_engines_look_for(pair: Any) -> None:
    _, out = pair
    keys = load_file(out / "model.safetensors")
    assert any(key.startswith("vision_tower.vision_model.embeddings.") for key in keys)
    assert {key.split(".")[0] for key in keys} <= {"vision_tower", "language_model", "multi_modal_projector", "image_newline"}
    assert str(out.parent.parent) not in (out / "config.json").read_text()


@pytest.fixture(scope="module")
def exported(folders: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(4)
    out = tmp_path_factory.mktemp("exported") / "hf"
    export(VisionLanguageModel(spec(folders, "llava")).eval(), out)
    return out


@pytest.mark.parametrize("layout", ["today", "flat"])
def test_other_ages_of_key_names_are_read(exported: Path, tmp_path: Path, layout: str) -> None:
    changed = tmp_path / "changed"
    shutil.copytree(exported, changed)
    weights = load_file(changed / "model.safetensors")
    if layout == "flat":
        renamed = {name.replace("vision_tower.vision_model.", "vision_tower."): tensor for name, tensor in weights.items()}
    else:
        renamed = {}
        for name, tensor in weights.items():
            name = name.replace("language_model.lm_head", "lm_head").replace("language_model.model.", "model.language_model.")
            renamed[name if name.startswith(("lm_head", "model.")) else f"model.{name}"] = tensor
    save_file(renamed, changed / "model.safetensors", metadata={"format": "pt"})
    assert import_llava(changed, tmp_path / "ours") <= 1e-5
    export(load(tmp_path / "ours"), tmp_path / "again")
    assert (exported / "model.safetensors").read_bytes() == (tmp_path / "again" / "model.safetensors").read_bytes()


TILED = {
    "image_aspect_ratio": "anyres",
    "mm_patch_merge_type": "spatial_unpad",
    "image_grid_pinpoints": [[32, 64], [64, 32], [64, 64], [96, 32], [32, 96]],
}


def original(folders: dict[str, str], folder: Path, whole: bool, tiled: bool = False) -> VisionLanguageModel:
    """A directory as the original code saves it, from a model of ours."""
    torch.manual_seed(6)
    vision: dict[str, Any] = {"kind": "huggingface", "path": folders["clip"]}
    if tiled:
        vision = {"kind": "anyres", "inner": vision | {"fit": "resize"}}
    model = VisionLanguageModel(ModelSpec(llm=folders["llm"], vision=vision, connector="anyres" if tiled else "mlp"))
    folder.mkdir()
    settings = {"mm_vision_tower": folders["clip"], "mm_projector_type": "mlp2x_gelu", "mm_vision_select_layer": -2}
    settings |= {"image_aspect_ratio": "pad", "_name_or_path": folders["llm"]} | (TILED if tiled else {})
    config = json.loads((Path(folders["llm"]) / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | settings | {"model_type": "llava_llama"}))
    part = model.connector.inner if tiled else model.connector
    projector = {f"model.mm_projector.{n.removeprefix('layers.')}": t for n, t in part.state_dict().items()}
    if tiled:
        projector["model.image_newline"] = model.connector.newline.detach()
    if not whole:
        torch.save(projector, folder / "mm_projector.bin")
        return model.eval()
    model.llm.tokenizer.save_pretrained(folder)
    seen = model.vision.inner if tiled else model.vision
    tower = {f"model.vision_tower.vision_tower.vision_model.{n}": t for n, t in seen.model.state_dict().items()}
    torch.save(model.llm.model.state_dict() | projector | tower, folder / "pytorch_model.bin")
    return model.eval()


@pytest.mark.parametrize("tiled", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_the_original_layout_is_read(folders: dict[str, str], tmp_path: Path, whole: bool, tiled: bool) -> None:
    model = original(folders, tmp_path / "original", whole, tiled)
    difference = import_original(tmp_path / "original", tmp_path / "ours")
    assert difference is not None and difference <= 1e-5
    for ours, theirs in zip(load(tmp_path / "ours").logits(samples()), model.logits(samples()), strict=True):
        assert torch.equal(ours, theirs)


def cut(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-64])


def future(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "llava_9000"}))


def escaping(folder: Path) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../secret.safetensors"}}))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (cut, "is broken or cut short"),
        (shard, "model-00001-of-00002.safetensors is missing"),
        (future, "holds a 'llava_9000'"),
        (tokenless, "lacks the image token '<image>' as number 7"),
        (unknown, "'audio_tower.weight' belongs to no part"),
        (escaping, "is missing"),
    ],
)
def test_a_damaged_directory_is_one_sentence_and_leaves_nothing(
    exported: Path, tmp_path: Path, damage: Callable[[Path], None], complaint: str
) -> None:
    check_refused(import_llava, exported, tmp_path, damage, complaint)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"mm_patch_merge_type": "flat"}, "mm_patch_merge_type is 'flat'"),
        ({"image_grid_pinpoints": "(1x1),...,(6x6)"}, "expected a list of widths and heights"),
        ({"image_aspect_ratio": "highres"}, "image_aspect_ratio is 'highres'"),
        ({"mm_projector_type": "resampler"}, "mm_projector_type is 'resampler'"),
        (None, "lacks the tensor image_newline"),
    ],
)
def test_an_original_that_cannot_be_read_is_one_sentence(
    folders: dict[str, str], tmp_path: Path, change: dict[str, Any] | None, complaint: str
) -> None:
    original(folders, tmp_path / "original", whole=False, tiled=True)
    if change is None:
        file = tmp_path / "original" / "mm_projector.bin"
        torch.save({n: t for n, t in torch.load(file, weights_only=True).items() if "newline" not in n}, file)
    else:
        file = tmp_path / "original" / "config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(InputError, match=complaint):
        import_original(tmp_path / "original", tmp_path / "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["original"]


class Code:
    """What unpickling would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("EXECUTED"),)


def test_code_in_a_pickle_is_refused_and_not_run(
    folders: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    original(folders, tmp_path / "original", whole=False)
    torch.save({"model.mm_projector.0.weight": Code()}, tmp_path / "original" / "mm_projector.bin")
    with pytest.raises(InputError, match="nothing in it was run"):
        import_original(tmp_path / "original", tmp_path / "ours")
    assert not (tmp_path / "EXECUTED").exists() and not (tmp_path / "ours").exists()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"connector": "linear"}, "the connector 'linear' is not the MLP"),
        ({"vision": None, "connector": None}, "no single vision transformer"),
        ({"connector": "anyres"}, "tiles and their connector go together"),
    ],
)
def test_what_transformers_cannot_express_is_refused(
    folders: dict[str, str], tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    model = VisionLanguageModel(ModelSpec.from_json(spec(folders, "llava").to_json() | change))
    with pytest.raises(InputError, match=complaint):
        export(model, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["vicuna_v1", "chatml", "minigpt4"])
def test_users_and_servers_get_the_ids_of_training_and_no_second_beginning(kind: str, tiny_spec: dict, tmp_path: Path) -> None:
    """Template then processor, and the one call of `transformers serve`: neither passes `add_special_tokens=False`."""
    model = VisionLanguageModel(ModelSpec.from_json(tiny_spec | {"template": {"kind": kind, "system": "Be brief."}}))
    export(model, tmp_path / "hf")
    processor = hf.AutoProcessor.from_pretrained(tmp_path / "hf", backend="pil")
    for sample in samples()[:1]:
        asked = sample.prompt()
        trained_on = model.example(asked, model.renderer(), answer_next=True).rendered.ids
        picture = load_image(asked.media[0])
        content: list[dict[str, Any]] = [{"type": "image"}, {"type": "text", "text": "\nWhat is it?"}]
        messages = [{"role": "user", "content": content}]
        prompt = processor.apply_chat_template(messages, add_generation_prompt=True)
        two = processor(text=prompt, images=picture, return_tensors="pt")["input_ids"][0].tolist()
        content[0]["image"] = picture
        one = processor.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
        )["input_ids"][0].tolist()
        place = model.renderer().placeholder
        for ids in (one, two):
            assert [place if token == processor.image_token_id else token for token in ids] == trained_on
