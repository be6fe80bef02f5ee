"""The engine: a frozen dual encoder, images and class names in; features and logits under a method's edits out.

What is exact and still saved, each switch on its own so that it can be measured and tested against the plain forward:

- `crop`: columns behind the longest text are not computed (causal mask: nothing before them sees them);
- `share_prefix`: what all texts start with, context included, runs once and is read by all through its keys and values;
- `last_rows`: the last block computes only the rows that are read;
- `cache`: frozen text features, and for a bank of images the activations below the first touched site.
"""

from __future__ import annotations

from collections.abc import Sequence as Many

import torch
from torch import Tensor

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder, unit
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import EMBED, PIXELS, Context, Edits, TowerName
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.prompts import Prompts, embed, tokenize, with_context
from vistune.promptlearn.towers.encoded import Encoded
from vistune.promptlearn.towers.sequence import Sequence
from vistune.promptlearn.towers.tower import finish, run

FROZEN = Edits()


class Engine:
    """Runs a `DualEncoder` under edits. All switches off is the plain forward pass over the full context length.

    `scope` names this encoder's entries in a bank of images that another encoder reads as well (a student and its teacher).
    """

    def __init__(
        self,
        backbone: DualEncoder,
        *,
        crop: bool = True,
        share_prefix: bool = True,
        last_rows: bool = True,
        cache: bool = True,
        scope: str = "",
    ) -> None:
        self.backbone = backbone
        self.crop = crop
        self.share_prefix = share_prefix
        self.last_rows = last_rows
        self.cache = cache
        self.scope = scope
        self._texts: dict[tuple[str, ...], Tensor] = {}
        self._states: dict[tuple[str, ...], Tensor] = {}

    @classmethod
    def plain(cls, backbone: DualEncoder) -> Engine:
        """No shortcut at all: what every released trainer does."""
        return cls(backbone, crop=False, share_prefix=False, last_rows=False, cache=False)

    def text(self, classes: Classes, edits: Edits = FROZEN) -> Encoded:
        """Class features `[N, E]`, or `[G, N, E]` when a context has a row of its own for each image or prompt."""
        if edits.class_weights is not None:
            return self._edited("text", Encoded(edits.class_weights, edits.class_weights), edits)
        if edits.first_touched("text") is None:
            pooled = self.frozen_text(classes.texts(edits.template))
            return self._edited("text", Encoded(pooled, pooled), edits)
        if not edits.contexts:
            encoded = [self._text(tokenize(self.backbone, classes.texts(edits.template), crop=self.crop), None, edits)]
        else:
            encoded = [
                self._text(with_context(self.backbone, classes.names, context, crop=self.crop), context, edits)
                for context in edits.contexts
            ]
        whole = encoded[0] if len(encoded) == 1 else _join_rows(encoded)
        return self._edited("text", whole, edits)

    def _text(self, prompts: Prompts, context: Context | None, edits: Edits) -> Encoded:
        state = embed(self.backbone, prompts, context, share=self.share_prefix)
        tower = self.backbone.text
        out = finish(tower, state, edits, 0, read=edits.read.get("text", ()), only_rows=self.last_rows)
        # One row is the usual case and loses its axis; a context for each image keeps it even for a batch of one.
        keep = out.pooled.shape[0] > 1 or (context is not None and context.per == "row")
        pooled = tower.project(out.pooled if keep else out.pooled[0])
        return Encoded(pooled, pooled, {name: group if keep else group[0] for name, group in out.groups.items()})

    def frozen_text(self, texts: Many[str]) -> Tensor:
        """Features `[N, E]` of plain texts from the frozen tower, projected, not normalised; each text runs once."""
        texts = tuple(texts)
        if texts not in self._texts or not self.cache:
            with torch.no_grad():
                self._texts[texts] = self._text(tokenize(self.backbone, texts, crop=self.crop), None, FROZEN).pooled
        return self._texts[texts]

    def frozen_ends(self, texts: Many[str]) -> Tensor:
        """States `[N, width]` of each text's end behind the frozen tower's final norm, before its projection."""
        texts = tuple(texts)
        key = ("ends", *texts)
        if key not in self._states or not self.cache:
            with torch.no_grad():
                state = embed(self.backbone, tokenize(self.backbone, texts, crop=self.crop), None, share=self.share_prefix)
                out = finish(self.backbone.text, state, FROZEN, 0, read=(), only_rows=self.last_rows)
                self._states[key] = self.backbone.text.final_norm(out.pooled[0])
        return self._states[key]

    def frozen_states(self, texts: Many[str]) -> Tensor:
        """States `[blocks, N, width]` of each text's end *before* every block of the frozen tower, not projected."""
        texts = tuple(texts)
        if texts not in self._states or not self.cache:
            with torch.no_grad():
                self._states[texts] = self._end_states(texts)
        return self._states[texts]

    def _end_states(self, texts: tuple[str, ...]) -> Tensor:
        state = embed(self.backbone, tokenize(self.backbone, texts, crop=self.crop), None, share=False)
        # The end of each text stands at another place; its state is picked there before every block.
        index = state.pool[None, :, None, None].expand(1, -1, 1, state.tail.shape[-1])
        found = []
        for block in range(len(self.backbone.text.blocks)):
            found.append(torch.take_along_dim(state.tail, index, 2)[0, :, 0])
            state = run(self.backbone.text, state, FROZEN, block, block + 1)
        return torch.stack(found)

    def frozen_templates(self, classes: Classes, templates: Many[str]) -> Tensor:
        """Frozen features `[T, N, E]` of every class in every template, not normalised."""
        return torch.stack([self.frozen_text(classes.texts(template)) for template in templates])

    def image(self, images: Images, edits: Edits = FROZEN) -> Encoded:
        """Image features `[B, E]`. What lies below the first touched site comes from the bank, where there is one."""
        read = edits.read.get("vision", ())
        touched = edits.first_touched("vision")
        if not self.backbone.has_blocks:
            return self._edited("vision", self._resnet(images, edits, touched, read), edits)
        if images.bank is None or not self.cache or touched == PIXELS:
            pixels = images.pixels if edits.pixels is None else edits.pixels(images.pixels)
            return self._edited("vision", self._image(self._below(pixels, EMBED), EMBED, edits, read), edits)
        assert images.ids is not None
        if touched is None and not read and not edits.read_class_attention:
            pooled = images.bank.get(f"{self.scope}features", images.ids, self._frozen_features)
            return self._edited("vision", Encoded(pooled, pooled), edits)
        depth = len(self.backbone.vision.blocks)
        # Attention of the class token is read in the last block, which therefore has to run; without it nothing has to.
        level = touched if touched is not None else depth - 1 if edits.read_class_attention else depth
        hidden = images.bank.get(f"{self.scope}level {level}", images.ids, lambda pixels: self._below(pixels, level))
        return self._edited("vision", self._image(hidden, level, edits, read), edits)

    def _resnet(self, images: Images, edits: Edits, touched: int | None, read: tuple[str, ...]) -> Encoded:
        """Features of a ResNet tower, which has no site but the pixels."""
        if touched not in (None, PIXELS) or read or edits.read_class_attention:
            raise InputError(
                f"{self.backbone.identity} has a ResNet image tower: its blocks and tokens cannot be changed or read"
            )
        if edits.pixels is not None:
            pooled = self.backbone.resnet_features(edits.pixels(images.pixels))
        elif images.bank is None or not self.cache:
            pooled = self.backbone.resnet_features(images.pixels)
        else:
            assert images.ids is not None
            pooled = images.bank.get(f"{self.scope}features", images.ids, self.backbone.resnet_features)
        return Encoded(pooled, pooled)

    def _frozen_features(self, pixels: Tensor) -> Tensor:
        return self._image(self._below(pixels, EMBED), EMBED, FROZEN, ()).pooled

    def _below(self, pixels: Tensor, level: int) -> Tensor:
        """What the frozen image tower feeds to site `level` `[B, 1 + patches, width]`."""
        hidden = self.backbone.embed_image(pixels)
        if level == EMBED:
            return hidden
        state = self._vision_state(self.backbone.norm_image_input(hidden))
        return run(self.backbone.vision, state, FROZEN, 0, level).tail[:, 0]

    def _vision_state(self, hidden: Tensor) -> Sequence:
        patches = hidden.shape[1] - int(self.backbone.has_class_token)
        groups = {"patch": (hidden.shape[1] - patches, patches)}
        if self.backbone.has_class_token:
            groups["cls"] = (0, 1)
        return Sequence(hidden[:, :0], hidden[:, None], groups, torch.zeros(1, dtype=torch.long, device=hidden.device))

    def _image(self, hidden: Tensor, level: int, edits: Edits, read: tuple[str, ...]) -> Encoded:
        """From what enters site `level` to the features."""
        state = self._vision_state(hidden)
        if level == EMBED:
            for op in edits.tokens.get(("vision", EMBED), ()):
                state = state.put(op)
            normed = self.backbone.norm_image_input(state.tail[:, 0])
            state = Sequence(normed[:, :0], normed[:, None], state.groups, state.pool)
        # SigLIP pools over its patches, so they are needed even where the method reads nothing.
        wanted = read if self.backbone.has_class_token else ("patch", *(name for name in read if name != "patch"))
        start = max(level, 0)
        out = finish(self.backbone.vision, state, edits, start, read=wanted, only_rows=self.last_rows)
        groups = {name: group[:, 0] for name, group in out.groups.items()}
        pooled = self.backbone.pool_image(out.pooled[:, 0], groups.get("patch"))
        attention = None if out.class_attention is None else out.class_attention[:, 0]
        return Encoded(pooled, pooled, groups, attention)

    def _edited(self, tower: TowerName, encoded: Encoded, edits: Edits) -> Encoded:
        change = edits.features.get(tower)
        if change is None:
            return encoded
        return Encoded(change(encoded), encoded.pooled, encoded.groups, encoded.class_attention)

    def logits(self, image: Encoded, text: Encoded, edits: Edits) -> Tensor:
        """Logits `[B, N]`: scaled cosine, unless the method combines features in its own way."""
        if edits.logits is not None:
            return edits.logits(image, text)
        return self.backbone.logits(image.features, text.features)


def _join_rows(parts: list[Encoded]) -> Encoded:
    """Several contexts' features, one after the other along the row axis."""
    pooled = torch.cat([part.pooled if part.pooled.ndim == 3 else part.pooled[None] for part in parts])
    return Encoded(pooled, pooled)


def ensemble(features: Tensor) -> Tensor:
    """The mean over templates of unit features `[T, N, E]`, at length one again (CLIP's prompt ensemble)."""
    return unit(unit(features).mean(0))
