"""DEMON: instructions over several pictures and texts, 29 tasks in seven kinds (Li et al., Cheetah, ICLR 2024)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, field_of, prediction_of
from vistune.evals.metrics.demon import chosen_option
from vistune.evals.metrics.groups import group_means
from vistune.evals.metrics.rouge_l import rouge_l
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import key_of, list_of, medium, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, load_json
from vistune.evals.result import Floats, Result
from vistune.sample import MediaRef, Part, Sample, Text, Turn

_SLOT = re.compile(r"\{(?:image|table)#(\d+)\}")
_LISTED = re.compile(r"[Cc]hoice [Ll]ist:\s*\[(.*?)\]", re.DOTALL)
_QUOTED = re.compile(r"'(.*?)'(?=\s*(?:,|$))|\"(.*?)\"(?=\s*(?:,|$))", re.DOTALL)


@dataclass(frozen=True)
class Demon:
    """DEMON-Core is a folder a kind, in it one a task: `core.json` and its pictures under `core/images`.

    Open tasks are scored by ROUGE-L, tasks with options by accuracy: a reply that is no option counts as the nearest by TF-IDF.
    The headline is the mean over kinds of the mean over tasks, as the official table averages. The release has no evaluator:
    the rule is that of the benchmark's page, and is not held by a published file.
    """

    files: ClassVar[Mapping[str, str]] = MappingProxyType({"annotations": "DEMON-Core/{kind}/{task}/core.json"})
    answer_form: ClassVar[str] = "an option's text, or free text"
    result_form: ClassVar[str] = '[{"sample_id", "pred_response"}] of one task, or {task: that}'
    ids: ClassVar[str] = "the task's folder and `sample_id`: `COMICS_Panel/0`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"one list a task": '{"COMICS_Panel": [{"sample_id": 0, "pred_response": "Image B", "gt_response": "Image B"}]}'}
    )
    departs: ClassVar[str] = "the release has no evaluator; the rule is made after its page"

    def read(self, source: str) -> list[Sample]:
        """A sample an instance, `task/sample_id`; pictures stand where the context has `{image#n}`."""
        root = Path(source)
        found = [root] if root.is_file() else sorted((root / "DEMON-Core").glob("*/*/core.json"))
        if not found:
            raise InputError(f"{source}: has no {self.files['annotations']}, where the official download keeps it")
        return [sample for path in found for sample in _task(path)]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The `pred.json` of one task, or one list for each."""
        value = content.value
        if content.form != "json" or not value:
            return None
        tasks = {str(sample.meta["task"]) for sample in samples}
        lists = {next(iter(tasks)): value} if isinstance(value, list) and len(tasks) == 1 else value
        if not isinstance(lists, dict) or not all(isinstance(inner, list) for inner in lists.values()):
            return None
        if not any(isinstance(record, dict) and "pred_response" in record for inner in lists.values() for record in inner[:1]):
            return None
        return [
            replace(found, id=f"{task}/{found.id}")
            for task, inner in lists.items()
            for number, record in enumerate(inner, 1)
            for found in [prediction_of(record, "sample_id", "pred_response", f"{content.path}: {task} {number}")]
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """The mean over kinds first, then every kind's and every task's."""
        given = answers(predictions)
        free: Sequence[float] | Floats = (
            rouge_l([reply or "" for reply in given], [sample.answers for sample in samples]).items if samples else []
        )
        scores = [
            100.0 * (_same(reply, sample) if sample.choices else float(free[number]))
            for number, (reply, sample) in enumerate(zip(given, samples, strict=True))
        ]
        tasks = group_means(scores, [[str(sample.meta["task"])] for sample in samples])
        kinds = {str(sample.meta["task"]): str(sample.meta["kind"]) for sample in samples}
        by_kind = group_means(list(tasks.values()), [[kinds[task]] for task in tasks])
        share = {task: 1.0 / (len(by_kind) * sum(kinds[other] == kinds[task] for other in tasks)) for task in tasks}
        counts = {task: sum(sample.meta["task"] == task for sample in samples) for task in tasks}
        weights = [len(samples) * share[str(sample.meta["task"])] / counts[str(sample.meta["task"])] for sample in samples]
        items = [score * weight for score, weight in zip(scores, weights, strict=True)]
        return Result.mean(
            "demon/core",
            "mean of kinds",
            items,
            values={**by_kind, **tasks},
            missing=predictions.count(None),
            notes=("an item's score is weighted by its task, so that their mean is the mean of kinds",),
        )


def _same(reply: str | None, sample: Sample) -> float:
    return float(reply is not None and chosen_option(reply, sample.choices) == sample.answers[0])


def _task(path: Path) -> list[Sample]:
    value, where = load_json(path), str(path)
    metadata = field_of(value, "metadata", where)
    instructions = texts_of(metadata, "task_instruction", where)
    kind, task = path.parent.parent.name, path.parent.name
    with_options = metadata.get("question_type") == "multi-choice"
    samples = []
    for number, record in enumerate(list_of(value, "data", where), 1):
        here = f"{path}: instance {number}"
        instance, chosen = field_of(record, "task_instance", here), whole_of(record, "task_instruction_id", here)
        if chosen >= len(instructions):
            raise InputError(f"{here}: there is no task_instruction {chosen}")
        pictures = [medium(path.parent / "core" / "images", name) for name in texts_of(instance, "images_path", here)]
        context = instructions[chosen] + text_of(instance, "context", here)
        options: list[str] = []
        if with_options:
            options = texts_of(instance, "choice_list", here) if "choice_list" in instance else _options(context)
            if "choice_list" in instance:
                context += "Choice list:['" + "', '".join(options) + "']. Your answer is:"
        parts = _parts(context, len(pictures), here)
        answer = str(key_of(record, "response", here))
        meta: dict[str, Any] = {"task": task, "kind": kind}
        identifier = f"{task}/{key_of(record, 'sample_id', here)}"
        turns = (Turn("user", parts),)
        samples.append(Sample(identifier, tuple(pictures), turns, (), (answer,), tuple(options), meta, here))
    return samples


def _options(context: str) -> list[str]:
    """The options that the context lists in brackets: their text before a colon, as the answers have it, else all of it."""
    found = _LISTED.search(context)
    quoted = [(one or two).strip() for one, two in _QUOTED.findall(found[1])] if found else []
    return [option.partition(":")[0].strip() if _SLOT.search(option) else option for option in quoted]


def _parts(context: str, pictures: int, where: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    for number, piece in enumerate(_SLOT.split(context)):
        if number % 2 and not 1 <= int(piece[:9]) <= pictures:
            raise InputError(f"{where}: the context shows image#{piece}, but there are {pictures}")
        if number % 2:
            parts.append(MediaRef(int(piece) - 1))
        elif piece:
            parts.append(Text(piece))
    return tuple(parts)
