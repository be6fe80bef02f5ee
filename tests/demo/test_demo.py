"""The demonstration runs end to end, and so does the first example of the README."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vistune.demo import run
from vistune.demo.controls import majority, measure
from vistune.errors import InputError
from vistune.evals.controls import blind
from vistune.prompt.codecs.location_tokens import LocationTokens
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn

ROOT = Path(__file__).parent.parent.parent
CODEC = LocationTokens(bins=64)


def question(index: int, answer: str) -> Sample:
    turns = (Turn("user", (MediaRef(0), Text("?"))), Turn("assistant", (Text(answer),)))
    return Sample(str(index), (Media.file("image", f"{index}.png"),), turns, answers=(answer,))


def boxed(index: int, edge: float) -> Sample:
    turns = (Turn("user", (MediaRef(0), Text("?"))), Turn("assistant", (Region(box=(0.0, 0.0, edge, edge)),)))
    return Sample(str(index), (Media.file("image", f"{index}.png"),), turns)


def test_blind_keeps_questions_and_changes_every_picture() -> None:
    samples = [question(index, "a") for index in range(5)]
    for before, after in zip(samples, blind(samples), strict=True):
        assert after.turns == before.turns and after.media != before.media
    with pytest.raises(InputError, match="sample '0': no other sample"):
        blind([question(0, "a"), question(0, "b")])


def test_majority_is_the_most_frequent_training_answer_or_the_mean_box() -> None:
    test = [question(0, "a"), question(1, "b")]
    assert majority(test, [question(i, answer) for i, answer in enumerate("bba")], CODEC) == ["b", "b"]
    assert majority([boxed(0, 0.5)], [boxed(1, 0.25), boxed(2, 0.75)], CODEC) == ["<loc_0><loc_0><loc_32><loc_32>"]


def test_boxes_are_measured_at_half_overlap_and_words_exactly() -> None:
    samples = [boxed(0, 0.5), boxed(1, 0.5)]
    found = measure("refer_box", samples, ["<loc_0><loc_0><loc_32><loc_30>", "somewhere"], CODEC)
    assert found.headline == 50.0 and found.unparsed == 1
    assert measure("colour", [question(0, "red"), question(1, "blue")], ["Red ", "green"], CODEC).headline == 50.0


@pytest.mark.slow
def test_the_demo_ends_with_a_report_and_the_readme_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = run.demo_recipe()
    short = replace(recipe, stages=tuple(replace(stage, steps=1, batch=4) for stage in recipe.stages))
    monkeypatch.setattr(run, "demo_recipe", lambda: short)
    monkeypatch.setattr(run, "TASKS", ("identity", "refer_box", "caption"))
    monkeypatch.chdir(tmp_path)
    out = Path("runs/demo")
    printed = run.demo(out, questions=4)
    report = json.loads((out / "report.json").read_text())
    assert set(report["tasks"]) == {"identity", "refer_box", "caption_cider_d"}
    assert {"tuned", "aligned", "blind", "majority", "n"} == set(report["tasks"]["identity"])
    assert report["tasks"]["identity"]["n"] == 4 and set(report["seconds"]) == {"train", "eval"}
    assert report["versions"]["torch"]
    assert "next: vistune chat" in printed
    page = (out / "report.html").read_text()
    assert page.count("<figure>") == 9 and "data:image/png;base64," in page
    assert len((out / "predictions" / "identity.tuned.jsonl").read_text().splitlines()) == 4
    example = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert example is not None and os.path.exists("runs/demo/pictures/000.png")
    subprocess.run([sys.executable, "-c", example[1]], check=True)
