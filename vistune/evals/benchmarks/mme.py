"""MME: fourteen subtasks of two yes/no questions an image (Fu et al., 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from vistune.errors import InputError
from vistune.evals.benchmark import answers, worded
from vistune.evals.metrics.mme import COGNITION, PERCEPTION, mme
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium
from vistune.evals.reading.llava_answers import by_question, llava_answers
from vistune.evals.reading.sources import Content, read_text
from vistune.evals.result import Result
from vistune.sample import Sample

TASKS = (*PERCEPTION, *COGNITION)
# These keep their images in a folder of their own, the others beside the questions.
_APART = frozenset({"artwork", "celebrity", "landmark", "posters", "scene"})


@dataclass(frozen=True)
class Mme:
    """2,374 questions. The evaluation tool's `Your_Results` holds a text file a subtask, which is also its result format."""

    prompt: str = "{question}"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "eval_tool/Your_Results", "images": "MME_Benchmark_release_version"}
    )
    answer_form: ClassVar[str] = "yes or no"
    result_form: ClassVar[str] = (
        'a folder of <subtask>.txt with lines image, question, truth, answer, tab-separated, or LLaVA\'s [{"question_id",'
        ' "prompt", "text"}]'
    )
    ids: ClassVar[str] = "`<subtask>/<image>/<1 or 2>`, the two questions of an image in their order"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "lines of existence.txt in a folder": (
                "000000006040.jpg\tIs there a train in this image? Please answer yes or no.\tYes\tYes"
            ),
            "LLaVA's answers.jsonl": (
                '{"question_id": "existence/000000006040.png", "prompt": "Is there a train in this image? '
                'Please answer yes or no.", "text": "Yes"}'
            ),
        }
    )
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a line, `<subtask>/<image>/<1 or 2>`; the lines are image, question and truth."""
        root = Path(source)
        folder = root / self.files["annotations"] if (root / self.files["annotations"]).is_dir() else root
        found = [root] if root.is_file() else [folder / f"{task}.txt" for task in TASKS if (folder / f"{task}.txt").is_file()]
        if not found:
            raise InputError(
                f"{source}: has no {self.files['annotations']}/<subtask>.txt, where the official download keeps it"
            )
        samples = []
        for path in found:
            for where, identifier, fields in _lines(path.stem, str(path), read_text(path).splitlines()):
                image, question, truth = fields[:3]
                if truth.strip().lower() not in ("yes", "no"):
                    raise InputError(f"{where}: the truth {truth!r} is neither Yes nor No")
                place = root / self.files["images"] / path.stem / ("images" if path.stem in _APART else "")
                meta = {"task": path.stem, "image": image, "question": question}
                samples.append(
                    asked(
                        identifier,
                        worded(self.prompt, question=question),
                        [medium(place, image)],
                        [truth.strip().lower()],
                        meta=meta,
                        origin=where,
                    )
                )
        return samples

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The tool's folder, a fourth column being the answer (not stripped, as the tool does not), or LLaVA's answers.

        LLaVA names a question by subtask and picture, of which the tool knows the name without its ending.
        """
        found = llava_answers(content)
        if found is not None:
            found = [replace(prediction, id=prediction.id.rpartition(".")[0] or prediction.id) for prediction in found]
            return by_question(found, samples, lambda sample: f"{sample.meta['task']}/{Path(sample.meta['image']).stem}")
        if content.form != "folder":
            return None
        files = {Path(name).stem: part for name, part in content.value.items() if Path(name).stem in TASKS}
        if not files or any(part.form != "text" for part in files.values()):
            return None
        return [
            Prediction(identifier, fields[3])
            for task, part in files.items()
            for where, identifier, fields in _lines(task, str(part.path), part.value)
            if _answered(fields, where)
        ]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """Perception, Cognition and their total; every subtask in the details."""
        truth = [sample.answers[0] == "yes" for sample in samples]
        tasks, images = ([sample.meta[key] for sample in samples] for key in ("task", "image"))
        return mme(answers(predictions), truth, tasks, images)


def _lines(task: str, path: str, lines: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """`(place, id, fields)`; the questions of an image are numbered in their order."""
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split("\t")
        if len(fields) < 3:
            raise InputError(f"{path}: line {number}: expected image, question and truth, tab-separated")
        seen[fields[0]] = seen.get(fields[0], 0) + 1
        yield f"{path}: line {number}", f"{task}/{fields[0]}/{seen[fields[0]]}", fields


def _answered(fields: Sequence[str], where: str) -> bool:
    if len(fields) != 4:
        raise InputError(f"{where}: expected image, question, truth and answer, tab-separated, found {len(fields)} fields")
    return True
