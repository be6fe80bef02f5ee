"""Trainable parameters at ViT-B/16 shapes equal the published numbers; on the meta device, so that it costs no memory."""

from __future__ import annotations

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.build import build
from vistune.promptlearn.classes import Classes

PUBLISHED = {
    ("coop", ()): 8_192,
    ("cocoop", ()): 35_360,
    ("prograd", ()): 8_192,
    ("kgcoop", ()): 2_048,
    ("lasp", (("norms", False),)): 2_560,
    ("tcp", ()): 331_904,
    ("vpt", ()): 73_728,
    ("ivlp", ()): 30_720,
    ("maple", ()): 3_555_072,
    ("promptsrc", ()): 46_080,
    ("rpo", (("n_prompts", 4),)): 5_120,
    ("dept", ()): 11_779,
    ("mma", ()): 674_560,
    ("coprompt", ()): 3_817_216,
    ("promptkd", (("teacher_dim", 768),)): 1_013_760,
    ("mmrl", ()): 4_992_256,
    ("nlprompt", ()): 8_192,
    ("tac", ()): 733_440,
    ("protext", ()): 18_432,
    ("damvp", ()): 69_840,
    ("clip_lora", ()): 184_320,
    ("taskres", ()): 3 * 512,
    ("zero_shot", ()): 0,
}


def words(text):
    return [320 + len(word) for word in text.split()]


@pytest.fixture(scope="module")
def base():
    with torch.device("meta"):
        config = CLIPConfig(vision_config={"patch_size": 16}, projection_dim=512)
        return DualEncoder(CLIPModel(config), words, identity="ViT-B/16")


@pytest.mark.parametrize(("name", "arguments"), PUBLISHED)
def test_trainable_parameters_are_the_published_number(base, name, arguments):
    with torch.device("meta"):
        method = build(name, base, Classes(("a", "b", "c")), dict(arguments))
    assert method.trainable() == PUBLISHED[name, arguments]


def test_textrefiner_counts_with_four_context_vectors(base):
    from vistune.promptlearn.methods.coop import Coop
    from vistune.promptlearn.methods.textrefiner import Textrefiner

    with torch.device("meta"):
        method = Textrefiner(base, Coop(base, Classes(("a",)), n_ctx=4))
    assert method.trainable() == 1_052_672
