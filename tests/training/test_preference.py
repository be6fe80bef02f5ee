"""Learning from pairs: what is shared is read once, any reference gives the same numbers, and accumulation changes none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vistune.errors import InputError
from vistune.model.answering.opening import load
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.recipe import Recipe, Stage
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.preference.losses import LOSSES, Answers, Pairs
from vistune.training.preference.objective import Objective, log_probabilities
from vistune.training.preference.pairs import pair_batch, pair_of
from vistune.training.preference.settings import Preference, settings_of
from vistune.training.run import train

ADAPTED = {"adapt": {"llm": {"kind": "lora", "rank": 2}}}


def samples(count: int, pictures: bool = True) -> list[Sample]:
    draw = np.random.default_rng(0)
    made = []
    for number in range(count):
        media = (Media("image", data=draw.integers(0, 255, (32, 32, 3), np.uint8)),) if pictures else ()
        shown = (MediaRef(0), Text("\n")) if pictures else ()
        before = (Turn("user", (*shown, Text("Is it red?"))), Turn("assistant", (Text("yes"),)))
        question = Turn("user", (Text(f"What is in the picture {number}?"),))
        answer = Turn("assistant", (Text("a red bus " * (1 + number % 3)),))
        made.append(Sample(str(number), media, (*before, question, answer), meta={"rejected": f"two cats on a mat {number}"}))
    return made


def model_of(spec: dict[str, Any], **changes: Any) -> VisionLanguageModel:
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json({**spec, **changes}))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.05)
    return model


def batch_of(model: VisionLanguageModel, told: Preference, count: int = 3) -> Any:
    return pair_batch(model, samples(count), range(count), model.renderer(), told)


def test_what_two_answers_share_is_read_once_and_changes_no_number(tiny_spec: dict) -> None:
    model, told = model_of(tiny_spec), Preference()
    batch = batch_of(model, told)
    assert len(batch.ids) < 0.7 * len(batch.row.ids)
    found = []
    for shared in (batch.shared, None):
        model.zero_grad()
        logps = log_probabilities(model, batch.row, shared)
        (logps[::2] - 2 * logps[1::2]).sum().backward()
        found.append(
            (logps.detach(), {name: own.grad.clone() for name, own in model.named_parameters() if own.grad is not None})
        )
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-5, atol=1e-5)
    assert found[0][1].keys() == found[1][1].keys() and any("connector" in name for name in found[0][1])
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(gradient, found[1][1][name], rtol=1e-3, atol=1e-4)


def test_log_probabilities_are_those_of_ranking(tiny_spec: dict) -> None:
    model = model_of(tiny_spec).eval()
    (sample,) = samples(1)
    batch = batch_of(model, Preference(), 1)
    ranked = model.rank(sample, [sample.turns[-1].text, sample.meta["rejected"]])
    assert log_probabilities(model, batch.row, batch.shared).tolist() == pytest.approx(ranked, abs=1e-4)


def test_adapters_off_are_the_model_before_they_were_there(tiny_spec: dict) -> None:
    plain, adapted = model_of(tiny_spec).eval(), model_of(tiny_spec, **ADAPTED).eval()
    batch = batch_of(adapted, Preference())
    trained = frozenset(name for name, _ in adapted.named_parameters() if "lora" in name)
    learns = {name: own.requires_grad for name, own in adapted.named_parameters()}
    objective = Objective(adapted, Preference(), trained)
    assert objective.how == "adapters"
    wanted = log_probabilities(plain, batch.row, batch.shared)
    torch.testing.assert_close(objective.reference(batch)[:2].T.flatten(), wanted.detach(), rtol=1e-5, atol=1e-5)
    assert learns == {name: own.requires_grad for name, own in adapted.named_parameters()}
    assert (log_probabilities(adapted, batch.row, batch.shared) - wanted).abs().max() > 1e-3


def test_a_copy_of_what_is_trained_is_as_good_a_reference(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    trained = frozenset(name for name, _ in model.named_parameters() if name.startswith("connector"))
    batch = batch_of(model, Preference())
    objective = Objective(model, Preference(reference="copy"), trained)
    before = objective.reference(batch)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name in trained:
                parameter += 0.5
    assert torch.equal(before, objective.reference(batch))
    assert objective(batch)["preference"].sum.item() != pytest.approx(3 * 0.6931, abs=1e-3)


def test_at_the_reference_every_pair_costs_the_logarithm_of_two(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    objective = Objective(model, Preference(reference="copy"), frozenset(name for name, _ in model.named_parameters()))
    assert objective(batch_of(model, Preference()))["preference"].sum.item() == pytest.approx(3 * np.log(2), rel=1e-5)


def recipe(spec: dict, folder: Path, **stage: Any) -> Recipe:
    file = folder / "pairs.jsonl"
    if not file.exists():
        lines = (json.dumps(sample.to_json()) for sample in samples(12))
        file.write_text("".join(f"{line}\n" for line in lines))
    made = {"name": "prefer", "train": {"llm": 1e-3, "connector": 1e-3}, "data": f"samples:{file}", "batch": 4, "steps": 3}
    return Recipe.from_json({"name": "t", "model": spec, "stages": [made | {"preference": {}} | stage]})


def log_of(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "logs" / "prefer.jsonl").read_text().splitlines()]


def test_a_stage_learns_to_prefer_and_says_so(tiny_spec: dict, tmp_path: Path) -> None:
    train(recipe(tiny_spec, tmp_path, steps=12), tmp_path / "run", precision="fp32", report=False)
    lines = log_of(tmp_path / "run")
    assert lines[0]["loss"] == pytest.approx(np.log(2), rel=1e-4) and lines[0]["rewards_margin"] == pytest.approx(0, abs=1e-4)
    assert lines[-1]["loss"] < lines[0]["loss"] and lines[-1]["rewards_margin"] > 0.01
    assert lines[-1]["rewards_margin"] == pytest.approx(lines[-1]["rewards_chosen"] - lines[-1]["rewards_rejected"], abs=1e-4)


@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-3), ("bf16", 3e-2)])
def test_accumulation_and_the_kind_of_reference_change_nothing(
    tiny_spec: dict, tmp_path: Path, precision: Any, near: float
) -> None:
    runs = {"whole": {}, "parts": {"micro": 1}, "copy": {"preference": {"reference": "copy"}}}
    losses = {}
    for name, changes in runs.items():
        train(recipe(tiny_spec, tmp_path, **changes), tmp_path / name, precision=precision, report=False)
        losses[name] = [line["loss"] for line in log_of(tmp_path / name)]
    for other in ("parts", "copy"):
        assert losses[other] == pytest.approx(losses["whole"], rel=near)


def test_a_resumed_stage_keeps_its_reference(tiny_spec: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vistune.training.log import Log

    train(recipe(tiny_spec, tmp_path, steps=4), tmp_path / "whole", precision="fp32", report=False)

    class StopError(Exception):
        pass

    add = Log.add

    def stop_at_three(self: Log, step: int, *rest: Any) -> None:
        add(self, step, *rest)
        if step == 3:
            raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(Log, "add", stop_at_three)
        train(recipe(tiny_spec, tmp_path, steps=4), tmp_path / "cut", save_every=2, precision="fp32", report=False)
    train(recipe(tiny_spec, tmp_path, steps=4), tmp_path / "cut", save_every=2, precision="fp32", report=False)
    assert [line["loss"] for line in log_of(tmp_path / "whole")] == [line["loss"] for line in log_of(tmp_path / "cut")]
    whole, cut = (dict(load(tmp_path / name, device="cpu").state_dict()) for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_losses_of_the_picture_see_another_picture(tiny_spec: dict) -> None:
    model = model_of(tiny_spec)
    told = Preference(losses={"sigmoid": 1.0, "image": 1.0, "anchor": 1.0}, reference="copy")
    batch = batch_of(model, told)
    assert batch.unseen is not None and len(batch.unseen.names) == 3
    one = Objective(model, told, frozenset(name for name, _ in model.named_parameters()))
    assert one(batch)["preference"].sum.item() == pytest.approx(9 * np.log(2), rel=1e-5)
    seen, hidden = (log_probabilities(model, row, None) for row in (batch.row, batch.unseen))
    assert (seen[::2] - hidden).abs().min() > 1e-4


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"losses": {"sigmod": 1}}, "did you mean 'sigmoid'"),
        ({"losses": {"sft": 1}}, "compares no answers"),
        ({"beta": 0}, "preference.beta is 0"),
        ({"betta": 0.1}, "did you mean 'beta'"),
        ({"losses": {"exo_pair": 1}}, "exo_pair needs label_smoothing"),
        ({"label_smoothing": 0.5}, "label_smoothing is 0.5"),
    ],
)
def test_settings_of_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        settings_of(Stage(name="s", train={"llm": 1e-3}, data="world", preference=given))


def test_pairs_that_are_none_are_refused() -> None:
    (sample,) = samples(1)
    for broken, words in (
        (replace(sample, meta={}), "has no rejected answer"),
        (replace(sample, meta={"rejected": "a red bus"}), "are the same"),
        (replace(sample, turns=sample.turns[:-1]), "does not end with an answer"),
    ):
        with pytest.raises(InputError, match=words):
            pair_of(broken)
    chosen, rejected = pair_of(sample)
    assert [turn.train for turn in chosen.turns if turn.role == "assistant"] == [False, True]
    assert rejected.turns[:-1] == chosen.turns[:-1] and rejected.turns[-1].text == sample.meta["rejected"]


def recorded() -> dict[str, Any]:
    return json.loads((Path(__file__).parents[1] / "golden" / "preference.json").read_text())


@pytest.mark.parametrize("case", sorted(recorded()["losses"]))
def test_losses_and_gradients_are_those_recorded(case: str) -> None:
    """Of TRL's trainers, of mDPO's and of RLAIF-V's own code; where each number is from stands in the file."""
    held = recorded()
    entry, given = held["losses"][case], held["inputs"]
    told = Preference(**entry["settings"])
    leaves = {name: torch.tensor(given[name], requires_grad=True) for name in ("chosen", "rejected", "unseen")}
    scale = [torch.tensor(given[f"tokens_{side}"], dtype=torch.float32) for side in ("chosen", "rejected")]
    references = {name: torch.tensor(given[f"reference_{name}"]) for name in leaves}
    by = scale if told.average else [torch.ones_like(part) for part in scale]
    sides = {
        name: Answers(leaves[name] / part, references[name] / part, tokens)
        for name, part, tokens in zip(("chosen", "rejected", "unseen"), (*by, by[0]), (*scale, scale[0]), strict=True)
    }
    pairs = Pairs(sides["chosen"], sides["rejected"], sides["unseen"])
    loss = torch.stack([weight * LOSSES[name].of(pairs, told).mean() for name, weight in told.losses.items()]).sum()
    assert loss.item() == pytest.approx(entry["loss"], rel=1e-5, abs=1e-6)
    loss.backward()
    for name, wanted in entry["gradients"].items():
        grad = leaves[name].grad
        torch.testing.assert_close(
            torch.zeros(len(wanted)) if grad is None else grad, torch.tensor(wanted), rtol=1e-4, atol=1e-6
        )
