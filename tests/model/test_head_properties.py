"""What heads promise beyond the contract: one look at a picture, one box for one group, words that are read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from mechanisms import close
from tiny_heads import write_segmenter
from torch import Tensor

from vistune.errors import InputError
from vistune.model.features import Thing
from vistune.model.heads._boxes import from_centre, giou_each
from vistune.model.heads.alignment_token import contrast_each
from vistune.model.heads.box_regression import BoxRegression
from vistune.model.heads.caption_branches import CaptionBranches, captions_in
from vistune.model.heads.grid_codes import GridCodes
from vistune.model.heads.promptable_mask import PromptableMask
from vistune.model.heads.set_queries import SetQueries
from vistune.prompt.writer import Aside, Places, Trigger, Words
from vistune.sample import Media, MediaRef, Produce, Region, Sample, Text, Turn

PICTURE = Media("image", data=np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))


def masks(count: int) -> list[Region]:
    rng = np.random.default_rng(1)
    return [Region(mask=rng.random((40, 60)) > 0.5, label=f"thing {number}") for number in range(count)]


def answer(*parts: Any, choices: tuple[str, ...] = ()) -> Sample:
    turns = (Turn("user", (MediaRef(0), Text("What?"))), Turn("assistant", parts))
    return Sample("one", (PICTURE,), turns, choices=choices)


@pytest.fixture(scope="module")
def masker(tmp_path_factory: pytest.TempPathFactory) -> PromptableMask:
    folder = tmp_path_factory.mktemp("sam")
    write_segmenter(folder)
    return PromptableMask(8, str(folder), phrases=True).eval()


def test_a_picture_is_seen_once_for_all_its_masks(masker: PromptableMask, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    decoded: list[int] = []
    embed, cut = masker.segmenter.embed, masker.segmenter.masks
    monkeypatch.setattr(masker.segmenter, "embed", lambda pixels: (seen.append(len(pixels)), embed(pixels))[1])
    monkeypatch.setattr(
        masker.segmenter, "masks", lambda picture, prompts: (decoded.append(len(prompts)), cut(picture, prompts))[1]
    )
    one, other = masker.view(PICTURE), masker.view(Media("image", data=np.zeros((30, 30, 3), dtype=np.uint8)))
    things = [Thing(None, on=("image", place), view=view) for place, view in ((0, one), (1, other), (0, one), (0, one))]
    states = list(torch.randn(4, 1, 8))
    found = masker.decode(states, things, {})
    assert seen == [1, 1] and decoded == [3, 1]
    shapes = [region.mask.shape for region in found if isinstance(region, Region) and region.mask is not None]
    assert shapes == [(40, 60), (30, 30), (40, 60), (40, 60)]
    alone = masker.decode(states[2:3], things[2:3], {})[0]
    assert alone == found[2]


def test_masks_stand_behind_their_phrases(masker: PromptableMask) -> None:
    region = masks(1)[0]
    assert list(masker.write(region, answer(region))) == [Words("<p> thing 0 </p> "), Trigger("[SEG]")]
    assert list(masker.write(Region(mask=region.mask), answer(region))) == [Trigger("[SEG]")]


def test_a_mask_of_another_size_is_refused(masker: PromptableMask) -> None:
    region = Region(mask=np.ones((4, 5), dtype=bool))
    with pytest.raises(InputError, match="4 x 5 pixels, its picture 40 x 60"):
        masker.prepare(region, answer(region))


def test_the_masks_right_logits_lose_less(masker: PromptableMask, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = masks(2)
    sample, view = answer(*regions), masker.view(PICTURE)
    things = [Thing(masker.prepare(region, sample), on=("image", 0), view=view) for region in regions]

    def lost(sign: float) -> dict[str, float]:
        right = [sign * 20 * (2 * thing.ready.inputs[0].float() - 1) for thing in things]
        monkeypatch.setattr(masker, "logits", lambda hidden, given: right)
        return {name: float(loss.sum) for name, loss in masker.loss(list(torch.randn(2, 1, 8)), things, {}).items()}

    assert all(value < 1e-3 for value in lost(1).values())
    assert lost(-1)["mask_bce"] > 30 and lost(-1)["mask_dice"] > 1.9


def set_head() -> SetQueries:
    torch.manual_seed(0)
    return SetQueries(16, queries=6, classes=3, bins=8).eval()


BOXES = [Region(box=(0.1, 0.1, 0.3, 0.4), label="cat"), Region(box=(0.5, 0.6, 0.9, 0.9), label="dog")]


def test_only_the_first_box_of_an_answer_stands_for_the_set() -> None:
    head, sample = set_head(), answer(*BOXES, choices=("cat", "cup", "dog"))
    assert [list(head.write(box, sample)) for box in BOXES] == [[Words("<boxes>"), Places(30)], []]
    target = head.prepare(BOXES[0], sample)
    assert target.extra is not None and target.extra["classes"].tolist() == [0, 2]
    with pytest.raises(InputError, match="none of the first 3 of the sample's choices"):
        head.prepare(BOXES[0], answer(*BOXES, choices=("cat",)))


def test_the_order_of_boxes_changes_no_loss() -> None:
    head, states = set_head(), torch.randn(30, 16)
    one, two = (answer(*boxes, choices=("cat", "cup", "dog")) for boxes in (BOXES, BOXES[::-1]))
    first = head.loss([states], [Thing(head.prepare(BOXES[0], one))], {})
    second = head.loss([states], [Thing(head.prepare(BOXES[1], two))], {})
    for name in head.losses:
        close(first[name].sum, second[name].sum)


def test_steps_lead_from_anchors_to_boxes_and_back() -> None:
    head = set_head()
    boxes = torch.tensor([[0.1, 0.1, 0.3, 0.4], [0.0, 0.0, 1.0, 1.0]])
    steps = head.steps_of(boxes, head.centres[:2]) - head.bins
    close(head.centres[:2].repeat(1, 2) + steps / head.bins, boxes, 0.5 / head.bins)


def test_each_box_is_matched_to_the_nearest_group_of_its_class() -> None:
    head = set_head()
    boxes = torch.tensor([[0.5, 0.6, 0.9, 0.9], [0.1, 0.1, 0.3, 0.4], [0.1, 0.1, 0.3, 0.4]])
    classes = torch.tensor([[-5.0, -5, 5], [-5, 5, -5], [5, -5, -5]])
    rows, columns = head.match(classes, boxes, boxes[[1, 0]], torch.tensor([0, 2]))
    assert dict(zip(rows.tolist(), columns.tolist(), strict=True)) == {0: 1, 2: 0}


def test_boxes_agree_with_themselves_and_far_ones_are_pulled() -> None:
    box = from_centre(torch.tensor([[0.5, 0.5, 0.2, 0.4]]))
    close(box, torch.tensor([[0.4, 0.3, 0.6, 0.7]]))
    close(giou_each(box, box), torch.ones(1))
    near, far = torch.tensor([[0.6, 0.3, 0.8, 0.7]]), torch.tensor([[0.8, 0.3, 1.0, 0.7]])
    assert -1 < float(giou_each(box, far)) < float(giou_each(box, near)) <= 0


def test_a_regressed_box_is_inside_the_picture() -> None:
    torch.manual_seed(0)
    head = BoxRegression(8)
    made = head.decode(list(50 * torch.randn(5, 1, 8)), [Thing(None, on=("image", 1))] * 5, {})
    assert all(isinstance(region, Region) and region.media == 1 for region in made)


def test_each_region_is_to_find_its_own_label() -> None:
    right = contrast_each(20 * torch.eye(4))
    wrong = contrast_each(20 * torch.eye(4).flip(0))
    assert float(right.max()) < 1e-6 < 19 < float(wrong.min())


def test_captions_of_an_answer_are_found() -> None:
    assert captions_in("Here <caption> a red cup</caption> and <caption>a dog </caption>. <caption> cut") == [
        "a red cup",
        "a dog",
    ]
    head = CaptionBranches()
    sample = answer(Produce(0))
    _, aside = head.write(sample.turns[1].parts[0], sample)
    # The question says what to make.
    assert aside == Aside((Words("<caption>", said=False), Words("What?</caption>")))


def test_a_picture_in_words_is_read_back() -> None:
    head = GridCodes(size=32)
    sample = answer(Produce(0))
    thing = Thing(head.prepare(sample.turns[1].parts[0], sample))
    words = head.spell([thing])[0]
    assert len(words) == sum(isinstance(stretch, Trigger) for stretch in head.write(sample.turns[1].parts[0], sample))
    pictures = head.made_of_words(f"Look: <picture>{''.join(words)}</picture> and <picture>{words[0]}</picture>")
    assert len(pictures) == 1  # the second is not whole
    picture = pictures[0]
    assert isinstance(picture, Media) and isinstance(picture.data, np.ndarray) and picture.data.shape == (32, 32, 3)
    target: Tensor = (thing.ready.inputs[0] / 2 + 0.5).permute(1, 2, 0) * 255
    assert float((torch.from_numpy(picture.data).float() - target).abs().mean()) < 90
