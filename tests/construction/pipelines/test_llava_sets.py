"""LLaVA's two sets: captions balanced by concept, and academic sets as conversations with the form of their answers."""

from __future__ import annotations

from collections import Counter

from tests.construction.pipelines.models import kit, scripted
from vistune.construction.facts import Facts
from vistune.construction.operators.concepts import balanced, phrases
from vistune.construction.pipelines import llava_mix
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.sample import Media, Region


def test_noun_phrases_stand_between_function_words():
    assert phrases("A brown dog is running after the ball, near a fence.") == ["brown dog", "running", "ball", "fence"]


def test_rare_concepts_are_kept_whole_common_ones_up_to_a_number_and_the_rarest_do_not_count():
    said = {"a dog": 50, "a heron": 4, "a yak": 2}
    records = [Record(f"{text}{n}", (), Facts(captions=(text,))) for text, count in said.items() for n in range(count)]
    kept = Counter(record.id[:5] for record in balanced(least=3, most=10, seed=1)(records) if not record.reject)
    assert kept == {"a dog": 10, "a her": 4}
    again = [record.id for record in balanced(least=3, most=10, seed=1)(records) if not record.reject]
    assert again == [record.id for record in balanced(least=3, most=10, seed=1)(records) if not record.reject]
    other = [record.id for record in balanced(least=3, most=10, seed=2)(records) if not record.reject]
    assert again != other


def test_a_caption_of_a_rare_and_a_common_concept_counts_for_both():
    records = [Record(str(n), (), Facts(captions=("a dog",))) for n in range(20)]
    records.append(Record("both", (), Facts(captions=("a dog and a heron",))))
    records += [Record(f"h{n}", (), Facts(captions=("a heron",))) for n in range(2)]
    kept = {record.id for record in balanced(least=3, most=5)(records) if not record.reject}
    assert {"both", "h0", "h1"} <= kept and len(kept) <= 8


def test_answers_say_their_form_and_a_picture_is_one_conversation():
    facts = Facts(
        captions=("A bus stops.",),
        ocr=(Region(box=(0, 0, 0.5, 0.5), label="42"),),
        qa=(
            ("Which number?", "42"),
            ("Which is it?\nA. bus\nB. tram", "A"),
            ("What happens?", "The bus stops and people get in."),
        ),
        regions=(Region(box=(0.25, 0.25, 0.75, 0.75), label="the bus"),),
    )
    (made,) = finished(llava_mix.PIPELINE, [Record("1", (Media.file("image", "a.png"),), facts)], kit(scripted({})))
    asked = [turn.text for turn in made.turns if turn.role == "user"]
    assert asked[:4] == [
        f"Which number?\n{llava_mix.WORD}",
        f"Which is it?\nA. bus\nB. tram\n{llava_mix.LETTER}",
        "What happens?",
        f"{llava_mix.SENTENCE}\nReference OCR token: 42",
    ]
    assert len(asked) == 5 and asked[4].split("\n")[0] in (llava_mix.LOCATE, llava_mix.DESCRIBE)


def test_the_sets_add_up_to_665_thousand():
    assert sum(llava_mix.RATIOS.values()) in range(660, 668)
