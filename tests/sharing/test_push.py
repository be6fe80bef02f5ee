"""A pushed folder loads where vistune is not, and its card says what was configured and computed, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.recipe import Recipe
from vistune.sharing.push import prepared, upload
from vistune.training.report.page import html
from vistune.training.report.serving import server
from vistune.training.run import train

HELD = {"name": "count", "data": "world:?task=count&split=validation", "every": 2, "size": 4, "max_new_tokens": 2}


@pytest.fixture(scope="module")
def run(tiny_spec: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    spec = tiny_spec | {"adapt": {"llm": {"kind": "lora", "rank": 2}}}
    stage = {"name": "tune", "train": {"llm.adapter": 1e-3}, "data": "world:?task=count&size=16", "batch": 4, "steps": 3}
    stage |= {"evaluate": [HELD | {"metrics": ["loss", "exact_match"]}], "keep": "best"}
    made = Recipe.from_json(
        {"name": "mine", "paper": "arXiv 1", "model": spec, "stages": [stage], "deviations": ["It is tiny."]}
    )
    folder = tmp_path_factory.mktemp("runs") / "first"
    train(made, folder, report=False)
    return folder


def test_a_pushed_folder_loads_without_vistune(run: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["push", str(run), "--to", str(tmp_path / "out")])
    assert done.exit_code == 0, done.exception
    script = (
        "import sys\nfrom transformers import AutoModelForImageTextToText, AutoProcessor\n"
        f"model = AutoModelForImageTextToText.from_pretrained({str(tmp_path / 'out')!r})\n"
        f"processor = AutoProcessor.from_pretrained({str(tmp_path / 'out')!r}, backend='pil')\n"
        "assert 'vistune' not in sys.modules\nprint(type(model).__name__, type(processor).__name__)\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, env={"PATH": ""})
    assert said.stdout.split() == ["LlavaForConditionalGeneration", "LlavaProcessor"], said.stderr[-800:]
    assert load(tmp_path / "out" / "vistune", device="cpu").spec.adapt


def test_the_card_holds_what_the_run_holds(run: Path, tmp_path: Path) -> None:
    assert prepared(run / "tune", tmp_path / "out") is None
    text = (tmp_path / "out" / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["library_name"] == "transformers"
    lines = [json.loads(line) for line in (run / "logs" / "tune.jsonl").read_text().splitlines()]
    assert f"| tune | `llm.adapter` 0.001 | 4 | 3 | {lines[-1]['loss']:.4f} |" in text
    assert (
        "- It is tiny." in text and "arXiv 1" in text and "| tune | `{" in text and "| 16 | not recorded | generated |" in text
    )
    measured = [json.loads(line) for line in (run / "logs" / "tune.eval.jsonl").read_text().splitlines()]
    assert f"| count | loss | {measured[-1]['values']['loss']:.4g} | 4 |" in text


def test_the_best_checkpoints_card_tells_its_own_numbers(run: Path, tmp_path: Path) -> None:
    prepared(run / "tune-best", tmp_path / "out")
    measured = [json.loads(line) for line in (run / "logs" / "tune.eval.jsonl").read_text().splitlines() if line]
    best = min((line for line in measured if line["step"]), key=lambda line: line["values"]["loss"])
    assert f"behind step {best['step']}" in (tmp_path / "out" / "README.md").read_text()


def test_results_of_evaluations_stand_in_the_card(run: Path, tmp_path: Path) -> None:
    fixtures = Path(__file__).parents[1] / "evals" / "fixtures"
    evaluated = str(tmp_path / "evaluated")
    asked = ["--bench", "tab_fact", "--data", str(fixtures), "--out", evaluated, "--max-new-tokens", "1"]
    for words in (["eval", str(run), *asked], ["push", str(run), "--to", str(tmp_path / "out"), "--results", evaluated]):
        assert CliRunner().invoke(app, words, catch_exceptions=False).exit_code == 0
    found = json.loads((tmp_path / "evaluated" / "tab_fact" / "result.json").read_text())
    bounds = "{low:.2f} to {high:.2f}".format(**found["interval"])
    row = f"| tab_fact | accuracy | {found['values']['accuracy']:.2f} % | {bounds} | {found['rule']} | {found['n']} |"
    assert row in (tmp_path / "out" / "README.md").read_text()


def test_a_link_out_of_the_checkpoint_is_not_shared(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "tune", tmp_path / "given")
    (tmp_path / "private.txt").write_text("mine")
    (tmp_path / "given" / "notes.txt").symlink_to(tmp_path / "private.txt")
    with pytest.raises(InputError, match=r"notes\.txt is a link that leads out of"):
        prepared(tmp_path / "given", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_cannot_be_shared_is_said(run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        prepared(run, tmp_path)
    with pytest.raises(InputError, match="expected owner/name"):
        upload(tmp_path, "alone")
    assert isinstance(CliRunner().invoke(app, ["push", str(run)]).exception, InputError)


def test_a_run_has_a_page(run: Path) -> None:
    text = (run / "report.html").read_text()
    assert "viewport" in text and "<polyline" in text and "step 3 of 3, finished" in text and "llm.adapter at 0.001" in text
    assert 'href="logs/tune.gallery.html"' in text and "exact_match, held out" in text
    both = html([run, run])
    assert both.count("step 3 of 3") == 2


def test_a_run_is_watched_over_http_and_nothing_else_is_served(run: Path) -> None:
    listening = server([run], 0, 5)
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    place = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        with urllib.request.urlopen(f"{place}/") as answer:
            assert 'http-equiv="refresh"' in answer.read().decode()
        with urllib.request.urlopen(f"{place}/logs/tune.gallery.html") as answer:
            assert "figure" in answer.read().decode()
        foreign = urllib.request.Request(f"{place}/", headers={"Host": "elsewhere.example"})
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(foreign)
        for other in ("/run.yaml", "/logs/tune.jsonl", "/logs/../run.yaml", "/../../etc/passwd"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(place + other)
    finally:
        listening.shutdown()


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    assert "holds no run" in str(CliRunner().invoke(app, ["watch", str(tmp_path)]).exception)


def test_the_doctor_says_a_line_each() -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code in (0, 1) and "torch was built for" in done.output and "GiB free here" in done.output
    assert all(line.startswith(("ok   ", "WRONG")) for line in done.output.splitlines()[:-1])
