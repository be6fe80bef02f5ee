"""Nothing is lost: every record that enters a pipeline comes out of it, itself or in what was made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.construction.pipelines import inputs
from tests.construction.pipelines.cases import CASES
from tests.construction.pipelines.models import always, kit, scripted
from vistune.completer import Reply
from vistune.construction.facts import Facts
from vistune.construction.kit import Kit
from vistune.construction.pipeline import load, names
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.sample import Media

REFUSAL = Reply("I'm sorry, but I cannot help with that request.")


class Blind:
    """A detector that finds nothing."""

    def label(self, medium: Media) -> Facts:
        return Facts()


def lost(records: Iterable[Record], made: Iterable[Record]) -> set[str]:
    """The ids of records that did not come out, neither alone nor in a bundle (`a+b`), nor as what was made of them
    (`a/task`, `a#0`)."""
    ids = [record.id for record in made]
    return {record.id for record in records if not any(_of(record, identity) for identity in ids)}


def _of(record: Record, identity: str) -> bool:
    return re.search(rf"(^|\+){re.escape(record.id)}($|[/#+])", identity) is not None


@pytest.mark.parametrize("replies", ["good", "refusals"])
@pytest.mark.parametrize("name", names())
def test_no_record_is_lost(name: str, replies: str, tmp_path: Path):
    pipeline, case = load(name), CASES[name]
    records = list(Sources(case.data(tmp_path), pipeline.spoken))
    completer = scripted(case.replies) if replies == "good" else always(REFUSAL)
    assert records and not lost(records, finished(pipeline, records, kit(completer)))


def test_a_picture_in_which_nothing_is_found_is_rejected(tmp_path: Path):
    pipeline, completer = load("as_1b"), scripted({})
    records = Sources(inputs.native(tmp_path, {}, {}, media="image"), pipeline.spoken)
    made = finished(pipeline, records, Kit(completer, completer, {"objects": Blind()}))
    assert [(record.id, record.reject) for record in made] == [("s0", "no regions"), ("s1", "no regions")]


def test_what_counts_as_lost():
    records = [Record(name) for name in ("1", "2", "12", "3", "4")]
    assert lost(records, [Record("12/task"), Record("1#0"), Record("9+3+4")]) == {"2"}
