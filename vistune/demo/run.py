"""The demonstration as a story."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from vistune.data.samples import read
from vistune.demo.controls import majority, measure
from vistune.demo.page import Shown, write_pages
from vistune.evals.controls import blind
from vistune.evals.prediction import Prediction
from vistune.files import read_json, write_json, write_jsonl
from vistune.model.feature_cache import FeatureCache
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import load
from vistune.nano import nano
from vistune.prompt.codec import Codec
from vistune.recipe import Recipe, load_recipe
from vistune.sample import Sample
from vistune.training.caching import cache_of
from vistune.training.provenance import versions
from vistune.training.run import train
from vistune.training.steps.precision import autocast, resolve

TASKS = (
    "identity",
    "colour",
    "count",
    "existence_adversarial",
    "refer_box",
    "caption",
    "spatial",
    "comparison",
    "arithmetic",
    "reading",
    "describe_region",
)
REPORT_NAMES = {"caption": "caption_cider_d"}
MAX_NEW_TOKENS = {"caption": 48}
SHORT = 16  # tokens of all other answers: a longer one is none of those wanted
SHOWN_PER_TASK = 3


def demo_recipe() -> Recipe:
    """LLaVA-1.5 on the backbones and data of the package."""
    return nano(load_recipe("llava_1_5"))


def demo(out: Path, questions: int = 200) -> str:
    """Train (or continue) the demonstration in `out`, measure it, write the report; returns the table to print."""
    began = time.perf_counter()
    tuned_folder = train(demo_recipe(), out)
    train_seconds = time.perf_counter() - began
    if (out / "train_seconds.json").exists():  # the run had been trained before
        train_seconds = read_json(out / "train_seconds.json")
    else:
        write_json(out / "train_seconds.json", train_seconds)
    began = time.perf_counter()
    tuned, aligned = load(tuned_folder), load(out / "align")
    for model in (tuned, aligned):
        model.chains["image"].cache = shared_features(tuned, out / "features")
    asked = {task: list(read(f"world:?task={task}&split=test&size={questions}")) for task in TASKS}
    given = {
        "tuned": answer_all(tuned, asked),
        "aligned": answer_all(aligned, asked),
        "blind": answer_all(tuned, {task: blind(samples) for task, samples in asked.items()}),
        "majority": {task: _majority(task, samples, tuned.codec) for task, samples in asked.items()},
    }
    rows: dict[str, dict[str, float]] = {}
    shown: list[Shown] = []
    for task, samples in asked.items():
        row = {}
        for name, answers in given.items():
            row[name] = round(measure(task, samples, answers[task], tuned.codec).headline, 4 if task == "caption" else 2)
            pairs = zip(samples, answers[task], strict=True)
            records = (Prediction(sample.id, answer, sample.turns[-2].text.strip()).to_json() for sample, answer in pairs)
            write_jsonl(out / "predictions" / f"{task}.{name}.jsonl", records)
        rows[REPORT_NAMES.get(task, task)] = row | {"n": len(samples)}
        shown += [Shown(task, *pair) for pair in zip(samples[:SHOWN_PER_TASK], given["tuned"][task], strict=False)]
    seconds = {"train": round(train_seconds, 1), "eval": round(time.perf_counter() - began, 1)}
    write_json(out / "report.json", {"tasks": rows, "seconds": seconds, "versions": versions()})
    write_pages(out, rows, seconds, shown, tuned.codec, tuned_folder)
    return table(rows, seconds) + f"\nreport: {out / 'report.html'}\nnext: {next_step(tuned_folder, out)}"


def shared_features(model: VisionLanguageModel, folder: Path) -> FeatureCache:
    """What the encoder, which no stage of the demonstration trains, makes of each picture: all tasks ask about the same."""
    return cache_of(model, "image", "encoder", folder, resolve("auto", model.device))


def answer_all(model: VisionLanguageModel, asked: Mapping[str, Sequence[Sample]]) -> dict[str, list[str]]:
    """In the number format it was trained in; tasks with answers of like length at once, so that a picture is read once."""
    answers: dict[str, list[str]] = {}
    with autocast(resolve("auto", model.device), model.device):
        for limit in {SHORT, *MAX_NEW_TOKENS.values()}:
            tasks = [task for task in asked if MAX_NEW_TOKENS.get(task, SHORT) == limit]
            given = iter(model.generate([sample for task in tasks for sample in asked[task]], limit, progress=True))
            answers |= {task: list(islice(given, len(asked[task]))) for task in tasks}
    return answers


def _majority(task: str, samples: Sequence[Sample], codec: Codec) -> list[str]:
    return majority(samples, list(read(f"world:?task={task}&split=train&size={len(samples)}")), codec)


def table(rows: dict[str, dict[str, float]], seconds: dict[str, float]) -> str:
    """The result as text."""
    columns = ("tuned", "aligned", "blind", "majority", "n")
    lines = [f"{'task':<24}" + "".join(f"{name:>10}" for name in columns)]
    for task, row in rows.items():
        places = 3 if task == "caption_cider_d" else 1
        cells = "".join(f"{row[name]:>10.{places}f}" for name in columns[:-1])
        lines.append(f"{task:<24}{cells}{row['n']:>10}")
    lines.append(f"training {seconds['train']:.0f} s, evaluation {seconds['eval']:.0f} s")
    return "\n".join(lines)


def next_step(model: Path, out: Path) -> str:
    """What to try now."""
    return f'vistune chat {model} --image {out / "pictures" / "000.png"} "How many objects are there?"'
