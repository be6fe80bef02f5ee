"""Checkpoints: one directory that says everything about a model, written whole or not at all.

    vistune.yaml        the model's spec, and which parts' weights lie here (the others come from the spec's paths)
    model.safetensors   those weights
    tokenizer files     as `transformers` writes them

The loader reads `vistune.yaml`, never a path or a name pattern. A path that begins with `checkpoint:` lies in the directory
itself: an imported model brings its backbones' configurations along.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from vistune.errors import InputError
from vistune.files import atomic_folder, dump_yaml, parse_yaml, writing
from vistune.model.adapters.adapt import adapter_parameters
from vistune.model.native.model import NativeModel
from vistune.model.part import begun_at_random
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights import shipped
from vistune.model.weights.assets import BUILTIN
from vistune.model.weights.numbers import check_finite, check_kinds
from vistune.model.weights.sharding import shard_like, whole
from vistune.trust import trusting

FORMAT = 1
INSIDE = "checkpoint:"
CONFIG, WEIGHTS = "vistune.yaml", "model.safetensors"
_PLACES = frozenset({"llm", "native", "path", "tokenizer", "text_encoder", "image_encoder", "book", "text"})  # may be folders


def save(model: VisionLanguageModel | NativeModel, folder: Path, parts: set[str], write: bool = True) -> None:
    """Write `folder`: the weights of `parts` (see `units`) and what the rest is built from. Raises `InputError` for a NaN.

    Of processes that share a model's weights all must call it, and one of them writes.
    """
    weights = part_weights(model, parts, write)
    if not write:
        return
    check_finite(weights, folder)
    record: dict[str, Any] = {"format": FORMAT, "parts": sorted(parts), "model": absolute(model.spec.to_json())}
    if standing := shipped.recorded(record["model"]):
        record["shipped"] = standing
    # A folder of several files appears by one rename: a kill leaves either the old checkpoint or the new one, never a
    # mixture.
    with atomic_folder(folder) as temporary, writing(folder):
        (temporary / CONFIG).write_text(dump_yaml(record, sort_keys=False, allow_unicode=True), encoding="utf-8")
        model.save_tokenizer(temporary)
        save_file(weights, temporary / WEIGHTS, metadata={"format": "pt"})


def units(model: nn.Module, names: Iterable[str]) -> set[str]:
    """What to save so that these parameters are: parts, or `PART.adapter` where only a part's adapters are among them."""
    adapters = adapter_parameters(model)
    owned = {name.split(".")[0] for name in names if name not in adapters}
    return owned | {f"{name.split('.')[0]}.adapter" for name in names if name.split(".")[0] not in owned}


def part_weights(model: nn.Module, parts: set[str], keep: bool = True) -> dict[str, torch.Tensor]:
    """The parts' tensors by full name, whole; of tensors that are one (tied embeddings) the first name only.

    `PART.adapter` stands for the part's adapters alone. Cut weights are gathered from all processes, each of which must call
    it; one that does not `keep` them gets none.
    """
    weights = {}
    for name, tensor in _owned(model, parts).items():
        # In the order of the state dict, which is the same on all ranks: gathering waits for every one of them.
        gathered = whole(tensor.detach())
        if keep:
            weights[name] = gathered.contiguous()
    return weights


def _owned(model: nn.Module, parts: set[str]) -> dict[str, torch.Tensor]:
    """The parts' tensors by full name, as they lie on this process."""
    seen: set[int] = set()
    adapters = adapter_parameters(model)
    owned = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        part = name.split(".")[0]
        chosen = part in parts or (f"{part}.adapter" in parts and name in adapters)
        memory = tensor.data_ptr() or id(tensor)  # cut tensors, and those without memory, have no address of their own
        # Tied tensors are one memory under two names, and safetensors writes a memory once.
        if chosen and memory not in seen:
            seen.add(memory)
            owned[name] = tensor
    return owned


def load(folder: str | Path) -> VisionLanguageModel:
    """Build the model of parts that a checkpoint describes (`opening.load` takes native models, too).

    Raises `InputError` for whatever is missing, broken or from a later version.
    """
    folder = checkpoint_of(folder)
    config = read_config(folder)
    if "native" in config["model"]:
        raise InputError(f"{folder} holds a model of transformers taken whole, and this takes models made of parts")
    parts: set[str] = set(config["parts"])
    spec = ModelSpec.from_json(located(config["model"], folder))
    with trusting(opened=folder):
        model = VisionLanguageModel(spec, stored=parts)
    load_into(model, folder / WEIGHTS, parts)
    return model.eval()


def checkpoint_of(folder: str | Path) -> Path:
    """The checkpoint a person means: the folder itself, or in a run folder that of its last finished stage."""
    folder = Path(folder)
    run = folder / "run.yaml"
    if (folder / CONFIG).is_file() or not run.is_file():
        return folder
    record = parse_yaml(run.read_text(encoding="utf-8"), str(run))
    stages = record.get("stages", ()) if isinstance(record, dict) else ()
    names = [str(stage.get("name")) for stage in stages if isinstance(stage, dict)]
    # Only a finished stage has a checkpoint's configuration in its folder.
    done = [folder / name for name in names if (folder / name / CONFIG).is_file()]
    if not done:
        raise InputError(f"{folder} is a run folder none of whose stages is finished: {', '.join(names)}")
    return done[-1]


def absolute(value: Any, key: str = "") -> Any:
    """A spec whose relative paths of model directories are written out, so that it means the same from any current folder."""
    if isinstance(value, dict):
        return {name: absolute(inner, name) for name, inner in value.items()}
    if not isinstance(value, str) or key not in _PLACES or value.startswith((INSIDE, BUILTIN)):
        return value
    place = Path(value).expanduser()
    return str(place.resolve()) if place.is_dir() else value


def located(value: Any, folder: Path) -> Any:
    """A spec with the paths inside the checkpoint written out. Raises `InputError` for one that leaves it."""
    if isinstance(value, dict):
        return {key: located(inner, folder) for key, inner in value.items()}
    if not isinstance(value, str) or not value.startswith(INSIDE):
        return value
    inside = (folder / value.removeprefix(INSIDE)).resolve()
    # Both are resolved: `..` and links inside a checkpoint from elsewhere must not reach the reader's files.
    if not inside.is_relative_to(folder.resolve()):
        raise InputError(f"{folder / CONFIG}: {value!r} leads out of the checkpoint")
    return str(inside)


def read_config(folder: Path) -> dict[str, Any]:
    """The content of `vistune.yaml`, checked."""
    file = folder / CONFIG
    if not file.is_file():
        raise InputError(f"{folder} is no checkpoint: it has no {CONFIG}")
    try:
        config = parse_yaml(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(config, dict) or not {"format", "parts", "model"} <= set(config):
        raise InputError(f"{file} needs the keys format, parts and model")
    if config["format"] != FORMAT:
        raise InputError(f"{file} has format {config['format']!r}; this version of vistune reads format {FORMAT}")
    parts, model = config["parts"], config["model"]
    if not isinstance(model, dict) or not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise InputError(f"{file} needs a list of names as 'parts' and a mapping as 'model'")
    standing = config.get("shipped")
    if standing is not None and not (isinstance(standing, dict) and all(isinstance(each, str) for each in standing.values())):
        raise InputError(f"{file} has 'shipped' {standing!r}, expected hashes by the names of shipped models")
    shipped.check(model, standing, set(parts), str(file))
    return config


def check_fit(model: nn.Module, file: Path, parts: set[str]) -> None:
    """Refuse a file of weights that is another model's by its names and shapes alone; `model` may be one without memory.

    Every weight that begins at random must lie in the file: nothing else bounds how large such a part is.
    """
    with reading_weights(file), safe_open(file, "pt") as held:
        shapes = {name: held.get_slice(name).get_shape() for name in held.keys()}  # noqa: SIM118 - it is no mapping
    if absent := sorted(begun_at_random(model) - parts):
        raise InputError(f"{file}: the weights of {absent[0]!r} begin at random and do not lie there")
    _check_shapes(shapes, _owned(model, parts), file)


def load_into(model: nn.Module, file: Path, parts: set[str]) -> None:
    """Copy a safetensors file into the model: exactly the weights of `parts`, each of the right shape, and finite."""
    with reading_weights(file):
        weights = load_file(file)
    expected = _owned(model, parts)
    _check_shapes({name: tensor.shape for name, tensor in weights.items()}, expected, file)
    check_kinds(weights, expected, file)
    check_finite(weights, file)
    model.load_state_dict({name: shard_like(tensor, expected[name]) for name, tensor in weights.items()}, strict=False)


@contextmanager
def reading_weights(file: Path) -> Iterator[None]:
    """Within the block `safetensors` reads a file; that it is not there, or not whole, is one sentence."""
    if not file.is_file():
        raise InputError(f"{file} is missing")
    try:
        yield
    except (SafetensorError, OSError) as error:
        raise InputError(f"{file} is broken or cut short: {error}") from error


def _check_shapes(stored: Mapping[str, Sequence[int]], expected: Mapping[str, torch.Tensor], file: Path) -> None:
    # Both ways: a missing tensor would stay random, a surplus one means that the spec is another model's.
    wrong = sorted(set(expected) ^ set(stored))
    if wrong:
        state = "lacks" if wrong[0] in expected else "has the unknown tensor"
        raise InputError(f"{file} {state} {wrong[0]!r} ({len(wrong)} such tensors): it belongs to another model")
    for name, shape in stored.items():
        if list(shape) != list(expected[name].shape):
            raise InputError(f"{file}: {name} is {list(shape)}, the model's is {list(expected[name].shape)}")
