"""What `predict` and `eval` may be given as a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vistune.evals.run import Answerer
    from vistune.model.answering.opening import Model
    from vistune.model.native.spec import NativeSpec

MODEL = (
    "A checkpoint folder, hub:owner/name@revision, a directory or hub id of a vision-language model of transformers"
    " (native:CONFIG.yaml where more is to be said than the directory), http:CONFIG.yaml for a chat model over HTTP, or"
    " package.module:Class of your own."
)


def open_answerer(model: str, out: Path, device: str = "auto", dtype: str = "auto") -> Answerer:
    """The model a command line names; raw replies of one over HTTP are kept beside `out`."""
    from vistune.hub import model_folder

    model = model_folder(model)
    kind, colon, rest = model.partition(":")
    if kind == "http" and colon:
        from vistune.evals.http_model import HttpModel

        return HttpModel.open(rest, out.with_name(f"{out.name}.replies.jsonl"))
    if kind == "native" and colon:
        from vistune.model.answering.whole import open_whole

        return open_whole(_native_spec(rest), device, dtype)
    if colon:
        from vistune.errors import InputError
        from vistune.evals.run import Answerer
        from vistune.spec import keeps
        from vistune.trust import named

        target = named(model)
        if not keeps(target, Answerer):
            raise InputError(f"{model} is no Answerer (vistune.evals.run): it needs identity, rendered and generate")
        answerer: Answerer = target()
        return answerer
    if not _is_native(model):
        from vistune.model.answering.answerer import CheckpointModel

        return CheckpointModel(model, device, dtype)
    from vistune.model.answering.whole import open_whole
    from vistune.model.native.spec import NativeSpec

    return open_whole(NativeSpec(native=model), device, dtype)


def open_model(model: str, device: str = "auto", dtype: str = "auto") -> Model:
    """What `chat` talks to: a checkpoint, or a model of transformers."""
    from vistune.hub import model_folder
    from vistune.model.answering.opening import assemble, load

    model = model_folder(model)
    kind, colon, rest = model.partition(":")
    told = kind == "native" and bool(colon)
    if not told and not _is_native(model):
        return load(model, device=device, dtype=dtype)
    from vistune.model.answering.whole import check_writes
    from vistune.model.device import placed
    from vistune.model.native.spec import NativeSpec

    spec = _native_spec(rest) if told else NativeSpec(native=model)
    check_writes(spec)
    return placed(assemble(spec).eval(), device, dtype)


def _native_spec(file: str) -> NativeSpec:
    """The keys of `model` in a run of the recipe `native`, as a YAML file."""
    from vistune.errors import InputError
    from vistune.files import read_yaml
    from vistune.model.native.spec import NativeSpec

    value = read_yaml(file)
    if not isinstance(value, dict):
        raise InputError(f"{file}: expected the keys of a native model, such as  native: DIR")
    return NativeSpec.from_json(value)


def _is_native(model: str) -> bool:
    """A directory of transformers that is no checkpoint of ours, or what is no directory and may be a hub id."""
    from vistune.model.weights.checkpoint import CONFIG

    folder = Path(model)
    if not folder.is_dir():
        return not model.startswith((".", "/", "~"))
    return (folder / "config.json").is_file() and not (folder / CONFIG).is_file()
