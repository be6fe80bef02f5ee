"""What pipelines need: every published input is taken, what is needed is named, and what lacks it is rejected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.construction.pipelines import inputs
from tests.construction.pipelines.models import kit, scripted
from vistune.commands.build import app
from vistune.construction.facts import KINDS
from vistune.construction.operators.source import alternatives, require
from vistune.construction.pipeline import load, names
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.errors import InputError

BOX = [0.1, 0.1, 0.5, 0.9]
REGIONS = {"regions": [{"text": "a heron in a pond", "box": BOX}]}
OBJECTS = {"objects": [{"text": "heron", "box": BOX}]}
EVENTS = {"events": [{"start": 0, "end": 3, "text": "people hurry"}]}
ANSWERED = {"qa": [["What runs?", "a dog"]]}
PUBLISHED: list[tuple[str, dict[str, Any], str | None]] = [
    ("lrv_instruction", REGIONS, "image"),
    ("lrv_instruction", OBJECTS, "image"),
    ("ophglm", {"relations": [["glaucoma", "may damage", "the optic nerve"]]}, None),
    ("ophglm", {"knowledge": ["Eye drops lower the pressure."]}, None),
    ("ophglm", ANSWERED, None),
    ("mimic_it", EVENTS, "video"),
    ("videochat", {"tags": ["street"], **EVENTS}, "video"),
    ("videochat", REGIONS, "video"),
    ("x_llm", {"speech": [{"start": 1, "end": 2, "text": "It is pouring!"}]}, "video"),
    ("gpt4tools", {"captions": ["a dog"]}, "image"),
    ("gpt4tools", ANSWERED, None),
    ("multi_instruct", ANSWERED, "image"),
    ("multi_instruct", OBJECTS, "image"),
    ("chimed_vl", ANSWERED, "image"),
    ("mm_it", ANSWERED, "image"),
    ("multis", ANSWERED, "image"),
    ("lamm", OBJECTS, "image"),
    ("lamm", {"labels": ["heron"]}, "image"),
]


@pytest.mark.parametrize(("name", "meta", "media"), PUBLISHED, ids=[f"{name}-{'-'.join(meta)}" for name, meta, _ in PUBLISHED])
def test_published_inputs_are_taken(name: str, meta: dict[str, Any], media: str | None, tmp_path: Path):
    pipeline = load(name)
    records = list(Sources(inputs.native(tmp_path, meta, media=media), pipeline.spoken))
    made = list(finished(pipeline, records, kit(scripted({}))))
    assert any(not record.reject for record in made), [record.reject for record in made]


@pytest.mark.parametrize("name", [name for name in names() if load(name).needs])
def test_what_knows_nothing_is_missing_what_list_names(name: str):
    told = CliRunner().invoke(app, ["list", "--json"], catch_exceptions=False).output
    needs = next(entry["needs"] for entry in json.loads(told) if entry["name"] == name)
    (made,) = load(name).run([Record("1")], kit(scripted({})))
    assert made.reason == "missing"
    assert made.reject.removeprefix("missing: ").split(", ") == [
        need for need in needs if set(alternatives(need)) <= set(KINDS)
    ]


def test_only_what_sees_or_labels_takes_media_alone():
    alone = {name for name in names() if not load(name).needs}
    assert alone == {"as_1b", "iluvui", "minigpt4", "sharegpt4v", "vigc"}
    assert all(load(name).parts for name in alone)


def test_one_alternative_is_enough_and_misspelt_ones_are_refused():
    with pytest.raises(InputError, match="regionz"):
        require("objects or regionz")
    told = CliRunner().invoke(app, ["show", "lrv_instruction"], catch_exceptions=False).output
    assert "needs: regions or objects\n" in told


def test_conversations_are_captions_wherever_captions_may_be_needed():
    assert {name for name in names() if load(name).spoken == "qa"} == {"m3it", "ophglm", "pf_1m"}
