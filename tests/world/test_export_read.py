"""Every exported file, read by the reader of its format, gives back what the scenes hold."""

import json

import numpy as np
import pytest
from PIL import Image

from vistune.data.samples import read
from vistune.sample import Region
from vistune.world.expressions import expressions
from vistune.world.instructions import scene_seed
from vistune.world.scene import make_scene

from .conftest import SIZE
from .oracle import exists


def scene(index):
    return make_scene(scene_seed(3, index), "test")


def number(medium):
    """Which picture a medium is, from 0; its file holds that scene."""
    index = int(medium.path.rpartition("/")[2][:-4]) - 1
    assert np.array_equal(np.asarray(Image.open(medium.path)), scene(index).image)
    return index


@pytest.mark.parametrize(("file", "task"), [("llava_instruct", "instructions"), ("llava_pretrain", "captions")])
def test_conversations(exported, file, task):
    samples = read({"kind": "conversations", "path": f"{exported}/{file}.json", "images": f"{exported}/images"})
    ours = read(f"world:?split=test&seed=3&size={SIZE}&task={task}")
    assert [sample.id for sample in samples] == [sample.id for sample in ours]
    for index, (sample, mine) in enumerate(zip(samples, ours, strict=True)):
        assert [number(medium) for medium in sample.media] == [index]
        for turn, expected in zip(sample.turns, mine.turns, strict=True):
            assert turn.role == expected.role
            if not any(isinstance(part, Region) for part in expected.parts):
                assert turn.parts == expected.parts


def test_vqa_v2(exported):
    spec = {
        "kind": "qa",
        "path": f"{exported}/vqa_questions.json",
        "at": "questions",
        "join": f"{exported}/vqa_annotations.json",
        "join_at": "annotations",
        "on": "question_id",
        "images": f"{exported}/images",
        "image": "{image_id:012d}.png",
        "answer": "multiple_choice_answer",
        "answers": "answers.*.answer",
        "id": "question_id",
    }
    samples = read(spec)
    assert len(samples) == len(json.loads((exported / "vqa_questions.json").read_text())["questions"]) > 2 * SIZE
    for sample in samples:
        assert number(sample.media[0]) == int(sample.id) // 1000 - 1
        assert len(sample.answers) == 10 and sample.turns[-1].text == sample.answers[0]


def test_coco_instances(exported):
    samples = read({"kind": "coco", "path": f"{exported}/instances.json", "images": f"{exported}/images"})
    assert len(samples) == SIZE
    for sample in samples:
        objects = scene(number(sample.media[0])).objects
        assert [region.box for region in sample.regions] == [pytest.approx(thing.box) for thing in objects]
        assert [region.label for region in sample.regions] == [t.kind if t.kind == "word" else t.name for t in objects]


def test_refcoco(exported):
    samples = read(
        {"kind": "refer", "path": f"{exported}/refcoco/refs(umd).p", "images": f"{exported}/images", "split": "test"}
    )
    assert len(samples) > 2 * SIZE
    for sample in samples:
        (region,) = [part for turn in sample.turns for part in turn.parts if isinstance(part, Region)]
        view = scene(number(sample.media[0]))
        (target,) = [thing for thing in view.objects if thing.box == pytest.approx(region.box)]
        said = " ".join(turn.text for turn in sample.turns).replace('"', "")
        assert any(found.text.replace('"', "") in said for found in expressions(view, target))


def test_pope(exported):
    for strategy in ("random", "popular", "adversarial"):
        path = f"{exported}/pope/world_pope_{strategy}.json"
        spec = {
            "kind": "qa",
            "path": path,
            "images": f"{exported}/images",
            "question": "text",
            "answer": "label",
            "id": "question_id",
        }
        samples = read(spec)
        assert len(samples) > SIZE / 2
        for sample in samples:
            assert sample.turns[-1].text == exists(sample.turns[0].text, scene(number(sample.media[0])))
