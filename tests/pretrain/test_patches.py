"""A scene told patch by patch: which object a place holds, and that its words and its box can be read off again."""

from __future__ import annotations

import pytest
import torch

from vistune.model.language import LanguageModel
from vistune.pretrain.dense import owners
from vistune.pretrain.language import CODEC
from vistune.pretrain.patches import CORNERS, GRID, PLACES, Patches
from vistune.sample import Sample
from vistune.world.instructions import conversation_sample

# The objects of training scene 3.
WORDS = (
    " small red zero digit bottom left",
    " small green nine digit middle",
    " small red seven digit left",
    " small blue three digit middle",
    " small cyan circle shape top left",
)


@pytest.fixture(scope="module")
def patches() -> Patches:
    return Patches(LanguageModel("builtin:language"), CODEC)


def test_a_patch_belongs_to_the_box_that_covers_most_of_it() -> None:
    owner = owners([(0.0, 0.0, 0.25, 0.125), (0.23, 0.0, 0.5, 0.25)], GRID)
    assert owner[0].tolist() == [1, 1, 2, 2, 0, 0, 0, 0]
    assert owner[1].tolist() == [0, 0, 2, 2, 0, 0, 0, 0]
    assert not owner[2:].any()


def test_a_place_is_the_sum_of_its_words_and_of_its_boxs_numbers_each_turned(patches: Patches) -> None:
    sample = conversation_sample(3, "train", 1)
    told, width = patches.tell(sample), patches.llm.width
    owner = torch.from_numpy(owners([region.bounds() for region in sample.regions], GRID)).flatten()
    assert told.shape == (PLACES, width)
    for number, (region, words) in enumerate(zip(sample.regions, WORDS, strict=True), 1):
        wanted = patches.llm.embed(torch.tensor(patches.llm.tokenizer(words, add_special_tokens=False)["input_ids"])).sum(0)
        for corner, value in enumerate(region.bounds()):
            token = patches.llm.tokenizer.convert_tokens_to_ids(CODEC.number(value))
            wanted = wanted + patches.llm.embed(torch.tensor(token)).roll((corner + 1) * width // (CORNERS + 1))
        for place in torch.nonzero(owner == number).flatten():
            torch.testing.assert_close(told[place], wanted)


def test_uncertainty_follows_its_generator(patches: Patches) -> None:
    sample: Sample = conversation_sample(3, "train", 1)
    first, again, other = (patches.tell(sample, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    torch.testing.assert_close(first, again)
    assert not torch.allclose(first, other)
    assert not torch.allclose(first, patches.tell(sample))


def test_a_blurred_number_lies_between_its_neighbours(patches: Patches) -> None:
    rows = patches.llm.embed(torch.tensor(patches.llm.tokenizer.convert_tokens_to_ids(CODEC.tokens)))
    torch.testing.assert_close(patches._number(20 / 64, 0.0), rows[20])
    torch.testing.assert_close(patches._number(20.5 / 64, 0.25 / 64), rows[20:22].mean(dim=0), atol=0.02, rtol=0)


def test_of_few_places_every_object_keeps_one(patches: Patches) -> None:
    sample = conversation_sample(3, "train", 1)
    whole = patches.tell(sample)
    kinds = torch.unique(whole, dim=0)
    for seed in range(5):
        few = patches.tell(sample, len(kinds), torch.Generator().manual_seed(seed))
        assert few.shape == (len(kinds), patches.llm.width)
    exact = patches.tell(sample, 12)
    assert all((row == exact).all(dim=1).any() for row in kinds[1:] if (row != whole[0]).any())
