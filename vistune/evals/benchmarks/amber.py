"""AMBER: hallucination in descriptions and in yes/no answers (Wang et al., 2023)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_list, worded
from vistune.evals.metrics.amber import Scene, amber_discriminative, amber_generative
from vistune.evals.metrics.ptb import tokenize
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, medium, records, text_of, texts_of, whole_of
from vistune.evals.reading.sources import Content, load_json, locate, read_text
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class Amber:
    """1,004 descriptions (`generative`) and 14,216 yes/no questions (`discriminative`).

    Descriptions: the official code tags nouns with nltk and compares words with spaCy; here the words of AMBER's own list
    are looked up, plurals reduced, and compared for equality, which the rule's name says.
    """

    task: Literal["discriminative", "generative"] = "discriminative"
    prompt: str = ""

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "data/annotations.json",
            "queries": "data/query/query_all.json",
            "relation": "data/relation.json",
            "safe_words": "data/safe_words.txt",
            "images": "image",
        }
    )
    answer_form: ClassVar[str] = "Yes or No (discriminative), or a description (generative)"
    result_form: ClassVar[str] = '[{"id", "response"}]'
    ids: ClassVar[str] = "`id`"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"a list": '[{"id": 1005, "response": "Yes"}]'})
    departs: ClassVar[str] = (
        "nouns of descriptions are looked up in AMBER's word list; no part-of-speech tagger, no spaCy similarity"
    )

    def read(self, source: str) -> list[Sample]:
        """A sample a question of the task."""
        path = locate(source, self.files["annotations"])
        truths = {whole_of(record, "id", where): (where, record) for where, record in records(path)}
        samples = []
        for where, query in records(path.parent / "query/query_all.json"):
            identifier = whole_of(query, "id", where)
            if identifier not in truths:
                raise InputError(f"{where}: id {identifier} is not in {path}")
            place, truth = truths[identifier]
            kind = text_of(truth, "type", place)
            if (kind == "generative") == (self.task == "generative"):
                samples.append(self._sample(path, identifier, query, where, truth, place))
        return samples

    def _sample(self, path: Path, identifier: int, query: Any, where: str, truth: Any, place: str) -> Sample:
        image = medium(path.parent.parent / self.files["images"], text_of(query, "image", where))
        ending = f"\n{self.prompt}" if self.prompt else ""
        question = worded("{question}{ending}", question=text_of(query, "query", where), ending=ending)
        if self.task == "discriminative":
            answer, meta = text_of(truth, "truth", place).capitalize(), {"kind": truth["type"]}
            if answer not in ("Yes", "No"):
                raise InputError(f"{place}: truth {answer!r} is neither yes nor no")
            return asked(identifier, question, [image], [answer], meta=meta, origin=place)
        folder = path.parent
        meta = {
            "truth": texts_of(truth, "truth", place),
            "hallucinations": texts_of(truth, "hallu", place),
            "relation": str(folder / "relation.json"),
            "safe_words": str(folder / "safe_words.txt"),
        }
        return asked(identifier, question, [image], [", ".join(meta["truth"])], meta=meta, origin=place)

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """The official answer list."""
        return result_list(content, "id", "response")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """F1 of No and the rest; or CHAIR, Cover, Hal and Cog."""
        if self.task == "discriminative":
            truth = [sample.answers[0] == "Yes" for sample in samples]
            return amber_discriminative(answers(predictions), truth, [sample.meta["kind"] for sample in samples])
        association: dict[str, list[str]] = load_json(samples[0].meta["relation"]) if samples else {}
        safe = frozenset(read_text(Path(samples[0].meta["safe_words"])).split("\n")) if samples else frozenset()
        vocabulary = {word for name, words in association.items() for word in (name, *words)}
        nouns = [None if answer is None else _nouns(answer, vocabulary) for answer in answers(predictions)]
        scenes = [Scene(tuple(sample.meta["truth"]), tuple(sample.meta["hallucinations"])) for sample in samples]
        result = amber_generative(nouns, scenes, association, safe, str.__eq__)
        return replace(result, rule=f"{result.rule}/word-list", details={**result.details, "lower_is_better": True})


def _nouns(text: str, vocabulary: set[str]) -> list[str]:
    """The words of the list in a text, in order, a plural as its singular."""
    found = []
    for word in tokenize(text):
        forms = (word, word.removesuffix("s"), word.removesuffix("es"), word.removesuffix("ies") + "y")
        found += [form for form in forms if form in vocabulary][:1]
    return found
