"""Does a sample fit a model's token budget? Counted with the model's own template, tokenizer and encoder geometry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vistune.data.media.image import encoded_bytes, load_image
from vistune.errors import InputError
from vistune.sample import Sample

if TYPE_CHECKING:
    from vistune.model.answering.opening import Model
    from vistune.model.trainable import AnyTrainable
    from vistune.recipe import Recipe


@dataclass(frozen=True)
class Budget:
    """Counts a sample's tokens, whatever the model is made of, and the longest sequence (tokens)."""

    count: Callable[[Sample], int]
    limit: int

    def fault(self, sample: Sample) -> tuple[str, str] | None:
        """`(reason, detail)`: the sample does not fit (`too_long`), or the model refuses it (`refused`); None where neither.

        A medium that cannot be opened is no fault of the model's: it is found with the media.
        """
        try:
            length = self.count(sample)
        except InputError as error:
            # Broken media are reported by the check of media, with their own reason; counting them here as well would double
            # them.
            return None if _unopened(sample) else ("refused", str(error))
        if length > self.limit:
            return "too_long", f"{sample.where}: takes {length} tokens, but the budget is {self.limit}"
        return None


def _unopened(sample: Sample) -> bool:
    try:
        for medium in sample.media:
            if medium.kind == "image":
                load_image(medium)
            elif not isinstance(medium.data, np.ndarray):
                encoded_bytes(medium)
    except InputError:
        return True
    return False


def budget_of_recipe(source: str, *, small: bool = False, changes: Mapping[str, Any] | None = None) -> Budget:
    """The budget of a recipe (by name or run file).

    `small` takes the backbones that ship with the package, `changes` are dotted keys to replace. A model of parts counts from
    the headers of media, one that is taken whole through its own processor. Raises `InputError` for an unknown recipe.
    """
    model: AnyTrainable = model_without_memory(source, small=small, changes=changes)
    renderer = model.renderer_of(None)
    return Budget(lambda sample: model.tokens_of(sample, renderer), model.max_length)


def checked(recipe: Recipe) -> str:
    """Says that every key of the recipe's model and every pattern of its stages fits; else raises `InputError`.

    The model is built without weights or memory for them; its data is not looked at.
    """
    from vistune.model.answering.opening import without_memory
    from vistune.training.selection import select

    model = without_memory(recipe.model)
    for stage in recipe.stages:
        select(model, stage.train, f"stage {stage.name!r}")
    return (
        f"{recipe.name}: {', '.join(stage.name for stage in recipe.stages)} fit the model; data is looked at by train --check"
    )


def model_without_memory(source: str, *, small: bool = False, changes: Mapping[str, Any] | None = None) -> Model:
    """A recipe's model without weights or memory for them, so that a 70B recipe is checked on a laptop."""
    from vistune.model.answering.opening import without_memory
    from vistune.nano import nano
    from vistune.recipe import load_recipe

    return without_memory((nano(load_recipe(source)) if small else load_recipe(source)).override(changes or {}).model)
