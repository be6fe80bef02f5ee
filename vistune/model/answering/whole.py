"""Which answerer a model of `transformers` gets: one that writes, one that compares, or one that chooses from a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vistune.errors import InputError
from vistune.model.answering.dual_features import is_dual
from vistune.model.native.spec import NativeSpec
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config

if TYPE_CHECKING:
    from vistune.model.answering.dual_answerer import DualAnswerer
    from vistune.model.native.answerer import NativeAnswerer
    from vistune.model.native.visual_bert import VisualBertAnswerer


def open_whole(
    spec: NativeSpec, device: str = "auto", dtype: str = "auto"
) -> NativeAnswerer | DualAnswerer | VisualBertAnswerer:
    """The model of a spec, opened. Raises `InputError` for one that is none of the three."""
    config = read_config(spec.path, locate(spec.path), spec.revision)
    if config.model_type == "visual_bert":
        from vistune.model.native.visual_bert import VisualBertAnswerer

        return VisualBertAnswerer(spec, device, dtype)
    if is_dual(config):
        from vistune.model.answering.dual_answerer import DualAnswerer

        return DualAnswerer(spec, device)
    from vistune.model.native.answerer import NativeAnswerer

    return NativeAnswerer(spec, device, dtype)


def check_writes(spec: NativeSpec) -> None:
    """Raise `InputError` for a model that writes no text, and can be talked to only by `predict` and `eval`."""
    config = read_config(spec.path, locate(spec.path), spec.revision)
    if config.model_type == "visual_bert" or is_dual(config):
        raise InputError(f"{spec.path} is a {config.model_type}, which writes no text: ask it with `vistune predict` or `eval`")
