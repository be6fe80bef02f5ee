"""The speed benchmarks run, small: what they compare is equal on both sides, and their numbers are written down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent


def numbers(tmp_path: Path, module: str, *arguments: str) -> dict[str, Any]:
    """What `python -m benchmarks.MODULE` writes."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *arguments, "--json", str(tmp_path / "numbers.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((tmp_path / "numbers.json").read_text())
    return found


@pytest.mark.slow
def test_the_loss_in_chunks_needs_less_memory_and_is_the_same(tmp_path: Path) -> None:
    sizes = ("--tokens", "2048", "--vocabulary", "65536", "--width", "32", "--shares", "1.0")
    found = numbers(tmp_path, "loss_memory", *sizes)
    assert found["loss_difference"] <= 1e-6 and found["gradient_difference"] <= 1e-6
    assert found["rows"][0]["full_mib"] > found["rows"][0]["ours_mib"] > 0


@pytest.mark.slow
def test_questions_about_a_picture_get_the_same_answers_three_ways(tmp_path: Path) -> None:
    found = numbers(tmp_path, "prefix_reuse", "--pictures", "1", "--questions", "2", "--repeats", "1", "--new-tokens", "2")
    assert found["questions"] == 2 and set(found["seconds"]) >= {"transformers, one at a time"}


@pytest.mark.slow
def test_films_give_the_same_tokens_three_ways(tmp_path: Path) -> None:
    found = numbers(tmp_path, "films", "--films", "1", "--seconds", "2", "--questions", "2", "--repeats", "1")
    assert found["frames"] == 8 and found["questions"] == 2 and min(found["seconds"].values()) > 0
