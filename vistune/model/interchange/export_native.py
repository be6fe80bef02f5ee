"""A model of `transformers` that was tuned whole, written back as such a model's directory: weights, configuration, and the
processor's and tokenizer's files as they lay beside the weights that it began with."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from vistune.errors import InputError, reading
from vistune.files import kept, read_json, write_json
from vistune.model.interchange.exported import check_difference
from vistune.model.interchange.probe import largest_difference, probes
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec
from vistune.model.weights.assets import locate
from vistune.model.weights.quiet import quiet

_TEXTS = ("*.json", "*.jinja", "*.txt", "*.model")  # of processors and tokenizers, in every family
_WEIGHTS = ".index.json"  # names the files of weights that are written anew
_PICTURES = "preprocessor_config.json"


def write(model: NativeModel, folder: Path) -> None:
    """All that `transformers` loads. Raises `InputError` for picture settings that have no file to stand in."""
    for file in _files(model.spec):
        shutil.copyfile(file, folder / file.name)
    with quiet():
        model.native.model.save_pretrained(folder)  # behind the copies: the configuration of what is written wins
    if model.spec.pictures:
        _settle(model.spec.pictures, folder)


def compare(model: NativeModel, folder: Path) -> float:
    """The largest difference of logits between the model and what is read from `folder`, which must be below the tolerance."""
    samples = probes(model)
    return check_difference(largest_difference(model.logits(samples), _read(model, folder, samples)), because="")


def _read(model: NativeModel, folder: Path, samples: Sequence[Any]) -> list[Tensor]:
    """Logits of the directory alone, in fp32, in the form that the model is asked in."""
    spec = NativeSpec(native=str(folder), prompt=model.spec.prompt, codec=model.spec.codec)
    return NativeModel(spec).float().eval().logits(samples)


def _files(spec: NativeSpec) -> list[Path]:
    """What lies beside the weights; of a hub id it is fetched, unless it is there from the training."""
    place = Path(locate(spec.path))
    if not place.is_dir():
        from huggingface_hub import snapshot_download

        with reading(f"the processor's files of {spec.path} cannot be read", OSError):
            place = Path(snapshot_download(spec.path, revision=spec.revision, allow_patterns=list(_TEXTS)))
        # Files of a snapshot are links to where the hub's tools keep contents.
        return _texts(place)
    return [kept(place, file) for file in _texts(place)]


def _texts(place: Path) -> list[Path]:
    found = {file for pattern in _TEXTS for file in place.glob(pattern) if not file.name.endswith(_WEIGHTS)}
    return sorted(found)


def _settle(pictures: Any, folder: Path) -> None:
    """Sizes that the model was tuned with become those of the directory's processor."""
    file = folder / _PICTURES
    if not file.is_file():
        raise InputError(
            f"model.pictures ({', '.join(pictures)}) has no {_PICTURES} to stand in: set it where the model is asked"
        )
    write_json(file, {**read_json(file), **pictures})
