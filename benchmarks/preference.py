"""Preference tuning against TRL's `DPOTrainer`, both in one run, by turns, on one thread.

    python -m benchmarks.preference

The same random LLaVA of about 30 M parameters, batches of 4 pairs, one picture of 144 tokens each; adapters on the
language model with the reference read with them off, or (`--how full`) connector and language model with a second copy as
the reference.
Counted are tokens of answers, chosen and rejected.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks import small_llava
from benchmarks.peer import Worker
from vistune.model.interchange.export import export
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save

PIXELS, PATCH, RANK = 96, 8, 16  # 12 x 12 = 144 tokens


def pairs(folder: Path, count: int, words: int) -> int:
    """Write `pairs.json` and its pictures, answers lognormal around `words`. Returns the number of tokens of answers."""
    draw, records, tokens = random.Random(0), [], 0
    for number in range(count):
        small_llava.picture(folder / f"{number}.png", number, PIXELS)
        record = {"id": str(number), "image": f"{number}.png", "question": small_llava.words(draw, 10)}
        for side in ("chosen", "rejected"):
            length = max(2, min(300, round(draw.lognormvariate(0, 0.6) * words)))
            record[side] = small_llava.words(draw, length)
            tokens += length + 1
        records.append(record)
    (folder / "pairs.json").write_text(json.dumps(records))
    return tokens


def measure(folder: Path, steps: int, batch: int, rate: float, how: str, words: int) -> dict[str, float]:
    """Medians over `steps` steps of each side, by turns, after one that warms up."""
    model = small_llava.build(folder, PIXELS, PATCH)
    export(model, folder / "exported")
    if how == "lora":
        spec = replace(model.spec, adapt={"llm": {"kind": "lora", "rank": RANK}})
        connector = model.connector
        model = VisionLanguageModel(spec)
        assert model.connector is not None and connector is not None
        model.connector.load_state_dict(connector.state_dict())
    save(model, folder / "ours", {"connector"} | ({"llm.adapter"} if how == "lora" else set()))
    (folder / "data").mkdir()
    tokens = pairs(folder / "data", (steps + 2) * batch, words) / (steps + 2)
    common = {"data": str(folder / "data"), "steps": steps + 2, "batch": batch, "rate": rate, "how": how}
    sides: dict[str, list[dict[str, float]]] = {"trl": [], "ours": []}
    os.environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    python, script = Path(sys.executable), "preference_worker.py"
    peer = Worker(python, script, common | {"side": "trl", "model": str(folder / "exported")})
    own = Worker(python, script, common | {"side": "ours", "model": str(folder / "ours")})
    with peer, own:
        for number in range(steps + 1):
            sides["trl"].append(peer.ask())
            sides["ours"].append(own.ask())
            print(f"step {number}: TRL {sides['trl'][-1]}, ours {sides['ours'][-1]}", flush=True)
    ratios = [other["seconds"] / mine["seconds"] for other, mine in zip(sides["trl"][1:], sides["ours"][1:], strict=True)]
    clock = [other["clock"] / mine["clock"] for other, mine in zip(sides["trl"][1:], sides["ours"][1:], strict=True)]
    losses = [abs(other["loss"] - mine["loss"]) for other, mine in zip(sides["trl"], sides["ours"], strict=True)]
    return {
        "answer_tokens_a_step": tokens,
        **{f"{name}_seconds": statistics.median(step["seconds"] for step in side[1:]) for name, side in sides.items()},
        **{f"{name}_peak_mb": side[-1]["peak"] / 1e6 for name, side in sides.items()},
        "ratio": statistics.median(ratios),
        "clock_ratio": statistics.median(clock),
        "loss_difference": max(losses),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--how", choices=("lora", "full"), default="lora")
    parser.add_argument("--words", type=int, default=20, help="The median length of an answer.")
    parser.add_argument("--json", type=Path, help="Write the numbers here, too.")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), chosen.steps, chosen.batch, chosen.rate, chosen.how, chosen.words)
    print(
        f"preference tuning ({chosen.how}), {found['answer_tokens_a_step']:.0f} tokens of answers a step: "
        f"{found['ours_seconds']:.2f} against {found['trl_seconds']:.2f} s, {found['ratio']:.2f} x by processor time, "
        f"{found['clock_ratio']:.2f} x by the clock; "
        f"at most {found['ours_peak_mb']:.0f} against {found['trl_peak_mb']:.0f} MB; "
        f"losses differ by {found['loss_difference']:.1e} at most"
    )
    print(small_llava.machine("trl"))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(found | {"machine": small_llava.machine("trl")}, indent=2) + "\n")


if __name__ == "__main__":
    main()
