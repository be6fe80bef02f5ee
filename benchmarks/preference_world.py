"""What pairs on absent objects do for a model that says yes too often, on the embedded data set.

    python -m benchmarks.preference_world --seed 1 --seed 2 --seed 3

Each seed makes a model of its own: aligned on sheets of facts, then tuned on captions and on questions after objects that are
all there, so that it learns to answer yes. The recipe `dpo` goes on from it with pairs, half of them on absent objects. Asked
before and after are the same questions of test scenes, whose answers are yes and no in equal shares. Runs resume where they
stopped, and a seed that is among the results is not run again.
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from scipy.stats import t as student

from benchmarks.small_llava import machine
from vistune.data.samples import read
from vistune.data.writers.samples import write
from vistune.journal import Journal, read_journal
from vistune.model.answering.opening import load
from vistune.nano import nano
from vistune.recipe import Recipe, load_recipe
from vistune.training.beginning.start import beginning_at
from vistune.training.run import train

RESULTS = Path("docs/results/preference_world.jsonl")
TASK = "existence_adversarial"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, action="append", help="May be given several times (default: 1, 2 and 3).")
    parser.add_argument("--facts", type=int, default=1600, help="Sheets of facts that the connector is aligned on.")
    parser.add_argument(
        "--tuned", type=int, default=400, help="Captions, and questions answered yes, that the model is tuned on."
    )
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--out", type=Path, default=Path("runs/preference_world"), help="Where runs are kept.")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    sizes = {"facts": chosen.facts, "tuned": chosen.tuned, "pairs": chosen.pairs, "questions": chosen.questions}
    seeds = chosen.seed or [1, 2, 3]
    for seed in seeds:
        if not any(row["seed"] == seed for row in rows(chosen.results, sizes)):
            found = one(seed, chosen.out / str(seed), **sizes)
            chosen.results.parent.mkdir(parents=True, exist_ok=True)
            with Journal(chosen.results) as journal:
                journal.append({"seed": seed, **sizes, **found, "machine": machine()})
    print(table([row for row in rows(chosen.results, sizes) if row["seed"] in seeds]))


def rows(results: Path, sizes: dict[str, int]) -> list[dict[str, Any]]:
    """Results of runs of these sizes, by seed."""
    found = [row for _, row in read_journal(results) if {key: row[key] for key in sizes} == sizes] if results.exists() else []
    return sorted(found, key=lambda row: int(row["seed"]))


def one(seed: int, out: Path, facts: int, tuned: int, pairs: int, questions: int) -> dict[str, Any]:
    """Train the model with its bias, then on pairs; what each answers."""
    out.mkdir(parents=True, exist_ok=True)
    biased = train(_biased(seed, out, facts, tuned), out / "biased", precision="fp32", report=False)
    data = f"world:?task={TASK}&pairs=true&seed={seed}&size={pairs}"
    dpo = nano(load_recipe("dpo")).override({"seed": seed, "stages.0.data": data})
    preferred = train(beginning_at(dpo, biased), out / "preferred", precision="fp32", report=False)
    samples = list(read(f"world:?task={TASK}&split=test&size={questions}"))
    truth = [sample.answers[0] for sample in samples]
    found: dict[str, Any] = {}
    for name, folder in (("biased", biased), ("preferred", preferred)):
        answers = [answer.strip().lower().rstrip(".") for answer in load(folder, device="cpu").generate(samples, 4)]
        found[name] = 100 * statistics.mean(answer == right for answer, right in zip(answers, truth, strict=True))
        found[f"{name}_yes"] = 100 * statistics.mean(answer == "yes" for answer in answers)
    return found


def _biased(seed: int, out: Path, facts: int, tuned: int) -> Recipe:
    """LLaVA-1.5 at nano size whose last stage never asks after what is absent."""
    asked = read(f"world:?task={TASK}&seed={seed}&size={4 * tuned}")
    present = [sample for sample in asked if sample.answers[0] == "yes"][:tuned]
    assert len(present) == tuned, "half of the questions are answered yes"
    told = [replace(sample, id=f"{sample.id}-yes") for sample in present]
    file = out / "present.jsonl"
    if not file.exists():  # a stage that goes on is refused other data
        write(told, str(file), out / "pictures")
    mixture = {
        "kind": "mixture",
        "sources": [{"data": f"world:?task=caption&seed={seed}&size={tuned}"}, {"data": f"samples:{file}"}],
    }
    return nano(load_recipe("llava_1_5")).override(
        {"seed": seed, "stages.0.data": f"world:?task=facts&seed={seed}&size={facts}", "stages.1.data": mixture}
    )


def table(found: Sequence[dict[str, Any]]) -> str:
    """One line a seed, and the mean gain with its 95 % interval over seeds (Student's t)."""
    lines = ["| seed | biased | says yes | after pairs | says yes | gain |", "|---|---:|---:|---:|---:|---:|"]
    gains = [row["preferred"] - row["biased"] for row in found]
    for row, gain in zip(found, gains, strict=True):
        numbers = [row[key] for key in ("biased", "biased_yes", "preferred", "preferred_yes")]
        lines.append(f"| {row['seed']} | {' | '.join(f'{number:.1f}' for number in numbers)} | {gain:+.1f} |")
    if len(gains) > 1:
        half = float(student.ppf(0.975, len(gains) - 1)) * statistics.stdev(gains) / math.sqrt(len(gains))
        mean = statistics.mean(gains)
        lines.append(f"\nmean gain {mean:+.1f} points, 95 % interval {mean - half:+.1f} to {mean + half:+.1f} over seeds")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
