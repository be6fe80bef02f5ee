"""CoPrompt: MaPLe and adapters, held consistent with the frozen model (Roy and Etemad 2024, arXiv 2306.01195)."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.losses import cosine_distance
from vistune.promptlearn.method import Call, Disclosure, Output, Recipe
from vistune.promptlearn.methods.clip_adapter import bottleneck
from vistune.promptlearn.methods.maple import Maple


class Coprompt(Maple):
    """MaPLe + an adapter on either feature + distance to the frozen model's answer to something else about the same.

    That is, for the text, one of the sentences a language model wrote about the class, and for the image another view.
    """

    recipe = Recipe(lr=0.0035, batch=4, epochs=8, views=2)
    disclosure = Disclosure(language_model_text=True)
    second_view = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_ctx: int = 2,
        depth: int | None = None,
        image_ratio: float = 0.1,
        text_ratio: float = 0.2,
        weight: float = 1.0,
    ) -> None:
        super().__init__(backbone, n_ctx=n_ctx, depth=depth)
        self.image_adapter = bottleneck(backbone.embed_dim, 4)
        self.text_adapter = bottleneck(backbone.embed_dim, 4)
        self.image_ratio, self.text_ratio, self.weight = image_ratio, text_ratio, weight

    def edits(self, call: Call) -> Edits:
        """MaPLe's, and the two adapters."""
        edits = super().edits(call)
        edits.features["vision"] = lambda image: mix(self.image_adapter, image.pooled, self.image_ratio)
        edits.features["text"] = lambda text: mix(self.text_adapter, text.pooled, self.text_ratio)
        return edits

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy`, `text_consistency`, `image_consistency`."""
        known = call.classes.sentences(8, "CoPrompt")
        sentences = [own[i] for own, i in zip(known, torch.randint(8, (len(known),)).tolist(), strict=True)]
        other = call.second if call.second is not None else call.batch
        with torch.no_grad():
            frozen = call.engine.image(other).pooled
        return {
            **super().losses(out, call),
            "text_consistency": self.weight * cosine_distance(out.text.features, call.engine.frozen_text(sentences)),
            "image_consistency": self.weight * cosine_distance(out.image.features, frozen),
        }


def mix(adapter: torch.nn.Module, feature: Tensor, ratio: float) -> Tensor:
    """`ratio` x adapter(f) + (1 - `ratio`) x f, on the unit feature."""
    f = unit(feature)
    mixed: Tensor = ratio * adapter(f) + (1 - ratio) * f
    return mixed
