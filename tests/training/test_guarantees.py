"""What the design promises of a run, each promise held by a test that fails where it is broken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from vistune.data.samples import read
from vistune.errors import InputError
from vistune.model.packing import pack
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe, Stage
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.planning.peaks import measured
from vistune.training.planning.plan import Assumed, outlooks
from vistune.training.run import train
from vistune.training.selection import select
from vistune.training.steps.rounds import beside, evened, filler
from vistune.training.steps.work import Work, work_of_steps

LORA = {"adapt": {"llm": {"kind": "lora", "rank": 4, "dropout": 0.4}}}
TUNE: dict[str, Any] = {
    "name": "s", "train": {"connector": 1e-2, "llm.adapter": 1e-2}, "data": "world:?task=captions&size=16", "batch": 2,
}  # fmt: skip


def model_of(spec: dict[str, Any]) -> VisionLanguageModel:
    torch.manual_seed(0)
    return VisionLanguageModel(ModelSpec.from_json(spec))


def recipe(spec: dict[str, Any], **stage: Any) -> Recipe:
    return Recipe.from_json({"name": "test", "model": spec, "stages": [TUNE | stage]})


def test_dropout_goes_on_where_it_stopped(tiny_spec: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of the random numbers is part of what a run goes on from; without it the second half draws other zeros."""
    from vistune.training.log import Log

    add = Log.add

    def stop(self: Log, step: int, *rest: Any) -> None:
        add(self, step, *rest)
        if step == 3:
            raise KeyboardInterrupt

    made = recipe(tiny_spec | LORA, steps=6)
    whole = load(train(made, tmp_path / "whole", report=False)).state_dict()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Log, "add", stop)
        train(made, tmp_path / "cut", save_every=2, report=False)
    torch.manual_seed(12345)  # whatever the new process drew before
    cut = load(train(made, tmp_path / "cut", save_every=2, report=False)).state_dict()
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_runs_dropout_does_not_depend_on_what_ran_before_in_the_process(tiny_spec: dict, tmp_path: Path) -> None:
    """The processor is measured once a process, at the first run: that must draw no number of the run's."""
    made = recipe(tiny_spec | LORA, steps=3)
    measured.cache_clear()
    first, second = (load(train(made, tmp_path / out, report=False)).state_dict() for out in ("first", "second"))
    assert all(torch.equal(first[name], second[name]) for name in first)


def shown(number: int) -> Sample:
    picture = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    turns = (Turn("user", (MediaRef(0), Text("What?"))), Turn("assistant", (Text("A red bus."),)))
    return Sample(str(number), (Media("image", data=picture),), turns)


def ranks_of(*kinds: list[frozenset[str]]) -> Any:
    """This process among others that have batches with media of these kinds."""

    def gather(own: list[frozenset[str]]) -> list[list[frozenset[str]]]:
        return [own, *kinds]

    return SimpleNamespace(gather=gather)


def test_a_lone_filler_counts_for_nothing_and_gives_every_part_a_gradient_of_zero(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    batch = pack([model.example(shown(1), model.renderer())])
    mine = Work((batch,), batch.counts, len(batch.ids), 1)
    image = frozenset({"image"})
    (made,) = evened(iter([mine]), ranks_of([image, image], [image]), model)
    assert len(made.batches) == 2 and made.batches[0] is batch and made.counts == batch.counts
    alone = made.batches[1]
    assert alone.counts == {"text": 0} and alone.supervised == 0 and alone.names == ("filler",)
    assert len(alone.things["image"]) == 1
    share = torch.stack([loss.sum / made.counts[loss.of] for loss in model(alone).values()]).sum() * 0
    share.backward()
    for name in ("vision", "connector", "llm"):
        gradients = [weight.grad for weight in model.get_submodule(name).parameters() if weight.grad is not None]
        assert gradients and not any(gradient.any() for gradient in gradients), name


def test_a_filler_beside_a_batch_changes_no_loss(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    words = Sample("w", (), (Turn("user", (Text("What?"),)), Turn("assistant", (Text("A red bus."),))))
    batch = pack([model.example(words, model.renderer())])
    both = beside(batch, filler(model, frozenset({"image"})))
    assert both.counts == batch.counts and both.lengths[:1] == batch.lengths and len(both.things["image"]) == 1
    torch.testing.assert_close(model(both)["text"].sum, model(batch)["text"].sum, atol=1e-5, rtol=1e-5)
    ours = Work((batch,), batch.counts, len(batch.ids), 1)
    (made,) = evened(iter([ours]), ranks_of([frozenset({"image"})]), model)
    assert torch.equal(made.batches[0].ids, both.ids) and torch.equal(made.batches[0].labels, both.labels)
    assert (both.labels[len(batch.ids) :] == -100).all()


def test_the_first_pattern_that_matches_gives_the_rate(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    rates = select(model, {"connector.layers.0": 1e-2, "connector": 1e-3, "llm[1:]": 1e-4, "*.bias": 1e-5}, "stage").rates
    by_name = {name: rates.get(name) for name, _ in model.named_parameters()}
    for name, rate in by_name.items():
        expected = None
        if name.startswith("connector.layers.0."):
            expected = 1e-2
        elif name.startswith("connector."):
            expected = 1e-3
        elif name.startswith("llm.") and ".layers.1." in name:
            expected = 1e-4
        elif name.endswith(".bias"):
            expected = 1e-5
        assert rate == expected, name
    groups = select(model, {"connector.layers.0": 1e-2, "connector": 1e-3}, "stage").groups
    assert {rate: len(group) for rate, group in groups.items()} == {1e-2: 2, 1e-3: 2}
    with pytest.raises(InputError, match=r"stage: the pattern 'connector.layers.0' matches no parameter"):
        select(model, {"connector": 1e-3, "connector.layers.0": 1e-2}, "stage")  # nothing is left for it


def rows_of(model: VisionLanguageModel, **stage: Any) -> list[Work[Any]]:
    made = Stage(name="s", train={"llm": 1e-3}, data="world", **stage)
    return list(work_of_steps(model, read("world:?task=captions&size=8"), made, 0, 0, 2))


def test_max_tokens_alone_packs_as_many_samples_as_fit(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    plain, budget = rows_of(model, batch=4), rows_of(model, batch=4, max_tokens=160)
    for whole, cut in zip(plain, budget, strict=True):
        assert len(whole.batches) == 1 and cut.counts == whole.counts and cut.tokens == whole.tokens
        sizes = [len(row.ids) for row in cut.batches]
        assert max(sizes) <= 160 < sum(sizes) and len(cut.batches) > 1
        assert sorted(name for row in cut.batches for name in row.names) == sorted(whole.batches[0].names)
        merged = [sum(sizes[:2])] if len(sizes) == 2 else [sizes[0] + sizes[-1]]
        assert all(size > 160 for size in merged)  # no two rows would have fitted into one


def test_a_plan_for_four_pictures_counts_four(tiny_spec: dict) -> None:
    made = recipe(tiny_spec, batch=8, train={"connector": 1e-2, "llm": 1e-3})

    def planned(pictures: int) -> Any:
        return outlooks(made, 1, False, "fp32", Assumed(1e12, words=50, answers=20, pictures=pictures, size=(64, 64)))[0]

    none, one, four = planned(0), planned(1), planned(4)
    assert (none.tokens, one.tokens, four.tokens) == (8 * 50, 8 * 66, 8 * 114)
    assert four.flops > one.flops > none.flops
    assert four.memory.activations > one.memory.activations and four.memory.weights == one.memory.weights
    model = model_of(tiny_spec)
    assert model.media_tokens(shown(1).media[0]) == 16


@pytest.mark.parametrize("reuse", [True, False])
def test_equal_prompts_in_one_batch_are_answered_alike_and_as_alone(tiny_spec: dict, reuse: bool) -> None:
    """Nothing but the last token is left of a prompt whose twin stands before it in the row."""
    model = model_of(tiny_spec).eval()
    asked: Sequence[Sample] = [shown(1), shown(1), shown(2), shown(1)]
    together = model.generate(asked, 6, reuse=reuse)
    alone = [model.generate([sample], 6, reuse=False)[0] for sample in asked]
    assert together == alone and together[0] == together[1] == together[3]


def test_the_learning_rate_rises_in_a_line_and_falls_along_half_a_cosine() -> None:
    from vistune.training.loop import schedule

    factors = [schedule(step, 20, 0.2) for step in range(20)]
    assert factors[:4] == [0.25, 0.5, 0.75, 1.0] and factors[4] == 1.0
    assert factors[12] == pytest.approx(0.5) and factors[8] == pytest.approx(0.5 * (1 + 2**-0.5))
    assert 0 < factors[19] < 0.01 and factors[4:] == sorted(factors[4:], reverse=True)
    assert [schedule(step, 3, 0.0) for step in range(3)] == pytest.approx([1.0, 1.0, 0.5])  # the first step is never zero
    assert schedule(0, 1, 0.5) == 1.0


@pytest.mark.parametrize(
    ("stage", "size", "steps"),
    [({"batch": 8, "epochs": 1.0}, 17, 3), ({"batch": 8, "epochs": 2.0}, 16, 4), ({"batch": 8, "epochs": 0.1}, 8, 1),
     ({"batch": 8, "steps": 5}, 17, 5), ({"batch": 32, "epochs": 1.0}, 4, 1)],
)  # fmt: skip
def test_a_stage_takes_the_steps_that_its_epochs_ask_for(stage: dict[str, Any], size: int, steps: int) -> None:
    from vistune.training.loop import stage_steps

    assert stage_steps(Stage(name="s", train={"llm": 1e-3}, data="world", **stage), size) == steps


def test_shares_of_a_steps_samples_are_neighbours_and_differ_by_one_at_most() -> None:
    from vistune.training.distributed import Ranks

    shares = [Ranks(rank, 3).part(10) for rank in range(3)]
    assert [list(share) for share in shares] == [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]]


def test_a_fingerprint_sees_one_bit_and_a_swap() -> None:
    from vistune.training.selection import fingerprint

    layer = torch.nn.Linear(3, 3)
    before = fingerprint(layer)
    assert fingerprint(layer) == before and set(before) == {"weight", "bias"}
    with torch.no_grad():
        layer.bias.copy_(layer.bias[[1, 0, 2]])
        swapped = fingerprint(layer)
        layer.weight[2, 2] += 1e-6
    assert swapped["bias"] != before["bias"] and swapped["weight"] == before["weight"]
    assert fingerprint(layer)["weight"] != before["weight"]
