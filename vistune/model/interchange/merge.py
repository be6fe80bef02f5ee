"""`merge`: adapters folded into the weights they adapt, in fp32, and the logits compared before anything is written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from vistune.errors import InputError
from vistune.model.adapters.adapt import fold
from vistune.model.adapters.soft_prompts import SoftPrompt
from vistune.model.answering.opening import load
from vistune.model.interchange.probe import largest_difference, probes
from vistune.model.native.model import NativeModel
from vistune.model.weights import checkpoint

TOLERANCE = 1e-3  # fp32 sums in another order; a wrong merge changes logits by far more


def merge(source: str | Path, folder: str | Path) -> float:
    """Write the checkpoint `source` without adapters as `folder`; returns the largest difference of logits.

    Raises `InputError` where there is nothing to merge, and `RuntimeError` when the merged model is another one.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    model = load(source, device="cpu", dtype="float32")
    if not model.spec.adapt:
        raise InputError(f"{source} has no adapters to merge")
    if (
        not isinstance(model, NativeModel)
        and not isinstance(model.spec.llm, str)
        and model.spec.llm.get("quantize") is not None
    ):
        raise InputError(
            f"{source} has a quantised language model, which merging would round again: serve it with its adapters"
        )
    if any(isinstance(module, SoftPrompt) for module in model.modules()):
        raise InputError(f"{source} was tuned by a prompt or prefix, which is no change of weights and cannot be merged")
    samples = probes(model)
    before = model.logits(samples)
    adapted = set(model.spec.adapt)
    try:
        for name in adapted:
            fold(model.get_submodule(name))
    except ValueError as error:
        raise InputError(f"{source} cannot be merged: the weights with its adapters are NaN or infinite") from error
    difference = largest_difference(before, model.logits(samples))
    if not difference <= TOLERANCE:
        raise RuntimeError(f"merging changed the logits by {difference:.3g}")
    spec: Any = replace(model.spec, adapt={})  # of its own kind
    model.spec = spec
    if isinstance(model, NativeModel):
        # Stored as its spec says; what is read in another format than it was stored in is refused.
        model.to(getattr(torch, model.spec.dtype))
    # A part whose adapters were folded differs from its pretrained file and must be stored whole from now on.
    stored = checkpoint.read_config(checkpoint.checkpoint_of(source))["parts"]
    whole = {unit.split(".")[0] for unit in stored} | adapted
    checkpoint.save(model, folder, whole)
    return difference
