"""A study: what raters are asked, frozen in `study.json` so that every rater and every restart sees the same questions.

study.json      the samples, each model's answers, the criteria, the seed
media/          the pictures, films and sounds of those samples
ratings/        one append-only file per rater
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_type_hints

from vistune.errors import InputError
from vistune.evals.human.media import store
from vistune.files import read_json, write_json
from vistune.sample import MediaRef, Region, Sample, Text
from vistune.spec import describe, matches

Ask: TypeAlias = Literal["rate", "compare"]

_MEDIUM = re.compile(r"[0-9a-f]{32}\.[a-z0-9]+")  # what `media.store` calls its files

CRITERIA: Mapping[str, str] = {
    "relevance": "Does the answer address the question about what is shown?",
    "coherence": "Do its statements fit together and follow from one another?",
    "fluency": "Is it well-formed, natural language?",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One sample as raters see it: `media` are `{kind, file}`, `regions` boxes to draw, `answers` one per model."""

    sample: str
    prompt: str
    media: tuple[Mapping[str, str], ...]
    regions: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to judge: one model's answer (`rate`), or two models' answers side by side (`compare`)."""

    ask: Ask
    item: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """Everything a rater may be asked. `missing` counts, per model, the samples left out because it gave no answer."""

    models: tuple[str, ...]
    items: tuple[Item, ...]
    asks: tuple[Ask, ...]
    seed: int
    missing: Mapping[str, int]
    criteria: Mapping[str, str]

    def tasks(self, rater: str) -> list[Task]:
        """This rater's tasks in this rater's order, the two sides of a comparison swapped at random; same on every call."""
        chance = random.Random(int.from_bytes(hashlib.sha256(f"{self.seed}\n{rater}".encode()).digest()[:8], "big"))
        tasks = []
        for item in range(len(self.items)):
            if "rate" in self.asks:
                tasks += [Task("rate", item, (model,)) for model in self.models]
            if "compare" in self.asks:
                tasks += [Task("compare", item, tuple(chance.sample(pair, 2))) for pair in combinations(self.models, 2)]
        chance.shuffle(tasks)
        return tasks


def make_study(
    samples: Iterable[Sample],
    answers: Mapping[str, Mapping[str, str]],
    out: Path,
    *,
    asks: tuple[Ask, ...] = ("rate", "compare"),
    limit: int | None = None,
    seed: int = 0,
) -> Study:
    """Freeze a study into `out`: the samples every model answered, `limit` of them drawn with `seed`.

    `answers` maps each model to its answers by sample id. Running it again with the same inputs gives the same study;
    other inputs on a folder that already holds ratings are an `InputError`.
    """
    models = tuple(answers)
    if not models:
        raise InputError("a study needs at least one file of predictions")
    if len(models) == 1:
        asks = tuple(ask for ask in asks if ask != "compare")
    if not asks:
        raise InputError("comparing answers needs two files of predictions: add a second --predictions, or ask for ratings")
    known: dict[str, Sample] = {}
    for sample in samples:
        if sample.id in known:
            raise InputError(f"{sample.where}: the data hold the id {sample.id!r} twice, and answers are found by id: keep one")
        known[sample.id] = sample
    shared = [id for id in known if all(id in answers[model] for model in models)]
    if not shared:
        raise InputError(f"no sample of the data has an answer from every model ({', '.join(models)}): do the ids agree?")
    if limit is not None and limit < len(shared):
        shared = random.Random(seed).sample(shared, limit)
    study = Study(
        models=models,
        items=tuple(shown_item(known[id], {model: answers[model][id] for model in models}, out / "media") for id in shared),
        asks=asks,
        seed=seed,
        missing={model: sum(id not in answers[model] for id in known) for model in models},
        criteria=dict(CRITERIA),
    )
    if (out / "study.json").exists():
        if load_study(out) != study:
            raise InputError(f"{out} holds another study: choose a new --out, or give the same data, predictions and options")
    else:
        write_json(out / "study.json", asdict(study))
    return study


def load_study(out: Path) -> Study:
    """Read a study back. Raises `InputError` when the folder holds none or its file was damaged."""
    file = out / "study.json"
    record = read_json(file)
    try:
        items = tuple(_checked(Item, item, "an item") for item in record["items"])
        study: Study = _checked(Study, {**record, "items": items}, "the study")
    except (KeyError, TypeError, InputError) as error:
        raise InputError(f"{file} is not a study ({error}): make it anew with `vistune human serve`") from error
    for item in study.items:
        if set(item.answers) != set(study.models):
            raise InputError(f"{file}: item {item.sample!r} has answers of other models than the study")
        if strange := [medium for medium in item.media if not _MEDIUM.fullmatch(medium.get("file", ""))]:
            raise InputError(f"{file}: item {item.sample!r} names the medium {strange[0]!r}, which no study stores")
    return study


def _checked(kind: Any, record: Any, what: str) -> Any:
    """A dataclass from a file's mapping: the right keys, values of the types that it declares, lists as tuples."""
    hints = get_type_hints(kind)
    if not isinstance(record, Mapping) or set(record) != set(hints):
        raise InputError(f"{what} needs the keys {', '.join(hints)}")
    for key, value in record.items():
        if key != "items" and not matches(value, hints[key]):
            raise InputError(f"{key} of {what} is {value!r}, expected {describe(hints[key])}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in record.items()})


def shown_item(sample: Sample, answers: Mapping[str, str], folder: Path) -> Item:
    """A sample as raters see it; its media are copied into `folder`."""
    media = tuple({"kind": medium.kind, "file": store(medium, folder)} for medium in sample.media)
    prompt, regions = _prompt(sample)
    return Item(sample.id, prompt, media, regions, answers)


def _prompt(sample: Sample) -> tuple[str, tuple[dict[str, Any], ...]]:
    """The question as text; a region in it becomes `[1]`, `[2]`, ... and is drawn on the picture under that number."""
    lines: list[str] = []
    regions: list[dict[str, Any]] = []
    turns = [turn for turn in sample.prompt().turns if turn.role != "system"]
    for turn in turns:
        line = ""
        for part in turn.parts:
            if isinstance(part, Text):
                line += part.text
            elif isinstance(part, Region):
                regions.append({"media": part.media, "box": list(part.bounds())})
                line += f"[{len(regions)}]"
            elif isinstance(part, MediaRef) and len(sample.media) > 1:
                line += f"(picture {part.index + 1}) "
        speaker = {"user": "Question: ", "assistant": "Answer: "}[turn.role] if len(turns) > 1 else ""
        lines.append(speaker + line.strip())
    return "\n".join(lines), tuple(regions)
