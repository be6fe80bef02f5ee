"""A recipe in small: the same method on the backbones and the data that ship with the package, with settings that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vistune.errors import InputError
from vistune.model.native.spec import NativeSpec
from vistune.recipe import Recipe, Stage
from vistune.spec import Spec

NANO_RATE = 1.5e-3
# For a connector that begins at random between backbones that know the world: aligned longer than tuned, on sheets of facts in
# place of captions, which show it boxes and what is absent, too; the language model then moves little. Muon, since 20 of
# the features' 192 directions hold nine tenths of them: in as many steps AdamW aligns half as well (boxes 41 against 67 %).
GROUNDED = {
    "stages.0.data": "world:?task=facts&size=3200",
    "stages.0.optimizer": "muon",
    "stages.0.train.connector": 2e-2,
    "stages.0.weight_decay": 0.3,
    "stages.1.data": "world:?task=instructions&size=1200",
    "stages.1.optimizer": "muon",
    "stages.1.train.connector": 5e-3,
    "stages.1.train.llm": 4e-4,
}

# No joint encoder ships, so this one begins at random; stages train it.
NANO_JOINT = {
    "kind": "imagebind", "joint": 128, "size": 64, "patch": 8, "vision_width": 128, "vision_depth": 3, "vision_heads": 4,
    "audio_width": 128, "audio_depth": 3, "audio_heads": 4, "mels": 64, "frames": 204,
}  # fmt: skip


def nano(recipe: Recipe) -> Recipe:
    """The same method on the backbones and data that ship with the package: minutes on two cores.

    Learning rates and batch sizes are those of small models; the stages, what they train and the parts stay the recipe's.
    Raises `InputError` for a recipe that takes a model whole: none ships.
    """
    if isinstance(recipe.model, NativeSpec):
        raise InputError(f"the recipe {recipe.name!r} tunes a model as it is, and none ships: give --set model.native=DIR")
    model = replace(
        recipe.model,
        llm="builtin:language",
        vision=_nano_vision(recipe.model.vision),
        template=_without_system(recipe.model.template),
        codec={"kind": "location_tokens", "bins": 64},
        max_length=512,
    )
    *early, last = recipe.stages
    captions = {"data": "world:?task=captions&size=2400", "batch": 8}
    instructions = {"data": "world:?task=instructions&size=2800", "batch": 8}
    stages = [*(_nano_stage(stage, captions) for stage in early), _nano_stage(last, instructions)]
    return replace(recipe, model=model, stages=tuple(stages), nano={}).override(recipe.nano)


def senses(tasks: str | Sequence[str], *trained: Sequence[str]) -> dict[str, Any]:
    """Nano settings of a method of films, sounds or shapes: what each stage trains, on the world's `tasks`.

    The shipped language model has never been told what moves or sounds, so the last stage, which should train it, is the long
    one, and early stages only bring a connector near. Muon for the reason that `GROUNDED` gives.
    """
    names = [tasks] if isinstance(tasks, str) else list(tasks)
    found: dict[str, Any] = {}
    for stage, patterns in enumerate(trained):
        size = (4800 if stage == len(trained) - 1 else 320) // len(names)
        sources = [{"data": f"world:?task={name}&size={size}"} for name in names]
        found |= {
            f"stages.{stage}.data": sources[0]["data"] if len(sources) == 1 else {"kind": "mixture", "sources": sources},
            f"stages.{stage}.batch": 16,
            f"stages.{stage}.optimizer": "muon",
            f"stages.{stage}.train": {pattern: 2e-3 if pattern.startswith("llm") else 1e-2 for pattern in patterns},
        }
    return found


def _nano_stage(stage: Stage, changes: Mapping[str, Any]) -> Stage:
    rates = dict.fromkeys(stage.train, NANO_RATE)
    return replace(stage, micro=None, epochs=1.0, steps=None, train=rates, **changes)


def _nano_vision(spec: Spec | None) -> Spec | None:
    """The shipped tower in the place of the recipe's, with the recipe's choice of layer and shape."""
    if spec is None or isinstance(spec, str):
        return spec
    if "inner" in spec:
        return {**spec, "inner": _nano_vision(spec["inner"])}
    return {**spec, "path": "builtin:clip"} if "path" in spec else spec


def _without_system(spec: Spec) -> Spec:
    """The shipped language model was taught without a system sentence."""
    return {**({"kind": spec} if isinstance(spec, str) else spec), "system": ""}
