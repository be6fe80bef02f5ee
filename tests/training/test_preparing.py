"""Work made ahead by processes: one order for any number of them, errors that name the sample, no hang when one is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Stage
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.steps.preparing import prepared
from vistune.training.steps.work import Work, work_of_steps


@pytest.fixture(scope="module")
def model(tiny_spec: dict[str, Any]) -> VisionLanguageModel:
    return VisionLanguageModel(ModelSpec.from_json(tiny_spec))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_any_number_of_processes_makes_the_same_work(model: VisionLanguageModel, workers: int) -> None:
    data = read("world:?task=instructions&size=25")
    stage = Stage(name="s", train={"llm": 1e-3}, data="world:", batch=4, max_tokens=600)

    def make(first: int, steps: int) -> Iterator[Work]:
        return work_of_steps(model, data, stage, 3, first, steps)

    alone, many = list(prepared(make, 1, 6, 0)), list(prepared(make, 1, 6, workers))
    assert len(alone) == len(many) == 5
    for one, other in zip(alone, many, strict=True):
        for left, right in zip(one.batches, other.batches, strict=True):
            assert left.names == right.names and torch.equal(left.ids, right.ids)
            assert all(torch.equal(a.inputs, b.inputs) for a, b in zip(left.media, right.media, strict=True))


def sample(name: str, picture: Media) -> Sample:
    return Sample(name, (picture,), (Turn("user", (MediaRef(0), Text("What?"))), Turn("assistant", (Text("A red bus."),))))


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sample_that_cannot_be_prepared_is_named(model: VisionLanguageModel, workers: int) -> None:
    good = Media("image", data=np.zeros((32, 32, 3), dtype=np.uint8))
    data = [sample(f"n{number}", good) for number in range(5)] + [sample("broken", Media("image", data=b"no picture"))]
    stage = Stage(name="s", train={"llm": 1e-3}, data="world:", batch=2)

    def make(first: int, steps: int) -> Iterator[Work]:
        return work_of_steps(model, data, stage, 0, first, steps)  # type: ignore[arg-type]

    with pytest.raises(InputError, match="broken"):
        list(prepared(make, 0, 3, workers))


def test_a_killed_process_ends_the_run_instead_of_hanging_it(model: VisionLanguageModel) -> None:
    def make(first: int, steps: int) -> Iterator[Work]:
        if first == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield Work((), 0, 0, first)

    with pytest.raises(InputError, match="was killed by SIGKILL"):
        list(prepared(make, 0, 8, 2))
    assert not multiprocessing.active_children()


def test_a_consumer_that_stops_leaves_no_process_behind(model: VisionLanguageModel) -> None:
    def make(first: int, steps: int) -> Iterator[Work]:
        yield Work((), 0, 0, first)

    works = iter(prepared(make, 0, 1000, 2))
    assert [next(works).samples for _ in range(3)] == [0, 1, 2]
    works.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
