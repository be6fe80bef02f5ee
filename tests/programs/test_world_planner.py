"""GPT4Tools from end to end at the smallest size: errands teach a planner for a few steps, and it is run with tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.programs import TOOLS, errands, sample, solved
from vistune.construction.opening import open_completer
from vistune.nano import nano
from vistune.programs.methods.gpt4tools import Gpt4tools
from vistune.programs.runner import run_program
from vistune.recipe import load_recipe
from vistune.training.run import train


@pytest.mark.slow
def test_a_planner_is_tuned_without_eyes_and_runs(tmp_path: Path) -> None:
    recipe = nano(load_recipe("gpt4tools")).override({"stages.0.steps": 60})
    folder = train(recipe, tmp_path / "run")
    wanted = errands(6)
    program = Gpt4tools(TOOLS, format="react_chat", steps=2)
    outcomes = run_program(program, [sample(one) for one in wanted], tmp_path / "out", open_completer(f"checkpoint:{folder}"))
    # After 60 steps the lines of a call are right, if not yet their words.
    assert solved(tmp_path / "out", wanted)["right_tool"] > 0
    assert {outcome.ended for outcome in outcomes} <= {"answer", "steps", "unreadable"}
