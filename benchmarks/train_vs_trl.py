"""Our training step against TRL's on the same LLaVA, data, order and optimizer, in one run.

    python -m benchmarks.train_vs_trl

A random LLaVA of 30 M parameters (vocabulary 32,000) is exported to `transformers` and trained by `SFTTrainer` with its own
collator, which pads a batch to its longest sample: TRL packs no pictures. We pack. Both train the connector and the language
model in fp32 on one thread with AdamW; the encoder is frozen. Steps are taken by turns. A step is everything from picture files
and text to changed weights; padding does not count as tokens.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks import small_llava
from benchmarks.peer import Worker, environment
from vistune.data.samples import Samples, read
from vistune.model.interchange.export import export
from vistune.model.packing import pack
from vistune.model.vlm import VisionLanguageModel
from vistune.training.selection import select

PEER = ("trl==1.16.0", "transformers==5.23.0", "pillow")
PIXELS = 64


class Ours:
    """The work of `vistune.training.loop`, a step at a time."""

    def __init__(self, model: VisionLanguageModel, samples: Samples, batch: int, rate: float) -> None:
        self.model, self.samples, self.batch, self.done = model, samples, batch, 0
        selection = select(model, {"connector": rate, "llm": rate}, "the benchmark")
        selection.switch_on(model)
        self.parameters = selection.groups[rate]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=rate, weight_decay=0.0)
        self.renderer = model.renderer()
        model.train()

    def step(self) -> dict[str, float]:
        """What TRL's worker says of its own, and the number of tokens."""
        began = time.process_time(), time.perf_counter()
        places = range(self.done * self.batch, (self.done + 1) * self.batch)
        row = pack([self.model.example(self.samples[place], self.renderer) for place in places])
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.model(row)["text"].sum / row.supervised
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.done += 1
        spent = time.process_time() - began[0], time.perf_counter() - began[1]
        longest = max(row.lengths) * len(row.lengths)
        return {"loss": loss.item(), "seconds": spent[0], "clock": spent[1], "tokens": len(row.ids), "padded": longest}


def measure(folder: Path, python: Path, steps: int, batch: int, rate: float, checkpointing: bool) -> dict[str, float]:
    """Medians over `steps` steps of each side, by turns, after one that warms up; and how far the losses are apart."""
    model = small_llava.build(folder, PIXELS)
    export(model, folder / "exported")
    (folder / "data").mkdir()
    small_llava.conversations(folder / "data", (steps + 1) * batch, PIXELS)
    ours = Ours(model, read(f"conversations:{folder / 'data' / 'data.json'}?images={folder / 'data'}"), batch, rate)
    settings = {"model": str(folder / "exported"), "data": str(folder / "data"), "steps": steps + 2, "batch": batch}
    mine, theirs = [], []
    with Worker(python, "trl_worker.py", settings | {"rate": rate, "checkpointing": checkpointing}) as peer:
        for number in range(steps + 1):
            theirs.append(peer.ask())
            mine.append(ours.step())
            print(f"step {number}: TRL {theirs[-1]}, ours {mine[-1]}", flush=True)
    tokens = [step["tokens"] for step in mine[1:]]
    speed = {
        name: statistics.median(count / step["seconds"] for count, step in zip(tokens, side[1:], strict=True))
        for name, side in (("trl", theirs), ("ours", mine))
    }
    ratios = [other["seconds"] / step["seconds"] for other, step in zip(theirs[1:], mine[1:], strict=True)]
    return {
        "trl_tokens_per_second": speed["trl"],
        "ours_tokens_per_second": speed["ours"],
        "ratio": statistics.median(ratios),
        "clock_ratio": statistics.median(o["clock"] / m["clock"] for o, m in zip(theirs[1:], mine[1:], strict=True)),
        "mean_length": sum(tokens) / (steps * batch),
        "padded_share": 1 - sum(tokens) / sum(step["padded"] for step in mine[1:]),
        "loss_difference": max(abs(other["loss"] - step["loss"]) for other, step in zip(theirs, mine, strict=True)),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--checkpointing", action="store_true", help="Leave TRL's gradient checkpointing on, its default.")
    parser.add_argument("--python", type=Path, help="An interpreter that has TRL, instead of an environment made for it.")
    parser.add_argument("--json", type=Path, help="Write the numbers here, too.")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    python = chosen.python or environment("trl", PEER)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), python, chosen.steps, chosen.batch, chosen.rate, chosen.checkpointing)
    print(
        f"training step, mean length {found['mean_length']:.0f} tokens, {found['padded_share']:.0%} of TRL's batch is padding: "
        f"{found['ours_tokens_per_second']:.0f} against {found['trl_tokens_per_second']:.0f} tokens/s, "
        f"{found['ratio']:.2f} x by processor time, {found['clock_ratio']:.2f} x by the clock; "
        f"losses differ by {found['loss_difference']:.1e} at most"
    )
    print(small_llava.machine() + ", " + PEER[0])
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found | {"machine": small_llava.machine()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
