"""Linear probe: logistic regression on frozen image features (Radford et al. 2021, section 3.2)."""

from __future__ import annotations

from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Edits
from vistune.promptlearn.method import Call, Hyperparameters, Method, rows
from vistune.promptlearn.towers.encoded import Encoded


class LinearProbe(Method):
    """A Linear to the taught classes; class names play no part and new classes have no answer."""

    recipe = Hyperparameters(optimizer="adamw", lr=0.001, batch=32, epochs=100, weight_decay=0.01)
    answers_new_classes = False

    def __init__(self, backbone: DualEncoder, classes: Classes) -> None:
        super().__init__(backbone)
        self.taught = classes.names
        self.head = nn.Linear(backbone.embed_dim, len(classes))

    def edits(self, call: Call) -> Edits:
        """Logits from the head alone."""

        def logits(image: Encoded, text: Encoded) -> Tensor:
            scores: Tensor = self.head(image.features)
            return scores[:, rows(self.taught, call.classes, "a linear probe")]

        return Edits(logits=logits)
