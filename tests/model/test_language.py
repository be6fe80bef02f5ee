"""Every family of decoders behind the one wrapper: packed rows equal single prompts, and generation equals transformers'."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers as hf
from families import DECODERS, IDS, decoder

from vistune.errors import InputError
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs

LENGTHS = (9, 5, 9, 12)


@pytest.fixture(scope="module", params=DECODERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return decoder(request.param, tmp_path_factory.mktemp(request.param))


def prompts(vocabulary: int) -> list[torch.Tensor]:
    torch.manual_seed(2)
    return [torch.randint(3, vocabulary, (length,)) for length in LENGTHS]


def packed(model: LanguageModel, ids: list[torch.Tensor]) -> Inputs:
    return Inputs(model.embed(torch.cat(ids)), torch.cat([torch.arange(length) for length in LENGTHS]), LENGTHS)


def test_a_packed_row_gives_the_logits_of_single_prompts(folder: str) -> None:
    reference = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    model = LanguageModel(folder).eval()
    ids = prompts(len(model.tokenizer))
    with torch.no_grad():
        expected = torch.cat([reference(row[None]).logits[0] for row in ids])
        got = model.logits(model(packed(model, ids)))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)


def test_every_weight_learns_from_a_packed_row(folder: str) -> None:
    model = LanguageModel(folder)
    ids = prompts(len(model.tokenizer))
    model.loss_sum(model(packed(model, ids)), torch.cat(ids)).backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    assert len(model.blocks) == 2


def test_padded_prompts_are_continued_as_single_ones_are(folder: str) -> None:
    reference = hf.AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    model = LanguageModel(folder).eval()
    ids = prompts(len(model.tokenizer))
    texts = model.generate(packed(model, ids), 5)
    for text, row in zip(texts, ids, strict=True):
        arguments = {"do_sample": False, "attention_mask": torch.ones_like(row[None]), **IDS}
        whole = reference.generate(row[None], max_new_tokens=5, **arguments)
        expected = model.tokenizer.decode(whole[0, len(row) :].tolist()).split("</s>")[0].strip()
        assert text == expected


def test_a_vision_language_model_is_no_language_model(tmp_path: Path) -> None:
    hf.LlavaConfig().save_pretrained(tmp_path)
    with pytest.raises(InputError, match="a whole vision-language model: `vistune import` it"):
        LanguageModel(str(tmp_path))


def test_a_family_that_cannot_be_packed_is_refused(tmp_path: Path) -> None:
    hf.BloomConfig(hidden_size=16, n_layer=1, n_head=2, vocab_size=10).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="bloom"):
        LanguageModel(str(tmp_path), load_weights=False)
