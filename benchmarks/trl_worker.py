"""The peer's side of `benchmarks.train_vs_trl`, run by the interpreter that has TRL: it needs nothing of vistune.

    python trl_worker.py '{"model": DIR, "data": DIR, "steps": 8, "batch": 16, "rate": 1e-3, "checkpointing": false}'

`SFTTrainer` with its own collator trains on `DIR/data.json` in order. After every step it writes one line, `{"loss", "seconds",
"clock"}` (processor's seconds and the clock's since it was told to go on), and waits for a line.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, Image, List
from transformers import AutoProcessor, LlavaForConditionalGeneration, TrainerCallback
from trl import SFTConfig, SFTTrainer


class Turnstile(TrainerCallback):
    """Says what a step took and waits until the other side has taken its own."""

    def __init__(self, say: Any) -> None:
        self.say = say

    def start(self) -> None:
        sys.stdin.readline()
        self.began = time.process_time(), time.perf_counter()

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.start()

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        if logs is None or "loss" not in logs:
            return
        spent = time.process_time() - self.began[0], time.perf_counter() - self.began[1]
        print(json.dumps({"loss": logs["loss"], "seconds": spent[0], "clock": spent[1]}), file=self.say, flush=True)
        self.start()


def dataset(folder: Path) -> Dataset:
    """LLaVA's records as TRL's conversational vision data."""
    rows: dict[str, list[Any]] = {"messages": [], "images": []}
    for record in json.loads((folder / "data.json").read_text()):
        question, answer = (turn["value"] for turn in record["conversations"])
        asked = [{"type": "image", "text": None}, {"type": "text", "text": question.removeprefix("<image>\n")}]
        said = [{"type": "text", "text": answer}]
        rows["messages"].append([{"role": "user", "content": asked}, {"role": "assistant", "content": said}])
        rows["images"].append([str(folder / record["image"])])
    return Dataset.from_dict(rows).cast_column("images", List(Image()))


def main() -> None:
    say = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the libraries print is not for the other side
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    model = LlavaForConditionalGeneration.from_pretrained(settings["model"], dtype=torch.float32)
    model.model.vision_tower.requires_grad_(False)
    arguments = SFTConfig(
        output_dir=str(Path(settings["data"]) / "trl"),
        max_steps=settings["steps"],
        per_device_train_batch_size=settings["batch"],
        learning_rate=settings["rate"],
        lr_scheduler_type="constant",
        train_sampling_strategy="sequential",
        assistant_only_loss=True,
        max_length=None,
        gradient_checkpointing=settings["checkpointing"],
        bf16=False,
        use_cpu=True,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=dataset(Path(settings["data"])),
        processing_class=AutoProcessor.from_pretrained(settings["model"]),
        callbacks=[Turnstile(say)],
    )
    trainer.train()


if __name__ == "__main__":
    main()
