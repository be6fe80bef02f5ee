"""Image-text retrieval on Flickr30k (Karpathy & Fei-Fei, CVPR 2015): 1,000 images, 5,000 captions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np

from vistune.errors import InputError
from vistune.evals.metrics.retrieval import retrieval
from vistune.evals.prediction import Prediction
from vistune.evals.reading.annotations import KARPATHY, asked, key_of, list_of, medium, one_of, records, text_of
from vistune.evals.reading.sources import Content, locate
from vistune.evals.result import Result
from vistune.sample import Sample


@dataclass(frozen=True)
class Flickr30kRetrieval:
    """`image_to_text` finds any of an image's five captions, `text_to_image` the caption's image.

    An answer is a JSON list of candidates' ids, best first; ten are enough for R@10, and what is not listed comes last.
    Captions' ids are `sentids`, images' their file names without `.jpg`.
    """

    direction: Literal["image_to_text", "text_to_image"] = "image_to_text"
    split: Literal["train", "restval", "val", "test"] = "test"

    files: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"annotations": "dataset_flickr30k.json", "images": "flickr30k-images"}
    )
    answer_form: ClassVar[str] = "a JSON list of candidates' ids, best first"
    result_form: ClassVar[str] = "{query id: [candidate id, ...]}"
    ids: ClassVar[str] = "the image's file name without its ending; of texts, the number of the caption in the split, from 0"
    examples: ClassVar[Mapping[str, str]] = MappingProxyType({"an object": '{"1000001": [1, 3, 0]}'})
    departs: ClassVar[str] = ""

    def read(self, source: str) -> list[Sample]:
        """A sample a query; `meta["relevant"]` are the right candidates, `meta["candidates"]` all, shared by the samples.

        `meta["contents"]` are their captions or picture files, `meta["query"]` a caption that is searched by.
        """
        path = locate(source, self.files["annotations"])
        pairs: dict[str, list[tuple[str, str]]] = {}
        places, names = {}, {}
        listed = (
            (where, record)
            for where, record in records(path, "images")
            if one_of(record, "split", KARPATHY, where) == self.split
        )
        for number, (where, record) in enumerate(listed):
            if self.chosen(number):
                image, name = self.picture(record, where)
                names[image] = name
                sentences = list_of(record, "sentences", where)
                pairs[image] = [(str(key_of(item, "sentid", where)), text_of(item, "raw", where)) for item in sentences]
                places[image] = where
        folder = path.parent / self.files["images"]
        if self.direction == "image_to_text":
            candidates = [identifier for captions in pairs.values() for identifier, _ in captions]
            contents = [caption for captions in pairs.values() for _, caption in captions]
            question = "Which captions describe the image? Rank their ids, best first."
            return [
                asked(
                    image,
                    question,
                    [medium(folder, names[image])],
                    [json.dumps([identifier for identifier, _ in captions])],
                    meta={
                        "relevant": [identifier for identifier, _ in captions],
                        "candidates": candidates,
                        "contents": contents,
                    },
                    origin=places[image],
                )
                for image, captions in pairs.items()
            ]
        images = list(pairs)
        files = [str(medium(folder, names[image]).path) for image in images]
        return [
            asked(
                identifier,
                f"Which image does this describe? Rank the images' ids, best first.\n{caption}",
                (),
                [json.dumps([image])],
                meta={"relevant": [image], "candidates": images, "contents": files, "query": caption},
                origin=places[image],
            )
            for image, captions in pairs.items()
            for identifier, caption in captions
        ]

    def picture(self, record: Any, where: str) -> tuple[str, str]:
        """The id of an image's record, and its file."""
        name = text_of(record, "filename", where)
        return name.removesuffix(".jpg"), name

    def chosen(self, place: int) -> bool:
        """Is the image at a place of the split searched?"""
        return True

    def recognise(self, content: Content, samples: Sequence[Sample]) -> list[Prediction] | None:
        """Rankings by query."""
        value = content.value
        if content.form != "json" or not isinstance(value, dict) or not value:
            return None
        if not all(isinstance(ranking, list) for ranking in value.values()):
            return None
        return [Prediction(query, json.dumps(ranking)) for query, ranking in value.items()]

    def score(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> Result:
        """R@1, R@5, R@10 and the median rank. An answer that is no list of known ids is unparsed and finds nothing."""
        listed = samples[0].meta["candidates"] if samples else []
        candidates = {identifier: column for column, identifier in enumerate(listed)}
        if len(candidates) < len(listed):
            twice = next(identifier for identifier in listed if listed.count(identifier) > 1)
            raise InputError(
                f"{samples[0].where}: the id {twice!r} belongs to two of the things to be found, expected one each"
            )
        similarity = np.full((len(samples), len(candidates)), -np.inf)
        relevant = np.zeros(similarity.shape, dtype=bool)
        unparsed = 0
        for row, (sample, prediction) in enumerate(zip(samples, predictions, strict=True)):
            relevant[row, [candidates[identifier] for identifier in sample.meta["relevant"]]] = True
            ranking = [] if prediction is None else _ranking(prediction.answer, candidates)
            unparsed += ranking is None
            for place, column in enumerate(ranking or ()):
                similarity[row, column] = max(similarity[row, column], -float(place))
        return replace(retrieval(similarity, relevant), missing=predictions.count(None), unparsed=unparsed)


def _ranking(answer: str, candidates: Mapping[str, int]) -> list[int] | None:
    try:
        listed = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    if not isinstance(listed, list) or not all(str(identifier) in candidates for identifier in listed):
        return None
    return [candidates[str(identifier)] for identifier in listed]
