"""`import`: whose directory it is decides who reads it."""

from __future__ import annotations

from pathlib import Path

from vistune.errors import reading
from vistune.files import read_json
from vistune.model.interchange.import_blip import ARCHITECTURES, import_blip
from vistune.model.interchange.import_llava import import_llava
from vistune.model.interchange.import_original import import_original, is_original


def import_any(source: Path, folder: Path, template: str | None = None, llm: str | None = None) -> float | None:
    """Turn `source`, of `transformers` or of the original LLaVA's code, into the checkpoint `folder`.

    Returns the largest difference of logits to `transformers`; None where it has no such architecture. `template` replaces what
    is known of the model's prompts, `llm` names the language model that an `mm_projector.bin` was made for.
    """
    with reading(f"{source} cannot be imported"):  # its configuration decides what is built, in hundreds of keys
        if is_original(source):
            return import_original(source, folder, template or "vicuna_v1", llm)
        file = source / "config.json"
        if file.is_file() and read_json(file).get("model_type") in ARCHITECTURES:
            return import_blip(source, folder, template)
        return import_llava(source, folder, template or "own")
