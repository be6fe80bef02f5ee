"""Does a sample fit a model's token budget? Counted with the model's own template, tokenizer and encoder geometry."""

from __future__ import annotations

from dataclasses import dataclass

from vistune.errors import InputError
from vistune.prompt.render import Renderer
from vistune.sample import Sample


@dataclass(frozen=True)
class Budget:
    """A renderer, whose writers know how many tokens a medium takes, and the longest sequence (tokens)."""

    renderer: Renderer
    limit: int

    def length(self, sample: Sample) -> int:
        """Tokens of the whole rendered sample. Raises `InputError` when it cannot be rendered."""
        return len(self.renderer.render(sample))

    def fault(self, sample: Sample) -> str | None:
        """Why the sample does not fit, if it does not."""
        try:
            length = self.length(sample)
        except InputError as error:
            return str(error)
        return f"{sample.where}: takes {length} tokens, but the budget is {self.limit}" if length > self.limit else None


def budget_of_recipe(source: str, *, small: bool = False) -> Budget:
    """The budget of a recipe (by name or run file); `small` takes the backbones that ship with the package.

    Builds the model's parts without weights or memory for them, so that a 70B recipe is checked on a laptop. Raises
    `InputError` for an unknown recipe, and for one that takes a model whole: only its processor can count.
    """
    import torch

    from vistune.model.spec import ModelSpec
    from vistune.model.vlm import VisionLanguageModel
    from vistune.recipe import load_recipe, nano

    spec = (nano(load_recipe(source)) if small else load_recipe(source)).model
    if not isinstance(spec, ModelSpec):
        raise InputError(f"the recipe {source} takes a model whole, whose samples only its processor can count")
    with torch.device("meta"):
        model = VisionLanguageModel(spec, load_weights=False)
    return Budget(model.renderer(), model.spec.max_length)
