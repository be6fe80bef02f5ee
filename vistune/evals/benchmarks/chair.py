"""CHAIR: which objects a description of a COCO image makes up (Rohrbach et al., EMNLP 2018)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal, TypeAlias

from vistune.errors import InputError
from vistune.evals.benchmark import answers, result_list
from vistune.evals.metrics.chair import chair
from vistune.evals.metrics.chair_words import Rule, lemmas_of, mentioned, read_synonyms
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import asked, key_of, medium, records, sections, text_of, texts_of
from vistune.evals.reading.sources import Content, load_json, locate, read_text
from vistune.evals.result import Result
from vistune.sample import Sample

Records: TypeAlias = Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Chair:
    """An image's objects are those of its segmentation and of its reference captions. Lower is better.

    Papers draw their own images (often 500 of val2014): pass an `instances` file of just those. `synonyms.txt` is the
    official list of names for the 80 objects. Only images with a caption count.

    - `official`: nltk's tagger and WordNet reduce the words, as in OPERA's version of the official code
    - `words`: rules over the list's names do, and need nothing installed; parts of speech are told by what follows. Up to 0.24
      points from OPERA's four published results, on whose captions the word lists were fitted, so that other captions may lie
      further off
    """

    rule: Rule = "official"
    headline: Literal["CHAIRs", "CHAIRi"] = "CHAIRs"
    prompt: str = "Describe the image in detail."

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "annotations": "annotations/instances_val2014.json",
            "captions": "annotations/captions_val2014.json",
            "synonyms": "annotations/synonyms.txt",
            "images": "val2014",
        }
    )
    answer_form: ClassVar[str] = "one or more sentences"
    result_form: ClassVar[str] = '[{"image_id", "caption"}]'
    ids: ClassVar[str] = "`id` of the image"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"a list": '[{"image_id": 42, "caption": "A puppy sits on a chair."}]'}
    )
    departs: ClassVar[str] = "`rule=words` needs no nltk and comes near: up to 0.24 points from four published results"

    def read(self, source: str) -> list[Sample]:
        """A sample an image; captions and synonyms lie beside the instances. `{image id: [object]}` is read, too."""
        path = locate(source, self.files["annotations"])
        synonyms = read_synonyms(read_text(path.with_name("synonyms.txt")).splitlines())
        value = load_json(path)
        if isinstance(value, dict) and not {"images", "annotations", "categories"} & value.keys():
            return self._from_objects(value, synonyms, path)
        captions: dict[Any, list[str]] = defaultdict(list)
        for where, record in records(path.with_name("captions_val2014.json"), "annotations"):
            captions[key_of(record, "image_id", where)].append(text_of(record, "caption", where))
        images, annotations, categories = sections(path, "images", "annotations", "categories")
        objects = _objects(annotations, categories, synonyms)
        folder = path.parent.parent / self.files["images"]
        return [
            asked(
                identifier,
                self.prompt,
                [medium(folder, text_of(record, "file_name", where))],
                captions[identifier],
                meta={"objects": sorted(objects[identifier]), "synonyms": synonyms},
                origin=where,
            )
            for where, record in images
            for identifier in [key_of(record, "id", where)]
        ]

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """COCO's result list."""
        return result_list(content, "image_id", "caption")

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """CHAIRs, CHAIRi and Recall."""
        synonyms, lemmas = samples[0].meta["synonyms"] if samples else {}, lemmas_of(self.rule)
        present = [
            frozenset(sample.meta["objects"]).union(*(mentioned(text, synonyms, lemmas) for text in sample.answers))
            for sample in samples
        ]
        return chair(answers(predictions), present, synonyms, self.headline, self.rule)

    def _from_objects(self, value: Mapping[str, Any], synonyms: Mapping[str, str], path: Path) -> list[Sample]:
        known = frozenset(synonyms.values())
        samples = []
        for identifier in value:
            where = f"{path}: image {identifier}"
            objects = texts_of(value, identifier, where)
            if strange := [name for name in objects if name not in known]:
                raise InputError(f"{where}: {strange[0]!r} is no object of synonyms.txt beside it")
            samples.append(asked(identifier, None, meta={"objects": objects, "synonyms": synonyms}, origin=where))
        return samples


def _objects(annotations: Records, categories: Records, synonyms: Mapping[str, str]) -> dict[Any, set[str]]:
    """Each image's segmented objects, under the names of the synonym list."""
    names = {}
    for where, record in categories:
        name = text_of(record, "name", where)
        if name not in synonyms:
            raise InputError(f"{where}: category {name!r} is not in synonyms.txt beside it")
        names[key_of(record, "id", where)] = synonyms[name]
    objects: dict[Any, set[str]] = defaultdict(set)
    for where, record in annotations:
        category = key_of(record, "category_id", where)
        if category not in names:
            raise InputError(f"{where}: category {category!r} is not among the categories")
        objects[key_of(record, "image_id", where)].add(names[category])
    return objects
