"""MultiInstruct's 62 tasks: every one is made from the facts that it needs, and its answer is right."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.boxes import Notation
from vistune.construction.facts import Facts, Relation
from vistune.construction.operators.template import Filled, Template
from vistune.construction.pipelines import multi_instruct
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.tasks import ALL
from vistune.construction.tasks.matching import foreign
from vistune.construction.tasks.overlaps import shared
from vistune.construction.tasks.questions import kind_of
from vistune.sample import Box, Media, Region

TASKS = {task.name: task for task in ALL}
QUESTIONS = {
    "counting": "How many dogs are there?",
    "color": "What colour is the dog?",
    "sport_recognition": "Which sport is being played?",
    "sentiment_understanding": "How does the man feel?",
    "utility_affordance": "What is the bowl used for?",
    "activity_recognition": "What is the man doing?",
    "scene_recognition": "What is the weather like?",
    "object_presence": "Is there a dog?",
    "positional_reasoning": "Where is the dog?",
    "attribute": "What shape has the sign?",
    "object_recognition": "Which animal is it?",
}
LABELED = ("image_quality", "multimodal_factual_checking", "medic_damage_severity", "medic_informative", "medic_disaster_types")
TOPICS = ("commonsense_VQA", "natural_language_visual_reasoning", "visual_nli", *LABELED, "text_legibility", "text_type")


def region(label: str, *box: float) -> Region:
    return Region(box=(box[0], box[1], box[2], box[3]), label=label)


OBJECTS = (
    region("red dog", 0.1, 0.1, 0.5, 0.5),
    region("blue ball", 0.4, 0.4, 0.7, 0.7),
    region("green hat", 0.8, 0.1, 0.95, 0.2),
    region("red cap", 0.3, 0.1, 0.6, 0.3),
)
FACTS = Facts(
    captions=("A dog chases a ball.",),
    objects=OBJECTS,
    regions=(region("a dog that runs", 0.1, 0.1, 0.5, 0.5), region("a ball in the air", 0.4, 0.4, 0.7, 0.7)),
    relations=(Relation("red dog", "is left of", "blue ball"), Relation("blue ball", "hides", "red cap")),
    ocr=(region("EXIT", 0, 0, 0.2, 0.1), region("OPEN", 0.5, 0, 0.7, 0.1)),
    labels=("clear", "x"),
    tags=("blurred",),
    before=("Cut the paper.",),
    after=("Glue it.", "Paint it."),
    qa=(("What does the sign say?", "EXIT"), *((ask, f"answer {kind}") for kind, ask in QUESTIONS.items())),
)


def noted(topic: str = "") -> Record:
    """The record after two others, whose captions and questions are foreign to it."""
    others = [Record(f"o{n}", (), Facts(captions=(f"other {n}",), qa=((f"Who is {n}?", "x"),))) for n in range(3)]
    own = Record("own", (Media.file("image", "a.png"),), FACTS, meta={"topic": topic})
    return list(foreign()([*others, own]))[-1]


def filled(name: str, topic: str = "") -> list[Filled]:
    return list(TASKS[name].fill(noted(topic)))


def test_sixty_two_tasks_of_five_instructions():
    assert len(ALL) == len(TASKS) == 62
    for task in ALL:
        assert len(task.paraphrases) == len(set(task.paraphrases)) == 5, task.name


@pytest.mark.parametrize("task", ALL, ids=lambda task: task.name)
def test_every_task_is_made_and_its_instructions_have_no_blank_left(task: Template):
    made = list(task.fill(noted(task.name if task.name in TOPICS else "")))
    assert made and all(one.answer for one in made)
    for one in made:
        for text in task.paraphrases:
            assert "{" not in text.format(**one.blanks)
        if "options" in one.blanks and one.answer != "None":
            options = one.blanks["options"].split("||||")
            # Several answers are joined by a comma and a blank, of which a box has none.
            assert set(one.answer.split(", ")) <= set(options) and len(options) == len(set(options))
    assert (not list(task.fill(noted()))) == (task.name in TOPICS)
    assert not list(task.fill(Record("bare")))


@pytest.mark.parametrize(("kind", "question"), QUESTIONS.items())
def test_the_kind_of_a_question_is_told_by_its_words(kind: str, question: str):
    assert kind_of(question) == kind
    assert [one.answer for one in filled(f"VQA_{kind}")] == ["EXIT", f"answer {kind}"][kind != "object_recognition" :]


def boxes(text: str) -> list[Box]:
    return [found for _, _, found in Notation("unit").find(text)]


def geometry(name: str) -> Iterator[tuple[Box, list[Box], Box]]:
    for one in filled(name):
        yield boxes(one.blanks["given"])[0], boxes(one.blanks["options"]), boxes(one.answer)[0]


def test_overlaps_are_those_of_the_boxes():
    for given, options, answer in geometry("select_overlap_most_region"):
        assert shared(given, answer) == max(shared(given, other) for other in options)
    for given, options, answer in geometry("select_nonoverlaped_region"):
        assert shared(given, answer) == 0 and all(shared(given, other) > 0 for other in options if other != answer)
    for given, options, answer in geometry("select_overlaped_region"):
        assert shared(given, answer) > 0 and all(shared(given, other) == 0 for other in options if other != answer)
    assert shared((0, 0, 0.5, 0.5), (0.25, 0.25, 1, 1)) == 0.0625


def test_statements_and_matches_are_true_where_they_are_affirmed():
    seen = set()
    for number in range(40):
        record = Record(f"r{number}", (), FACTS).with_note("foreign captions", "A cat sleeps.\nA bus stops.")
        for one in TASKS["visual_spatial_reasoning"].fill(record):
            assert (one.answer == "yes") == (one.blanks["text"] == "The red dog is left of the blue ball.")
            seen.add(one.answer)
        for one in TASKS["object_region_match"].fill(record):
            (where,) = boxes(one.blanks["box"])
            assert (one.answer == "yes") == ((one.blanks["name"], where) in {(item.label, item.box) for item in OBJECTS})
        for one in TASKS["ITM"].fill(record):
            assert (one.answer == "yes") == (one.blanks["text"] == FACTS.captions[0])
        for one in TASKS["missing_object_selection"].fill(record):
            inside = {item.label for item in OBJECTS if item.box in boxes(one.blanks["regions"])}
            assert not inside & set(one.answer.split(", "))
    assert seen == {"yes", "no"}


def test_steps_stand_in_their_order():
    (following,) = filled("wikihow_next_step")
    assert (following.answer, following.blanks["history"]) == ("Glue it.", "Cut the paper.")
    (picture,) = filled("wikihow_image_text_step_order")
    assert picture.answer == ("next" if picture.blanks["step"] == "Glue it." else "previous")
    (text,) = filled("wikihow_text_image_step_order")
    assert text.answer == ("previous" if text.blanks["step"] == "Glue it." else "next")


def test_the_pipeline_makes_samples_of_them_and_boxes_become_regions():
    made = list(finished(multi_instruct.PIPELINE, [noted()], kit(scripted({}))))
    assert {record.reason for record in made if record.reject} <= {"duplicate"}  # one wording of a question for two tasks
    assert {record.task for record in made} >= {"VG", "GC", "VQA_color", "if_region_overlap", "visual_text_extraction"}
    (located, *_) = (record for record in made if record.task == "VG")
    assert isinstance(located.turns[1].parts[0], Region)
