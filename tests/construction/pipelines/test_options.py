"""Multiple choice: what a sample offers is in its text, as the reader `qa` writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.construction.pipelines.cases import CASES
from tests.construction.pipelines.models import kit, scripted
from vistune.construction.operators.template import list_options
from vistune.construction.pipeline import load, names
from vistune.construction.record import Record, pairs_to_turns, sample_of
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.data.readers.qa import Qa
from vistune.files import write_json

NAMES = names()


@pytest.mark.parametrize("name", NAMES)
def test_no_sample_has_options_that_its_questions_do_not_list(name: str, tmp_path: Path):
    pipeline, case = load(name), CASES[name]
    records = list(Sources(case.data(tmp_path), pipeline.spoken))
    made = [sample_of(record) for record in finished(pipeline, records, kit(scripted(case.replies))) if not record.reject]
    assert made
    for sample in made:
        asked = sample.turns[0].text.splitlines()
        assert [line for line in asked if line[1:3] == ". "] == [
            f"{letter}. {choice}" for letter, choice in zip("ABCD", sample.choices, strict=False)
        ]
    assert any(sample.choices for sample in made) == (name == "pmc_vqa")


def test_options_are_written_as_the_reader_writes_them(tmp_path: Path):
    choices = ["Liver", "Right kidney", "Spleen"]
    row = {"question": "Which organ?", "choices": choices, "answer": "Right kidney"}
    write_json(tmp_path / "a.json", [row])
    read = Qa(str(tmp_path / "a.json"), image=None, choices="choices", list_choices=True).sample(0)
    record = Record("1", turns=pairs_to_turns([("Which organ?", "B")]), choices=tuple(choices))
    (made,) = map(sample_of, list_options()([record]))
    assert [turn.text for turn in made.turns] == [turn.text for turn in read.turns]
    assert made.turns[0].text == "Which organ?\nA. Liver\nB. Right kidney\nC. Spleen"
