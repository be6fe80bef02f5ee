"""What all tests share: tiny backbones in real Hugging Face directories, and the folder of shared material."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from collected import COLLECTED
from headless import Browser, chromium

ROOT = Path(__file__).parent.parent
WORDS = [
    "What is in the picture?",
    "A red bus.",
    "USER: ASSISTANT: Two cats on a mat.",
    "Where is the blue seven?",
    "yes no one two",
]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Before markers leave tests out."""
    config.stash[COLLECTED] = {item.path for item in items}


@pytest.fixture(scope="session")
def shared() -> Path:
    """Material that is not part of the project; tests that compare with it skip where it is absent."""
    folder = Path(os.environ.get("VISTUNE_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs shared material at {folder} (set VISTUNE_SHARED)")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with chromium() as made:
        yield made


@pytest.fixture(scope="session")
def tiny_language(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random two-layer Llama of width 32 with a byte-level tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from vistune.pretrain.tokenizer import train_bpe

    folder = tmp_path_factory.mktemp("language")
    special = ["<pad>", "<s>", "</s>"]
    tokenizer = train_bpe(WORDS * 5, 300, special, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A random two-layer CLIP vision tower of width 32 for 32-pixel pictures in patches of 8: 16 tokens."""
    import torch
    from transformers import CLIPImageProcessorPil, CLIPVisionConfig, CLIPVisionModel

    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(1)
    config = CLIPVisionConfig(
        hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4, image_size=32, patch_size=8
    )
    CLIPVisionModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="session")
def tiny_spec(tiny_language: str, tiny_clip: str) -> dict[str, object]:
    """A LLaVA of those two, as plain JSON."""
    return {
        "llm": tiny_language,
        "vision": {"kind": "huggingface", "path": tiny_clip},
        "connector": {"kind": "mlp", "depth": 2},
        "template": {"kind": "vicuna_v1", "system": ""},
        "codec": {"kind": "location_tokens", "bins": 8},
        "max_length": 256,
    }
