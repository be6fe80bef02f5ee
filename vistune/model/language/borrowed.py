"""A language model to begin with: a directory or hub id of `transformers`, or the one inside a checkpoint of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import safe_open

from vistune.errors import InputError
from vistune.model.language import encoder_decoder
from vistune.model.language.causal import LanguageModel
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_tokenizer
from vistune.model.weights.quantize import FourBit

_CONFIG, _PART = "vistune.yaml", "llm"


def language_model(
    path: str, revision: str | None = None, load_weights: bool = True, quantize: FourBit | None = None
) -> LanguageModel:
    """The language model in `path`; of a checkpoint or run folder of ours the one that was tuned there, with its words.

    Raises `InputError` for a checkpoint whose language model has adapters, and for one in four bits to be.
    """
    folder = Path(locate(path))
    if not any((folder / name).is_file() for name in (_CONFIG, "run.yaml")):
        return encoder_decoder.language_model(path, revision, load_weights, quantize)
    # Checkpoints know models of parts, which are built of this: asked for only where one is named.
    from vistune.model.weights import checkpoint

    folder = checkpoint.checkpoint_of(folder)
    config = checkpoint.read_config(folder)
    spec, parts = checkpoint.located(config["model"], folder), config["parts"]
    if _PART not in spec:
        raise InputError(f"{path} holds a model taken whole, whose language model does not stand alone: give its directory")
    if f"{_PART}.adapter" in parts:
        raise InputError(f"the language model of {path} has adapters: `vistune merge` it first, or go on with --from {path}")
    if quantize is not None:
        raise InputError(f"the language model of {path} is read in the format it was stored in: leave quantize away")
    told: Any = spec[_PART]
    base, version = (told, None) if isinstance(told, str) else (told["path"], told.get("revision"))
    inside = _PART in parts
    model = language_model(base, version, load_weights and not inside)
    model.tokenizer = read_tokenizer(path, str(folder), None)
    model.grow()
    if inside and load_weights:
        _load(model, folder / checkpoint.WEIGHTS)
    return model


def _load(model: LanguageModel, file: Path) -> None:
    """The weights that `file` keeps of its language model. Raises `InputError` where they are another model's."""
    state = model.state_dict()
    from vistune.model.weights.checkpoint import reading_weights  # as late as above

    with reading_weights(file), safe_open(file, "pt") as stored:
        names = {name.removeprefix(f"{_PART}."): name for name in stored.keys() if name.startswith(f"{_PART}.")}  # noqa: SIM118
        weights = {short: stored.get_tensor(name) for short, name in names.items()}
    unlike = [name for name, tensor in weights.items() if name not in state or state[name].shape != tensor.shape]
    # Tensors that are one (tied embeddings) are stored under one name, and filled under both by it.
    filled = {state[name].data_ptr() for name in weights if name in state}
    unlike += [name for name, tensor in state.items() if name not in weights and tensor.data_ptr() not in filled]
    if unlike:
        raise InputError(f"{file} holds another language model than its configuration says, as {unlike[0]} shows")
    model.load_state_dict(weights, strict=False)
