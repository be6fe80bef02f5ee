from __future__ import annotations

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from tests.promptlearn.golden import NAMES, Case
from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.engine import Engine, ensemble
from vistune.promptlearn.pictures.images import Images


@pytest.mark.parametrize("make", [Engine, Engine.plain])
def test_zero_shot_equals_the_recording(clip, make):
    case = Case("clip_zero_shot")
    engine = make(clip)
    pixels = case.images.pixels.clone().requires_grad_()
    image = engine.image(Images(pixels)).features
    text = engine.text(Classes(NAMES, "a photo of a {}.")).features
    case.same("out", image, "image_features")
    case.same("out", text, "text_features")
    logits = clip.logits(image, text)
    case.same("out", logits, "logits_per_image")
    case.same("out", logits.T, "logits_per_text")
    loss = torch.nn.functional.cross_entropy(logits, case.labels)
    case.same("loss", loss, "cross_entropy")
    loss.backward()
    case.same("grad", pixels.grad, "image")


def test_inner_states_equal_the_recording(clip):
    case = Case("clip_zero_shot")
    engine = Engine(clip)
    case.same("out", engine._below(case.images.pixels, 0), "image_tokens_in")
    for block in range(4):
        case.same("out", engine._below(case.images.pixels, block + 1)[:, 0], f"image_cls_block{block}")
    case.same("out", engine._below(case.images.pixels, 4), "image_tokens_out")


def test_template_ensemble_equals_the_recording(clip):
    case = Case("clip_template_ensemble")
    engine = Engine(clip)
    templates = case.settings["templates"]
    text = ensemble(engine.frozen_templates(Classes(NAMES), templates))
    image = engine.image(case.images).features
    case.same("out", text, "text_features")
    case.same("out", clip.logits(image, text), "logits")
    single = unit(engine.frozen_text(Classes(NAMES, templates[-1]).texts()))
    case.same("out", single, "text_features_single")
    case.same("out", clip.logits(image, single), "logits_single")


def test_unrolled_tower_equals_transformers_forward():
    config = CLIPConfig(
        text_config={"hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
                     "vocab_size": 40, "bos_token_id": 38, "eos_token_id": 39, "max_position_embeddings": 16},
        vision_config={"hidden_size": 36, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3,
                       "image_size": 16, "patch_size": 8},
        projection_dim=20,
    )  # fmt: skip
    model = CLIPModel(config).eval()
    clip = DualEncoder(model, lambda text: [ord(letter) - 97 for letter in text if letter != " "])
    pixels = torch.randn(2, 3, 16, 16)
    engine = Engine(clip)
    torch.testing.assert_close(engine.image(Images(pixels)).features, model.get_image_features(pixels).pooler_output)
    ids = torch.tensor([[38, 0, 1, 39, 0, 0], [38, 2, 1, 0, 5, 39]])
    expected = model.get_text_features(ids).pooler_output
    torch.testing.assert_close(engine.frozen_text(("ab", "cbaf")), expected)


def test_a_text_too_long_is_one_sentence(clip):
    with pytest.raises(InputError, match=r"class 'a photo of a cat.*' makes a text of \d+ tokens: .* reads at most 77"):
        Engine(clip).text(Classes(("cat " * 80,)))


def test_another_model_family_is_one_sentence():
    from transformers import BertConfig, BertModel

    model = BertModel(BertConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, vocab_size=10))
    with pytest.raises(InputError, match="is a bert model: prompt learning needs a CLIP or SigLIP dual encoder"):
        DualEncoder(model, lambda text: [])


def test_a_state_dict_file_is_read_and_a_broken_one_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    from tests.promptlearn.golden import FOLDER
    from tests.promptlearn.tiny import write_clip
    from vistune.promptlearn.towers.openai_weights import load_openai

    weights = {name: value.float() for name, value in load_file(FOLDER / "clip_tiny.safetensors").items()}
    del weights["token_embedding.ids"]
    weights["token_embedding.weight"] = torch.cat([weights.pop("token_embedding.rows"), torch.zeros(10, 64)])
    save_file(weights, tmp_path / "clip.safetensors")
    torch.save({"state_dict": {f"module.{name}": value for name, value in weights.items()}}, tmp_path / "clip.pt")
    words = str(write_clip(tmp_path))
    for name in ("clip.safetensors", "clip.pt"):
        clip = load_openai(tmp_path / name, words)
        assert (len(clip.text.blocks), clip.vision.width, clip.image_size, clip.embed_dim) == (4, 96, 32, 64)
        assert Engine(clip).frozen_text(("a small red circle",)).isfinite().all()
    (tmp_path / "clip.pt").write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"clip.pt with tokenizer .* is no CLIP state dict"):
        load_openai(tmp_path / "clip.pt", words)
    del weights["visual.class_embedding"]
    save_file(weights, tmp_path / "resnet.safetensors")
    with pytest.raises(InputError, match="holds no vision transformer"):
        load_openai(tmp_path / "resnet.safetensors", words)
    weights["visual.class_embedding"] = torch.zeros(96)
    weights["visual.extra"] = torch.zeros(1)
    save_file(weights, tmp_path / "odd.safetensors")
    with pytest.raises(InputError, match=r"key 'visual.extra' belongs to no CLIP vision transformer"):
        load_openai(tmp_path / "odd.safetensors", words)
