"""Training that goes on from a checkpoint: its model, its weights, and adapters on top where a recipe asks for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from vistune.errors import InputError
from vistune.model.adapters.adapt import adapt
from vistune.model.answering.opening import Model, assemble
from vistune.model.native.spec import read_spec
from vistune.model.weights.checkpoint import WEIGHTS, absolute, checkpoint_of, load_into, located, read_config
from vistune.recipe import Recipe
from vistune.trust import trusting


def beginning_at(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe's stages on the model of a checkpoint (or of a run folder's last stage), with the recipe's adapters added.

    Raises `InputError` for what is no checkpoint.
    """
    folder = checkpoint_of(folder).resolve()
    spec = read_spec(absolute(located(read_config(folder)["model"], folder)))
    # A model taken whole and one of parts have adapters in different places.
    wanted = {} if recipe.model.whole != spec.whole else recipe.model.adapt
    return replace(recipe, model=replace(spec, adapt={**spec.adapt, **wanted}), start=str(folder))


def begun_model(recipe: Recipe) -> tuple[Model, set[str]]:
    """The model that a recipe begins with, and the units that its checkpoint holds and that no other file does.

    Raises `InputError` where the recipe's model is not that of the checkpoint it starts from, adapters aside.
    """
    if recipe.start is None:
        return assemble(recipe.model), set()
    folder = Path(recipe.start)
    config = read_config(folder)
    parts: set[str] = set(config["parts"])
    held = read_spec(absolute(located(config["model"], folder)))
    _check_alike(recipe.model, held, folder)
    with trusting(opened=folder):
        # First with the checkpoint's own adapters, whose weights it holds; the recipe's new ones are added to the loaded
        # model.
        model = assemble(replace(recipe.model, adapt=held.adapt), parts)
    load_into(model, folder / WEIGHTS, parts)
    added = {name: spec for name, spec in recipe.model.adapt.items() if name not in held.adapt}
    adapt(dict(model.named_children()), added)
    model.spec = recipe.model
    return model, parts


def _check_alike(asked: Any, held: Any, folder: Path) -> None:
    """Weights fit only the model they were taught in; how it is asked and how long its samples are may change."""
    ours, theirs = asked.to_json(), held.to_json()
    free = {"adapt", "template", "max_length", "prompt", "pictures", "dtype"}
    for key in sorted((set(ours) | set(theirs)) - free):
        if ours.get(key) != theirs.get(key):
            raise InputError(
                f"model.{key} is {ours.get(key)!r}, but {folder}, which training starts from, has {theirs.get(key)!r}"
            )
    for name, spec in held.adapt.items():
        if asked.adapt.get(name) != spec:
            raise InputError(
                f"model.adapt.{name} is not that of {folder}, which training starts from:"
                " `vistune merge` it first to put in others"
            )
