"""Losses, gradients and logged rewards of `DPOTrainer` of TRL, on the same LLaVA, pairs and reference."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.small_llava import build
from vistune.model.interchange import export_llava
from vistune.model.interchange.layouts import from_ours
from vistune.model.vlm import VisionLanguageModel
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.training.preference.losses import Preference
from vistune.training.preference.objective import Objective
from vistune.training.preference.pairs import pair_batch

TYPES = [
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot", "aot_unpaired", "apo_zero",
    "apo_down", "discopop", "sigmoid_norm",
]  # fmt: skip
SMOOTHED = {"exo_pair": 0.1, "robust": 0.1, "aot": 0.1, "aot_unpaired": 0.1}
PAIRS = [("w1 w2", "w3 w4 w5", "w6 w7"), ("w8", "w9", "w10 w11 w12 w13"), ("w2 w4 w6", "w1 w1", "w2 w2")]


def picture(number: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(number).integers(0, 255, (64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[VisionLanguageModel, Any, Path]:
    """Our model, TRL's trainer of its export, and where that lies; the policy has left the reference a little."""
    trl = pytest.importorskip("trl", reason="TRL is not installed: pip install 'trl==1.16.0'")
    from datasets import Dataset
    from transformers import AutoProcessor, LlavaForConditionalGeneration

    place = tmp_path_factory.mktemp("trl")
    model = build(place / "parts")
    export_llava.write(model, place / "hf")
    theirs = LlavaForConditionalGeneration.from_pretrained(place / "hf", dtype=torch.float32)
    rows = {
        "prompt": [[{"role": "user", "content": question}] for question, _, _ in PAIRS],
        "chosen": [[{"role": "assistant", "content": chosen}] for _, chosen, _ in PAIRS],
        "rejected": [[{"role": "assistant", "content": rejected}] for _, _, rejected in PAIRS],
        "images": [[Image.fromarray(picture(number))] for number in range(len(PAIRS))],
    }
    arguments = trl.DPOConfig(
        output_dir=str(place / "out"),
        per_device_train_batch_size=len(PAIRS),
        max_length=None,
        bf16=False,
        use_cpu=True,
        report_to="none",
        gradient_checkpointing=False,
        beta=0.3,
        dataloader_pin_memory=False,
        train_sampling_strategy="sequential",
    )
    processor = AutoProcessor.from_pretrained(place / "hf", backend="pil")
    trainer = trl.DPOTrainer(
        model=theirs,
        ref_model=copy.deepcopy(theirs),
        args=arguments,
        train_dataset=Dataset.from_dict(rows),
        processing_class=processor,
    )
    trainer.ref_model = trainer.accelerator.unwrap_model(trainer.ref_model)
    return model, trainer, place


def samples() -> list[Sample]:
    made = []
    for number, (question, chosen, rejected) in enumerate(PAIRS):
        asked = Turn("user", (MediaRef(0), Text(f"\n{question}")))
        answer = Turn("assistant", (Text(chosen),))
        made.append(Sample(str(number), (Media("image", data=picture(number)),), (asked, answer), meta={"rejected": rejected}))
    return made


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_losses_gradients_and_rewards_are_those_of_trl(kind: str, both: tuple[VisionLanguageModel, Any, Path]) -> None:
    model, trainer, _ = both
    smoothing = SMOOTHED.get(kind, 0.0)
    told = Preference(losses={kind: 1.0}, beta=0.3, label_smoothing=smoothing, reference="copy")
    names = frozenset(name for name, _ in model.named_parameters() if not name.startswith("vision"))
    objective = Objective(model, told, names)
    batch = pair_batch(model, samples(), range(len(PAIRS)), model.renderer(), told)
    own, other = dict(model.named_parameters()), dict(trainer.model.named_parameters())
    held = {name: parameter.detach().clone() for name, parameter in own.items()}
    prefix = "vision_model." if any("vision_tower.vision_model" in name for name in other) else ""
    names_there = from_ours(dict(own), prefix)
    there = {name: _found(other, names_there[name]) for name in names if name in names_there}
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():  # the policy leaves the reference
        for name in sorted(there):
            step = 0.02 * torch.randn(own[name].shape, generator=generator) * own[name].std()
            own[name].add_(step)
            there[name].add_(step)
    try:
        ours = objective(batch)["preference"].sum / len(PAIRS)
        model.zero_grad()
        ours.backward()
        trainer.loss_types, trainer.loss_weights, trainer.label_smoothing = [kind], [1.0], smoothing
        trainer._metrics["train"].clear()
        inputs = next(iter(trainer.get_train_dataloader()))
        trainer.model.train()
        trainer.model.zero_grad()
        theirs = trainer.compute_loss(trainer.model, inputs)
        theirs.backward()
        assert ours.item() == pytest.approx(theirs.item(), rel=1e-5, abs=1e-6)
        for name in sorted(there):
            if own[name].grad is not None:
                torch.testing.assert_close(own[name].grad, there[name].grad, rtol=1e-3, atol=1e-5)
        noted, logged = objective.taken(), trainer._metrics["train"]
        for mine, name in (("rewards_chosen", "rewards/chosen"), ("rewards_rejected", "rewards/rejected")):
            assert noted[mine] / len(PAIRS) == pytest.approx(logged[name][-1], abs=1e-5)
        assert noted["rewards_accuracy"] / len(PAIRS) == pytest.approx(logged["rewards/accuracies"][-1])
        assert noted["logps_chosen"] / len(PAIRS) == pytest.approx(logged["logps/chosen"][-1], rel=1e-5)
    finally:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(held[name])
                if name in there:
                    there[name].copy_(held[name])


def _found(parameters: dict[str, Any], name: str) -> Any:
    """A weight by the name it has in a file: modules may stand deeper in the model."""
    short = name.removeprefix("model.").removeprefix("language_model.")
    return next(value for key, value in parameters.items() if key == name or key.endswith(short))
