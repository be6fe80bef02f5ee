"""`import` of the original LLaVA's directories: whole models, and an `mm_projector.bin` beside a `config.json`."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from vistune.errors import InputError
from vistune.files import atomic_folder, dump_yaml, read_json, write_json
from vistune.model.interchange.export import export
from vistune.model.interchange.import_llava import read_weights, rename
from vistune.model.spec import ModelSpec
from vistune.model.weights import checkpoint
from vistune.model.weights.numbers import check_foreign
from vistune.model.weights.pretrained import read_tokenizer
from vistune.spec import Spec

PROJECTOR = "mm_projector.bin"
_LANGUAGE_MODELS = {"llava": "llama", "llava_llama": "llama", "llava_mistral": "mistral", "llava_qwen": "qwen2"}
_FITS = {"pad": "pad", "square": "crop"}
_TILES = "anyres"
_DEPTHS = {"mlp2x_gelu": 2, "mlp3x_gelu": 3}


def is_original(source: Path) -> bool:
    """Is this a directory of the original code? Its `config.json` names the vision tower as `mm_vision_tower`."""
    return (source / "config.json").is_file() and "mm_vision_tower" in read_json(source / "config.json")


def import_original(source: Path, folder: Path, template: Spec = "vicuna_v1", llm: str | None = None) -> float | None:
    """Turn `source` into the checkpoint `folder`. The vision tower is the one its configuration names.

    With `mm_projector.bin` alone the language model is `llm`, or the one the configuration names. Returns the largest
    difference to the logits of `transformers` given the same weights; None where it has no such architecture (a linear layer).
    Pickled weights are read as tensors only; anything else in them is refused, never run.
    """
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    config = read_json(source / "config.json")
    alone = (source / PROJECTOR).is_file()
    tiled = config.get("image_aspect_ratio") == _TILES
    weights = rename(read_pickled(source / PROJECTOR) if alone else _read_all(source), tiled)
    if tiled and "connector.newline" not in weights:
        raise InputError(f"{source} lacks the tensor image_newline, which stands behind every row of tiles")
    if alone:
        weights = {name: tensor for name, tensor in weights.items() if name.startswith("connector.")}
    path = (llm or config.get("_name_or_path", "")) if alone else f"{checkpoint.INSIDE}llm"
    if not path:
        raise InputError(f"{source / 'config.json'} does not say which language model {PROJECTOR} was made for: give --llm")
    spec = _spec(config, path, template)
    with atomic_folder(folder) as temporary:
        if not alone:
            _write_language_model(source, config, temporary / "llm")
        save_file(weights, temporary / checkpoint.WEIGHTS, metadata={"format": "pt"})
        parts = sorted({name.split(".")[0] for name in weights})
        record = {"format": checkpoint.FORMAT, "parts": parts, "model": spec.to_json()}
        (temporary / checkpoint.CONFIG).write_text(dump_yaml(record, sort_keys=False, allow_unicode=True), encoding="utf-8")
        model = checkpoint.load(temporary)
        difference = None
        # Exported into a folder that is thrown away, only for the comparison: the original's code is not there to be asked.
        if config.get("mm_projector_type", "linear") == "mlp2x_gelu":
            with tempfile.TemporaryDirectory(dir=temporary.parent) as place:
                difference = export(model, Path(place) / "hf")
    return difference


def _spec(config: Mapping[str, Any], llm: str, template: Spec) -> ModelSpec:
    """Our words for the original's configuration."""
    kind, aspect = config.get("mm_projector_type", "linear"), config.get("image_aspect_ratio") or "square"
    if kind not in ("linear", *_DEPTHS):
        raise InputError(f"mm_projector_type is {kind!r}; what can be imported is: linear, {', '.join(_DEPTHS)}")
    if aspect not in (*_FITS, _TILES):
        raise InputError(f"image_aspect_ratio is {aspect!r}; what can be imported is: {', '.join((*_FITS, _TILES))}")
    vision = {
        "kind": "huggingface",
        "path": config["mm_vision_tower"],
        "layer": config.get("mm_vision_select_layer", -2),
        "cls": "keep" if config.get("mm_vision_select_feature") == "cls_patch" else "drop",
        "fit": _FITS.get(aspect, "resize"),
    }
    connector: Spec = "linear" if kind == "linear" else {"kind": "mlp", "depth": _DEPTHS[kind]}
    if aspect == _TILES:
        vision = {"kind": "anyres", "inner": vision, "grids": _grids(config)}
        connector = {"kind": "anyres", "inner": connector}
    return ModelSpec(llm=llm, vision=vision, connector=connector, template=template)


def _grids(config: Mapping[str, Any]) -> list[list[int]]:
    """Columns and rows of LLaVA-1.6's tilings, which the original writes as widths and heights in pixels."""
    merged = config.get("mm_patch_merge_type", "flat")
    if merged != "spatial_unpad":
        raise InputError(f"mm_patch_merge_type is {merged!r}; of tiled models, what can be imported is: spatial_unpad")
    pinpoints = config.get("image_grid_pinpoints")
    if not isinstance(pinpoints, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pinpoints):
        raise InputError(f"image_grid_pinpoints is {pinpoints!r}, expected a list of widths and heights in pixels")
    side = min(min(pair) for pair in pinpoints)  # tilings are one tile high or wide at least
    return [[width // side, height // side] for width, height in pinpoints]


def _read_all(source: Path) -> dict[str, Tensor]:
    """The tensors of safetensors or, where there are none, of pickled files."""
    if list(source.glob("*.safetensors")):
        return read_weights(source)
    index = source / "pytorch_model.bin.index.json"
    names = sorted(set(read_json(index).get("weight_map", {}).values())) if index.is_file() else ["pytorch_model.bin"]
    weights: dict[str, Tensor] = {}
    for name in names:
        if Path(name).name != name or not (source / name).is_file():
            raise InputError(f"{source / name} is missing: the weights must be whole")
        weights |= read_pickled(source / name)
    return weights


def read_pickled(file: Path) -> dict[str, Tensor]:
    """A dictionary of tensors. Raises `InputError` for a file that is cut short or holds anything else, running none of it."""
    return _only_tensors(_unpickled(file), file)


def read_pickled_mapping(file: Path) -> dict[str, Tensor]:
    """As `read_pickled`, also where a training script put the dictionary under `model` or `state_dict`, beside other things."""
    found = _unpickled(file)
    if isinstance(found, dict):
        found = next((found[key] for key in ("model", "state_dict") if isinstance(found.get(key), dict)), found)
    return _only_tensors(found, file)


def _unpickled(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{file} is no file of tensors, or cut short: nothing in it was run") from error


def _only_tensors(weights: Any, file: Path) -> dict[str, Tensor]:
    named = isinstance(weights, dict) and all(isinstance(name, str) for name in weights)
    if not named or not all(isinstance(tensor, Tensor) for tensor in weights.values()):
        raise InputError(f"{file} holds something other than tensors by name")
    check_foreign(weights, file)
    held: dict[str, Tensor] = weights
    return held


def _write_language_model(source: Path, config: Mapping[str, Any], folder: Path) -> None:
    """The configuration and tokenizer of the language model that the original keeps inside its own."""
    kind = config.get("model_type")
    if kind not in _LANGUAGE_MODELS:
        raise InputError(f"{source} holds a {kind!r}; what can be imported is: {', '.join(_LANGUAGE_MODELS)}")
    settings = {
        # The original writes its own keys into the language model's configuration, whose class would refuse them.
        key: value
        for key, value in config.items()
        if not key.startswith(("mm_", "image_", "tune_", "freeze_mm", "use_mm"))
    }
    settings |= {"model_type": _LANGUAGE_MODELS[kind], "architectures": []}
    settings.pop("_name_or_path", None)
    folder.mkdir()
    write_json(folder / "config.json", settings)
    read_tokenizer(str(source), str(source), None).save_pretrained(folder)
