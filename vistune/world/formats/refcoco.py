"""RefCOCO: COCO instances and a pickle (protocol 2) of references, each with one to three sentences."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

from vistune.files import atomic_open, write_json
from vistune.world.digits import Split
from vistune.world.expressions import expressions
from vistune.world.formats.coco import Instances, category_id
from vistune.world.formats.picture import Picture

_SENTENCES = 3
_SPLIT_NAMES: dict[Split, str] = {"train": "train", "validation": "val", "test": "test"}


class Refcoco:
    """Writes `refcoco/instances.json` and `refcoco/refs(umd).p`, whose splits are called train, val and test."""

    def __init__(self) -> None:
        self._instances = Instances()
        self._refs: list[dict[str, Any]] = []
        self._sentences = 0

    def add(self, picture: Picture) -> None:
        """Every object that can be referred to becomes a reference."""
        rng = np.random.default_rng([picture.scene.seed, 4])
        for thing, number in self._instances.add(picture):
            found = expressions(picture.scene, thing)
            if not found:
                continue
            chosen = [found[int(index)].text for index in rng.permutation(len(found))[:_SENTENCES]]
            sentences = [self._sentence(text) for text in chosen]
            self._refs.append(
                {
                    "ref_id": len(self._refs),
                    "ann_id": number,
                    "image_id": picture.number,
                    "category_id": category_id(thing),
                    "file_name": picture.file_name,
                    "split": _SPLIT_NAMES[picture.scene.split],
                    "sentences": sentences,
                    "sent_ids": [sentence["sent_id"] for sentence in sentences],
                }
            )

    def write(self, folder: Path, split: Split) -> None:
        """Write both files."""
        write_json(folder / "refcoco" / "instances.json", self._instances.to_json(split))
        with atomic_open(folder / "refcoco" / "refs(umd).p", "wb") as file:
            pickle.dump(self._refs, file, protocol=2)

    def _sentence(self, raw: str) -> dict[str, Any]:
        """`raw` as written, `sent` in lower case without punctuation, `tokens` its words."""
        tokens = re.findall(r"\w+", raw.lower())
        self._sentences += 1
        return {"tokens": tokens, "raw": raw, "sent_id": self._sentences - 1, "sent": " ".join(tokens)}
