"""A part that does not keep its promise is named, with the sample, before shapes that do not fit are met."""

from __future__ import annotations

from typing import Any

import pytest
import small_parts
import torch
from test_modalities import model_of, sample_of, spec_of
from torch import Tensor

from vistune.errors import InputError
from vistune.model.features import Features
from vistune.model.packing import pack
from vistune.model.vlm import VisionLanguageModel
from vistune.trust import trusting


def refused(model: VisionLanguageModel) -> str:
    batch = pack([model.example(sample_of(number, kinds), model.renderer()) for number, kinds in ((3, "i"), (4, "iap"))])
    with pytest.raises(InputError) as caught:
        model(batch)
    return str(caught.value)


@pytest.fixture
def model(tiny_spec: dict[str, Any]) -> VisionLanguageModel:
    with trusting(["small_parts"]):
        return model_of(spec_of(tiny_spec, "Dreams"))


def test_an_encoder_that_gives_too_few(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    forward = small_parts.Levels.forward
    monkeypatch.setattr(small_parts.Levels, "forward", lambda self, x: Features(forward(self, x).x[:, 1:]))
    said = refused(model)
    assert "the part 'ear' (Levels) gives 5 tokens where its layout promises 6" in said and "in sample '4'" in said


def test_a_connector_that_promises_too_many(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(model.parts["ear_mlp"]), "num_tokens", lambda self, n, grid: n + 1)
    said = refused(model)
    assert "the part 'connector' (Mlp) gives 16 tokens where its num_tokens promises 17" in said and "in sample '3'" in said


def test_a_connector_whose_join_keeps_not_to_its_layout(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def join(self: object, tokens: Tensor, layout: object) -> Tensor:
        return tokens[:, ::2]

    monkeypatch.setattr(type(model.parts["cloud_mlp"]), "join", join)
    assert "the part 'cloud_mlp' (Linear) gives 3 tokens where its layout_after promises 5" in refused(model)


def test_a_region_encoder(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_parts.BoxMean, "num_tokens", lambda self: 2)
    said = refused(model)
    assert "the part 'roi' gives 1 tokens, which take 1 places, for box 1 of the row, in sample '3'" in said
    assert "2 places were promised" in said


def test_a_head_that_fills_other_places_than_it_wrote(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_parts.Dreams, "fill", lambda self, count: torch.zeros(2, 32))
    assert "the head Dreams gives 2 tokens" in refused(model)


def test_an_error_that_is_no_miscount_stays_what_it_is(model: VisionLanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, inputs: Tensor) -> Features:
        raise RuntimeError("out of memory")

    batch = pack([model.example(sample_of(1, "ia"), model.renderer())])
    monkeypatch.setattr(small_parts.Levels, "forward", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        model(batch)
