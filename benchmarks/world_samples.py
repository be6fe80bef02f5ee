"""What a sample of the world costs: milliseconds of processor time on one core, for each task of each sense and each control.

    python -m benchmarks.world_samples --size 20

The first sample of a task is drawn before the clock starts: it loads scans, fonts and tables that all others share. Processor
time is what counts, so that a busy machine gives the same numbers, nearly; the 95th percentile stands beside the mean.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from vistune.data.samples import read
from vistune.world.senses import SENSES

LIMIT = 40.0  # milliseconds that a sample may cost

PICTURES = ("instructions", "captions", "facts", "segment", "two_images")
CONTROLS = {
    "films": ("shuffled_frames", "one_frame"),
    "sounds": ("swapped_channels", "one_channel"),
    "solids": ("grey_points", "shaken_points"),
}


def specs() -> dict[str, str]:
    """What is measured, by name."""
    named = {f"pictures {task}": f"world:?task={task}" for task in PICTURES}
    for sense in SENSES:
        named |= {f"{sense} {task}": f"world:?task={task}" for task in SENSES[sense].tasks()}
        named |= {f"{sense} {control}": f"world:?task={sense}&control={control}" for control in CONTROLS.get(sense, ())}
    return named


def cost(spec: str, size: int) -> list[float]:
    """Milliseconds of processor time of `size` samples behind the first."""
    samples = read(f"{spec}&split=test&size={size + 1}")
    assert samples[0].turns
    spent = []
    for index in range(1, size + 1):
        began = time.process_time()
        assert samples[index].turns
        spent.append(1000 * (time.process_time() - began))
    return spent


def main() -> None:
    """Print a table; with `--json` write it, too."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--size", type=int, default=20, help="samples of each task")
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    arguments = parser.parse_args()
    rows = {}
    for name, spec in specs().items():
        spent = cost(spec, arguments.size)
        rows[name] = {"mean": float(np.mean(spent)), "p95": float(np.percentile(spent, 95))}
        print(f"{name:<32} {rows[name]['mean']:6.1f} ms  95 %: {rows[name]['p95']:6.1f} ms", flush=True)
    over = [name for name, row in rows.items() if row["mean"] > LIMIT]
    print(f"{len(rows)} kinds; above {LIMIT:.0f} ms in the mean: {', '.join(over) or 'none'}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
