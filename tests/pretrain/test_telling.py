"""Other senses told place by place: every answer stands in what is told, and a place is the sum of its words and its box."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vistune.model.language.causal import LanguageModel
from vistune.pretrain.language import SPOKEN, documents, formed
from vistune.pretrain.patches import Patches
from vistune.pretrain.telling import EMPTY, QUARTERS, SEEN, Place, is_told, places_of
from vistune.world.senses import sense_conversation, sense_sample


def told(task: str, seed: int) -> list[Place]:
    return places_of(sense_sample(task, seed, "train"), np.random.default_rng(0))


@pytest.mark.parametrize(
    "task", ["film_action", "film_colour", "sound_word", "sound_pitch", "solid_name", "page_table", "page_form", "page_chart"]
)
def test_every_answer_of_one_word_is_told(task: str) -> None:
    for seed in range(12):
        sample = sense_sample(task, seed, "train")
        words = {word for place in places_of(sample, np.random.default_rng(0)) for word in place.words.split()}
        answer = sample.answers[0]
        assert answer in words or set(answer) <= words  # numbers are told figure by figure


def test_a_film_begins_each_frame_with_an_empty_place_and_tells_what_is_there() -> None:
    sample = sense_sample("film_count", 3, "train")
    places = places_of(sample, np.random.default_rng(0))
    frames = [index for index, place in enumerate(places) if place.words == EMPTY]
    assert len(frames) == len(SEEN)
    for number, frame in enumerate(SEEN):
        end = [*frames, len(places)][number + 1]
        boxes = [place.box for place in places[frames[number] + 1 : end]]
        assert boxes == [tuple(thing["boxes"][frame]) for thing in sample.meta["truth"] if thing["boxes"][frame]]


def test_a_sound_is_told_by_the_quarter_second_and_every_event_is_heard() -> None:
    for seed in range(20):
        sample = sense_sample("sound_caption", seed, "train")
        places = places_of(sample, np.random.default_rng(0))
        assert len(places) == QUARTERS
        heard = " ".join(place.words for place in places)
        assert all(f"{event['pitch']} {event['name']}" in heard for event in sample.meta["truth"])


def test_a_page_tells_every_word_where_it_stands() -> None:
    sample = sense_sample("page_paragraph", 1, "train")
    at = {place.box: place.words for place in places_of(sample, np.random.default_rng(0))}
    for region in sample.regions:
        assert region.label is not None
        assert region.label.strip(":")[-1] in at[region.bounds()]


def test_a_place_is_its_words_at_the_length_of_one_and_its_box() -> None:
    patches = Patches(LanguageModel("builtin:language"))
    ids = patches.llm.tokenizer(" whistle", add_special_tokens=False)["input_ids"]
    assert len(ids) > 1  # a word of several tokens is no louder than others
    red = patches.llm.embed(torch.tensor(patches.llm.tokenizer(" red", add_special_tokens=False)["input_ids"]))[0]
    word = patches.llm.embed(torch.tensor(ids)).sum(0) / len(ids) ** 0.5
    box = (0.1, 0.2, 0.3, 0.4)
    made = patches.tell_places([Place(" red whistle", box), Place(" red")])
    torch.testing.assert_close(made, torch.stack([red + word + patches.edges(torch.tensor(box)), red]))


def test_documents_hold_every_sense_in_conversations_that_follow_from_the_seed() -> None:
    first, again = list(documents(7, 40)), list(documents(7, 40))
    assert [sample.turns for sample in first] == [sample.turns for sample in again]
    assert {sample.meta["sense"] for sample in first if is_told(sample)} == set(SPOKEN)
    assert all(len(sample.turns) % 2 == 0 for sample in first)
    plain = sense_conversation("films", 3, "train", 8)
    assert formed(plain, np.random.default_rng(1)).media == plain.media


def test_a_conversation_asks_nothing_twice_and_needs_a_sense_that_answers_in_words() -> None:
    from vistune.errors import InputError

    for sense in SPOKEN:
        sample = sense_conversation(sense, 5, "train", 4)
        asked = [turn.text for turn in sample.turns[::2]]
        assert len(set(asked)) == len(asked) <= 4 and sample.meta["truth"]
    for sense in ("edits", "paint"):
        with pytest.raises(InputError, match="not about"):
            sense_conversation(sense, 0, "train")
