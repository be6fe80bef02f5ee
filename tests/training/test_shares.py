"""What each process is dealt: costs of samples from their headers, kept beside the log, and rows without a sample twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vistune.data.order.epochs import sample_at
from vistune.data.samples import read
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.training.distributed import ALONE, Ranks
from vistune.training.steps.shares import Shares, shares_of

STAGE = Stage(name="s", train={"llm": 1e-3}, data="world", batch=4, micro=2)
DATA = "world:?task=instructions&size=6"


@dataclass(frozen=True)
class OneOfTwo(Ranks):
    """The first of two processes, whose other has nothing to say."""

    size: int = 2

    def gather(self, value: Any) -> list[Any]:
        return [value]

    def decide(self, choose: Callable[[], Any]) -> Any:
        return choose()

    def part(self, count: int) -> range:
        return range(count)


@pytest.fixture(scope="module")
def model(request: pytest.FixtureRequest) -> VisionLanguageModel:
    return VisionLanguageModel(ModelSpec.from_json(request.getfixturevalue("tiny_spec")))


def test_costs_are_those_of_the_headers_and_are_kept(model: VisionLanguageModel, tmp_path: Path) -> None:
    samples, file = read(DATA), tmp_path / "costs.npy"
    assert isinstance(shares_of(model, samples, STAGE, 0, 3, OneOfTwo(), file), Shares)
    table = np.load(file)
    assert table.shape == (6, 4)
    language = sum(weight.numel() for block in model.llm.blocks for weight in block.parameters())
    head = model.llm.model.get_output_embeddings().weight.numel()
    chain = [model.parts[name] for name in model.routes["image"].chain]
    seen = sum(w.numel() * (3 if w.requires_grad else 1) for part in chain for w in part.parameters())
    for number, (tokens, inputs, said, seeing) in enumerate(table.tolist()):
        extent = model.extent(samples[number], model.renderer_of(None))
        assert (tokens, inputs) == (extent.tokens, extent.inputs)
        # Forward and twice backward; at six tokens a unit of width attention costs as much as the linear layers.
        assert said == pytest.approx(3 * language * tokens * (1 + tokens / (6 * model.llm.width)) + 3 * head * extent.taught)
        assert seeing == pytest.approx(seen * extent.seen.get("image", 0))
    before = file.stat().st_mtime_ns
    shares_of(model, samples, STAGE, 0, 3, OneOfTwo(), file)
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("broken", ["shape", "type", "nan", "negative", "torn"])
def test_a_table_of_other_samples_is_made_anew(model: VisionLanguageModel, tmp_path: Path, broken: str) -> None:
    samples, file = read(DATA), tmp_path / "costs.npy"
    shares_of(model, samples, STAGE, 0, 3, OneOfTwo(), file)
    good = np.load(file)
    wrong = {"shape": good[:3], "type": good.astype(np.float32), "nan": good * np.nan, "negative": -good}
    np.save(file, wrong.get(broken, good))
    if broken == "torn":
        file.write_bytes(file.read_bytes()[:-9])
    shares_of(model, samples, STAGE, 0, 3, OneOfTwo(), file)
    assert np.array_equal(np.load(file), good)


def test_a_short_run_measures_only_samples_that_it_meets(model: VisionLanguageModel, tmp_path: Path) -> None:
    samples, file = read(DATA), tmp_path / "costs.npy"
    shares_of(model, samples, STAGE, 5, 1, OneOfTwo(), file)
    assert np.flatnonzero(np.load(file)[:, 0]).tolist() == sorted(sample_at(place, 6, 5) for place in range(4))


def test_neighbours_where_nothing_is_dealt(model: VisionLanguageModel, tmp_path: Path) -> None:
    samples, file = read(DATA), tmp_path / "costs.npy"
    assert shares_of(model, samples, STAGE, 0, 3, ALONE, file) is None
    for stage in (replace(STAGE, balance=False), replace(STAGE, preference={})):
        assert shares_of(model, samples, stage, 0, 3, OneOfTwo(), file) is None
    assert not file.exists()


def test_two_processes_meet_every_place_of_a_step_once() -> None:
    table = np.array([[10.0, 1, 100, 5], [20, 1, 200, 5], [30, 2, 300, 5], [40, 0, 400, 0], [50, 1, 500, 5]])
    stage = replace(STAGE, batch=4, micro=2)
    for step in range(3):
        dealt = [Shares(table, stage, 3, Ranks(rank, 2)).rows(step) for rank in range(2)]
        places = sorted(place for rows in dealt for row in rows for place in row)
        assert places == list(range(4 * step, 4 * step + 4)) and all(len(row) <= 2 for rows in dealt for row in rows)
        # By cost and not by number: the dearest sample of a step is never with the second dearest.
        cost = {place: table[sample_at(place, 5, 3)][2] for place in places}
        dear = sorted(places, key=lambda place: -cost[place])[:2]
        assert not any(set(dear) <= {place for row in rows for place in row} for rows in dealt)
