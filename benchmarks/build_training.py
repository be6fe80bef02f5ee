"""Does built data teach as well as the world's own? Three data sets, equal steps, several seeds, the world's test tasks.

    python -m benchmarks.build_training --out runs/build_training --to docs/results/build.md [--seeds 1,2,3] [--samples 1000]

`world` is the world's own instructions, `llava` what `build run llava_instruct` makes of as many pictures, `llava + lrv`
two thirds of that and one third of what `lrv_instruction` makes, negatives included. A finished run is kept and not repeated.
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
from vistune.build.session import Choices, perform
from vistune.demo.controls import measure
from vistune.demo.run import answer_all, demo_recipe, shared_features
from vistune.files import atomic_open, atomic_path, read_json, write_json
from vistune.model.checkpoint import load
from vistune.recipe import Recipe

TASKS = ("identity", "colour", "count", "existence_adversarial", "refer_box", "spatial", "comparison", "arithmetic", "reading")
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
    llava = build("llava_instruct", samples, seed, out / f"built-llava-{seed}")
    if arm == "llava":
        return llava
    lrv = build("lrv_instruction", samples // 8, seed, out / f"built-lrv-{seed}")  # some ten samples a picture
    sources = [{"data": llava, "weight": 2.0}, {"data": lrv, "weight": 1.0}]
    return {"kind": "mixture", "sources": sources, "sampling": "weights", "size": samples, "seed": seed}


def run(arm: str, samples: int, seed: int, questions: int, out: Path) -> Scores:
    """Train one arm and score it; a finished one is read."""
    name = f"{arm.replace(' + ', '-')}-{seed}"
    done = out / f"{name}.json"
    if not done.exists():
        recipe = replace(demo_recipe(), seed=seed)
        steps = samples // recipe.stages[-1].batch
        last = replace(recipe.stages[-1], data=data_of(arm, samples, seed, out), steps=steps)
        recipe = replace(recipe, stages=(*recipe.stages[:-1], last))
        share_alignment(recipe, out / f"{ARMS[0]}-{seed}", out / name)
        model = load(vistune.train(recipe, out / name))
        model.cache = shared_features(model, out / "features")
        asked = {task: list(vistune.read(f"world:?task={task}&split=test&size={questions}")) for task in TASKS}
        given = answer_all(model, asked)
        scores = {task: measure(task, put, given[task], model.codec).headline for task, put in asked.items()}
        write_json(done, scores)
        print(name, {task: round(score, 1) for task, score in scores.items()}, flush=True)
    found: Scores = read_json(done)
    return found


def share_alignment(recipe: Recipe, first: Path, out: Path) -> None:
    """All arms of a seed are aligned alike: what the first one's run made is where the others begin."""
    stage = recipe.stages[0].name
    if out == first or (out / "run.yaml").exists() or not (first / stage).exists():
        return
    with atomic_open(out / "run.yaml") as file:
        file.write(recipe.to_yaml())
    with atomic_path(out / "logs" / f"{stage}.jsonl") as log:
        shutil.copy(first / "logs" / f"{stage}.jsonl", log)
    with atomic_path(out / stage) as temporary:
        shutil.copytree(first / stage, temporary)


def mean_spread(values: list[float]) -> str:
    """`81.2 ± 0.9`: mean and standard deviation over seeds."""
    return f"{statistics.mean(values):.1f} ± {statistics.stdev(values) if len(values) > 1 else 0:.1f}"


def page(results: Mapping[str, list[Scores]], samples: int, seeds: list[int], questions: int) -> str:
    """The table as Markdown."""
    rows = ["| task | " + " | ".join(ARMS) + " | llava - world | lrv - llava |", "|---|" + "---:|" * (len(ARMS) + 2)]
    averages = {arm: [statistics.mean(scores.values()) for scores in results[arm]] for arm in ARMS}
    for task in (*TASKS, "mean"):
        columns = {arm: averages[arm] if task == "mean" else [scores[task] for scores in results[arm]] for arm in ARMS}
        means = {arm: statistics.mean(values) for arm, values in columns.items()}
        cells = [mean_spread(columns[arm]) for arm in ARMS]
        differences = (means["llava"] - means["world"], means["llava + lrv"] - means["llava"])
        rows.append(f"| {task} | " + " | ".join([*cells, *(f"{value:+.1f}" for value in differences)]) + " |")
    table, names = "\n".join(rows), ",".join(map(str, seeds))
    return f"""# Tuned on built data

The demonstration's recipe (LLaVA-1.5 on the shipped backbones), tuned for equally many steps on three data sets of {samples:,}
samples: the world's own instructions, what `build run llava_instruct` makes of as many pictures with the offline writer,
and two thirds of that with one third of what `lrv_instruction` makes, negatives included. Test tasks of the world, {questions}
questions each, unseen handwriting; mean and standard deviation over the seeds {names}. Boxes count when they overlap the right
one by half; the rest is exact match.

{table}

```
python -m benchmarks.build_training --samples {samples} --questions {questions} --seeds {names} --to docs/results/build.md
```

{datetime.date.today():%d %B %Y}, vistune {vistune.__version__}, torch {torch.__version__.split("+")[0]}, {platform.machine()}.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/build_training"))
    parser.add_argument("--to", type=Path, help="Markdown file to write")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    options.out.mkdir(parents=True, exist_ok=True)
    results = {arm: [run(arm, options.samples, seed, options.questions, options.out) for seed in seeds] for arm in ARMS}
    text = page(results, options.samples, seeds, options.questions)
    print(text)
    if options.to:
        with atomic_open(options.to) as file:
            file.write(text)


if __name__ == "__main__":
    main()
