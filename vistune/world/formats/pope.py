"""POPE: three files of yes/no questions, one JSON object a line, whose absent objects are random, popular or adversarial."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vistune.files import write_jsonl
from vistune.world.digits import Split
from vistune.world.exchange import plain
from vistune.world.formats.picture import Picture
from vistune.world.instructions import converse

STRATEGIES = ("random", "popular", "adversarial")
_QUESTIONS = 2  # a picture, in each file; none where the scene does not lend itself


class Pope:
    """Writes `pope/world_pope_random.json` and its two siblings."""

    def __init__(self) -> None:
        self._asked: dict[str, list[tuple[str, str, str]]] = {strategy: [] for strategy in STRATEGIES}

    def add(self, picture: Picture) -> None:
        """Ask about the picture in all three ways."""
        for index, (strategy, asked) in enumerate(self._asked.items()):
            rng = np.random.default_rng([picture.scene.seed, 3, index])
            for exchange in converse(picture.scene, rng, _QUESTIONS, {f"existence_{strategy}": 1.0}):
                asked.append((picture.file_name, plain(exchange.question), exchange.answers[0]))

    def write(self, folder: Path, split: Split) -> None:
        """Write the three files."""
        for strategy, asked in self._asked.items():
            write_jsonl(folder / "pope" / f"world_pope_{strategy}.json", _records(asked))


def _records(asked: list[tuple[str, str, str]]) -> Iterator[dict[str, object]]:
    for number, (image, question, answer) in enumerate(asked, 1):
        yield {"question_id": number, "image": image, "text": question, "label": answer}
