"""Rows filled to a budget: never over it, every sample once, and the gradient of a step does not depend on its rows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.model.features import Layout, Prepared, Thing
from vistune.model.packing import Example, pack
from vistune.model.packing_budget import rows
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.prompt.render import Rendered
from vistune.recipe import Stage
from vistune.training.steps.work import Work, work_of_steps

FUSIONS: dict[str, dict[str, Any]] = {
    "splice": {"fusion": "splice"},
    "gated_cross_attention": {
        "fusion": {"kind": "gated_cross_attention", "every": 2, "heads": 2, "head_width": 8},
        "connector": {"kind": "position_aware_resampler", "queries": 9, "heads": 4},
    },
    "modality_adaptive": {"fusion": "modality_adaptive"},
    "visual_experts": {"fusion": "visual_experts"},
}


def example(number: int, tokens: int, images: int) -> Example:
    shown = [Thing(Prepared(torch.zeros(images, 3, 2, 2), layout=Layout(1, inputs=images)))] if images else []
    return Example(str(number), Rendered([1] * tokens, [1] * tokens, {}), {"image": shown})


@pytest.mark.parametrize("seed", range(20))
def test_no_row_exceeds_the_budget_and_every_sample_is_in_one(seed: int) -> None:
    draw = random.Random(seed)
    examples = [example(number, draw.randint(1, 100), draw.randint(0, 4)) for number in range(draw.randint(1, 60))]
    made = rows(examples, 100, 6)
    assert sorted(int(item.id) for row in made for item in row) == list(range(len(examples)))
    for row in made:
        assert sum(len(item.rendered) for item in row) <= 100
        assert sum(len(medium.inputs) for item in row for medium in item.media) <= 6
    assert made == rows(examples, 100, 6)


def test_longest_first_each_into_the_fullest_row_with_room() -> None:
    made = rows([example(place, length, 0) for place, length in enumerate((90, 40, 30, 70, 20))], 100, None)
    assert [[len(item.rendered) for item in row] for row in made] == [[90], [30, 70], [40, 20]]


def test_a_sample_larger_than_the_budget_is_named() -> None:
    with pytest.raises(InputError, match="sample '7' takes 101 tokens, but max_tokens is 100"):
        rows([example(7, 101, 0)], 100, None)
    with pytest.raises(InputError, match="sample '7' takes 5 images, but max_images is 4"):
        rows([example(7, 10, 5)], None, 4)


def test_a_count_and_a_budget_together_are_refused() -> None:
    with pytest.raises(InputError, match="give either micro"):
        Stage(name="s", train={"llm": 1e-3}, data="world:", micro=2, max_tokens=100)


@pytest.fixture(scope="module", params=sorted(FUSIONS))
def model(request: pytest.FixtureRequest, tiny_spec: dict[str, Any]) -> VisionLanguageModel:
    torch.manual_seed(0)
    made = VisionLanguageModel(ModelSpec.from_json(tiny_spec | FUSIONS[request.param]))
    for parameter in made.fusion.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return made


def steps(model: VisionLanguageModel, first: int = 0, **how: Any) -> Iterator[Work]:
    stage = Stage(name="s", train={"llm": 1e-3}, data="world:", batch=10, **how)
    return work_of_steps(model, read("world:?task=instructions&size=25"), stage, 3, first, 3)


def gradient(model: VisionLanguageModel, work: Work) -> tuple[Tensor, float]:
    model.zero_grad(set_to_none=True)
    loss = torch.zeros(())
    for batch in work.batches:
        part = model(batch)["text"].sum / work.supervised
        part.backward()
        loss += part.detach()
    flat = [parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]
    return torch.cat(flat).double(), float(loss)


def test_a_steps_gradient_does_not_depend_on_how_it_is_packed(model: VisionLanguageModel) -> None:
    alone, packed = next(steps(model, micro=1)), next(steps(model, max_tokens=512, max_images=4))
    assert len(alone.batches) == 10 > len(packed.batches) > 1
    assert all(len(batch.ids) <= 512 and len(batch.media) <= 4 for batch in packed.batches)
    assert sorted(name for batch in packed.batches for name in batch.names) == sorted(batch.names[0] for batch in alone.batches)
    (one, loss), (other, same) = gradient(model, alone), gradient(model, packed)
    assert torch.nn.functional.cosine_similarity(one, other, dim=0) >= 0.99999
    assert loss == pytest.approx(same, rel=1e-5)


def test_packed_logits_are_those_of_samples_alone(model: VisionLanguageModel) -> None:
    data = read("world:?task=instructions&size=25")
    examples = [model.example(data[index], model.renderer()) for index in range(3)]
    with torch.no_grad():
        together = pack(examples)
        packed = model.llm.logits(model.hidden(together)).split(together.lengths)
        for item, logits in zip(examples, packed, strict=True):
            alone = model.llm.logits(model.hidden(pack([item])))
            assert (logits - alone).abs().max() <= 1e-5 * max(1.0, float(alone.abs().max()))


def test_another_first_sample_leaves_the_second_to_the_bit(model: VisionLanguageModel) -> None:
    """The first keeps its length: only then are the second's numbers computed in the same order."""
    data = read("world:?task=captions&size=25")
    first, second = (model.example(data[index], model.renderer()) for index in (0, 1))
    changed = Example(first.id, Rendered(first.rendered.ids[::-1], first.rendered.labels, first.rendered.slots), first.things)
    with torch.no_grad():
        before, after = (model.hidden(pack([start, second])) for start in (first, changed))
    length = len(first.rendered)
    assert torch.equal(before[length:], after[length:]) and not torch.equal(before[:length], after[:length])


def test_resuming_gives_the_same_rows(model: VisionLanguageModel) -> None:
    whole = list(steps(model, max_tokens=512))
    assert len(whole) == 3
    for left, right in zip(whole[1:], steps(model, first=1, max_tokens=512), strict=True):
        assert [batch.names for batch in left.batches] == [batch.names for batch in right.batches]


def test_what_a_sample_asks_for_is_told_without_decoding_it(model: VisionLanguageModel) -> None:
    """Processes share a step by it, so that it must be what preparing gives."""
    renderer = model.renderer_of(None)
    for sample in list(read("world:?task=instructions&size=25")):
        extent, example = model.extent(sample, renderer), model.example(sample, renderer)
        layouts = [medium.layout for medium in example.media]
        assert extent.tokens == len(example.rendered)
        assert extent.taught == model.pack([example]).supervised
        assert extent.inputs == sum(layout.inputs for layout in layouts)
        assert sum(extent.seen.values()) == sum(layout.total for layout in layouts)
