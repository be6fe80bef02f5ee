"""HPT: prompts at three levels from descriptions taken apart (Wang et al. 2024, arXiv 2312.06323)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Structure
from vistune.promptlearn.edits import EMBED, Attention, Context, Edits, Tokens
from vistune.promptlearn.encoded import Encoded
from vistune.promptlearn.method import Call, Disclosure, Method, Output, Recipe, normal, sequences
from vistune.promptlearn.prompts import continuation


class Hpt(Method):
    """The text reads `[global][high] NAME. entities. attributes.`, the image tower has `n_vision` tokens in every block.

    Global tokens are learnt for every block; a high token is a residual Linear of a description's frozen end-of-text state
    before that block; the low level biases the attention between linked words by a learnt scalar a block (zero at first),
    one for pairs of entities and one for entity and attribute. Two asymmetric heads compare the prompted image with
    the frozen text and the frozen image with the prompted text. One of `n_structures` is drawn in training, all are averaged
    at test time.
    """

    recipe = Recipe(lr=0.0025, batch=8, epochs=10)
    disclosure = Disclosure(language_model_text=True)
    needs_causal_text = True

    def __init__(
        self, backbone: DualEncoder, *, n_global: int = 2, n_high: int = 5, n_vision: int = 2, n_structures: int = 5
    ) -> None:
        super().__init__(backbone)
        blocks, width = len(backbone.text.blocks), backbone.text.width
        self.n_high, self.n_structures = n_high, n_structures
        self.deep = sequences(normal(n_global, width) for _ in range(blocks))
        self.lift = nn.Linear(width, width)
        self.low = nn.Parameter(torch.zeros(blocks, 2))
        self.vision = sequences(normal(n_vision, backbone.vision.width) for _ in backbone.vision.blocks)

    def high(self, call: Call) -> Tensor:
        """High tokens `[blocks, N, n_high, width]`."""
        sentences = [text for own in call.classes.sentences(self.n_high, "HPT") for text in own]
        states = call.engine.frozen_states(sentences)
        states = states.view(len(states), len(call.classes), self.n_high, -1)
        lifted: Tensor = states + self.lift(states)
        return lifted

    def class_features(self, call: Call, number: int) -> Tensor:
        """Class features `[N, E]` of one structure."""
        structures = call.classes.structure(number, "HPT")
        texts = tuple(
            f"{name}. {', '.join(one.entities)}. {', '.join(one.attributes)}."
            for name, one in zip(call.classes.names, structures, strict=True)
        )
        high = self.high(call)
        values = [torch.cat([deep.expand(len(texts), -1, -1), own], 1) for deep, own in zip(self.deep, high, strict=True)]
        edits = Edits(contexts=(Context(values[0], "class", texts=texts),))
        pairs = linked(call.backbone, texts, structures)
        for block, own in enumerate(values):
            if block:
                edits.put("text", block, Tokens(own, "slot", per="class"))
            edits.attention["text", block] = Attention(bias=bias(pairs, self.low[block]))
        return call.engine.text(call.classes, edits).features

    def edits(self, call: Call) -> Edits:
        """Class weights from prompted texts, tokens in the image tower, two asymmetric heads."""
        if self.training:
            weights = self.class_features(call, int(torch.randint(self.n_structures, ())))
        else:
            weights = torch.stack([unit(self.class_features(call, i)) for i in range(self.n_structures)]).mean(0)
        edits = Edits(class_weights=weights, logits=lambda image, text: torch.stack(self.heads(image, text, call)).mean(0))
        for i, values in enumerate(self.vision):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits

    def heads(self, image: Encoded, text: Encoded, call: Call) -> tuple[Tensor, Tensor]:
        """Prompted image with frozen text, frozen image with prompted text `[B, N]`."""
        frozen_text = call.backbone.logits(image.features, call.frozen_text())
        return frozen_text, call.backbone.logits(call.frozen_image(), text.features)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """Cross-entropy of either head and of their mean."""
        image_head, text_head = self.heads(out.image, out.text, call)
        terms = {"image_head": image_head, "text_head": text_head, "mean_head": out.logits}
        return {name: F.cross_entropy(logits, call.target) for name, logits in terms.items()}


def linked(
    backbone: DualEncoder, texts: Sequence[str], structures: Sequence[Structure]
) -> list[list[tuple[range, range, int]]]:
    """For every text, the token ranges (counted from the first token) of linked words; 0 marks two entities, 1 an attribute.

    Entities and attributes are looked for behind the name, where the text lists them.
    """
    found = []
    for text, structure in zip(texts, structures, strict=True):
        listed = text.index(". ") + 2
        spans = {}
        for word in (*structure.entities, *structure.attributes):
            at = text.index(word, listed)
            spans[word] = range(
                len(continuation(backbone, text[:at].rstrip())), len(continuation(backbone, text[: at + len(word)]))
            )
        entities = set(structure.entities)
        found.append([(spans[one], spans[other], 0 if {one, other} <= entities else 1) for one, other in structure.links])
    return found


def bias(pairs: list[list[tuple[range, range, int]]], scales: Tensor) -> Callable[[Mapping[str, tuple[int, int]], int], Tensor]:
    """The attention bias `[N, L, L]`: `scales[kind]` between linked tokens, both ways."""

    def of_layout(groups: Mapping[str, tuple[int, int]], length: int) -> Tensor:
        first = sum(groups["slot"])
        marks = torch.zeros(2, len(pairs), length, length)
        for n, own in enumerate(pairs):
            for one, other, kind in own:
                rows, columns = torch.tensor(one)[:, None] + first, torch.tensor(other)[None] + first
                marks[kind, n, rows, columns] = 1
                marks[kind, n, columns.T, rows.T] = 1
        return scales[0] * marks[0] + scales[1] * marks[1]

    return of_layout
