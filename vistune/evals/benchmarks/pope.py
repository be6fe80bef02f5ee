"""POPE: is an object in the image? (Li et al., EMNLP 2023)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.benchmark import answers, worded
from vistune.evals.metrics.pope import pope
from vistune.evals.prediction import Prediction
from vistune.evals.prompts import SHORT_ANSWER
from vistune.evals.reading.annotations import asked, label_of, medium, records, text_of
from vistune.evals.reading.llava_answers import by_stretch, llava_answers
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample

SPLITS = ("random", "popular", "adversarial")


@dataclass(frozen=True)
class Pope:
    """3,000 questions in each of three splits of absent objects (LLaVA's release has 2,910 in `random`).

    `split` is one of them, or `all`. LLaVA's published number is `mean_F1` of all three. `rule` is one of `pope`.
    """

    split: Literal["random", "popular", "adversarial", "all"] = "all"
    rule: str = "official"
    prompt: str = SHORT_ANSWER

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "coco_pope_random.json", "folder": "coco", "images": "val2014"}
    )
    answer_form: ClassVar[str] = "yes or no"
    result_form: ClassVar[str] = '[{"question_id", "text"}], or [{"question", "answer"}] in the order of one split'
    ids: ClassVar[str] = "`<split>/<question_id>`; `<question_id>` where one split is scored"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "LLaVA's answers.jsonl (--set split=random)": (
                '{"question_id": 5, "prompt": "Is there a dog in the image?", "text": "Yes"}\n'
                '{"question_id": 6, "prompt": "Is there a snowboard in the image?", "text": "No"}\n'
            ),
            "official, in the order of one split (--set split=random)": (
                '[{"question": "Is there a dog in the image?", "answer": "yes"}, {"question": "Is there a '
                'snowboard in the image?", "answer": "yes"}]'
            ),
        }
    )
    departs: ClassVar[str] = "a missing answer is wrong; the official script has none"

    def read(self, source: str) -> list[Sample]:
        """A sample a question, `<split>/<question_id>`; of one split alone, `<question_id>`. A file named is one split."""
        folder = Path(source) / "coco" if (Path(source) / "coco").is_dir() else Path(source)
        wanted = SPLITS if self.split == "all" and not folder.is_file() else (_named(folder) or self.split,)
        samples = []
        for split in wanted:
            path = locate(folder, f"coco_pope_{split}.json")
            for where, record in records(path):
                identifier = label_of(record, "question_id", where)
                label = text_of(record, "label", where).strip().lower()
                if label not in ("yes", "no"):
                    raise InputError(f"{where}: label {label!r} is neither yes nor no")
                prompt = worded(self.prompt, question=text_of(record, "text", where))
                media = [medium(path.parent / self.files["images"], text_of(record, "image", where))]
                name = identifier if len(wanted) == 1 else f"{split}/{identifier}"
                meta = {"split": split, "question": record["text"]}
                samples.append(asked(name, prompt, media, [label], meta=meta, origin=where))
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """LLaVA's answers, or the official ones, which have no ids: they belong to their questions in order.

        LLaVA keeps the three splits in one file, with ids of its own: a split is found there by its questions.
        """
        splits: dict[str, list[Sample]] = {}
        for sample in samples:
            splits.setdefault(sample.meta["split"], []).append(sample)
        official = content.value if content.form in ("json", "jsonl") and isinstance(content.value, list) else []
        if official and all(isinstance(record, dict) and record.keys() == {"question", "answer"} for record in official):
            found = [
                Prediction(str(number), text_of(record, "answer", where), extras={"prompt": text_of(record, "question", where)})
                for number, record in enumerate(official, 1)
                for where in [content.record(number - 1)]
            ]
            return _placed(found, splits, content.path) or found
        answered = llava_answers(content)
        if answered is None:
            return None
        return _placed(answered, splits, content.path) or answered

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """F1, accuracy, precision, recall, share of yes; of all splits also each one's and their mean."""
        truth = [sample.answers[0] == "yes" for sample in samples]
        splits = [sample.meta["split"] for sample in samples]
        return pope(answers(predictions), truth, splits if len(set(splits)) > 1 else (), self.rule)


def _placed(found: Sequence[Prediction], splits: Mapping[str, Sequence[Sample]], path: Path) -> list[Prediction] | None:
    """Answers under the samples whose questions they follow, `None` where they follow none.

    Raises `InputError` for the answers of some of the splits alone.
    """
    placed = {split: by_stretch(found, [group]) for split, group in splits.items()}
    there = [split for split, answers in placed.items() if answers]
    if there and len(there) < len(splits):
        lacking = next(split for split in splits if split not in there)
        raise InputError(f"{path}: answers the split {there[0]!r}, but not {lacking!r}: say --set split={there[0]}")
    return by_stretch(found, list(splits.values()))


def _named(path: Path) -> str:
    """The split that a file's name says, '' for another."""
    return next((split for split in SPLITS if path.is_file() and path.name.startswith(f"coco_pope_{split}")), "")
