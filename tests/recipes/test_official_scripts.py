"""Batches, rates and lengths of stages against the methods' released scripts, and data that a reader takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from vistune.data.samples import read
from vistune.recipe import load_recipe
from vistune.recipes.otter import mimic_it

FIXTURES = Path(__file__).parents[1] / "data" / "fixtures"
# Recipe -> (batch, epochs or steps, the highest rate) of each stage; processes times batch times accumulation.
SCRIPTS = {
    "gpt4roi": ((4, 2.0, 2e-5), (16, 2.0, 2e-5)),  # train_stage1.sh on 4 processes, train_stage2.sh on 8
    "pvit": ((128, 1.0, 2e-3), (64, 3.0, 2e-5)),  # scripts/train_stage_1.sh, train_stage_2.sh
    "ferret": ((128, 3.0, 2e-5),),  # experiments/ferret_13b_train.sh
    "lisa": ((160, 5000, 3e-4),),  # train_ds.py: 2 a process, 10 accumulated, 8 processes, 10 times 500 steps
    "glamm": ((160, 5000, 3e-4),),  # train.py, likewise
    "honeybee": ((256, 200_000, 1e-4), (128, 10_000, 2e-5)),  # configs/pretrain.yaml, finetune.yaml
    "mplug_paperowl": ((256, 10, 1e-4),),  # PaperOwl/scripts/train_it.sh
    "otterhd": ((64, 3, 1e-5),),  # docs/OtterHD.md
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_stages_are_those_of_the_released_scripts(name: str) -> None:
    stages = load_recipe(name).stages
    found = [(stage.batch, stage.steps or stage.epochs, max(stage.train.values())) for stage in stages]
    assert found == [tuple(row) for row in SCRIPTS[name]]


def test_otter_reads_mimic_it_with_related_instructions() -> None:
    """The first part of the fixture, each of whose two instructions is the other's demonstration."""
    source = mimic_it(str(FIXTURES / "mimic_it"))["sources"][0]["data"]
    first, second = read(source)
    assert [turn.text for turn in first.turns] == [turn.text for turn in (*second.turns[2:], *second.turns[:2])]
    assert len(first.media) == 2 and all(turn.train for turn in first.turns)


def test_llava_names_the_file_that_is_published() -> None:
    assert "llava_instruct_150k.json" in str(load_recipe("llava").stages[1].data)
