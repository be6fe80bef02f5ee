"""Exports: every file has its field's layout, and says what the scenes say."""

import hashlib
import json
import pickletools
import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.world.export import export
from vistune.world.formats.coco import run_lengths
from vistune.world.instructions import scene_seed
from vistune.world.scene import make_scene

from .conftest import SIZE
from .oracle import exists, resolve


@pytest.fixture(scope="module")
def scenes():
    return [make_scene(scene_seed(3, index), "test") for index in range(SIZE)]


def load(path):
    return json.loads(path.read_text())


def test_images_are_the_scenes(exported, scenes):
    assert len(list((exported / "images").iterdir())) == SIZE
    for index, scene in enumerate(scenes):
        assert np.array_equal(np.asarray(Image.open(exported / "images" / f"{index + 1:012d}.png")), scene.image)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_coco_loads_the_masks_and_boxes(exported, scenes):
    coco_api = pytest.importorskip("pycocotools.coco")
    for file in ("instances.json", "refcoco/instances.json"):
        coco = coco_api.COCO(str(exported / file))
        assert len(coco.imgs) == SIZE and len(coco.cats) == 17
        for index, scene in enumerate(scenes):
            records = coco.loadAnns(coco.getAnnIds(imgIds=index + 1))
            assert len(records) == len(scene.objects)
            for record, thing in zip(records, scene.objects, strict=True):
                assert np.array_equal(coco.annToMask(record).astype(bool), thing.mask)
                rows, columns = np.nonzero(thing.mask)
                box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
                assert record["bbox"] == pytest.approx(box) and record["area"] == thing.mask.sum()
                name = coco.cats[record["category_id"]]["name"]
                assert (name, record.get("text")) == (("word", thing.name) if thing.kind == "word" else (thing.name, None))


def test_run_lengths_begin_with_zeros():
    assert run_lengths(np.array([[0, 1], [1, 1]], dtype=bool)) == [1, 3]
    assert run_lengths(np.array([[1, 0], [0, 1]], dtype=bool)) == [0, 1, 2, 1]
    assert run_lengths(np.zeros((2, 2), dtype=bool)) == [4]


def test_captions_are_five_a_picture(exported):
    captions = load(exported / "captions.json")
    assert Counter(record["image_id"] for record in captions["annotations"]) == {index + 1: 5 for index in range(SIZE)}
    assert len({record["id"] for record in captions["annotations"]}) == 5 * SIZE


def test_vqa_questions_and_annotations_join(exported):
    questions, annotations = load(exported / "vqa_questions.json"), load(exported / "vqa_annotations.json")
    assert set(questions) == {"info", "license", "data_type", "data_subtype", "task_type", "questions"}
    assert set(annotations) == {"info", "license", "data_type", "data_subtype", "annotations"}
    asked = {record["question_id"]: record for record in questions["questions"]}
    assert len(asked) == len(questions["questions"]) == len(annotations["annotations"]) > 2 * SIZE
    for record in annotations["annotations"]:
        assert asked[record["question_id"]]["image_id"] == record["image_id"]
        assert [answer["answer_id"] for answer in record["answers"]] == list(range(1, 11))
        assert {answer["answer"] for answer in record["answers"]} == {record["multiple_choice_answer"]}
        assert (record["answer_type"] == "yes/no") == (record["multiple_choice_answer"] in ("yes", "no"))
    assert {record["answer_type"] for record in annotations["annotations"]} == {"yes/no", "number", "other"}


def test_llava_conversations_are_the_readers(exported):
    for file, task in (("llava_instruct.json", "instructions"), ("llava_pretrain.json", "captions")):
        records, samples = load(exported / file), read(f"world:?split=test&seed=3&size={SIZE}&task={task}")
        assert [record["id"] for record in records] == [sample.id for sample in samples]
        for record, sample in zip(records, samples, strict=True):
            said = record["conversations"]
            assert [turn["from"] for turn in said] == ["human", "gpt"] * (len(said) // 2)
            assert said[0]["value"].startswith("<image>\n") and sum("<image>" in turn["value"] for turn in said) == 1
            unboxed = [re.sub(r"\[\d\.\d\d(, \d\.\d\d){3}\]", "", turn["value"]).removeprefix("<image>") for turn in said]
            assert unboxed == [turn.text for turn in sample.turns]
            assert (exported / "images" / record["image"]).exists()


def test_pope_labels_are_true(exported, scenes):
    for strategy in ("random", "popular", "adversarial"):
        lines = (exported / "pope" / f"world_pope_{strategy}.json").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        assert [record["question_id"] for record in records] == list(range(1, len(records) + 1))
        assert len(records) > SIZE / 2 and all(set(r) == {"question_id", "image", "text", "label"} for r in records)
        for record in records:
            assert exists(record["text"], scenes[int(record["image"][:-4]) - 1]) == record["label"]


def test_refcoco_sentences_fit_their_object(exported, scenes):
    import pickle

    content = (exported / "refcoco" / "refs(umd).p").read_bytes()
    names = [
        argument for opcode, argument, _ in pickletools.genops(content) if opcode.name in ("GLOBAL", "STACK_GLOBAL", "REDUCE")
    ]
    assert content[:2] == b"\x80\x02" and not names  # plain containers only: a restricted unpickler reads it
    refs = pickle.loads(content)  # noqa: S301 - written above, and looked through
    boxes = {record["id"]: record for record in load(exported / "refcoco" / "instances.json")["annotations"]}
    assert len({sent_id for ref in refs for sent_id in ref["sent_ids"]}) == sum(len(ref["sentences"]) for ref in refs)
    for ref in refs:
        record = boxes[ref["ann_id"]]
        assert (record["image_id"], record["category_id"]) == (ref["image_id"], ref["category_id"]) and ref["split"] == "test"
        for sentence in ref["sentences"]:
            (target,) = resolve(sentence["raw"], scenes[ref["image_id"] - 1])
            assert [64 * target.box[0], 64 * target.box[1]] == record["bbox"][:2]
            assert sentence["sent"] == " ".join(sentence["tokens"]) and not re.search(r"[^\w ]", sentence["sent"])


def test_the_same_export_again_is_the_same_bytes(exported, tmp_path):
    export(tmp_path / "again", "test", SIZE, seed=3)
    first, second = (
        {path.relative_to(folder): hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}
        for folder in (exported, tmp_path / "again")
    )
    assert first == second and len(first) == SIZE + 11


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path):
    (tmp_path / "there").mkdir()
    with pytest.raises(InputError, match="already there"):
        export(tmp_path / "there")
    with pytest.raises(InputError, match="at least one picture"):
        export(tmp_path / "none", size=0)
    with pytest.raises(InputError, match="no split"):
        export(tmp_path / "typo", "tset")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
