"""Published methods at nano size on the embedded data set: trained by their recipe, asked, and compared with controls.

    python -m benchmarks.methods valley --seed 1
    python -m benchmarks.methods video_llama pandagpt --seed 1 --seed 2 --tasks film_movement,sound_source

A run is resumed wherever it stopped: training at its last state, answering at the next task. Each task is one line of
`docs/results/methods.jsonl`, and `docs/results/methods.md` is written anew from all lines; a line made by another version of
the recipe is replaced. What is asked follows from what the model reads, unless `--tasks` names it.

    score     the share answered right (CIDEr-D of captions, boxes that overlap by half), with its 95 % interval
    blind     the same questions, each shown another sample's media
    majority  the answer that training samples of the task have most often
    others    what takes the answer out of a medium: one frame, frames in random order, clouds without colour or shape; and, of
              a question about two kinds of media, each kind left away
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.methods_table import page
from benchmarks.small_llava import machine
from vistune.data.samples import read
from vistune.demo.controls import majority, measure
from vistune.demo.run import MAX_NEW_TOKENS, SHORT
from vistune.errors import InputError
from vistune.evals.controls import blind, without
from vistune.journal import Journal, read_journal
from vistune.model.answering.opening import load
from vistune.model.vlm import VisionLanguageModel
from vistune.nano import nano
from vistune.progress import track
from vistune.recipe import Recipe, load_recipe, names
from vistune.sample import Sample
from vistune.training.run import train
from vistune.training.selection import select
from vistune.training.steps.precision import autocast, resolve

RESULTS = Path("docs/results/methods.jsonl")


@dataclass(frozen=True, slots=True)
class Suite:
    """What is asked of a model that reads media of these `kinds`, and the world's `controls` for them."""

    kinds: tuple[str, ...]
    tasks: tuple[str, ...]
    controls: tuple[str, ...] = ()


SUITES = (
    Suite(("image",), ("identity", "colour", "count", "existence_adversarial", "spatial", "reading", "caption")),
    Suite(
        ("video",),
        ("film_movement", "film_action", "film_order", "film_count", "film_colour", "film_meeting", "film_caption"),
        ("one_frame", "shuffled_frames"),
    ),
    Suite(("audio",), ("sound_source", "sound_word", "sound_count", "sound_order", "sound_pitch", "sound_caption")),
    Suite(
        ("points",),
        ("solid_name", "solid_colour", "solid_count", "solid_size", "solid_position", "solid_caption"),
        ("grey_points", "shaken_points"),
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, ask, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="+")
    parser.add_argument("--seed", type=int, action="append", help="May be given several times (default: 1).")
    parser.add_argument("--tasks", help="Names of the world's tasks, with commas between them.")
    parser.add_argument("--questions", type=int, default=200, help="Of each task.")
    parser.add_argument("--out", type=Path, default=Path("runs/methods"), help="Where runs are kept.")
    parser.add_argument("--results", type=Path, default=RESULTS, help="The file of results, beside which the page is written.")
    chosen = parser.parse_args(arguments)
    if chosen.questions < 1:
        raise SystemExit(f"--questions is {chosen.questions}, expected at least 1")
    tasks = None if chosen.tasks is None else chosen.tasks.split(",")
    try:
        recipes = [replace(nano(load_recipe(name)), seed=seed) for name in chosen.recipes for seed in chosen.seed or [1]]
        for recipe in recipes:
            run(recipe, chosen.out / recipe.name / str(recipe.seed), chosen.results, tasks, chosen.questions)
    except InputError as error:
        raise SystemExit(str(error)) from error


def run(recipe: Recipe, out: Path, results: Path, tasks: Sequence[str] | None, questions: int) -> None:
    """Everything of one recipe and seed that is not yet among the results."""
    version = version_of(recipe)
    done = {row["task"] for row in rows(results) if row["run"] == version and row["questions"] == questions}
    folder = train(recipe, out, report=False)
    model = load(folder)
    assert isinstance(model, VisionLanguageModel), "a model that is taken whole is measured elsewhere"
    wanted = [task for task in tasks or asked_of(model) if task not in done]
    begun = {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "run": version,
        "questions": questions,
        "trained": trained(model, recipe),
        "tokens_per_second": speed(recipe, out),
        "machine": machine(),
    }
    for task in track(wanted, f"asking {recipe.name}", len(wanted)):
        row = begun | {"task": task} | scores(model, task, questions)
        with Journal(results) as journal:
            journal.append(row)
        write_page(results)


def version_of(recipe: Recipe) -> str:
    """A short hash of everything that a recipe says."""
    return hashlib.sha256(recipe.to_yaml().encode()).hexdigest()[:12]


def write_page(results: Path) -> None:
    """The page beside the lines, with a mark at those that an earlier version of their recipe was measured by."""
    told = []
    for row in rows(results):
        now = version_of(replace(nano(load_recipe(row["recipe"])), seed=row["seed"])) if row["recipe"] in names() else ""
        told.append(row | {"earlier": row["run"] != now})
    results.with_suffix(".md").write_text(page(told), encoding="utf-8")


def rows(results: Path) -> list[dict[str, Any]]:
    """The latest line of each recipe, seed and task."""
    latest = {(row["recipe"], row["seed"], row["task"]): row for _, row in read_journal(results)}
    return [latest[key] for key in sorted(latest)]


def asked_of(model: VisionLanguageModel) -> list[str]:
    """Every task about media that the model reads."""
    return [task for suite in SUITES if set(suite.kinds) <= set(model.chains) for task in suite.tasks]


def scores(model: VisionLanguageModel, task: str, questions: int) -> dict[str, Any]:
    """The score of one task, and what is left of it under each control."""

    def of(samples: Sequence[Sample], answers: Sequence[str]) -> Any:
        return measure(task, samples, answers, model.codec)

    data = f"world:?task={task}&split=test&size={questions}"
    samples = list(read(data))
    result = of(samples, answers_of(model, task, samples))
    low, high = result.interval()
    places = 4 if task.endswith("caption") else 2
    often = majority(samples, list(read(f"world:?task={task}&split=train&size={questions}")), model.codec)
    controls = {
        name: of(changed, answers_of(model, task, changed)).headline for name, changed in controlled(task, samples, data)
    }
    return {
        "metric": result.name,
        "score": round(result.headline, places),
        "low": round(low, places),
        "high": round(high, places),
        "majority": round(of(samples, often).headline, places),
        "controls": {name: round(value, places) for name, value in controls.items()},
    }


def controlled(task: str, samples: Sequence[Sample], data: str) -> Iterator[tuple[str, list[Sample]]]:
    """The same questions under each control that fits the task."""
    yield "blind", blind(samples)
    suite = next((suite for suite in SUITES if task in suite.tasks), None)
    for control in suite.controls if suite else ():
        yield control, list(read(f"{data}&control={control}"))
    kinds = sorted({medium.kind for medium in samples[0].media})
    for kind in kinds if len(kinds) > 1 else ():
        yield f"without_{kind}", [without(sample, kind) for sample in samples]


def answers_of(model: VisionLanguageModel, task: str, samples: Sequence[Sample]) -> list[str]:
    """Greedy answers in the number format that the model was trained in."""
    with autocast(resolve("auto", model.device), model.device):
        return model.generate(samples, 48 if task.endswith("caption") else MAX_NEW_TOKENS.get(task, SHORT))


def trained(model: VisionLanguageModel, recipe: Recipe) -> int:
    """How many parameters some stage trains."""
    named = {name for stage in recipe.stages for name in select(model, stage.train, f"stage {stage.name!r}").names}
    return sum(parameter.numel() for name, parameter in model.named_parameters() if name in named)


def speed(recipe: Recipe, out: Path) -> float:
    """Tokens a second of training, over all stages; waiting for data counts."""
    tokens, seconds = 0, 0.0
    for stage in recipe.stages:
        lines = [json.loads(line) for line in (out / "logs" / f"{stage.name}.jsonl").read_text(encoding="utf-8").splitlines()]
        tokens += sum(line["tokens"] for line in lines)
        seconds += sum(line["seconds"] for line in lines) + lines[-1]["loader_wait_seconds"]
    return round(tokens / seconds, 1)


if __name__ == "__main__":
    main()
