"""Does built data teach as well as the world's own? Three data sets, equal steps, several seeds, the world's test tasks.

    python -m benchmarks.build_training --out runs/build_training --to docs/results/build.md [--seeds 1,2,3]

All are aligned on captions, as published. `world` is the world's own instructions, `llava` what `build run llava_instruct`
makes of as many pictures, `llava + lrv` two thirds of that and one third of what `lrv_instruction` makes, negatives included.
A finished run is kept and not repeated.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import shutil
import statistics
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

import vistune
from vistune.construction.operators.augment import merge_turns
from vistune.construction.pipelines.lrv_instruction import PIPELINE
from vistune.construction.running.session import Choices, perform
from vistune.demo.controls import measure
from vistune.demo.run import answer_all, demo_recipe, shared_features
from vistune.files import atomic_open, atomic_path, read_json, write_json
from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe

# A picture's questions in conversations, at most as long as the world's own: LLaVA-1.5 merges them so (arXiv 2310.03744, 3.3).
LRV = replace(PIPELINE, steps=lambda kit: [*PIPELINE.steps(kit), merge_turns(6)])
TASKS = ("identity", "colour", "count", "existence_adversarial", "refer_box", "spatial", "comparison", "arithmetic", "reading")
ALIGNMENT = "world:?task=captions&size=3200"
CLOSER = 5  # times as many questions about absent things: two arms are compared by them alone
ARMS = ("world", "llava", "llava + lrv")
Scores = Mapping[str, float]


def build(pipeline: str, pictures: int, seed: int, out: Path) -> str:
    """A built data set as a data spec."""
    perform(Choices(pipeline, (f"world:?task=captions&size={pictures}&seed={seed}",), seed=seed), out)
    return f"samples:{out / 'samples.jsonl'}"


def data_of(arm: str, samples: int, seed: int, out: Path) -> str | dict[str, object]:
    """What an arm is tuned on."""
    if arm == "world":
        return f"world:?task=instructions&size={samples}&seed={seed}"
    llava = build("llava_instruct", samples, seed, out / f"built-llava-{samples}-{seed}")
    if arm == "llava":
        return llava
    # Two conversations a picture, hence a sixth of as many pictures for a third of the samples.
    lrv = build("benchmarks.build_training:LRV", samples // 6, seed, out / f"built-lrv-{samples}-{seed}")
    sources = [{"data": llava, "weight": 2.0}, {"data": lrv, "weight": 1.0}]
    return {"kind": "mixture", "sources": sources, "sampling": "weights", "size": samples, "seed": seed}


def run(arm: str, samples: int, seed: int, questions: int, out: Path) -> Scores:
    """Train one arm and score it; a finished one is read."""
    name = f"{arm.replace(' + ', '-')}-{samples}-{seed}"
    done = out / f"{name}.json"
    if not done.exists():
        recipe = replace(demo_recipe(), seed=seed)
        steps = samples // recipe.stages[-1].batch
        last = replace(recipe.stages[-1], data=data_of(arm, samples, seed, out), steps=steps)
        recipe = replace(recipe, stages=(replace(recipe.stages[0], data=ALIGNMENT), last))
        share_alignment(recipe, out, out / name)
        model = load(vistune.train(recipe, out / name))
        model.chains["image"].cache = shared_features(model, out / "features")
        sizes = {task: questions * (CLOSER if task == "existence_adversarial" else 1) for task in TASKS}
        asked = {task: list(vistune.read(f"world:?task={task}&split=test&size={size}")) for task, size in sizes.items()}
        given = answer_all(model, asked)
        scores = {task: measure(task, put, given[task], model.codec).headline for task, put in asked.items()}
        write_json(done, scores)
        print(name, {task: round(score, 1) for task, score in scores.items()}, flush=True)
    found: Scores = read_json(done)
    return found


def share_alignment(recipe: Recipe, runs: Path, out: Path) -> None:
    """All runs of a seed are aligned alike: what the first of them made is where the others begin."""
    stage = recipe.stages[0].name
    done = sorted(path.parent for path in runs.glob(f"*-{recipe.seed}/{stage}"))
    if (out / "run.yaml").exists() or not done:
        return
    first = done[0]
    with atomic_open(out / "run.yaml") as file:
        file.write(recipe.to_yaml())
    with atomic_path(out / "logs" / f"{stage}.jsonl") as log:
        shutil.copy(first / "logs" / f"{stage}.jsonl", log)
    with atomic_path(out / stage) as temporary:
        shutil.copytree(first / stage, temporary)


def mean_spread(values: list[float]) -> str:
    """`81.2 ± 0.9`: mean and standard deviation over seeds."""
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values) if len(values) > 1 else 0:.1f}"


def table(results: Mapping[str, list[Scores]]) -> str:
    """A row a task: each arm over the seeds, and the two differences asked about."""
    rows = ["| task | " + " | ".join(ARMS) + " | llava - world | lrv - llava |", "|---|" + "---:|" * (len(ARMS) + 2)]
    averages = {arm: [statistics.mean(scores.values()) for scores in results[arm]] for arm in ARMS}
    for task in (*TASKS, "mean"):
        columns = {arm: averages[arm] if task == "mean" else [scores[task] for scores in results[arm]] for arm in ARMS}
        means = {arm: statistics.mean(values) for arm, values in columns.items()}
        cells = [mean_spread(columns[arm]) for arm in ARMS]
        differences = (means["llava"] - means["world"], means["llava + lrv"] - means["llava"])
        rows.append(f"| {task} | " + " | ".join([*cells, *(f"{value:+.1f}" for value in differences)]) + " |")
    return "\n".join(rows)


def page(results: Mapping[int, Mapping[str, list[Scores]]], seeds: str, questions: int) -> str:
    """The tables as Markdown."""
    sizes = ",".join(map(str, results))
    tables = "\n\n".join(f"## {samples:,} samples\n\n{table(arms)}" for samples, arms in results.items())
    return f"""# Tuned on built data

LLaVA-1.5 on the shipped backbones, aligned on 3,200 captions and tuned for equally many steps on three data sets of one size:
the world's own instructions, what `build run llava_instruct` makes of as many pictures with the offline writer, and two
thirds of that with one third of what `lrv_instruction` makes, negatives included, in conversations. Test tasks of the world,
{questions} questions each ({CLOSER * questions:,} about absent things), unseen handwriting; mean and standard deviation over
the seeds {seeds}. Boxes count when they overlap the right one by half; the rest is exact match.

{tables}

```
python -m benchmarks.build_training --samples {sizes} --questions {questions} --seeds {seeds} --to docs/results/build.md
```

{datetime.date.today():%d %B %Y}, vistune {vistune.__version__}, torch {torch.__version__.split("+")[0]}, {platform.machine()}.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/build_training"))
    parser.add_argument("--to", type=Path, help="Markdown file to write")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--samples", default="1000,2000,4000", help="how many each data set has; a table for each")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    seeds, sizes = ([int(number) for number in numbers.split(",")] for numbers in (options.seeds, options.samples))
    options.out.mkdir(parents=True, exist_ok=True)
    results = {
        size: {arm: [run(arm, size, seed, options.questions, options.out) for seed in seeds] for arm in ARMS} for size in sizes
    }
    text = page(results, options.seeds, options.questions)
    print(text)
    if options.to:
        with atomic_open(options.to) as file:
            file.write(text)


if __name__ == "__main__":
    main()
