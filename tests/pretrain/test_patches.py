"""A scene told patch by patch: which object a place holds, and that its words and its box can be read off again."""

from __future__ import annotations

import pytest
import torch

from vistune.model.language.causal import LanguageModel
from vistune.pretrain.dense import owners
from vistune.pretrain.patches import GRID, NEAREST, PLACES, Patches
from vistune.sample import Sample
from vistune.world.instructions import conversation_sample

# The objects of training scene 3.
WORDS = (
    " red zero digit",
    " green nine digit",
    " red seven digit",
    " blue three digit",
    " cyan circle shape",
)


@pytest.fixture(scope="module")
def patches() -> Patches:
    return Patches(LanguageModel("builtin:language"))


def test_a_patch_belongs_to_the_box_that_covers_most_of_it() -> None:
    owner = owners([(0.0, 0.0, 0.25, 0.125), (0.23, 0.0, 0.5, 0.25)], GRID)
    assert owner[0].tolist() == [1, 1, 2, 2, 0, 0, 0, 0]
    assert owner[1].tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    assert not owner[2:].any()


def test_a_place_is_the_sum_of_its_words_and_its_box(patches: Patches) -> None:
    sample = conversation_sample(3, "train", 1)
    told = patches.tell(sample)
    owner = torch.from_numpy(owners([region.bounds() for region in sample.regions], GRID)).flatten()
    assert told.shape == (PLACES, patches.llm.width)
    for number, (region, words) in enumerate(zip(sample.regions, WORDS, strict=True), 1):
        wanted = patches.llm.embed(torch.tensor(patches.llm.tokenizer(words, add_special_tokens=False)["input_ids"])).sum(0)
        wanted = wanted + patches.edges(torch.tensor(region.bounds()))
        for place in torch.nonzero(owner == number).flatten():
            torch.testing.assert_close(told[place], wanted)


def test_a_box_is_read_off_along_four_directions(patches: Patches) -> None:
    middle = patches.edges(torch.full((4,), 0.5))
    torch.testing.assert_close(middle, torch.zeros_like(middle))
    box = torch.tensor([0.1, 0.3, 0.6, 0.8])
    alone = [patches.edges(torch.where(torch.arange(4) == edge, box, 0.5)) for edge in range(4)]
    torch.testing.assert_close(patches.edges(box), torch.stack(alone).sum(dim=0))
    gram = torch.stack(alone) @ torch.stack(alone).T
    torch.testing.assert_close(gram, gram.diag().diag(), atol=1e-5, rtol=0)
    lengths = gram.diag().sqrt()
    torch.testing.assert_close(lengths / lengths[0], box.logit().abs() / box[0].logit().abs())
    torch.testing.assert_close(patches.edges(torch.zeros(4)), patches.edges(torch.full((4,), NEAREST)))


def test_uncertainty_follows_its_generator(patches: Patches) -> None:
    sample: Sample = conversation_sample(3, "train", 1)
    first, again, other = (patches.tell(sample, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, patches.tell(sample))


def test_of_few_places_every_object_keeps_one(patches: Patches) -> None:
    sample = conversation_sample(3, "train", 1)
    whole = patches.tell(sample)
    kinds = torch.unique(whole, dim=0)
    for seed in range(5):
        few = patches.tell(sample, len(kinds), torch.Generator().manual_seed(seed))
        assert few.shape == (len(kinds), patches.llm.width)
    exact = patches.tell(sample, 12)
    assert all((row == exact).all(dim=1).any() for row in kinds[1:] if (row != whole[0]).any())
