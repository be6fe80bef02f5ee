"""A packed row in one kernel, as on a graphics processor, sees what sample by sample is seen."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from families import decoder
from torch import Tensor, nn
from torch.nn.attention.flex_attention import create_block_mask

from vistune.model.language import attention_gpu
from vistune.model.language.attention import attention
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs

LENGTHS = [(1,), (7, 3, 7, 1), (128, 128, 44), (5, 300, 127, 1, 140)]
WINDOWS = [None, 1, 4, 130]


def parts(lengths: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, heads, sum(lengths), 16) for heads in (4, 2, 2))
    return query, key, value


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("lengths", LENGTHS[:3])
def test_flex_is_sample_by_sample(lengths: tuple[int, ...], window: int | None, softcap: float | None) -> None:
    query, key, value = parts(lengths)
    settings = {"lengths": lengths, "sliding_window": window, "softcap": softcap, "scaling": 0.3}
    expected, _ = attention(nn.Identity(), query, key, value, None, **settings)
    seen = attention_gpu.flex(query, key, value, **settings).transpose(1, 2)
    assert (seen - expected).abs().max() <= 1e-5


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("lengths", LENGTHS)
def test_blocks_from_lengths_are_those_of_the_whole_mask(lengths: tuple[int, ...], window: int | None) -> None:
    """The kernel skips blocks by these numbers, which the uncompiled function does not read."""
    made = attention_gpu.block_mask(lengths, window, torch.device("cpu"))
    whole = create_block_mask(made.mask_mod, None, None, sum(lengths), sum(lengths), device="cpu")
    for mine, theirs in [("kv_num_blocks", "kv_indices"), ("full_kv_num_blocks", "full_kv_indices")]:
        counts = getattr(whole, mine)
        assert torch.equal(getattr(made, mine), counts)
        for row, count in enumerate(counts[0, 0].tolist()):
            assert torch.equal(getattr(made, theirs)[0, 0, row, :count], getattr(whole, theirs)[0, 0, row, :count])


@pytest.mark.parametrize("family", ["llama", "mistral", "gemma2"])
def test_logits_of_a_packed_row(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = LanguageModel(decoder(family, tmp_path))
    lengths = (9, 14, 9, 2)
    ids = torch.arange(sum(lengths)) * 7 % 290 + 3
    row = Inputs(model.embed(ids), torch.cat([torch.arange(length) for length in lengths]), lengths)
    with torch.no_grad():
        expected = model.logits(model(row))
        calls: list[int] = []
        monkeypatch.setattr(attention_gpu, "has_kernel", lambda query, dropout: calls.append(query.shape[2]) or True)
        monkeypatch.setattr(attention_gpu, "_compiled", lambda: attention_gpu.flex_attention)
        got = model.logits(model(row))
    assert calls == [sum(lengths)] * 2
    assert (got - expected).abs().max() <= 1e-5


def on_gpu(name: str) -> bool:
    return torch.cuda.is_available() and importlib.util.find_spec(name) is not None


@pytest.mark.gpu
@pytest.mark.parametrize("way", ["varlen", "flex"])
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("softcap", [None, 20.0])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_kernels_and_their_gradients(lengths: tuple[int, ...], softcap: float | None, window: int | None, way: str) -> None:
    if not on_gpu({"varlen": "flash_attn", "flex": "triton"}[way]):
        pytest.skip(f"{way} needs CUDA and {'flash_attn' if way == 'varlen' else 'triton'}")
    settings = {"lengths": lengths, "sliding_window": window, "softcap": softcap, "scaling": 0.3}
    leaves = [part.requires_grad_() for part in parts(lengths)]
    number = torch.bfloat16 if way == "varlen" else torch.float32
    moved = [part.to("cuda", number) for part in leaves]
    if way == "varlen":
        seen = attention_gpu.varlen(*moved, **settings)
    else:
        seen = attention_gpu.flex(*moved, **settings, function=attention_gpu._compiled())
    expected = attention(nn.Identity(), *leaves, None, **settings)[0].transpose(1, 2)
    for got, right in [(seen, expected), *zip(*(torch.autograd.grad(o.sum(), leaves) for o in (seen, expected)), strict=True)]:
        assert (got.cpu().float() - right).abs().max() <= 2e-2 * max(1.0, float(right.abs().max()))
