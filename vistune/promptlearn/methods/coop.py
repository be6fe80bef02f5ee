"""CoOp: learnt context vectors in the text tower's input (Zhou et al. 2022, arXiv 2109.01134)."""

from __future__ import annotations

from typing import Literal

from torch import nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Context, Edits
from vistune.promptlearn.method import Call, Hyperparameters, Method, initial_context, normal, prompt, rows


class Coop(Method):
    """`[SOS][ctx][name].[EOT]`.

    `n_ctx` vectors, or as many as `words` has tokens; `class_specific` gives every class its own, which then cannot
    answer for new classes; `position` is where the name stands.
    """

    recipe = Hyperparameters(epochs=200)

    def __init__(
        self,
        backbone: DualEncoder,
        classes: Classes,
        *,
        n_ctx: int = 16,
        words: str | None = None,
        class_specific: bool = False,
        position: Literal["end", "middle", "front"] = "end",
    ) -> None:
        super().__init__(backbone)
        count = n_ctx if words is None else len(backbone.tokenizer(words))
        self.taught = classes.names if class_specific else ()
        self.position = position
        shared = initial_context(backbone, words, count)
        self.words = words
        if class_specific and words is None:
            shared = normal(len(classes), count, backbone.text.width)
        elif class_specific:
            shared = nn.Parameter(shared.detach().expand(len(classes), -1, -1).clone())
        self.ctx = shared

    def context(self, call: Call) -> Context:
        """The learnt context for the classes of a call."""
        if not self.taught:
            if self.position == "end":
                return prompt(self.ctx, self.words, call.classes)
            return Context(self.ctx, position=self.position, template="{}" + call.classes.ending)
        # By name: the classes of a call may stand in another order than those that were taught.
        values = self.ctx[rows(self.taught, call.classes, "class-specific CoOp")]
        if self.position == "end":
            return prompt(values, self.words, call.classes, per="class")
        return Context(values, "class", self.position, "{}" + call.classes.ending)

    def edits(self, call: Call) -> Edits:
        """One context."""
        return Edits(contexts=(self.context(call),))
