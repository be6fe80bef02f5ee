"""What the same tensor is called here, in `transformers`' LLaVA directories of all ages, and in the original LLaVA's.

    here                              written (what vLLM, SGLang and every transformers read)
    llm.model.model.layers.0...       language_model.model.layers.0...
    llm.model.lm_head.weight          language_model.lm_head.weight
    vision.model.encoder...           vision_tower.vision_model.encoder...    (CLIP and SigLIP; other towers: vision_tower....)
    connector.layers.0.weight         multi_modal_projector.linear_1.weight
    connector.newline                 image_newline                           (LLaVA-1.6)

With tiles, `vision` and `connector` are wrapped: their inner parts' names begin with `vision.inner.` and `connector.inner.`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vistune.errors import InputError

# (pattern, replacement) from any foreign name to ours, the first match counts; V and C stand for the (inner) part.
_READ = [
    (r"(?:model\.)?language_model\.lm_head\.", "llm.model.lm_head."),
    (r"model\.language_model\.(?!model\.)", "llm.model.model."),
    (r"(?:model\.)?language_model\.model\.", "llm.model.model."),
    (r"lm_head\.", "llm.model.lm_head."),
    (r"(?:model\.)?vision_tower\.(?:vision_tower\.)?(?:vision_model\.)?", "V.model."),
    (r"(?:model\.)?multi_modal_projector\.linear_1\.", "C.layers.0."),
    (r"(?:model\.)?multi_modal_projector\.linear_2\.", "C.layers.2."),
    (r"(?:model\.)?mm_projector\.(?=\d)", "C.layers."),
    (r"(?:model\.)?mm_projector\.", "C.proj."),
    (r"(?:model\.)?image_newline$", "connector.newline"),
    (r"model\.(?=layers\.|embed_tokens\.|norm\.)", "llm.model.model."),
]
_BUFFERS = re.compile(r"(?:embeddings\.position_ids|rotary_emb\.inv_freq)$")  # saved by old versions, computed by all


def to_ours(name: str, tiled: bool) -> str | None:
    """Our name of a foreign tensor, None for a buffer nobody stores any more. Raises `InputError` for an unknown name."""
    if _BUFFERS.search(name):
        return None
    for pattern, replacement in _READ:
        found = re.match(pattern, name)
        if found:
            # With tiles, tower and projector stand inside the parts that cut and join them.
            inner = ".inner." if tiled else "."
            replacement = replacement.replace("V.", "vision" + inner).replace("C.", "connector" + inner)
            return replacement + name[found.end() :]
    raise InputError(f"the tensor {name!r} belongs to no part of a LLaVA")


def from_ours(names: Iterable[str], vision_prefix: str) -> dict[str, str]:
    """Our names -> the written ones; `vision_prefix` is `vision_model.` for towers that are stored with it."""
    renamed = {}
    for name in names:
        plain = name.replace(".inner.", ".", 1) if name.startswith(("vision.inner.", "connector.inner.")) else name
        renamed[name] = (
            plain.replace("llm.model.", "language_model.", 1)
            .replace("vision.model.", f"vision_tower.{vision_prefix}", 1)
            .replace("connector.layers.0.", "multi_modal_projector.linear_1.", 1)
            .replace("connector.layers.2.", "multi_modal_projector.linear_2.", 1)
            .replace("connector.newline", "image_newline", 1)
        )
    return renamed
