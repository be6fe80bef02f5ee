"""How long processes wait for each other within a step, dealt as neighbours and by what samples cost.

    python -m benchmarks.ranks --json build/bench/ranks.json

First, one process runs rows of one distribution of lengths, which gives the constants of the cost model. Then two real
processes run steps of distributions that did not set them: their processor's seconds are compared with what the model says.
Then 8, 64 and 512 processes are simulated with the constants. Times are the processor's seconds of each process, so that
other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import small_llava
from benchmarks.ranks.costs import Row, fitted, idle, seconds, simulated
from benchmarks.ranks.lengths import KNOWN, Lengths, Shape, calibration
from benchmarks.ranks.worker import MICRO
from vistune.training.steps.dealing import Room

FITS = calibration
TRIED = ("mixture", "interleaved")
PIXELS, PATCH = 64, 8
BATCH = 8  # samples a process


def main() -> int:
    """Fit, compare, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    alone = measured(FITS, 1, options.steps)["neighbours"]
    rows = [row for step in alone for process in step for row in process]
    constants = fitted([row["samples"] for row in rows], [row["seconds"] for row in rows])
    result: dict[str, Any] = {"constants": constants.tolist(), "machine": small_llava.machine(), "two": {}, "many": {}}
    print(f"constants (row, word, token squared, encoder's token), in seconds: {constants}")
    for name in TRIED:
        result["two"][name] = {
            how: compared(steps, constants) for how, steps in measured(KNOWN[name], 2, options.steps).items()
        }
        for how, each in result["two"][name].items():
            print(
                f"2 processes, {name}, {how}: a step takes {each['measured']:.3f} s, predicted {each['predicted']:.3f} "
                f"({100 * each['off']:+.1f} %); idle {100 * each['idle']:.1f} %, predicted {100 * each['idle_predicted']:.1f} %"
            )
    for name, lengths in KNOWN.items():
        for processes in (8, 64, 512):
            samples = [(_tokens(shape), _seen(shape)) for shape in lengths(4 * BATCH * processes, 1)]
            for rounds in (False, True) if samples else ():
                before, after = simulated(samples, processes, BATCH, Room(MICRO), 384, constants, rounds)
                what = f"{name}, {processes} processes, {'each row' if rounds else 'each step'} together"
                result["many"][what] = {"neighbours": before, "dealt": after}
                print(f"{what}: idle {before:.1%} as neighbours, {after:.1%} dealt")
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result, indent=1))
    return 0


def measured(lengths: Lengths, processes: int, steps: int) -> dict[str, list[list[list[dict[str, Any]]]]]:
    """By way of dealing, by step, by process: its rows."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        written(folder, lengths(steps * BATCH * processes, 0))
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        command += ["-m", "benchmarks.ranks.worker", str(folder), str(steps), str(BATCH * processes)]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        said = [json.loads((folder / f"said.{rank}.json").read_text()) for rank in range(processes)]
    return {how: [list(step) for step in zip(*(each[how] for each in said), strict=True)] for how in said[0]}


def written(folder: Path, shapes: list[Shape]) -> None:
    """Conversations of these shapes, all about eight pictures of noise."""
    draw = random.Random(0)
    for number in range(8):
        small_llava.picture(folder / f"{number}.png", number, PIXELS)
    records = []
    for number, shape in enumerate(shapes):
        shown = [f"{draw.randrange(8)}.png" for _ in range(shape.pictures)]
        asked = "\n".join(["<image>"] * len(shown) + [small_llava.words(draw, 4)])
        turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": small_llava.words(draw, max(2, shape.words - 4))}]
        records.append({"id": str(number), "conversations": turns} | ({"images": shown} if shown else {}))
    (folder / "data.json").write_text(json.dumps(records))


def compared(steps: list[list[list[dict[str, Any]]]], constants: np.ndarray[Any, Any]) -> dict[str, float]:
    """What two processes took, and what the constants say: seconds of a step (its slower process), and idle shares."""
    took = [[sum(row["seconds"] for row in process) for process in step] for step in steps]
    rows: list[list[list[Row]]] = [[[row["samples"] for row in process] for process in step] for step in steps]
    said = [[seconds(constants, process) for process in step] for step in rows]
    measured_, predicted = float(np.mean([max(step) for step in took])), float(np.mean([max(step) for step in said]))
    off = predicted / measured_ - 1
    return {"measured": measured_, "predicted": predicted, "off": off, "idle": idle(took), "idle_predicted": idle(said)}


def _tokens(shape: Shape) -> int:
    return shape.words + 6 + _seen(shape)


def _seen(shape: Shape) -> int:
    return shape.pictures * (PIXELS // PATCH) ** 2


if __name__ == "__main__":
    raise SystemExit(main())
