"""On a processor, attention in bf16 is computed in fp32, also under autocast."""

from __future__ import annotations

import pytest
import torch

from vistune.model.language.attention import Scores


@pytest.mark.parametrize("softcap", [None, 30.0])
def test_bf16_is_fp32_rounded_once(softcap: float | None) -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 4, 33, 16).bfloat16() for _ in range(3))
    scores = Scores(None, 0.0, softcap)
    expected = scores.attend(query.float(), key.float(), value.float(), None).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = scores.attend(query, key, value, None)
    assert got.dtype is torch.bfloat16 and torch.equal(got, expected)
