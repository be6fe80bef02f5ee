"""`vistune data`: exit codes and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.commands.data import app
from vistune.data.samples import read
from vistune.errors import InputError


@pytest.fixture
def spec(tmp_path: Path) -> str:
    chance = np.random.default_rng(0)
    records = []
    for number in range(12):
        Image.fromarray(chance.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / f"{number}.png")
        turns = [{"from": "human", "value": f"<image>\nQ{number}"}, {"from": "gpt", "value": f"A{number}"}]
        records.append({"id": str(number), "image": f"{number}.png", "conversations": turns})
    (tmp_path / "data.json").write_text(json.dumps(records))
    return f"conversations:{tmp_path}/data.json"


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    if isinstance(result.exception, InputError):
        raise result.exception
    return result.exit_code, result.output


def test_check_exits_0_without_and_1_with_problems(spec: str, tmp_path: Path) -> None:
    assert call("check", spec, "--workers", "1")[0] == 0
    (tmp_path / "3.png").unlink()
    (tmp_path / "5.png").write_bytes((tmp_path / "5.png").read_bytes()[:-1])
    code, output = call("check", spec, "--workers", "1", "--rejects", str(tmp_path / "rejects.jsonl"), "--json")
    assert code == 1
    counts = {"missing_file": 1, "undecodable": 1}
    told = json.loads(output)
    assert set(told.pop("examples")) == set(counts)
    assert told == {"samples": 12, "media": 12, "problems": 2, "counts": counts, "unused_keys": {}}
    rejects = [json.loads(line) for line in (tmp_path / "rejects.jsonl").read_text().splitlines()]
    assert sorted((reject["index"], reject["reason"], reject["kind"]) for reject in rejects) == [
        (3, "missing_file", "problem"),
        (5, "undecodable", "problem"),
    ]
    assert call("check", spec, "--workers", "1", "--allow", "missing_file", "--allow", "undecodable")[0] == 0
    assert call("check", spec, "--workers", "1", "--no-decode", "--allow", "missing_file")[0] == 0


def test_check_against_held_out_data_finds_leaks(spec: str) -> None:
    code, output = call("check", spec, "--against", spec, "--workers", "1")
    assert code == 1 and "leak" in output


def test_unknown_reasons_and_data_are_refused(spec: str) -> None:
    with pytest.raises(InputError, match=r"--allow dupliacte: there is no such problem \(did you mean 'duplicate'"):
        call("check", spec, "--allow", "dupliacte")
    with pytest.raises(InputError, match="no kind 'conversation'"):
        call("check", spec.replace("conversations", "conversation", 1))


def test_stats_prints_numbers_and_writes_a_sheet(spec: str, tmp_path: Path) -> None:
    code, output = call("stats", spec, "--json", "--sheet", str(tmp_path / "sheet.html"), "--shown", "5")
    assert code == 0 and json.loads(output)["samples"] == 12
    assert (tmp_path / "sheet.html").read_text().count("<article>") == 5


def test_convert_and_split_read_back(spec: str, tmp_path: Path) -> None:
    code, output = call("convert", spec, "messages", str(tmp_path / "out.jsonl"))
    assert code == 0 and "12 samples written" in output
    back, original = read(f"messages:{tmp_path}/out.jsonl"), read(spec)
    assert list(back) == list(original)
    assert call("split", spec, "train=0.75,val=0.25", str(tmp_path), "--seed", "1")[0] == 0
    ids = [sample.id for name in ("train", "val") for sample in read(f"samples:{tmp_path}/{name}.jsonl")]
    assert sorted(ids, key=int) == [str(number) for number in range(12)]


def test_convert_may_skip_at_most_one_percent(spec: str, tmp_path: Path) -> None:
    records = json.loads((tmp_path / "data.json").read_text())
    records[4]["conversations"] = []
    (tmp_path / "data.json").write_text(json.dumps(records))
    with pytest.raises(InputError, match=r"record 5 .*: 'conversations' is empty"):
        call("convert", spec, "samples", str(tmp_path / "out.jsonl"))
    with pytest.raises(InputError, match="1 of 12 records cannot be used, more than 1%"):
        call("convert", spec, "samples", str(tmp_path / "out.jsonl"), "--on-error", "skip")
    assert not (tmp_path / "out.jsonl").exists()
    assert "'conversations' is empty" in (tmp_path / "out.jsonl.rejects.jsonl").read_text()


def test_the_manifest_hashes_files(spec: str) -> None:
    code, output = call("manifest", spec)
    (state,) = json.loads(output)["files"].values()
    assert code == 0 and len(state["sha256"]) == 64
