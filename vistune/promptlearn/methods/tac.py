"""TAC: pre-context tokens from clusters of the classes (Hao et al. 2025, CVPR, "Task-Aware Clustering")."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.average import EpochAverage
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.edits import EMBED, Attention, Context, Edits, Tokens
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.losses import l1_distance
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Output, depth_in
from vistune.promptlearn.methods.ivlp import Ivlp

PRE = "pre"
WORDS = "a photo of a"


class Tac(Ivlp):
    """IVLP + `n_clusters` tokens in every block of both towers, from one Linear a tower on the cluster centres.

        text    [SOS][pre][ctx] a photo of a NAME.     both groups are given position embeddings, as words are
        image   [CLS][patches][pre][tokens]            in front of the input norm; patches may not attend to [pre]

    A class's reference is the mean of the raw frozen features of all its descriptions; centres are those of the unit
    references of the taught classes (k-means under the cosine, random classes to begin with). They stay when new classes are
    tested. The frozen image feature is that of the plain picture (`Call.plain`), compared with every view of it; the release
    drops out entries of that frozen feature too. The context starts as the tokens of "a photo of a", end of text and padding.
    Weights are averaged over epochs.
    """

    recipe = Hyperparameters(lr=0.0025, batch=8, epochs=20, views=4, joint_views=True, crop=(0.4, 1.0))
    disclosure = Disclosure(language_model_text=True)
    needs_causal_text = True
    needs_class_token = True
    plain_view = True
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_clusters: int = 5,
        n_ctx: int = 5,
        depth: int | None = None,
        text_weight: float = 20.0,
        image_weight: float = 25.0,
        dropout: float = 0.3,
    ) -> None:
        depth = depth_in(backbone, 12, depth)
        super().__init__(backbone, n_text=n_ctx, n_vision=n_ctx, depth_text=depth, depth_vision=depth, words=None)
        self.ctx = nn.Parameter(padded_words(backbone, WORDS, n_ctx))
        self.to_text = nn.Linear(backbone.embed_dim, backbone.text.width)
        self.to_vision = nn.Linear(backbone.embed_dim, backbone.vision.width)
        self.centres: Tensor
        self.register_buffer("centres", unit(torch.randn(n_clusters, backbone.embed_dim)))
        self.text_weight, self.image_weight = text_weight, image_weight
        self.dropout = nn.Dropout(dropout)
        self.blocks = len(backbone.vision.blocks)
        self._average = EpochAverage()

    def prepare(self, shots: Shots) -> None:
        """Cluster the taught classes."""
        references = unit(self.references(Call(shots.engine, shots.classes)))
        if len(references) < len(self.centres):
            raise InputError(
                f"TAC makes {len(self.centres)} clusters of classes and only {len(references)} are taught: "
                "give more, or a smaller n_clusters"
            )
        self.centres.copy_(cosine_k_means(references, len(self.centres)))

    def references(self, call: Call) -> Tensor:
        """The mean raw feature of each class's descriptions `[N, E]`."""
        call.classes.sentences(1, "TAC")
        known = [call.classes.descriptions[name] for name in call.classes.names]
        features = call.engine.frozen_text([text for own in known for text in own])
        return torch.stack([own.mean(0) for own in features.split([len(own) for own in known])])

    def edits(self, call: Call) -> Edits:
        """IVLP's, with the cluster tokens in front of the context and of the visual tokens."""
        text, vision = self.to_text(self.centres), self.to_vision(self.centres)
        values = torch.cat([text, self.ctx])
        edits = Edits(contexts=(Context(values, template=f"{WORDS} {{}}{call.classes.ending}"),))
        for block, own in enumerate(self.deep_text, 1):
            edits.put("text", block, Tokens(torch.cat([text, own]), "slot"))
        for block, own in enumerate(self.vision):
            site = EMBED if block == 0 else block
            edits.put("vision", site, Tokens(vision, PRE))
            edits.put("vision", site, Tokens(own))
        edits.attention.update({("vision", block): Attention(closed=(("patch", PRE),)) for block in range(self.blocks)})
        edits.features["vision"] = lambda image: self.dropout(image.pooled)
        return edits

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """`cross_entropy`, `text_l1`, `image_l1`; `call.images` holds the views of all images, one view after the other."""
        plain = call.batch if call.plain is None else call.plain
        frozen: Tensor = self.dropout(call.engine.image(plain).pooled.detach())
        frozen = frozen.repeat(len(out.image.features) // len(frozen), 1)
        return {
            **super().losses(out, call),
            "text_l1": self.text_weight * l1_distance(out.text.features, self.references(call)),
            "image_l1": self.image_weight * l1_distance(out.image.features, frozen),
        }

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """The plain mean over epochs replaces the weights at the end."""
        self._average.add(self, 1 / epochs)
        if epoch == epochs - 1:
            self._average.load_into(self)


def padded_words(backbone: DualEncoder, words: str, count: int) -> Tensor:
    """Embeddings `[count, width]` of the tokens of a text, of its end and of padding."""
    ids = [*backbone.tokenizer(words), backbone.end, *([backbone.pad] * count)][:count]
    return backbone.token_embedding.weight[torch.tensor(ids, device=backbone.device)].detach().clone()


def cosine_k_means(points: Tensor, count: int, iterations: int = 100, tolerance: float = 1e-4) -> Tensor:
    """`count` unit centres of unit points `[n, E]` under cosine similarity, begun at random points.

    Ends once the centres move by less than the square root of `tolerance` together. A centre without points moves to a
    random point.
    """
    centres = points[torch.randperm(len(points), device=points.device)[:count]]
    for _ in range(iterations):
        owner = (points @ unit(centres).T).argmax(1)
        moved = torch.stack(
            [
                points[owner == own].mean(0) if bool((owner == own).any()) else points[torch.randint(len(points), ())]
                for own in range(count)
            ]
        )
        shift = (moved - centres).norm(dim=1).sum()
        centres = moved
        if shift**2 < tolerance:
            break
    return unit(centres)
