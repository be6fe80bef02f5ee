"""Pairs against hallucination, made offline from the world, and read again as pairs."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from vistune.cli import app
from vistune.data.samples import read
from vistune.training.preference.pairs import pair_of


def test_true_answers_are_chosen_over_false_ones(tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    done = CliRunner().invoke(app, ["build", "run", "absent_pairs", "--data", "world", "--limit", "12", "--out", str(out)])
    assert done.exit_code == 0, done.exception
    samples = list(read(f"samples:{out / 'samples.jsonl'}"))
    said = {
        (sample.turns[-1].text.split()[0].strip(",."), str(sample.meta["rejected"]).split()[0].strip(",."))
        for sample in samples
    }
    assert said == {("Yes", "No"), ("No", "Yes")}
    for sample in samples:
        chosen, rejected = pair_of(sample)
        assert chosen.turns[:-1] == rejected.turns[:-1] and len(chosen.media) == 1
    yes = sum(sample.turns[-1].text.startswith("Yes") for sample in samples)
    assert yes == len(samples) - yes
