"""Documents follow from seeds, answers are whole words; pretraining writes a directory that `transformers` loads."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistune.pretrain.language import documents, language_tokenizer


def test_documents_are_conversations_and_sheets_and_depend_on_the_seed_alone() -> None:
    first, again = list(documents(5, 12, facts=0.5, senses=0.0)), list(documents(5, 12, facts=0.5, senses=0.0))
    assert [sample.turns for sample in first] == [sample.turns for sample in again]
    assert {sample.meta["task"] for sample in first} == {"facts", "instructions"}
    assert all(turn.role == ("user", "assistant")[index % 2] for sample in first for index, turn in enumerate(sample.turns))


@pytest.mark.slow
def test_every_answer_is_spelt_in_whole_words() -> None:
    tokenizer = language_tokenizer()
    for word in ("yes", "no", "red", "seven", "owl", "above", "two"):
        assert len(tokenizer(f" {word}", add_special_tokens=False)["input_ids"]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("what", ["vision", "language"])
def test_a_stopped_run_ends_in_the_same_weights_and_loads(what: str, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModel

    from vistune.pretrain.language import pretrain_language
    from vistune.pretrain.vision import pretrain_vision

    teach = {"vision": pretrain_vision, "language": pretrain_language}[what]
    folder = {"vision": "clip", "language": "language"}[what]
    teach(tmp_path / "whole", steps=4, batch=2)
    teach(tmp_path / "cut", steps=4, batch=2, until=2)
    teach(tmp_path / "cut", steps=4, batch=2)
    whole, cut = (AutoModel.from_pretrained(tmp_path / name / folder).state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)
