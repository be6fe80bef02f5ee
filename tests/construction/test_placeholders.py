"""Placeholders of media in what a model wrote: each has its medium, or the record is rejected, and no record is lost."""

from __future__ import annotations

import pytest

from tests.construction.pipelines.models import always, kit
from vistune.completer import Reply
from vistune.construction.facts import Facts
from vistune.construction.operators.compose import gather, numbered_dialogues
from vistune.construction.operators.output_media import fill_captioned, fill_numbered
from vistune.construction.parsers.base import Item
from vistune.construction.pipelines import sparkles_dialogue
from vistune.construction.record import Record, pairs_to_turns
from vistune.sample import Media, Region

BUNDLE = Record("1", tuple(Media.file("image", f"{number}.png") for number in range(1, 20)))


def picture(name: str) -> Record:
    facts = Facts(captions=(f"caption {name}",), objects=(Region(box=(0.1, 0.1, 0.4, 0.9), label="dog"),))
    return Record(name, (Media.file("image", f"{name}.png"),), facts)


def sparkle(*pairs: tuple[str, str], images: tuple[tuple[str, ...], ...]) -> Record:
    (made,) = numbered_dialogues((1, 3))(BUNDLE, sparkles_dialogue.ASK, [Item.of(*pairs, images=images)])
    return made


def test_every_record_of_a_small_bundle_is_rejected_by_its_own_name():
    made = list(gather(3, least=3)([picture(name) for name in ("1", "2", "3", "4", "5")]))
    assert [(record.id, record.reason) for record in made] == [
        ("1+2+3", ""),
        ("4", "bundle too small"),
        ("5", "bundle too small"),
    ]


def test_names_of_pictures_become_their_places():
    made = sparkle(
        ("See IMAGE#14, then IMAGE#1.", "IMAGE#1 is IMAGE#14."), ("IMAGE#2里?", "Yes."), images=(("14", "1"), ("2",))
    )
    assert not made.reject
    assert made.pairs() == [("See picture 1, then picture 2.", "picture 2 is picture 1."), ("picture 3里?", "Yes.")]
    assert [medium.path for medium in made.media] == ["14.png", "1.png", "2.png"]


@pytest.mark.parametrize("identity", ["²", "x", "1.0", "-1", "99", "9" * 5000, "０", ""])
def test_what_is_no_number_of_a_picture_rejects(identity: str):
    made = sparkle(("IMAGE#1?", "Yes."), ("And it?", "No."), images=(("1",), (identity,)))
    assert made.reason == "unknown picture"


@pytest.mark.parametrize("text", ["IMAGE#5", "IMAGE#12", "IMAGE#x", "Image #2", "image#1", "IMAGE＃2"])
def test_names_without_a_medium_reject(text: str):
    made = sparkle(("IMAGE#1?", f"It is unlike {text}."), ("IMAGE#2?", "No."), images=(("1",), ("2",)))
    assert made.reason == "placeholder without a medium" and text[:5] in made.reject


@pytest.mark.parametrize(
    "text",
    ["<IMG1>", "<img 2>", "<img_2>", "<img>", "<image 2>", "</img1>", "<img2", "<img２>", "<img9999999>", f"<img{'9' * 5000}>"],
)
def test_numbered_placeholders_of_another_form_reject(text: str):
    spoken = Record("1", BUNDLE.media, turns=pairs_to_turns([("Look <img0> and <img1>", f"See {text} here")]))
    (made,) = fill_numbered()([spoken])
    assert made.reason == "placeholder without a medium"


@pytest.mark.parametrize("text", ["<image>a pier</image>", "< Image >a pier</Image>", "<Video>", "<Image 1>"])
def test_captioned_placeholders_of_another_form_reject(text: str):
    spoken = Record("1", turns=pairs_to_turns([("Show <Image>a mill</Image>", f"See {text} here")]))
    (made,) = fill_captioned(kit(always(Reply("x"))))([spoken])
    assert made.reason == "placeholder without a medium" and made.media == ()


@pytest.mark.parametrize("text", ["a < imagined", "an image of 2 dogs", "1 < 2 > 0", "<imgine>"])
def test_other_texts_pass(text: str):
    spoken = Record("1", BUNDLE.media, turns=pairs_to_turns([("Look <img0>", text)]))
    (made,) = fill_numbered()([spoken])
    assert not made.reject
