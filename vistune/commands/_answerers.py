"""What `predict` and `eval` may be given as a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vistune.evals.run import Answerer
    from vistune.model.answering.opening import Model

MODEL = (
    "A checkpoint folder, a directory or hub id of a vision-language model of transformers, http:CONFIG.yaml for a chat model"
    " over HTTP, or package.module:Class of your own."
)


def open_answerer(model: str, out: Path, device: str = "auto", dtype: str = "auto") -> Answerer:
    """The model a command line names; raw replies of one over HTTP are kept beside `out`."""
    kind, colon, rest = model.partition(":")
    if kind == "http" and colon:
        from vistune.evals.http_model import HttpModel

        return HttpModel.open(rest, out.with_name(f"{out.name}.replies.jsonl"))
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
    from vistune.model.native.answerer import NativeAnswerer

    return NativeAnswerer(model, device, dtype)


def open_model(model: str, device: str = "auto", dtype: str = "auto") -> Model:
    """What `chat` talks to: a checkpoint, or a model of transformers."""
    from vistune.model.answering.opening import assemble, load

    if not _is_native(model):
        return load(model, device=device, dtype=dtype)
    from vistune.model.device import placed
    from vistune.model.native.spec import NativeSpec

    return placed(assemble(NativeSpec(native=model)).eval(), device, dtype)


def _is_native(model: str) -> bool:
    """A directory of transformers that is no checkpoint of ours, or what is no directory and may be a hub id."""
    from vistune.model.weights.checkpoint import CONFIG

    folder = Path(model)
    if not folder.is_dir():
        return not model.startswith((".", "/", "~"))
    return (folder / "config.json").is_file() and not (folder / CONFIG).is_file()
