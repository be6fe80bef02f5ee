"""QLoRA (arXiv 2305.14314): a frozen language model in four bits, through `bitsandbytes`; adapters beside it stay whole.

model: {llm: {path: ..., quantize: nf4}, adapt: {llm: {kind: lora}}}
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import torch
from transformers import BitsAndBytesConfig

from vistune.errors import InputError, MissingExtraError

FourBit: TypeAlias = Literal["nf4", "fp4"]


def four_bit(kind: FourBit | None) -> dict[str, Any]:
    """What `from_pretrained` is told: nothing for None. Blocks' constants are quantised, too; products are taken in bf16.

    Raises `MissingExtraError` without `bitsandbytes`.
    """
    if kind is None:
        return {}
    if kind not in ("nf4", "fp4"):
        raise InputError(f"model.llm.quantize is {kind!r}, expected nf4 or fp4")
    try:
        import bitsandbytes  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("bitsandbytes", "qlora", "model.llm.quantize") from error
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type=kind,
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    return {"quantization_config": config}
