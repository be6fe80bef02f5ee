"""Either kind of model, opened: ours, made of parts, or one of `transformers` taken whole."""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

import torch

from vistune.hub import model_folder
from vistune.model.device import placed
from vistune.model.native.model import NativeModel
from vistune.model.native.spec import NativeSpec, read_spec
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import WEIGHTS, check_fit, checkpoint_of, load_into, located, read_config
from vistune.trust import trusting

Model: TypeAlias = VisionLanguageModel | NativeModel


def assemble(spec: ModelSpec | NativeSpec, stored: Set[str] = frozenset()) -> Model:
    """The model a spec describes. Weights of parts that a checkpoint has `stored` are not read from where they began."""
    if isinstance(spec, NativeSpec):
        return NativeModel(spec, load_weights="native" not in stored)
    return VisionLanguageModel(spec, stored=stored)


def without_memory(spec: ModelSpec | NativeSpec) -> Model:
    """The model a spec describes without weights or memory for them, so that one of 70B is looked at on a laptop."""
    with torch.device("meta"):
        if isinstance(spec, NativeSpec):
            return NativeModel(spec, load_weights=False)
        return VisionLanguageModel(spec, load_weights=False)


def load(folder: str | Path, trust: Sequence[str] = (), device: str = "auto", dtype: str = "auto") -> Model:
    """Build the model a checkpoint describes; `trust` names packages whose classes its spec may ask for.

    A run folder stands for its last stage, `hub:owner/name@revision` for what was pushed there. `device` and `dtype` say where
    the weights go and in which number format: to the first GPU in bfloat16 where there is one, else to the CPU in float32.

    Raises `InputError` for whatever is missing, broken or from a later version.
    """
    folder = checkpoint_of(model_folder(str(folder)))
    config = read_config(folder)
    parts: set[str] = set(config["parts"])
    with trusting(trust, opened=folder):
        spec = read_spec(located(config["model"], folder))
        # A few words of a stranger's file could ask for any amount of memory; the weights that lie there bound it.
        with suppress(NotImplementedError):  # somebody's own part may count with its weights while it is built
            check_fit(without_memory(spec), folder / WEIGHTS, parts)
        model = assemble(spec, parts)
    load_into(model, folder / WEIGHTS, parts)
    return placed(model.eval(), device, dtype)
