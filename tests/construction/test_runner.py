"""A run's folder: what is in it, that a stopped run is continued, that decisions reach the next run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import vistune.data.samples as data
from tests.construction.fake_endpoint import FakeEndpoint
from tests.construction.pipelines import inputs
from tests.construction.pipelines.models import kit, scripted
from vistune.construction.completers.endpoint import Endpoint
from vistune.construction.operators.generate import generate, persistent
from vistune.construction.pipeline import Pipeline, load
from vistune.construction.record import Record, chain
from vistune.construction.running.rehearsal import rehearse
from vistune.construction.running.review import read_decisions, write_page
from vistune.construction.running.runner import run
from vistune.construction.running.session import Choices, perform, rehearsed
from vistune.construction.running.statistics import Statistics
from vistune.construction.sources import Sources
from vistune.errors import InputError
from vistune.files import read_json, read_jsonl


def lines(path: Path) -> list[Any]:
    return [value for _, value in read_jsonl(path)]


def test_the_world_becomes_instructions_that_readers_read(tmp_path: Path):
    report = perform(Choices("llava_instruct", ("world",), limit=30), tmp_path)
    samples = data.read(f"samples:{tmp_path}/samples.jsonl")
    assert len(samples) == report["statistics"]["samples"] == 30
    assert report["statistics"]["rejects"] == {}
    assert report["statistics"]["boxes"] > 0
    for sample in samples:
        assert sample.media[0].read_bytes().startswith(b"\x89PNG")
        assert [turn.role for turn in sample.turns[:2]] == ["user", "assistant"]
        assert sample.turns[0].text.startswith("\n"), "a line break between picture and question, as in the world's own"


def test_the_same_command_gives_the_same_bytes(tmp_path: Path):
    for name in ("a", "b"):
        perform(Choices("lrv_instruction", ("world",), limit=10, seed=5), tmp_path / name)
    assert (tmp_path / "a" / "samples.jsonl").read_bytes() == (tmp_path / "b" / "samples.jsonl").read_bytes()
    assert read_json(tmp_path / "a" / "run.json") == read_json(tmp_path / "b" / "run.json")


def test_rejects_keep_their_requests_and_replies(tmp_path: Path):
    pipeline = load("shikra_rd")
    records = list(Sources(inputs.flickr30k(tmp_path), pipeline.spoken))
    run("shikra_rd", pipeline, records, kit(scripted({"dialogue": "No format."})), tmp_path / "out", {})
    (reject,) = lines(tmp_path / "out" / "rejects.jsonl")
    assert (reject["reason"], reject["detail"]) == ("format", "format: expected Question:")
    assert reject["exchanges"][0]["reply"] == "No format."
    assert "a ball: [0.600,0.500,0.800,0.900]" in reject["exchanges"][0]["asked"]
    assert lines(tmp_path / "out" / "samples.jsonl") == []


def test_a_stopped_run_leaves_nothing_half_written_and_is_continued(tmp_path: Path):
    pipeline = load("llava_instruct")
    records = list(Sources(inputs.coco(tmp_path, 6), pipeline.spoken))
    out = tmp_path / "out"

    def stopping() -> Any:
        yield from records[:3]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("llava_instruct", pipeline, stopping(), kit(scripted({})), out, {})
    assert not list(out.glob("*.jsonl")) and not (out / "run.json").exists()
    run("llava_instruct", pipeline, records, kit(scripted({})), out, {})
    assert len(lines(out / "samples.jsonl")) == 6


def test_half_written_files_of_killed_runs_are_removed_and_no_others(tmp_path: Path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = [f".samples.jsonl.{dead.pid}.tmp", f".run.json.{dead.pid}.tmp"]
    kept = [f".samples.jsonl.{os.getppid()}.tmp", f".mine.jsonl.{dead.pid}.tmp", ".samples.jsonl.x.tmp", "samples.jsonl.1.tmp"]
    for name in gone + kept:
        (tmp_path / name).write_text("{")
    perform(Choices("llava_instruct", ("world",), limit=1), tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == sorted(kept)


def pictures(folder: Path) -> str:
    """Three captioned pictures: one that endpoints take, one that they do not, one that is none."""
    folder.mkdir()
    Image.new("RGB", (8, 8), "red").save(folder / "0.png")
    Image.new("RGB", (8, 8), "red").save(folder / "1.bmp")
    Image.new("RGB", (8, 8), "red").save(folder / "2.bmp")
    rows = [{"image": name, "caption": "A red square."} for name in ("0.png", "1.bmp", "2.bmp")]
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return f"captions:{folder}/captions.jsonl"


def test_a_picture_that_cannot_be_sent_is_a_reject_of_its_own(tmp_path: Path):
    prompt = replace(load("llava_instruct").prompts[0], looks=True, context=("captions",))
    pipeline = Pipeline("Looking", ("captions",), "answers", lambda kit: [generate(kit.writer, prompt)], (prompt,))
    records = list(Sources([pictures(tmp_path / "in")], pipeline.spoken))
    (tmp_path / "in" / "2.bmp").write_bytes(b"BM no picture any more")
    with FakeEndpoint(text="Question:\nWhat?\n===\nAnswer:\nA red square.") as server:
        writer = Endpoint(server.url, "m")
        statistics = run("looking", pipeline, records, kit(writer), tmp_path / "out", {})
        writer.close()
    assert (statistics.samples, statistics.rejects) == (2, {"picture": 1})
    assert statistics.commonest().startswith("picture: ")


def test_a_run_in_which_every_request_failed_says_so_and_keeps_its_rejects(tmp_path: Path):
    completer = "endpoint:http://127.0.0.1:9/v1?model=m&retries=0"
    with pytest.raises(
        InputError, match=r"all 4 requests failed, most often with 'endpoint: no connection \(Connection refused\)"
    ):
        perform(Choices("llava_instruct", ("world",), completer, limit=4), tmp_path)
    assert len(lines(tmp_path / "rejects.jsonl")) == 4
    statistics = read_json(tmp_path / "run.json")["statistics"]
    assert statistics["commonest_reject"] == "endpoint: no connection (Connection refused) after 1 failed tries"


def test_causes_are_counted_as_far_as_there_are_few():
    statistics = Statistics()
    for number in range(1200):
        statistics.count(Record(str(number)).rejected("format", f"unlike any other: {number}"))
    for number in range(2):
        statistics.count(Record(str(number)).rejected("format", "unlike any other: 7"))
    assert statistics.rejects == {"format": 1202} and len(statistics.causes) == 1000
    assert statistics.commonest() == "format: unlike any other: 7"


def test_a_rehearsal_bounds_a_run_whose_every_round_is_needed():
    prompt = replace(load("llava_instruct").prompts[0], max_tokens=100)
    pipeline = Pipeline("Rounds", ("captions",), "", lambda kit: persistent(kit.writer, prompt, rounds=3), (prompt,))
    good, worst = (
        rehearse(pipeline, Sources(["world:?size=4"], "captions"), kit(scripted({})), fails) for fails in (False, True)
    )
    assert (good.most, worst.most) == (400, 1200) and not good.depends


def test_a_folder_holds_one_pipelines_run(tmp_path: Path):
    perform(Choices("llava_instruct", ("world",), limit=1), tmp_path)
    with pytest.raises(InputError, match="holds a run of llava_instruct: choose another folder for lrv_instruction"):
        perform(Choices("lrv_instruction", ("world",), limit=1), tmp_path)


def test_two_runs_may_not_share_a_file_of_replies_at_once(tmp_path: Path):
    from vistune.construction.running.store import ReplyStore

    with ReplyStore(tmp_path / "replies.jsonl"), pytest.raises(InputError, match="is being written by another run"):
        perform(Choices("llava_instruct", ("world",), limit=1), tmp_path)


def test_decisions_of_the_review_page_reach_the_next_run(tmp_path: Path):
    perform(Choices("llava_instruct", ("world",), limit=4), tmp_path / "first")
    ids = [sample["id"] for sample in lines(tmp_path / "first" / "samples.jsonl")]
    decisions = tmp_path / "decisions.json"
    decisions.write_text(json.dumps({"pipeline": "llava_instruct", "decisions": {ids[0]: "reject", ids[1]: "accept"}}))
    report = perform(Choices("llava_instruct", ("world",), limit=4, decisions=decisions), tmp_path / "second")
    assert report["statistics"]["samples"] == 3 and report["statistics"]["rejects"] == {"reviewer": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"decisions": {"a": "maybe"}}', "the decision on 'a' is 'maybe'"),
        ("[]", "expected an object with the key 'decisions'"),
    ],
)
def test_files_that_hold_no_decisions_are_refused(tmp_path: Path, text: str, said: str):
    (tmp_path / "decisions.json").write_text(text)
    with pytest.raises(InputError, match=said):
        read_decisions(tmp_path / "decisions.json")


def test_the_review_page_shows_samples_and_rejects_and_escapes_them(tmp_path: Path):
    pipeline = load("llava_instruct")
    records = [Record.rejected(record, "odd", "<script>alert(1)</script>") for record in Sources(["world:?size=1"], "captions")]
    records += list(Sources(["world:?size=3"], "captions"))
    bad = "Question:\n<img src=x onerror=alert(1)>?\n===\nAnswer:\nYes & no."
    run("llava_instruct", pipeline, records, kit(scripted({"conversation": bad, "reasoning": bad})), tmp_path, {})
    page = write_page(tmp_path).read_text()
    assert page.count('<article class="made"') == 3 and page.count('<article class="failed"') == 1
    assert "<script>alert(1)" not in page and "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert page.count('class="box"') >= 3 and "http" not in page.split("<main")[1]
    assert 'src="media/' in page


def test_a_rehearsal_shows_three_requests_and_the_cost_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    told = rehearsed(Choices("video_chatgpt", tuple(map(str, film(tmp_path / "in"))), limit=5), 1.0, 2.0)
    assert told.count("=== request") == 3
    assert "requests: 2 summary, 2 extract, 2 detail" in told
    assert "USD, at most" in told and "at most: every reply at its full length, in every round (6 requests)" in told
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_rehearsal_claims_no_bound_where_replies_lead_to_requests():
    told = rehearsed(Choices("vigc", ("world",), limit=2), 1.0, 2.0)
    assert "at most: for these requests alone; replies lead to further ones" in told


def film(folder: Path) -> list[str]:
    folder.mkdir()
    for number in range(2):
        (folder / f"{number}.mp4").write_bytes(b"\x00")
    rows = [{"file": f"{number}.mp4", "caption": f"film number {number}"} for number in range(2)]
    (folder / "captions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [f"captions:{folder}/captions.jsonl?medium=file&kind_of_media=video"]


def test_chained_operators_are_lazy():
    taken = []

    def source() -> Any:
        for number in range(5):
            taken.append(number)
            yield Record(str(number))

    assert next(chain(source(), [])).id == "0" and taken == [0]
