"""HPT: prompts at three levels from descriptions taken apart (Wang et al. 2024, arXiv 2312.06323)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Structure
from vistune.promptlearn.edits import EMBED, Attention, Context, Edits, Tokens
from vistune.promptlearn.engine import ensemble
from vistune.promptlearn.method import Call, Disclosure, Hyperparameters, Method, Output, normal, sequences
from vistune.promptlearn.prompts import continuation
from vistune.promptlearn.towers.encoded import Encoded

# (token range, token range, kind): kind 0 links two entities, kind 1 an entity and an attribute
Link = tuple[range, range, int]


class Hpt(Method):
    """The text reads `[global][high] NAME. entities. attributes.`, the image tower has `n_vision` tokens in every block.

    At the input all slots are learnt vectors. Before every later block the global slots are replaced by that block's own
    vectors, and each high slot by a residual Linear of one description's unit end-of-text state behind the block below. The
    low level adds a learnt scalar a block and kind of link (zero at first) to the attention scores between linked words.
    Two asymmetric heads compare the prompted image with the frozen text (the mean over descriptions) and the frozen image
    with the prompted text. In training each class draws one of its `n_structures`; at test time all are averaged.

    `reference` "template" uses the classes' template as the frozen text instead. `match` says where a linked word is looked
    for: "first" takes its first occurrence in the whole text, the name included, as released; "listed" looks only behind the
    name. Texts beyond the tower's length are cut, as released.
    """

    recipe = Hyperparameters(lr=0.0025, batch=8, epochs=10)
    disclosure = Disclosure(language_model_text=True)
    needs_causal_text = True
    needs_vision_blocks = True

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        n_global: int = 2,
        n_high: int = 5,
        n_vision: int = 2,
        n_structures: int = 5,
        reference: Literal["descriptions", "template"] = "descriptions",
        match: Literal["first", "listed"] = "first",
    ) -> None:
        super().__init__(backbone)
        blocks, width = len(backbone.text.blocks), backbone.text.width
        self.n_high, self.n_structures = n_high, n_structures
        self.reference, self.match = reference, match
        self.input = normal(n_global + n_high, width)
        self.deep = sequences(normal(n_global, width) for _ in range(blocks - 1))
        self.lift = nn.Linear(width, width)
        self.entity_scale = nn.Parameter(torch.zeros(blocks, 1, 1, 1))
        self.attribute_scale = nn.Parameter(torch.zeros(blocks, 1, 1, 1))
        self.vision = sequences(normal(n_vision, backbone.vision.width) for _ in backbone.vision.blocks)

    def high(self, call: Call) -> Tensor:
        """High tokens `[blocks - 1, N, n_high, width]` that enter blocks 1, 2, ..."""
        sentences = [text for own in call.classes.sentences(self.n_high, "HPT") for text in own]
        states = unit(call.engine.frozen_states(sentences)[1:])
        states = states.view(len(states), len(call.classes), self.n_high, -1)
        lifted: Tensor = states + self.lift(states)
        return lifted

    def class_features(self, call: Call, numbers: Sequence[int]) -> Tensor:
        """Class features `[N, E]`, class i with its `numbers[i]`-th structure."""
        structures = call.classes.structure(numbers, "HPT")
        texts = tuple(
            f"{name}. {', '.join(one.entities)}. {', '.join(one.attributes)}."
            for name, one in zip(call.classes.names, structures, strict=True)
        )
        context = Context(self.input, template="{}", texts=texts, truncate=True)
        edits = Edits(contexts=(context,))
        # Two places go to the tokens that begin and end a text.
        room = call.backbone.context_length - 2 - len(self.input)
        pairs = [
            linked(call.backbone, text, structure, room, behind=len(name) + 1 if self.match == "listed" else 0)
            for name, text, structure in zip(call.classes.names, texts, structures, strict=True)
        ]
        for block, own in enumerate(self.high(call), 1):
            values = torch.cat([self.deep[block - 1].expand(len(texts), -1, -1), own], 1)
            edits.put("text", block, Tokens(values, "slot", per="class"))
        for block, scales in enumerate(zip(self.entity_scale.flatten(), self.attribute_scale.flatten(), strict=True)):
            edits.attention["text", block] = Attention(bias=bias(pairs, *scales))
        return call.engine.text(call.classes, edits).features

    def frozen_text(self, call: Call) -> Tensor:
        """The frozen class features `[N, E]`: the unit mean of unit description features, or the template's."""
        if self.reference == "template":
            return call.frozen_text()
        sentences = call.classes.sentences(self.n_high, "HPT")
        return ensemble(torch.stack([call.engine.frozen_text(texts) for texts in zip(*sentences, strict=True)]))

    def edits(self, call: Call) -> Edits:
        """Class weights from prompted texts, tokens in the image tower, two asymmetric heads."""
        count = len(call.classes)
        if self.training:
            # A structure drawn for each class is as good a step as all of them, at a fifth of the memory.
            weights = self.class_features(call, torch.randint(self.n_structures, (count,)).tolist())
        else:
            weights = torch.stack([unit(self.class_features(call, [i] * count)) for i in range(self.n_structures)]).mean(0)
        edits = Edits(class_weights=weights, logits=lambda image, text: torch.stack(self.heads(image, text, call)).mean(0))
        for i, values in enumerate(self.vision):
            edits.put("vision", EMBED if i == 0 else i, Tokens(values))
        return edits

    def heads(self, image: Encoded, text: Encoded, call: Call) -> tuple[Tensor, Tensor]:
        """Prompted image with frozen text, frozen image with prompted text `[B, N]`."""
        by_image = call.backbone.logits(image.features, self.frozen_text(call))
        return by_image, call.backbone.logits(call.frozen_image(), text.features)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """Cross-entropy of either head and of their mean."""
        image_head, text_head = self.heads(out.image, out.text, call)
        terms = {"image_head": image_head, "text_head": text_head, "mean_head": out.logits}
        return {name: F.cross_entropy(logits, call.target) for name, logits in terms.items()}


def linked(backbone: DualEncoder, text: str, structure: Structure, room: int, behind: int = 0) -> list[Link]:
    """Token ranges, counted from the first token of `text`, of words that are linked and both listed.

    A word's range is its first occurrence among the first `room` tokens, from character `behind` on; a word that does not
    occur there links nothing.
    """
    skipped = len(continuation(backbone, text[:behind])) if behind else 0
    tokens = continuation(backbone, text)[:room]
    entities = set(structure.entities)
    found = []
    for one, other in structure.links:
        kind = 0 if {one, other} <= entities else 1
        found.append((_find(backbone, tokens, one, skipped), _find(backbone, tokens, other, skipped), kind))
    return found


def _find(backbone: DualEncoder, tokens: list[int], word: str, start: int) -> range:
    wanted = continuation(backbone, word)
    for at in range(start, len(tokens) - len(wanted) + 1):
        if tokens[at : at + len(wanted)] == wanted:
            return range(at, at + len(wanted))
    return range(0)


def bias(pairs: list[list[Link]], entity: Tensor, attribute: Tensor) -> Callable[[Mapping[str, tuple[int, int]], int], Tensor]:
    """The attention bias `[N, L, L]`: a scale for each kind of link between linked tokens, both ways, times how often."""

    def of_layout(groups: Mapping[str, tuple[int, int]], length: int) -> Tensor:
        # The text begins where the learnt slots end.
        first = sum(groups["slot"])
        marks = torch.zeros(2, len(pairs), length, length)
        for n, own in enumerate(pairs):
            for one, other, kind in own:
                rows, columns = torch.tensor(one)[:, None] + first, torch.tensor(other)[None] + first
                marks[kind, n, rows, columns] += 1
                # Attention is not symmetric, a link is.
                marks[kind, n, columns.T, rows.T] += 1
        marks = marks.to(entity.device)
        return entity * marks[0] + attribute * marks[1]

    return of_layout
