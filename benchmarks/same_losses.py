"""Losses and answers of every recipe at nano size, for comparing two revisions to the last digit.

    git worktree add ../old e4cf89e
    cp benchmarks/same_losses.py ../old/benchmarks/
    (cd ../old && PYTHONPATH=. python -m benchmarks.same_losses write /tmp/old.json)
    python -m benchmarks.same_losses write /tmp/new.json
    python -m benchmarks.same_losses compare /tmp/old.json /tmp/new.json

Both sides must run on one machine with as many threads: sums of floats depend on both. Only public calls are used, so that the
file runs in revisions on either side of a change of structure. Recipes that only one side has are named and not compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

import vistune
from vistune.recipe import Recipe, load_recipe, names

try:
    from vistune.nano import nano
except ImportError:  # revisions of before had it beside the recipes
    from vistune.recipe import nano  # type: ignore[no-redef,attr-defined]

STEPS, QUESTIONS = 3, 8
TASKS = ("identity", "refer_box", "caption", "two_images")


def small(recipe: Recipe) -> Recipe:
    """The recipe on the shipped backbones, `STEPS` steps of four samples a stage, two at once."""
    settings: dict[str, Any] = {}
    for number in range(len(recipe.stages)):
        settings |= {f"stages.{number}.steps": STEPS, f"stages.{number}.batch": 4, f"stages.{number}.micro": 2}
    return nano(recipe).override(settings)


def measured(name: str, folder: Path) -> dict[str, Any]:
    """Every logged loss and gradient norm, and the answers of the tuned model."""
    last = vistune.train(small(load_recipe(name)), folder, precision="fp32", report=False)
    logs = {file.stem: [json.loads(line) for line in file.read_text().splitlines()] for file in (folder / "logs").iterdir()}
    kept = {stage: [[line["loss"], line["grad_norm"]] for line in lines] for stage, lines in logs.items()}
    model = vistune.load(last)
    questions = [sample for task in TASKS for sample in vistune.read(f"world:?task={task}&split=test&size={QUESTIONS}")]
    return {"stages": kept, "answers": model.generate(questions, max_new_tokens=16)}


def write(target: Path, chosen: list[str]) -> None:
    """Measure all recipes (or the `chosen`) into a JSON file."""
    torch.set_num_threads(1)
    found = {}
    wanted = chosen or [name for name in names() if name != "native"]
    # The first run of a process measures the processor; revisions before 35bc9c0 drew its operands from the run's own
    # generator, which shifted the dropout of that run alone. A run that does not count takes this upon itself.
    with tempfile.TemporaryDirectory() as folder:
        measured(wanted[0], Path(folder) / "run")
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = measured(name, Path(folder) / "run")
        print(f"{name}: {found[name]['stages']}", flush=True)
        target.write_text(json.dumps(found, indent=1))


def compare(before: Path, after: Path) -> int:
    """Print what differs; the number of recipes that do."""
    old, new = (json.loads(file.read_text()) for file in (before, after))
    both = [name for name in old if name in new]
    apart = [name for name in both if old[name] != new[name]]
    for name in both:
        print(f"{name:<20}{'DIFFERS' if name in apart else 'the same to the last digit'}")
        if name in apart:
            for key in ("stages", "answers"):
                print(f"  {key}: {old[name][key]}\n  {key}: {new[name][key]}" if old[name][key] != new[name][key] else "")
    for name in sorted(set(old) ^ set(new)):
        print(f"{name:<20}only in {before if name in old else after}")
    return len(apart)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("write")
    measure.add_argument("target", type=Path)
    measure.add_argument("recipes", nargs="*")
    against = commands.add_parser("compare")
    against.add_argument("before", type=Path)
    against.add_argument("after", type=Path)
    given = parser.parse_args()
    if given.command == "write":
        write(given.target, given.recipes)
    else:
        sys.exit(compare(given.before, given.after))


if __name__ == "__main__":
    main()
