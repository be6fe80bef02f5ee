"""A plan says whether a stage fits, and what it names does fit."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from vistune.cli import app
from vistune.errors import InputError
from vistune.recipe import Recipe
from vistune.training.planning.peaks import capacity
from vistune.training.planning.plan import Assumed, fitting, outlooks

GIB = 2**30


def recipe(spec: dict[str, Any], **stage: Any) -> Recipe:
    made = {"name": "s", "train": {"connector": 1e-3, "llm": 1e-3}, "data": "world", "batch": 64}
    return Recipe.from_json({"name": "t", "model": spec | {"max_length": 512}, "stages": [made | stage]})


def test_eight_samples_go_through_at_once_without_a_word(tiny_spec: dict) -> None:
    assumed = Assumed(1e12)
    (plain,), (eight,) = (outlooks(recipe(tiny_spec, **more), 1, False, "fp32", assumed) for more in ({}, {"micro": 8}))
    (whole,) = outlooks(recipe(tiny_spec, micro=64), 1, False, "fp32", assumed)
    assert plain.memory == eight.memory and whole.memory.activations > 7 * plain.memory.activations


def test_what_is_advised_fits(tiny_spec: dict) -> None:
    made, assumed = recipe(tiny_spec), Assumed(1e12)
    (need,) = outlooks(made, 1, False, "fp32", assumed)
    (line,) = fitting(made, 1, False, "fp32", assumed, need.memory.total * 1.2)
    assert line.startswith("s: fits")
    room = need.memory.total * 1.15 - need.memory.activations * 0.5
    (line,) = fitting(made, 1, False, "fp32", assumed, room)
    assert "does not fit" in line and "it does with --set stages.s.micro=" in line
    micro = int(line.partition("micro=")[2].split()[0])
    (less,) = outlooks(made.override({"stages.s.micro": micro}), 1, False, "fp32", assumed)
    assert less.memory.total * 1.15 <= room
    (line,) = fitting(made, 1, False, "fp32", assumed, 1000)
    assert "nor sample by sample" in line


def test_the_command_says_it(tiny_language: str, tiny_clip: str) -> None:
    parts = ["--set", f"model.llm={tiny_language}", "--set", f"model.vision.path={tiny_clip}"]
    done = CliRunner().invoke(app, ["plan", "llava_1_5", *parts, "--gpus", "1", "--gpu", "RTX 4090"])
    assert done.exit_code == 0 and "align: fits" in done.output and "of 24 GiB" in done.output
    unknown = CliRunner().invoke(app, ["plan", "llava_1_5", *parts, "--gpu", "Abacus"])
    assert isinstance(unknown.exception, InputError) and "known: B200" in str(unknown.exception)


@pytest.mark.parametrize(
    ("name", "gib"), [("NVIDIA H100 80GB HBM3", 80), ("NVIDIA A100-SXM4-40GB", 40), ("L40S", 48), ("x", None)]
)
def test_memory_by_name(name: str, gib: float | None) -> None:
    assert capacity(name) == (None if gib is None else gib * GIB)
