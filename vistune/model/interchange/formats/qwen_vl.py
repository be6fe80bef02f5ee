"""Qwen-VL (arXiv 2308.12966): its tower and the resampler behind it, as its remote code calls them under `visual.`."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from vistune.model.interchange.formats.keymap import KeyMap, Of


def _by_head(heads: int) -> Callable[[Tensor], Tensor]:
    """Rows packed head by head, each with its query, key and value -> all queries, all keys, all values."""

    def turned(packed: Tensor) -> Tensor:
        blocks: Tensor = packed.unflatten(0, (heads, 3, -1)).transpose(0, 1).flatten(0, 2)
        return blocks

    return turned


def tower(heads: int) -> KeyMap:
    """`encoders.qwen_vl` -> `VisionTransformer`."""
    block = "transformer.resblocks.{}."
    packed = {
        f"_blocks.{{}}.query_key_value.{kind}": Of((f"{block}attn.in_proj.{kind}",), _by_head(heads))
        for kind in ("weight", "bias")
    }
    return {
        "patches.": "conv1.",
        "positions": "positional_embedding",
        "norm.": "ln_pre.",
        "_blocks.{}.norm_attention.": f"{block}ln_1.",
        "_blocks.{}.norm_network.": f"{block}ln_2.",
        "_blocks.{}.out.": f"{block}attn.out_proj.",
        "_blocks.{}.network.0.": f"{block}mlp.c_fc.",
        "_blocks.{}.network.2.": f"{block}mlp.c_proj.",
        **packed,
    }


RESAMPLER: KeyMap = {
    "query": "attn_pool.query",
    "key_value.": "attn_pool.kv_proj.",
    "norm_query.": "attn_pool.ln_q.",
    "norm_key_value.": "attn_pool.ln_kv.",
    "attention.": "attn_pool.attn.",
    "norm.": "ln_post.",
    "proj": "proj",
}
"""`connectors.position_aware_resampler` -> `Resampler`, `ln_post` and `proj`. Its positions are computed."""
