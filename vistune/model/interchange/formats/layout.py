"""`import --layout NAME`: an official checkpoint becomes ours, by the recipe of its method and explicit key maps.

The recipe says which parts there are; the files give those that the method trained, and backbones that it kept frozen are read
from where the recipe says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vistune.errors import InputError, nearest
from vistune.model.interchange.formats import bliva, honeybee, medvint
from vistune.model.interchange.formats.keymap import KeyMap, prefixed, read
from vistune.model.interchange.import_original import read_pickled_mapping
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights import checkpoint

_SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")


@dataclass(frozen=True, slots=True)
class Layout:
    """`names` of a model's parts -> theirs, made for the sizes of the model; `ignored` are globs of backbones that stay theirs.

    `mark` is a tensor that files of no other layout hold.
    """

    names: Callable[[VisionLanguageModel], Mapping[str, KeyMap]]
    ignored: tuple[str, ...]
    mark: str


def _bliva(model: VisionLanguageModel) -> Mapping[str, KeyMap]:
    return {"connector": bliva.CONNECTOR}


def _honeybee(model: VisionLanguageModel) -> Mapping[str, KeyMap]:
    blocks = list(model.get_submodule("connector.before").children())
    return {
        "connector": prefixed("", "abstractor.", honeybee.c_abstractor(len(blocks))),
        "llm": {"model.": "language_model."},
    }


def _medvint(model: VisionLanguageModel) -> Mapping[str, KeyMap]:
    return {
        "vision": {"model.": "vision_model.vision_model."},
        "connector": medvint.QUERY_DECODER,
        "llm": prefixed("model.", "", medvint.LANGUAGE_MODEL),
    }


LAYOUTS: Mapping[str, Layout] = {
    "bliva": Layout(_bliva, ("visual_encoder.*", "llm_model.*", "*.position_ids"), "vision_project.weight"),
    "honeybee": Layout(_honeybee, ("vision_model.*", "*.inv_freq"), "abstractor.pos_emb"),
    "medvint_td": Layout(_medvint, ("*.position_ids", "*.inv_freq"), "query_embed.weight"),
}
"""By the name of the recipe."""


def recognised(source: Path) -> str | None:
    """The layout whose mark the files hold; None for files of another kind."""
    if not _files(source):
        return None
    try:
        held = _tensors(source)
    except InputError:
        return None
    return next((name for name, layout in LAYOUTS.items() if layout.mark in held), None)


def import_official(source: Path, folder: Path, name: str, spec: ModelSpec) -> None:
    """Turn the official files `source` (one, or a folder of them) into the checkpoint `folder` of a model of `spec`.

    Raises `InputError` for an unknown layout, and naming the tensor that is missing, of another shape, or of no part.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    if name not in LAYOUTS:
        raise InputError(f"there is no layout {name!r}{nearest(name, list(LAYOUTS))}")
    layout, held = LAYOUTS[name], _tensors(source)
    model = VisionLanguageModel(spec)
    named = layout.names(model)
    names: dict[str, Any] = {}
    for part, those in named.items():
        names |= prefixed(f"{part}.", "", those)
    own = {key: tensor for key, tensor in model.state_dict().items() if key.split(".")[0] in named}
    model.load_state_dict(read(held, own, names, layout.ignored, str(source)), strict=False)
    checkpoint.save(model, folder, set(named))


def _files(source: Path) -> list[Path]:
    found = [source] if source.is_file() else sorted(source.iterdir()) if source.is_dir() else []
    return [file for file in found if file.suffix in _SUFFIXES]


def _tensors(source: Path) -> dict[str, Tensor]:
    """All tensors of the files, out of the `model` or `state_dict` that scripts put around them; pickles run nothing."""
    files = _files(source)
    if not files:
        raise InputError(f"{source} holds no weights: expected files ending in {', '.join(_SUFFIXES)}")
    held: dict[str, Tensor] = {}
    for file in files:
        try:
            found = load_file(file) if file.suffix == ".safetensors" else read_pickled_mapping(file)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{file} is broken or cut short: {error}") from error
        held |= {key.removeprefix("module."): tensor.float() for key, tensor in found.items()}
    return held
