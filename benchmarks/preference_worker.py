"""One side of `benchmarks.preference`: takes a step of preference tuning a line, and says what it took.

    python preference_worker.py '{"side": "ours", "model": DIR, "data": DIR, "steps": 5, "batch": 4, "rate": 1e-4, ...}'

Each line is `{"loss", "seconds", "clock", "peak"}`: the processor's seconds, the clock's, and the most memory held (bytes).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

BETA, RANK = 0.1, 16


def records(folder: Path) -> list[dict[str, str]]:
    """`{image, question, chosen, rejected}` a pair."""
    found: list[dict[str, str]] = json.loads((folder / "pairs.json").read_text())
    return found


def ours(settings: dict[str, Any]) -> Iterator[float]:
    """Steps as `vistune.training.loop` takes them; each gives its loss."""
    from vistune.data.samples import read
    from vistune.model.answering.opening import load
    from vistune.model.vlm import VisionLanguageModel
    from vistune.training.preference.objective import Objective
    from vistune.training.preference.pairs import pair_batch
    from vistune.training.preference.settings import Preference
    from vistune.training.selection import select

    data = read(f"preferences:{Path(settings['data']) / 'pairs.json'}")
    model = load(settings["model"], device="cpu", dtype="float32")
    assert isinstance(model, VisionLanguageModel)
    train = (
        {"llm.adapter": settings["rate"]}
        if settings["how"] == "lora"
        else dict.fromkeys(("connector", "llm"), settings["rate"])
    )
    selection = select(model, train, "the benchmark")
    selection.switch_on(model)
    parameters = [parameter for group in selection.groups.values() for parameter in group]
    optimizer = torch.optim.AdamW(parameters, lr=settings["rate"], weight_decay=0.0)
    told = Preference(beta=BETA, reference="adapters" if settings["how"] == "lora" else "copy")
    objective, renderer, batch = Objective(model, told, selection.names), model.renderer(), settings["batch"]
    model.train()
    for step in range(settings["steps"]):
        places = range(step * batch, (step + 1) * batch)
        pairs = pair_batch(model, [data[place] for place in places], places, renderer, told)
        optimizer.zero_grad(set_to_none=True)
        loss = objective(pairs)["preference"].sum / batch
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        yield loss.item()


def theirs(settings: dict[str, Any], report: Any) -> None:
    """`DPOTrainer`, with its own collator; `report` is called with each step's loss."""
    from datasets import Dataset, List
    from datasets import Image as Pictures
    from peft import LoraConfig
    from transformers import AutoProcessor, LlavaForConditionalGeneration, TrainerCallback
    from trl import DPOConfig, DPOTrainer

    class Turn(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
            report(None)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **rest: Any) -> None:
            if logs and "loss" in logs:
                report(float(logs["loss"]))

    folder = Path(settings["data"])
    rows: dict[str, list[Any]] = {"prompt": [], "chosen": [], "rejected": [], "images": []}
    for record in records(folder):
        rows["prompt"].append([{"role": "user", "content": record["question"]}])
        rows["chosen"].append([{"role": "assistant", "content": record["chosen"]}])
        rows["rejected"].append([{"role": "assistant", "content": record["rejected"]}])
        rows["images"].append([str(folder / record["image"])])
    model = LlavaForConditionalGeneration.from_pretrained(settings["model"], dtype=torch.float32)
    model.model.vision_tower.requires_grad_(False)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    names = [name for name, _ in model.named_modules() if "language_model" in name and name.rpartition(".")[2] in layers]
    lora = settings["how"] == "lora"
    trainer = DPOTrainer(
        model=model,
        peft_config=LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=names) if lora else None,
        args=DPOConfig(
            output_dir=str(folder / "trl"),
            max_steps=settings["steps"],
            per_device_train_batch_size=settings["batch"],
            learning_rate=settings["rate"],
            lr_scheduler_type="constant",
            beta=BETA,
            train_sampling_strategy="sequential",
            max_length=None,
            gradient_checkpointing=False,
            bf16=False,
            use_cpu=True,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=Dataset.from_dict(rows).cast_column("images", List(Pictures())),
        processing_class=AutoProcessor.from_pretrained(settings["model"]),
        callbacks=[Turn()],
    )
    trainer.train()


def main() -> None:
    """Take a step a line of the other side's."""
    say = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is not for the other side
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    began = [0.0, 0.0]

    def report(loss: float | None) -> None:
        if loss is not None:
            spent = time.process_time() - began[0], time.perf_counter() - began[1]
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            print(json.dumps({"loss": loss, "seconds": spent[0], "clock": spent[1], "peak": peak}), file=say, flush=True)
        sys.stdin.readline()
        began[:] = time.process_time(), time.perf_counter()

    if settings["side"] == "trl":
        theirs(settings, report)
        return
    steps = ours(settings)
    report(None)
    for loss in steps:
        report(loss)


if __name__ == "__main__":
    main()
