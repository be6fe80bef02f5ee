"""RPO: read-only prompts (Lee et al. 2023, arXiv 2308.14960)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import EMBED, Attention, Edits, Tokens
from vistune.promptlearn.method import Call, Hyperparameters, Method
from vistune.promptlearn.towers.encoded import Encoded

READ = "read"


class Rpo(Method):
    """`n_prompts` pairs of tokens that read and are never read: the class token and the end of text stay bit for bit.

    Text tokens stand behind the end of the text, image tokens behind the patches, both without position embedding.
    Logits are the mean over k of the scaled cosine between the k-th pair.
    """

    recipe = Hyperparameters(lr=0.01, batch=4, epochs=15)
    needs_causal_text = True
    needs_class_token = True
    needs_vision_blocks = True

    def __init__(self, backbone: DualEncoder, *, n_prompts: int = 24) -> None:
        super().__init__(backbone)
        end = backbone.token_embedding.weight[backbone.end]
        first = backbone.model.vision_model.embeddings.class_embedding
        self.text_prompt = nn.Parameter(end + 0.1 * unit(torch.randn(n_prompts, len(end))).to(end))
        self.image_prompt = nn.Parameter(first + 0.1 * unit(torch.randn(n_prompts, len(first))).to(first))
        self.blocks = {"text": len(backbone.text.blocks), "vision": len(backbone.vision.blocks)}

    def edits(self, call: Call) -> Edits:
        """Tokens, their columns closed to every query, and both groups read out."""
        closed = Attention(closed=(("*", READ),))
        edits = Edits(read={"text": (READ,), "vision": (READ,)})
        edits.put("text", 0, Tokens(self.text_prompt, group=READ))
        edits.put("vision", EMBED, Tokens(self.image_prompt, group=READ))
        edits.attention.update({("text", block): closed for block in range(self.blocks["text"])})
        edits.attention.update({("vision", block): closed for block in range(self.blocks["vision"])})

        def logits(image: Encoded, text: Encoded) -> Tensor:
            f, t = (unit(self.features(call.backbone, name, x)) for name, x in (("vision", image), ("text", text)))
            return call.backbone.scale * torch.einsum("bke,nke->bn", f, t) / f.shape[1]

        edits.logits = logits
        return edits

    @staticmethod
    def features(backbone: DualEncoder, tower: str, encoded: Encoded) -> Tensor:
        """Projected states of the read-only tokens `[.., K, E]`."""
        return (backbone.vision if tower == "vision" else backbone.text).project(encoded.groups[READ])
