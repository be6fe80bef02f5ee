"""A demonstration shows as many questions as its task asks for, and none of them is a stand-in."""

from __future__ import annotations

import re

import pytest

from vistune.construction.pipelines.svit import PIPELINE

ASKED = {"conversation": 15, "reasoning": 15, "referring": 10, "detail": 1}


@pytest.mark.parametrize("prompt", PIPELINE.prompts, ids=lambda prompt: prompt.name)
def test_as_much_is_shown_as_is_asked_for(prompt) -> None:
    shown, items = prompt.shot
    written = prompt.format.write(items)
    assert "thing number" not in written and len(items) == ASKED[prompt.name]
    texts = [part for item in items for pair in item.pairs for part in pair]
    assert len(set(texts)) >= len(texts) - len(items) // 2, "the same words again and again"
    if prompt.name == "detail":
        assert written.count("\n\n") >= 2  # several paragraphs
    if prompt.name == "referring":
        boxes = set(re.findall(r"\[[\d.,]+\]", written))
        assert boxes and boxes <= set(re.findall(r"\[[\d.,]+\]", shown))
