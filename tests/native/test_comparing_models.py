"""Models of transformers that write nothing: ALIGN, BLIP's retrieval model, CLIP and SigLIP compare, VisualBERT chooses."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
import yaml
from native_families import NAMED, SQUARE, tokenizer_of
from PIL import Image
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.model.answering.dual_answerer import DualAnswerer
from vistune.model.answering.dual_features import DualEncoder
from vistune.model.answering.whole import open_whole
from vistune.model.native.spec import NativeSpec
from vistune.model.native.visual_bert import VisualBertAnswerer
from vistune.sample import Media, MediaRef, Sample, Text, Turn

TEXT = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
EYE = TEXT | {"image_size": 32, "patch_size": 8}
BLIP = {"projection_dim": 16, "encoder_hidden_size": 32, "pad_token_id": 0, "bos_token_id": 1, "sep_token_id": 2}


def align(words: int) -> Any:
    vision = {"image_size": 32, "width_coefficient": 0.2, "depth_coefficient": 0.1, "hidden_dim": 32}
    return hf.AlignModel(
        hf.AlignConfig(
            text_config=TEXT | {"vocab_size": words, "max_position_embeddings": 64}, vision_config=vision, projection_dim=64
        )
    )


def siglip(words: int) -> Any:
    text = TEXT | {"vocab_size": words, "max_position_embeddings": 16, "projection_size": 32}
    return hf.SiglipModel(hf.SiglipConfig(text_config=text, vision_config=EYE))


def clip(words: int) -> Any:
    text = TEXT | {"vocab_size": words, "max_position_embeddings": 32, "bos_token_id": 1, "eos_token_id": 2}
    return hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config=EYE, projection_dim=16))


def blip_retrieval(words: int) -> Any:
    text = TEXT | BLIP | {"vocab_size": words, "max_position_embeddings": 64, "is_decoder": False}
    return hf.BlipForImageTextRetrieval(
        hf.BlipConfig(
            text_config=text, vision_config=EYE, image_text_hidden_size=16, architectures=["BlipForImageTextRetrieval"]
        )
    )


def visual_bert(words: int) -> Any:
    return hf.VisualBertForQuestionAnswering(
        hf.VisualBertConfig(**TEXT, vocab_size=words, visual_embedding_dim=32, num_labels=3, max_position_embeddings=64)
    )


MODELS: dict[str, tuple[Callable[[int], Any], Any]] = {
    "align": (align, lambda: hf.EfficientNetImageProcessorPil(size=SQUARE, include_top=False)),
    "siglip": (siglip, lambda: hf.SiglipImageProcessorPil(size=SQUARE)),
    "clip": (clip, lambda: hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=SQUARE)),
    "blip_retrieval": (blip_retrieval, lambda: hf.BlipImageProcessorPil(size=SQUARE)),
    "visual_bert": (visual_bert, None),
}
DUAL = [name for name in MODELS if name != "visual_bert"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The directory of a tiny model."""
    folder = tmp_path_factory.mktemp("compared")

    @cache
    def made(name: str) -> str:
        torch.manual_seed(0)
        tokenizer, (build, pictures) = tokenizer_of(NAMED), MODELS[name]
        model = build(len(tokenizer))
        for parameter in model.parameters():  # random enough that texts and pictures differ
            torch.nn.init.normal_(parameter, std=0.3) if parameter.dim() > 1 else None
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        if pictures is not None:
            pictures().save_pretrained(folder / name)
        return str(folder / name)

    return made


def picture(number: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 32, 3), dtype=np.uint8))


def sample(number: int, *choices: str) -> Sample:
    turns = (Turn("user", (MediaRef(0), Text("\nWhat is it?"))),)
    return Sample(f"s{number}", (Media("image", data=np.asarray(picture(number))),), turns, choices=choices)


@pytest.mark.parametrize("name", DUAL)
def test_features_are_those_of_the_model_called_by_hand(name: str, compared: Callable[[str], str]) -> None:
    folder, texts = compared(name), ["A red bus.", "two cats in the picture"]
    encoder, tokenizer = DualEncoder(folder), hf.AutoTokenizer.from_pretrained(folder)
    pixels = MODELS[name][1]()([picture(1)], return_tensors="pt")["pixel_values"]
    if name == "blip_retrieval":
        model = hf.BlipForImageTextRetrieval.from_pretrained(folder).eval()
        told = tokenizer(texts[0], return_tensors="pt")
        wanted = float(model(told["input_ids"], pixels, use_itm_head=False, attention_mask=told["attention_mask"]).itm_score)
    else:
        model = hf.AutoModel.from_pretrained(folder).eval()
        longest = {"padding": "max_length", "max_length": 16, "padding_side": "right"} if name == "siglip" else {}
        told = tokenizer(texts[0], return_tensors="pt", **longest)
        mask = {} if name == "siglip" else {"attention_mask": told["attention_mask"]}
        found = model(input_ids=told["input_ids"], pixel_values=pixels, **mask)
        wanted = float((found.image_embeds * found.text_embeds).sum())
    seen, said = encoder.media([Media("image", data=np.asarray(picture(1)))]), encoder.captions(texts)
    cosine = float(seen[0] @ said[0] / np.linalg.norm(seen[0]) / np.linalg.norm(said[0]))
    assert cosine == pytest.approx(wanted, abs=1e-5)
    # A caption's features do not depend on the captions beside it.
    assert encoder.captions(texts[:1])[0] == pytest.approx(said[0], abs=1e-5)


def test_the_fitting_choice_or_class_is_found(compared: Callable[[str], str]) -> None:
    model = open_whole(NativeSpec(native=compared("align"), prompt="{}"))
    assert isinstance(model, DualAnswerer)
    names = ["A red bus", "two cats", "blue_seven", "no one"]
    scores = DualEncoder(compared("align")).captions([name.replace("_", " ") for name in names])
    seen = DualEncoder(compared("align")).media(sample(3).media)[0]
    best = int(np.argmax(scores @ seen / np.linalg.norm(scores, axis=1)))
    assert model.generate([sample(3, *names)]) == ["ABCD"[best]]
    with_classes = Sample("c", sample(3).media, sample(3).turns, meta={"classes": names})
    assert model.generate([with_classes]) == [names[best]]
    assert "blue seven" in model.rendered(with_classes)
    with pytest.raises(InputError, match="writes no answers"):
        model.generate([sample(3)])


@pytest.mark.parametrize("direction", ["image_to_text", "text_to_image"])
@pytest.mark.parametrize("name", ["align", "blip_retrieval"])
def test_retrieval_is_evaluated_by_the_command(
    name: str, direction: str, compared: Callable[[str], str], tmp_path: Path
) -> None:
    images = []
    (tmp_path / "data/flickr30k-images").mkdir(parents=True)
    for number in range(4):
        picture(number).save(tmp_path / f"data/flickr30k-images/{number}.jpg")
        told = [{"sentid": 2 * number + k, "raw": f"{['A red bus', 'two cats'][k]} {number}"} for k in range(2)]
        images.append(
            {"filename": f"{number}.jpg", "split": "test", "sentences": told, "sentids": [2 * number, 2 * number + 1]}
        )
    (tmp_path / "data/dataset_flickr30k.json").write_text(json.dumps({"images": images}))
    command = ["eval", compared(name), "--bench", f"flickr30k_retrieval={tmp_path / 'data'}", "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(app, [*command, "--set", f"direction={direction}"])
    assert ran.exit_code == 0, ran.output
    lines = [json.loads(line) for line in (tmp_path / "out/flickr30k_retrieval/predictions.jsonl").read_text().splitlines()]
    assert len(lines) == (4 if direction == "image_to_text" else 8)
    encoder = DualEncoder(compared(name))
    seen = encoder.pictures([tmp_path / f"data/flickr30k-images/{number}.jpg" for number in range(4)])
    said = encoder.captions([item["raw"] for image in images for item in image["sentences"]])
    alike = (seen / np.linalg.norm(seen, axis=1)[:, None]) @ (said / np.linalg.norm(said, axis=1)[:, None]).T
    for line, row in zip(lines, alike if direction == "image_to_text" else alike.T, strict=True):
        assert [int(one) for one in json.loads(line["answer"])] == np.argsort(-row, kind="stable").tolist()


def test_visual_bert_chooses_an_answer_from_features_of_regions(compared: Callable[[str], str], tmp_path: Path) -> None:
    folder = compared("visual_bert")
    picture(5).save(tmp_path / "photo.png")
    regions = np.random.default_rng(0).normal(size=(6, 32)).astype(np.float32)
    (tmp_path / "regions").mkdir()
    np.save(tmp_path / "regions/photo.npy", regions)
    (tmp_path / "answers.txt").write_text("yes\nno\ntwo\n")
    spec = {"native": folder, "answers": str(tmp_path / "answers.txt"), "pictures": {"features": str(tmp_path / "regions")}}
    (tmp_path / "model.yaml").write_text(yaml.safe_dump(spec))
    (tmp_path / "qa.json").write_text(
        json.dumps([{"image": "photo.png", "question": "What is in the picture?", "answer": "no"}])
    )
    asked = ["predict", f"native:{tmp_path / 'model.yaml'}", "--data", f"qa:{tmp_path / 'qa.json'}", "--out"]
    ran = CliRunner().invoke(app, [*asked, str(tmp_path / "out.jsonl")])
    assert ran.exit_code == 0, ran.output
    told = hf.AutoTokenizer.from_pretrained(folder)("What is in the picture?", return_tensors="pt")
    model = hf.VisualBertForQuestionAnswering.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(
            **{key: told[key] for key in ("input_ids", "attention_mask")},
            visual_embeds=torch.from_numpy(regions)[None],
            visual_attention_mask=torch.ones(1, 6),
            visual_token_type_ids=torch.ones(1, 6, dtype=torch.long),
        ).logits[0]
    (line,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert line["answer"] == ["yes", "no", "two"][int(logits.argmax())]


def test_visual_bert_reads_patches_of_a_tower(compared: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "answers.txt").write_text("yes\nno\ntwo\n")
    spec = NativeSpec(
        native=compared("visual_bert"), answers=str(tmp_path / "answers.txt"), pictures={"encoder": compared("clip")}
    )
    model = open_whole(spec)
    assert isinstance(model, VisualBertAnswerer) and model.generate([sample(1), sample(2)])[0] in ("yes", "no", "two")
    assert not torch.equal(model.scores(sample(1)), model.scores(sample(2))), "another picture, other scores"


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no names of answers": ({"pictures": {"features": "."}}, "chooses from 3 answers and does not name them"),
    "other answers": ({"answers": "two.txt"}, "has 2 answers, but .* chooses from 3"),
    "no regions": ({"answers": "three.txt"}, "reads features of regions"),
    "a folder that is not there": ({"answers": "three.txt", "pictures": {"features": "none"}}, "none does not exist"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_visual_bert_lacks_is_one_sentence(
    name: str, compared: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.txt").write_text("yes\nno\n")
    (tmp_path / "three.txt").write_text("yes\nno\ntwo\n")
    more, complaint = REFUSED[name]
    with pytest.raises(InputError, match=complaint):
        open_whole(NativeSpec(native=compared("visual_bert"), **more))


@pytest.mark.parametrize("name", ["align", "visual_bert", "blip_retrieval"])
def test_models_that_write_nothing_do_not_chat(name: str, compared: Callable[[str], str]) -> None:
    ran = CliRunner().invoke(app, ["chat", compared(name), "What?"])
    assert isinstance(ran.exception, InputError) and "writes no text" in str(ran.exception)


def test_a_tower_without_projections_is_refused_not_filled_at_random(compared: Callable[[str], str], tmp_path: Path) -> None:
    whole = hf.AlignModel.from_pretrained(compared("align"))
    kept = {name: tensor for name, tensor in whole.state_dict().items() if "text_projection" not in name}
    whole.save_pretrained(tmp_path, state_dict=kept)
    tokenizer_of(NAMED).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="lacks 2 tensors of a align"):
        DualEncoder(tmp_path)
