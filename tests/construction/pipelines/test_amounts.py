"""How long and how many: what a method's data must be like rejects, what a prompt merely asks for does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.construction.pipelines.cases import CASES
from tests.construction.pipelines.models import kit, scripted
from vistune.construction.parsers import python_pairs, question_answer
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import load
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources


def made_with(name: str, folder: Path, step: str, reply: str) -> list[Record]:
    pipeline, case = load(name), CASES[name]
    records = list(Sources(case.data(folder), pipeline.spoken))
    return [r for r in finished(pipeline, records, kit(scripted(case.replies | {step: reply}))) if r.task == step]


@pytest.mark.parametrize(("words", "reason"), [(149, "length"), (150, ""), (300, ""), (301, "length")])
def test_video_chatgpt_describes_in_150_to_300_words(words: int, reason: str, tmp_path: Path):
    told = python_pairs.write([Item.of(("Describe the film.", " ".join(["rope"] * words)))])
    assert [record.reason for record in made_with("video_chatgpt", tmp_path, "detail", told)] == [reason]


def test_video_chatgpt_describes_a_film_once(tmp_path: Path):
    told = python_pairs.write([Item.of((f"Describe it, {n}.", " ".join(["rope"] * 200))) for n in range(2)])
    assert [record.reason for record in made_with("video_chatgpt", tmp_path, "detail", told)] == ["more than one description"]


@pytest.mark.parametrize("count", [1, 3, 4])
def test_video_chatgpt_takes_as_many_summaries_as_come(count: int, tmp_path: Path):
    told = python_pairs.write([Item.of((f"Sum it up, {n}.", f"A climber starts, {n}.")) for n in range(count)])
    assert [record.reason for record in made_with("video_chatgpt", tmp_path, "summary", told)] == [""] * count


def test_svit_talks_in_fives_and_reasons_as_often_as_it_can(tmp_path: Path):
    def told(count: int) -> str:
        return question_answer.write([Item.of((f"What is number {n}?", f"Part {n}.")) for n in range(count)])

    talks = made_with("svit", tmp_path, "conversation", told(7))
    assert [record.reason for record in talks] == ["", "incomplete"] * 2
    assert [record.reason for record in made_with("svit", tmp_path, "reasoning", told(7))] == [""] * 14
