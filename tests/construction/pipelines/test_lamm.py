"""LAMM's twelve vision tasks: nine on pictures, three on point clouds, each with its answer and its system message."""

from __future__ import annotations

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts, Volume
from vistune.construction.pipelines import lamm
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media, Region

BOX = (0.25, 0.25, 0.75, 0.75)
PICTURE = Facts(
    captions=("Two people talk.",),
    labels=("people", "friends"),
    tags=("smiling",),
    objects=(Region(box=BOX, label="face"), Region(box=(0, 0, 0.5, 0.5), label="face")),
    keypoints=(Region(point=(0.5, 0.75), label="left knee"),),
    ocr=(Region(box=BOX, label="EXIT"),),
    qa=(("Who talks?", "Two people."),),
)
SCENE = Facts(
    volumes=(Volume("chair", (1, 2, 0.5, 0.6, 0.6, 1)), Volume("table", (0, 0, 0.4, 1, 1, 0.8))),
    qa=(("What stands by the table?", "A chair."),),
)
ANSWERS = {
    "classification": "people",
    "fine_grained_classification": "friends",
    "facial_classification": "smiling",
    "detection": "face ; face ",
    "counting": "2",
    "keypoints": "[0.500, 0.750]",
    "ocr": "EXIT",
    "captioning": "Two people talk.",
    "vqa": "Two people.",
    "detection_3d": "chair [1.00, 2.00, 0.50, 0.60, 0.60, 1.00]; table [0.00, 0.00, 0.40, 1.00, 1.00, 0.80]",
    "grounding_3d": "[1.00, 2.00, 0.50, 0.60, 0.60, 1.00]",
    "vqa_3d": "A chair.",
}


def test_twelve_tasks_with_their_answers_and_system_messages():
    records = [
        Record("a", (Media.file("image", "a.png"),), PICTURE),
        Record("b", (Media.file("points", "b.npy"),), SCENE),
    ]
    made = [one for one in finished(lamm.PIPELINE, records, kit(scripted({}))) if not one.reject]
    told = {record.task: record.turns for record in reversed(made)}
    tasks = [task.name for task in (*lamm.IMAGE_TASKS, *lamm.SPACE_TASKS)]
    assert len(tasks) == 12 and {name: told[name][-1].text for name in tasks} == ANSWERS
    assert all(told[name][0].text == lamm.SYSTEM[name] for name in tasks)
    assert not any(record.task in ("daily", "detail") for record in made if record.id.startswith("b"))
