"""Every task: determined by its seed, true to the scene by an independent reading, and not to be answered blind."""

import json
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.sample import MediaRef, Region, Sample, Text
from vistune.world import instructions
from vistune.world.instructions import caption_sample, conversation_sample, question_sample, tasks
from vistune.world.scene import make_scene

from .oracle import ANSWERS, COLOURS, NUMBERS, mentioned, named, resolve

N = 60
ALONE = {"dialogue", "two_images", "segment", "reason_segment", "facts"}  # not asked in conversations


def scene_of(sample):
    return make_scene(sample.meta["scenes"][0], sample.meta["split"])


def regions_of(turn):
    return [part for part in turn.parts if isinstance(part, Region)]


@pytest.fixture(scope="module")
def asked():
    """The first N test questions of every task."""
    return {task: [question_sample(task, seed, "test") for seed in range(N)] for task in tasks()}


def test_the_tasks_are_those_documented():
    assert len(tasks()) == 21
    assert set(instructions.CONVERSATION_WEIGHTS) == set(tasks()) - {
        "dialogue",
        "two_images",
        "segment",
        "reason_segment",
        "facts",
    }


@pytest.mark.parametrize("task", tasks())
def test_every_question_is_a_whole_sample(asked, task):
    for seed, sample in enumerate(asked[task]):
        assert [turn.role for turn in sample.turns] == ["user", "assistant"] * (len(sample.turns) // 2)
        shown = [part.index for turn in sample.turns for part in turn.parts if isinstance(part, MediaRef)]
        assert shown == list(range(len(sample.media))) and isinstance(sample.turns[0].parts[0], MediaRef)
        assert sample.meta["task"] == task and sample.meta["seed"] == seed and sample.meta["split"] == "test"
        answer = sample.turns[-1]
        assert sample.answers[:1] == ((answer.text,) if not regions_of(answer) else ())
        assert Sample.from_json(sample.to_json()) == sample
        assert len([region for region in sample.regions if region.media == 0]) == len(scene_of(sample).objects)


@pytest.mark.parametrize("task", tasks())
def test_same_seed_same_question_and_other_wordings_for_other_seeds(asked, task):
    assert [question_sample(task, seed, "test") for seed in range(5)] == asked[task][:5]
    openings = {sample.turns[-2].text.split("\n")[-1][:12] for sample in asked[task]}
    assert len(openings) >= 3


def test_samples_are_the_same_in_another_process():
    code = (
        "import json; from vistune.world.instructions import conversation_sample;"
        "print(json.dumps([conversation_sample(s, 'train').to_json() for s in range(8)]))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [Sample.from_json(record) for record in json.loads(other)] == [conversation_sample(s, "train") for s in range(8)]


@pytest.mark.parametrize("task", sorted(ANSWERS))
def test_answers_follow_from_the_scene(asked, task):
    for sample in asked[task]:
        expected = ANSWERS[task](sample.turns[0].text, scene_of(sample))
        assert sample.turns[-1].text.removeprefix('word "').removesuffix('"') == expected, sample.turns


def test_boxes_and_masks_are_those_of_the_object_referred_to(asked):
    for task in ("refer_box", "segment"):
        for sample in asked[task]:
            (target,), (region,) = mentioned(sample.turns[0].text, scene_of(sample)), regions_of(sample.turns[-1])
            assert region == Region(mask=target.mask, label=region.label) if task == "segment" else region.box == target.box


def test_regions_are_described_so_that_nothing_else_fits(asked):
    for sample in asked["describe_region"]:
        scene, (region,) = scene_of(sample), regions_of(sample.turns[0])
        for answer in sample.answers:
            assert [thing.box for thing in resolve(answer, scene)] == [region.box]


def test_detection_finds_all_and_only_the_class(asked):
    for sample in asked["detection"]:
        found = regions_of(sample.turns[-1])
        colour, _, noun = found[0].label.rpartition(" ")
        expected = [t.box for t in scene_of(sample).objects if named(t, noun) and colour in ("", t.colour)]
        assert sorted(region.box for region in found) == sorted(expected)
        assert [sum(region.box[0::2]) for region in found] == sorted(sum(region.box[0::2]) for region in found)


def test_captions_name_every_object_and_nothing_else(asked):
    for task in ("caption", "detailed_caption"):
        for sample in asked[task]:
            wanted = Counter((thing.colour, thing.name) for thing in scene_of(sample).objects)
            for answer in sample.answers:
                said = Counter(re.findall(rf'({COLOURS}) (?:word ")?(\w+)', answer))
                assert said == wanted, answer


def test_reasoning_masks_are_of_the_one_object_meant(asked):
    for sample in asked["reason_segment"]:
        scene, (region,) = scene_of(sample), regions_of(sample.turns[-1])
        (target,) = [thing for thing in scene.objects if np.array_equal(thing.mask, region.mask)]
        if total := re.search(r"that (\w+) plus (\w+) makes", region.label):
            value = NUMBERS.index(total.group(1)) + NUMBERS.index(total.group(2))
            assert [thing for thing in scene.objects if thing.name == NUMBERS[value]] == [target]
        elif extreme := re.search(r"digit of the (highest|lowest)", region.label):
            values = {NUMBERS.index(thing.name): thing for thing in scene.objects if thing.kind == "digit"}
            assert values[(max if extreme.group(1) == "highest" else min)(values)] is target
        else:
            assert ("shape" in region.label or "word" in region.label or "sign" in region.label) and target.kind != "digit"


def test_follow_ups_lean_on_the_question_before(asked):
    for sample in asked["dialogue"]:
        first, follow_up = sample.turns[0].text, sample.turns[2].text
        scene = scene_of(sample)
        digits = [thing for thing in scene.objects if thing.kind == "digit"]
        (target,) = mentioned(first, scene) or digits
        assert re.search(r"\b(it|its)\b", follow_up)
        if "small or large" in follow_up:
            assert sample.turns[3].text == target.size
        elif "nearest" in follow_up or "closest" in follow_up:
            middle = np.array(target.centre)
            others = [thing for thing in scene.objects if thing is not target]
            nearest = min(others, key=lambda thing: np.linalg.norm(np.array(thing.centre) - middle))
            assert sample.turns[3].text == (nearest.colour if "colour" in follow_up else nearest.name)


def test_two_pictures_are_compared_truly(asked):
    for sample in asked["two_images"]:
        first, second = (make_scene(seed, "test") for seed in sample.meta["scenes"])
        question, answer = sample.turns[0].text, sample.turns[1].text
        if "more objects" in question:
            assert answer == ("first" if len(first.objects) > len(second.objects) else "second")
        elif thing := re.search(rf'\ban? ({COLOURS}) (word "\w+"|\w+)', question):
            has = [any(o.colour == thing[1] and named(o, thing[2]) for o in scene.objects) for scene in (first, second)]
            assert has == [answer == "first", answer == "second"]
        else:
            colour = re.search(COLOURS, question).group(0)
            both = all(any(o.colour == colour for o in scene.objects) for scene in (first, second))
            assert answer == ("yes" if both else "no")


def test_adversarial_negatives_are_absent_though_their_parts_are_present(asked):
    negatives = [sample for sample in asked["existence_adversarial"] if sample.answers == ("no",)]
    assert len(negatives) > N / 3
    for sample in negatives:
        colour, noun = re.search(rf'\ban? ({COLOURS}) (word "\w+"|\w+)', sample.turns[0].text).groups()
        objects = scene_of(sample).objects
        assert any(thing.colour == colour for thing in objects) and any(named(thing, noun) for thing in objects)
        assert not any(thing.colour == colour and named(thing, noun) for thing in objects)


# The highest share that one answer may have, given the question's form: what a model that sees nothing can reach.
PRIORS = {
    "arithmetic": 0.16,
    "colour": 0.25,
    "count": 0.35,
    "existence_adversarial": 0.56,
    "existence_popular": 0.56,
    "existence_random": 0.56,
    "identity": 0.16,
    "spatial": 0.36,
    "two_images": 0.4,
}


@pytest.mark.parametrize("task", sorted(PRIORS))
def test_no_answer_prevails(task):
    answers = Counter(question_sample(task, seed, "train").answers[0] for seed in range(400))
    assert answers.most_common(1)[0][1] / 400 < PRIORS[task]


@pytest.mark.parametrize("task", ["existence_random", "existence_popular", "existence_adversarial"])
def test_yes_is_no_likelier_for_one_kind_of_thing_than_for_another(task):
    """Someone who knows how often each kind of thing is asked for, and no picture, gains nothing."""
    says = {}
    for seed in range(400):
        sample = question_sample(task, seed, "train")
        word = re.search("digit|word|circle|square|triangle|cross|star|ring", sample.turns[0].text)
        says.setdefault(word.group(0) if word else "named digit", []).append(sample.answers[0] == "yes")
    for kind, votes in says.items():
        assert abs(np.mean(votes) - 0.5) < 2.6 * 0.5 / np.sqrt(len(votes)) + 0.02, (kind, np.mean(votes), len(votes))


def test_conversations_ask_nothing_twice_and_show_the_picture_once():
    lengths = Counter()
    for seed in range(N):
        sample = conversation_sample(seed, "train", turns=6)
        questions = [turn.text.strip() for turn in sample.turns[::2] if not regions_of(turn)]
        assert len(set(questions)) == len(questions)
        assert sum(isinstance(part, MediaRef) for turn in sample.turns for part in turn.parts) == 1
        assert sample.turns[0].parts[0] == MediaRef(0) and sample.turns[0].parts[1].text.startswith("\n")
        lengths[len(sample.turns) // 2] += 1
    assert set(lengths) <= {3, 4, 5, 6} and lengths[6] > 0.8 * N


def test_a_caption_sample_is_one_picture_and_its_caption():
    sample = caption_sample(3, "train")
    assert len(sample.turns) == 2 and sample.turns[1].parts == (Text(sample.answers[0]),)


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"no task 'identitty' .did you mean 'identity'"):
        question_sample("identitty", 0, "test")
    with pytest.raises(InputError, match="stands alone"):
        conversation_sample(0, "train", weights={"dialogue": 1.0})
    with pytest.raises(InputError, match="weight above zero"):
        conversation_sample(0, "train", weights={"count": 0.0})
    with pytest.raises(InputError, match="no split"):
        question_sample("count", 0, "tset")
