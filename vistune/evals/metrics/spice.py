"""SPICE (Anderson et al., SPICE, ECCV 2016): F of scene graph tuples, by the authors' Java program."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path

from vistune.errors import InputError
from vistune.evals.metrics.caption_set import CaptionSet
from vistune.evals.metrics.java import jar, run_jar
from vistune.evals.result import Result


def spice(predictions: Sequence[str | None], references: Sequence[Sequence[str]]) -> Result:
    """Mean SPICE in 0..1; `None` is an empty caption. Needs Java, 8 GB of memory and the extra `captions`.

    The Stanford models that the program parses with are not part of `pycocoevalcap`; nothing is downloaded here.
    """
    return spice_of(CaptionSet.of(predictions, references))


def spice_of(captions: CaptionSet) -> Result:
    """`spice` of captions already tokenised."""
    program = jar("spice/spice-1.0.jar", "SPICE")
    if not (program.parent / "lib/stanford-corenlp-3.6.0-models.jar").exists():
        raise InputError(
            "SPICE needs the Stanford CoreNLP 3.6.0 models: run  python -m pycocoevalcap.spice.get_stanford_models  once"
        )
    references: list[list[str]] = [[] for _ in captions.hypotheses]
    for image, reference in zip(captions.image.tolist(), captions.references, strict=True):
        references[image].append(captions.text(reference))
    records = [
        {"image_id": number, "test": captions.text(tokens), "refs": group}
        for number, (tokens, group) in enumerate(zip(captions.hypotheses, references, strict=True))
    ]
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in.json"), Path(folder, "out.json")
        given.write_text(json.dumps(records), encoding="utf-8")
        run_jar(program, [str(given), "-out", str(made), "-subset", "-silent"], "", "8G", "SPICE")
        scores = {item["image_id"]: item["scores"]["All"]["f"] for item in json.loads(made.read_text(encoding="utf-8"))}
    items = [float(scores[number]) for number in range(len(captions))]
    return Result.mean("spice/1.0", "SPICE", items, unit="", missing=captions.missing)
