"""Every pipeline on the embedded world with rules in the place of models: what it makes is true of what it is about."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from vistune.commands.build import app
from vistune.construction.boxes import overlap
from vistune.construction.completers.offline import MODEL, Offline
from vistune.construction.kit import Kit
from vistune.construction.offline.collection import Collection, captions
from vistune.construction.offline.facts import Known
from vistune.construction.offline.tongues import TONGUES
from vistune.construction.pipeline import load, names
from vistune.construction.record import Record
from vistune.construction.running.runner import finished
from vistune.construction.sources import Sources
from vistune.sample import Box, Region
from vistune.world import digits, palette, shapes, words
from vistune.world.films.film import make_film
from vistune.world.pages.page import make_page
from vistune.world.scene import make_scene
from vistune.world.solids.cloud import make_cloud

RECORDS = 12
# Where pictures are not what a pipeline is for, or lack what it looks at, the sense that is.
DATA = {
    "iluvui": "world:?task=pages",
    "llavar": "world:?task=pages",
    "valley": "world:?task=film_caption",
    "video_chatgpt": "world:?task=film_caption",
    "videochat": "world:?task=film_caption",
    "point_llm": "world:?task=solid_caption",
    "clotho_detail": "world:?task=sound_caption",
    "vggss": "world:?task=sound_caption",
}
# What a scene cannot give is rejected with its reason, and nothing else is.
REJECTS = {
    "absent_pairs": {"no negative possible"},  # of the first picture, before any other name is known
    "detgpt": {"empty", "duplicate"},
    "gpt4tools": {"near duplicate", "duplicate"},
    "grit": {"no negative possible", "empty"},
    "iluvui": {"missing", "empty"},  # no screens before and after; no form on the page
    "llavar": {"missing"},
    "llava_pretrain": {"no concept needs it"},
    "m3it": {"missing"},  # answered with a box alone
    "macaw_llm": {"speaks of a caption, or denies"},
    "mimic_it": {"duplicate"},
    "multi_instruct": {"duplicate"},
    "ophglm": {"missing", "near duplicate"},
    "pf_1m": {"missing"},
    "pmc_vqa": {"answerable without the picture"},
    "pvit": {"empty"},
    "sharegpt4v": {"length"},
    "minigpt4": {"length"},
    "sparkles_dialogue": {"bundle too small"},
    "svit": {"incomplete", "duplicate"},
    "textbind": {"bundle too small"},
    "video_chatgpt": {"length"},
}
_COLOURED = re.compile(
    rf"(?<!not )\b({'|'.join(palette.NAMES)}) "
    rf"({'|'.join([*digits.NAMES, *shapes.NAMES, 'cube', 'cylinder', 'cone', 'ball', 'pyramid'])}|word \"?\w+\"?)\b"
)
_DENIED = re.compile(r"\b(?:no|not|there is no|zero)\b|\bNo\b")
_WRITTEN = {"digit": digits.NAMES, "shape": shapes.NAMES, "word": words.NAMES}


def run(name: str, count: int = RECORDS) -> list[Record]:
    pipeline, rules = load(name), Offline()
    records = Sources([DATA.get(name, "world")], pipeline.spoken)
    known = Known()
    kit = Kit(rules, rules, {"objects": known, "ocr": known, "layout": known}, Collection())
    return list(finished(pipeline, islice(iter(records), count), kit))


def truth(record: Record) -> tuple[set[str], list[Box], int]:
    """`colour name` of everything in the media that a record shows, the boxes, and how many things there are, from the
    generators alone."""
    sense, split = record.meta.get("sense"), record.meta["split"]
    things: list[tuple[str, str, str]] = []
    boxes: list[Box] = []
    for seed in record.meta["scenes"]:
        if sense is None:
            objects = make_scene(seed, split).objects
            things += [(thing.colour, thing.kind, thing.name) for thing in objects]
            boxes += [thing.box for thing in objects]
        elif sense == "films":
            things += [(c, t.kind, t.name) for t in make_film(seed, split).objects for c in (t.colour, t.changed) if c]
        elif sense == "solids":
            things += [(solid.colour, "solid", solid.name) for solid in make_cloud(seed, split).solids]
        elif sense == "pages":
            boxes += [element.box for element in make_page(seed, split).elements]
    return (
        {f"{colour} word {name}" if kind == "word" else f"{colour} {name}" for colour, kind, name in things},
        boxes,
        len(things),
    )


def false_claims(record: Record, known: set[str], boxes: list[Box]) -> list[str]:
    """Names with their colours that are asserted and not there, and boxes around nothing."""
    found = []
    for turn in record.turns:
        for part in turn.parts:
            if isinstance(part, Region) and boxes and max(overlap(part.bounds(), box) for box in boxes) < 0.9:
                found.append(str(part.bounds()))
        if turn.role != "assistant":
            continue
        for sentence in re.split(r"(?<=[.!?])\s|;", turn.text):
            if not _DENIED.search(sentence):
                said = {" ".join(match).replace('"', "") for match in _COLOURED.findall(sentence)}
                found += sorted(said - known)
    return found


def shown(record: Record, name: str) -> set[str]:
    """What is true of media that were found for it rather than given."""
    if name not in ("mosit", "stable_llava"):
        return set()
    return {
        " ".join(found).replace('"', "")
        for kind in ("image", "video")
        for text in captions(kind)
        for found in _COLOURED.findall(text)
    }


@pytest.mark.parametrize("name", names())
def test_a_pipeline_runs_without_a_model_and_says_what_is_true(name: str):
    made = run(name)
    kept = [record for record in made if not record.reject]
    reasons = Counter(record.reason for record in made if record.reject)
    assert kept and set(reasons) <= REJECTS.get(name, set()), reasons
    for record in kept:
        assert {exchange.reply.model for exchange in record.exchanges} <= {MODEL}
        known, boxes, _ = truth(record)
        if "related" in record.meta or name in ("sparkles_dialogue", "textbind"):
            boxes = []  # of several pictures at once
        every = set().union(*(truth(one)[0] for one in kept)) if "related" in record.meta else known
        assert not false_claims(record, every | shown(record, name), boxes), [turn.text for turn in record.turns]


MORE = {"llavar": 150, "m3it": 100, "llava_instruct": 40, "valley": 40, "videochat": 40, "point_llm": 120, "pvit": 120}
"""Records of pipelines that draw one task for each, so that every task has its turn."""
UNCALLED = {
    "iluvui": {"transition"},  # no screens before and after
    "ophglm": {"graph"},  # where there are questions, those are what is rewritten
    "video_chatgpt": {"dense"},  # no tags
}


@pytest.mark.parametrize("name", [name for name in names() if load(name).prompts])
def test_every_prompt_has_a_rule(name: str):
    asked = {exchange.step for record in run(name, MORE.get(name, RECORDS)) for exchange in record.exchanges}
    prompts = {prompt.name for prompt in load(name).prompts} - UNCALLED.get(name, set())
    languages = prompts & TONGUES.keys()
    assert asked >= prompts - languages
    assert not languages or languages & asked


@pytest.mark.parametrize("language", TONGUES)
def test_other_languages_name_the_colours_of_the_picture(language: str):
    tongue = TONGUES[language]
    hues = dict(zip(tongue.colours.split(), palette.NAMES, strict=True))
    spoken = [record for record in run("mimic_it") if not record.reject and record.task == language]
    if not spoken:
        pytest.fail(f"no sample in {language}")
    for record in spoken:
        scene = make_scene(record.meta["scenes"][0], record.meta["split"])
        said = {hues[word] for word in hues if word in record.turns[-1].text}
        assert said <= {thing.colour for thing in scene.objects}, record.turns[-1].text


def test_what_a_painter_finds_is_what_the_caption_says():
    for kind in ("image", "video", "audio"):
        text = next(iter(captions(kind)))
        found = Collection().paint(kind, text)
        assert found.kind == kind and found == Collection().paint(kind, f"{text.upper()} ")
    assert Collection().paint("image", list(captions("image"))[1]) != Collection().paint("image", list(captions("image"))[2])


def test_a_false_name_and_a_box_around_nothing_are_found():
    (record, *_) = [one for one in run("as_1b") if not one.reject]
    known, boxes, _ = truth(record)
    assert not false_claims(record, known, boxes)
    wrong = {name for name in known if name.startswith("x")}
    assert false_claims(record, wrong, [(0.0, 0.0, 0.01, 0.01)])


def test_the_command_names_the_rules_as_writer_viewer_and_painter(tmp_path: Path):
    told = CliRunner().invoke(
        app, ["run", "stable_llava", "--data", "world", "--limit", "2", "--out", str(tmp_path)], catch_exceptions=False
    )
    report: dict[str, Any] = json.loads((tmp_path / "run.json").read_text())
    assert told.exit_code == 0 and (report["completer"], report["viewer"]) == ("offline", "offline")
    assert report["painter"].endswith("offline.collection:Collection") and report["statistics"]["samples"] == 2
    (first, *_) = (json.loads(line) for line in (tmp_path / "trace.jsonl").open())
    assert {exchange["model"] for exchange in first["exchanges"]} == {MODEL}
