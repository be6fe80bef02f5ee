"""Every task of every sense: a whole sample, determined by its seed, not to be answered blind."""

from collections import Counter

import pytest

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import MediaRef, Produce, Region, Sample, Text
from vistune.world.senses import SENSES, sense_sample, sense_tasks

N = 24


def test_the_tasks_are_those_documented():
    assert {sense: len(SENSES[sense].tasks()) for sense in SENSES} == {
        "films": 7,
        "sounds": 7,
        "solids": 7,
        "pages": 7,
        "paint": 1,
        "edits": 4,
        "errands": 3,
    }
    assert len(set(sense_tasks())) == 36


@pytest.mark.parametrize("task", sense_tasks())
def test_every_question_is_a_whole_sample(task):
    samples = [sense_sample(task, seed, "test") for seed in range(N)]
    for seed, sample in enumerate(samples):
        before = ["user", "assistant"] if task == "tool_answer" else []  # its call
        assert [turn.role for turn in sample.turns] == [*before, "user", "assistant"]
        shown = [part.index for part in sample.turns[0].parts if isinstance(part, MediaRef)]
        made = [part.index for part in sample.turns[-1].parts if isinstance(part, Produce)]
        assert sorted([*shown, *made]) == list(range(len(sample.media)))
        answer = sample.turns[-1]
        in_words = all(isinstance(part, Text) for part in answer.parts)
        assert sample.answers[:1] == ((answer.text,) if in_words else ())
        assert in_words or isinstance(answer.parts[0], Region | Produce)
        assert sample.meta["task"] == task and sample.meta["seed"] == seed and sample.meta["truth"]
    assert Sample.from_json(samples[0].to_json()) == samples[0]
    assert [sense_sample(task, seed, "test") for seed in range(2)] == samples[:2]
    assert len({sample.turns[0].text.strip()[:10] for sample in samples}) >= 2
    other = sense_sample(task, 0, "train")
    assert (samples[0].media or samples[0].turns) != (other.media or other.turns)


# The highest share that one answer may have: a model that neither sees nor hears reaches it.
PRIORS = {
    "film_movement": 0.35,
    "film_colour": 0.25,
    "film_action": 0.32,
    "film_count": 0.52,
    "film_meeting": 0.6,
    "film_order": 0.15,
    "sound_source": 0.24,
    "sound_word": 0.2,
    "sound_order": 0.25,
    "sound_pitch": 0.6,
    "sound_side": 0.6,
    "sound_count": 0.36,
    "solid_name": 0.26,
    "solid_colour": 0.26,
    "solid_count": 0.42,
    "solid_size": 0.27,
    "solid_position": 0.34,
    "solid_existence": 0.6,
    "page_chart": 0.16,
    "page_table": 0.1,
    "page_tick": 0.6,
    "page_form": 0.12,
}


@pytest.mark.parametrize("task", sorted(PRIORS))
def test_no_answer_prevails(task):
    answers = Counter(sense_sample(task, seed, "train").answers[0] for seed in range(150))
    assert answers.most_common(1)[0][1] / 150 < PRIORS[task] + 0.05, answers.most_common(3)


def test_a_sense_is_read_task_after_task():
    samples = read("world:?task=solids&size=14&split=validation")
    assert [sample.meta["task"] for sample in samples] == 2 * SENSES["solids"].tasks()
    assert samples[3] == read("world:?task=solids&size=14&split=validation")[3]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("world:?task=film_movment", "did you mean 'film_movement'"),
        ("world:?task=films&control=one_fram", "one of 'none', 'shuffled_frames'"),
        ("world:?task=identity&control=one_frame", "for films, sounds and solids"),
        ("world:?task=films&pixels=96", "for pictures"),
    ],
)
def test_wrong_keys_and_values_are_refused_by_name(spec, message):
    with pytest.raises(InputError, match=message):
        read(spec)


def test_a_control_of_another_medium_is_refused():
    with pytest.raises(InputError, match="for video, not for audio"):
        read("world:?task=sounds&control=one_frame")[0]
    with pytest.raises(InputError, match="seed 0"):
        sense_sample("film_order", -1, "train")
