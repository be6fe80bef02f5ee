"""Votes of the page: which of two models answered a question better, kept as a study that `vistune human report` reads."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.evals.human import ratings
from vistune.evals.human.ratings import PREFERENCES
from vistune.evals.human.study import CRITERIA, Item, Study, Task, load_study, shown_item
from vistune.files import write_json
from vistune.sample import Sample
from vistune.serving.protocol.fields import mapping, no_others, one_of, shown, text
from vistune.serving.refusals import Refusal


class Votes:
    """A study in `folder` that grows with every question that is voted on; `write_json` replaces its file whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        if (folder / "study.json").exists():
            load_study(folder)  # refuse a folder that is none before anybody votes

    def add(self, body: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
        """Keep `{rater, sample, answers: {model: text}, better: MODEL or null}`; how many votes there are. Raises `Refusal`."""
        no_others(body, ("rater", "sample", "answers", "better"), "")
        rater = text(body.get("rater"), "rater")
        ratings.rater_file(self.folder, rater)  # refuses a bad name
        answers = {name: text(said, f"answers.{name}"[:80]) for name, said in mapping(body.get("answers"), "answers").items()}
        if len(answers) != 2 or not set(answers) <= set(known):
            raise Refusal(
                f"answers is {shown(dict(answers))}, expected the answers of two models that are served", param="answers"
            )
        better = None if body.get("better") is None else one_of(body["better"], "better", tuple(answers))
        sample = Sample.from_json(mapping(body.get("sample"), "sample"), "the vote's sample")
        # A path in a stranger's sample would be read from this machine's disk and shown on the page.
        if any(medium.path is not None for medium in sample.media):
            raise Refusal("the vote's sample names a file: media are sent along", param="sample")
        with self._lock:
            return self._add(rater, sample, answers, better)

    def _add(self, rater: str, sample: Sample, answers: dict[str, str], better: str | None) -> dict[str, Any]:
        study = self._study(tuple(sorted(answers)))
        item = _item(sample, answers, self.folder / "media")
        # The same question with the same answers is one item, whoever votes on it.
        places = [place for place, each in enumerate(study.items) if each.sample == item.sample]
        place = places[0] if places else len(study.items)
        if not places:
            study = replace(study, items=(*study.items, item))
            write_json(self.folder / "study.json", asdict(study))
        task = next(each for each in study.tasks(rater) if each.item == place)
        preference = PREFERENCES[1] if better is None else PREFERENCES[2 * task.models.index(better)]
        ratings.append(
            self.folder, ratings.check(study, rater, Task("compare", place, task.models), {"preference": preference})
        )
        return {"votes": len(ratings.read(self.folder, study, rater)), "preference": better}

    def _study(self, models: tuple[str, ...]) -> Study:
        if not (self.folder / "study.json").exists():
            return Study(models, (), ("compare",), 0, dict.fromkeys(models, 0), dict(CRITERIA))
        study = load_study(self.folder)
        if study.models != models or study.asks != ("compare",):
            raise InputError(
                f"{self.folder} compares {' and '.join(study.models)}: start the server with another --votes folder"
            )
        return study


def _item(sample: Sample, answers: Mapping[str, str], folder: Path) -> Item:
    name = hashlib.sha256(json.dumps([sample.to_json(), dict(answers)], sort_keys=True).encode()).hexdigest()[:16]
    return shown_item(replace(sample, id=f"vote-{name}"), answers, folder)
