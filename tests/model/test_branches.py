"""Captions that branch off a sample: TextBind's rows to the number, and the states of a sample read apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from mechanisms import Golden, close
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from vistune.model.heads.caption_branches import CaptionBranches
from vistune.model.language.branches import positions, visible
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.codecs.decimals import Decimals
from vistune.prompt.render import Renderer
from vistune.prompt.template import Template
from vistune.prompt.writer import Places
from vistune.sample import Media, MediaRef, Part, Produce, Sample, Text, Turn

# Tokens of the recorded conversations without their captions, and the captions' starts and lengths.
ROWS = {1: (17, [(9, 5)]), 2: (37, [(13, 4), (18, 7), (32, 4)])}


@pytest.mark.parametrize("row", ROWS)
def test_positions_and_sight_are_textbinds(row: int) -> None:
    golden, (length, branches) = Golden("textbind_branch_mask"), ROWS[row]
    whole = int(golden["out/batch.lengths"][row])
    assert golden["out/batch.position_ids"][row, :whole].tolist() == positions(length, branches)
    recorded = golden["out/batch.visible"][row, :whole, :whole].bool()
    assert torch.equal(visible(length, branches, earlier=True), recorded)
    alone = visible(length, branches)
    assert torch.equal(alone, recorded) is (len(branches) == 1)
    assert not alone[41:, 37:41].any() if row == 2 else True  # later captions do not see the first one


def test_a_branch_is_read_as_if_it_stood_in_a_sample_of_its_own(tiny_language: str) -> None:
    torch.manual_seed(0)
    model = LanguageModel(tiny_language).eval()
    ids = torch.randint(5, 50, (20,))
    branches = ((4, 3), (7, 2))
    row = Inputs(model.embed(ids), torch.tensor([*positions(15, branches)]), (20,), branches=(branches,))

    def alone(places: list[int]) -> torch.Tensor:
        return model(Inputs(model.embed(ids[places]), torch.arange(len(places)), (len(places),)))

    with torch.no_grad():
        got = model(row)
        close(got[:15], alone([*range(15)]))
        close(got[15:18], alone([*range(4), 15, 16, 17])[4:])
        close(got[18:], alone([*range(7), 18, 19])[7:])
        two = Inputs(torch.cat([row.embeds, row.embeds[:6]]), torch.cat([row.positions, torch.arange(6)]), (20, 6))
        packed = model(replace(two, branches=(branches, ())))
    close(packed[:20], got)
    close(packed[20:], got[:6])


# The recording's words in the order of their numbers; its caption marks are called as ours are.
VOCABULARY = """
<pad> <s> </s> <image> <caption> </caption> [INST] [/INST] look at this what is in it a dog cat red blue nice here you are the
picture and another one draw please sure make cute on grass done thanks ! , . : ? two images big hat
"""
WORDS = VOCABULARY.split()
CONVERSATIONS: list[list[tuple[str, tuple[str, ...]]]] = [
    [("<image> what is this ?", ()), ("a dog .", ())],
    [("draw a dog please", ()), ("sure ! <image> here you are", ("a cute dog",))],
    [
        ("look at <image> , make two images", ()),
        ("<image> and <image> .", ("red hat", "a blue cat on grass")),
        ("another one please", ()),
        ("here : <image>", ("big dog",)),
    ],
    [("what is a hat ?", ()), ("thanks !", ())],
]


class FourPlaces:
    """A picture takes four places."""

    def write(self, part: Part, sample: Sample) -> list[Places]:
        return [Places(4)]


def conversation(turns: list[tuple[str, tuple[str, ...]]]) -> Sample:
    """A recorded conversation; pictures of answers are to be made, with their captions."""
    made: list[Turn] = []
    captions: list[str] = []
    for number, (text, own) in enumerate(turns):
        parts: list[Part] = []
        for place, piece in enumerate(text.split("<image>")):
            if place:
                parts.append(Produce(len(captions)) if own else MediaRef(len(captions)))
                captions.append(own[place - 1] if own else "")
            if piece.strip():
                parts.append(Text(piece))
        made.append(Turn("assistant" if number % 2 else "user", tuple(parts)))
    pictures = (Media("image", data=np.zeros((2, 2, 3), dtype=np.uint8)),) * len(captions)
    return Sample("recorded", pictures, tuple(made), meta={"captions": captions})


@pytest.mark.parametrize("number", range(4))
def test_rows_are_textbinds(number: int) -> None:
    """Ids, labels, positions and sight of whole conversations, from a sample to a packed row."""
    inner = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}))
    inner.pre_tokenizer = WhitespaceSplit()
    marks = WORDS[:8]
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    tokenizer.add_special_tokens({"additional_special_tokens": marks})
    template = Template(system="", user_prefix="{bos}[INST] ", user_suffix=" [/INST]", answer_suffix=" {eos}")
    writers = {"image": FourPlaces(), "produce_image": CaptionBranches()}
    rendered = Renderer(template, Decimals(), tokenizer, WORDS.index("<image>"), writers).render(
        conversation(CONVERSATIONS[number])
    )
    golden = Golden("textbind_branch_mask")
    length = int(golden["out/batch.lengths"][number])
    assert rendered.ids == golden["out/batch.input_ids"][number, :length].tolist()
    assert rendered.labels == golden["out/batch.labels"][number, :length].tolist()
    own = length - sum(count for _, count in rendered.branches)
    assert positions(own, rendered.branches) == golden["out/batch.position_ids"][number, :length].tolist()
    seen = visible(own, rendered.branches, earlier=True)
    assert torch.equal(seen, golden["out/batch.visible"][number, :length, :length].bool())
    places = [place for slot in rendered.slots.get("image", []) for place in range(slot.start, slot.start + slot.length)]
    assert places == golden["out/batch.input_image_index"][number, : 4 * int(golden["out/batch.num_images"][number])].tolist()
