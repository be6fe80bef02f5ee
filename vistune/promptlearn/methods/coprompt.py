"""CoPrompt: MaPLe and adapters, held consistent with the frozen model (Roy and Etemad 2024, arXiv 2306.01195)."""

from __future__ import annotations

import torch
from torch import Tensor

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.losses import cosine_distance
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Output
from vistune.promptlearn.methods.clip_adapter import bottleneck
from vistune.promptlearn.methods.maple import Maple


class Coprompt(Maple):
    """MaPLe + an adapter on either feature + distance to the frozen model's answer to something else about the same.

    That is, for the text, one of the sentences a language model wrote about the class, and for the image another view. Both
    views are RandAugment's. A step draws one number for the sentences of all classes, as released; with `joint_index` off
    every class draws its own. Published with weight 1 (its configuration file; the code's default is 8).
    """

    recipe = Hyperparameters(lr=0.0035, batch=4, epochs=8, views=2, augment="randaugment")
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
        joint_index: bool = True,
    ) -> None:
        super().__init__(backbone, n_ctx=n_ctx, depth=depth)
        self.image_adapter = bottleneck(backbone.embed_dim, 4)
        self.text_adapter = bottleneck(backbone.embed_dim, 4)
        self.image_ratio, self.text_ratio, self.weight = image_ratio, text_ratio, weight
        self.joint_index = joint_index

    def edits(self, call: Call) -> Edits:
        """MaPLe's, and the two adapters."""
        edits = super().edits(call)
        edits.features["vision"] = lambda image: mix(self.image_adapter, image.pooled, self.image_ratio)
        edits.features["text"] = lambda text: mix(self.text_adapter, text.pooled, self.text_ratio)
        return edits

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy`, `text_consistency`, `image_consistency`."""
        sentences = self.sentences(call)
        other = call.second if call.second is not None else call.batch
        with torch.no_grad():
            frozen = call.engine.image(other).pooled
        return {
            **super().losses(out, call),
            "text_consistency": self.weight * cosine_distance(out.text.features, call.engine.frozen_text(sentences)),
            "image_consistency": self.weight * cosine_distance(out.image.features, frozen),
        }

    def sentences(self, call: Call) -> list[str]:
        """One sentence about each class."""
        known = [call.classes.descriptions.get(name, ()) for name in call.classes.names]
        call.classes.sentences(1, "CoPrompt")
        most = max(map(len, known))
        count = 1 if self.joint_index else len(known)
        drawn = torch.randint(most, (count,)).tolist() * (len(known) // count)
        return [own[i % len(own)] for own, i in zip(known, drawn, strict=True)]


def mix(adapter: torch.nn.Module, feature: Tensor, ratio: float) -> Tensor:
    """`ratio` x adapter(f) + (1 - `ratio`) x f."""
    mixed: Tensor = ratio * adapter(feature) + (1 - ratio) * feature
    return mixed
