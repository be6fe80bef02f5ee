"""Answers under way as one batch of a decoder: rows join with their prompts, are all stepped by a token, and leave.

    columns    . . s I I I a b | x y z       row 0: prompt without a known beginning, three tokens written
               s I I I . . c d | u v         row 1: its beginning was known, `c d` was read when it joined
    seen       1 where a token of the row stands; a hole is never looked at

Positions are handed over beside the columns, so that holes cost room but change nothing. What rows saw when they joined (a
beginning's keys and values) may come from an earlier row: `Beginning`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import DynamicCache

from vistune.model.answering.columns import Columns
from vistune.model.language.causal import LanguageModel
from vistune.model.language.hooks import Run
from vistune.model.language.inputs import Inputs

Pairs = list[tuple[Tensor, Tensor]]
"""Keys and values of each layer, `[kv heads, S, d]`."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Keys and values of the first `length` tokens of a prompt, as some earlier row computed them."""

    pairs: Pairs
    length: int


@dataclass(frozen=True, slots=True)
class Joining:
    """A sample's prompt that is to be continued in `copies` rows; tokens that `beginning` covers are not read again."""

    inputs: Inputs
    beginning: Beginning | None = None
    copies: int = 1

    @property
    def known(self) -> int:
        """How many of its tokens are known."""
        return 0 if self.beginning is None else self.beginning.length


def steps(llm: LanguageModel) -> bool:
    """Whether answers of this model can be written in a batch that rows join and leave."""
    config = llm.model.config
    # Keys beside the row, or a prompt in front of it, are not in the columns that this batch moves about.
    if config.is_encoder_decoder or llm.prompt is not None or llm.hooks.concatenates:
        return False
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    window = getattr(text, "sliding_window", None)
    # A window counts columns, and a hole would make it shorter: families with one are answered batch by batch.
    return kinds == {"full_attention"} and not (window and getattr(text, "use_sliding_window", True))


def joins(inputs: Inputs) -> bool:
    """Whether a prompt can join: what its tokens look at beside the row would have to move with it."""
    return inputs.context is None and inputs.sees is None


class Running:
    """The batch. Its rows are numbered from 0; who leaves makes those behind it move up."""

    def __init__(self, llm: LanguageModel) -> None:
        self.llm = llm
        self._columns: list[Columns] = []  # keys and values of each layer, [B, kv heads, C, d]
        self._seen = torch.zeros((0, 0), dtype=torch.bool)
        self._next = torch.zeros(0, dtype=torch.long)

    def __len__(self) -> int:
        return len(self._next)

    @property
    def _pairs(self) -> Pairs:
        return [(layer.keys, layer.values) for layer in self._columns]

    @_pairs.setter
    def _pairs(self, pairs: Pairs) -> None:
        self._columns = [Columns(*pair) for pair in pairs]

    @property
    def bytes(self) -> int:
        """What keys and values take."""
        return sum(layer.bytes for layer in self._columns)

    @torch.no_grad()
    def join(self, prompts: Sequence[Joining]) -> tuple[Tensor, list[Pairs]]:
        """Read prompts and add their rows; logits `[N, V]` of their first tokens, and the keys and values of each prompt."""
        device = prompts[0].inputs.embeds.device
        # Columns are laid out as [known | new], both padded in front, so that every prompt's last token is in the last
        # column.
        before = max(prompt.known for prompt in prompts)
        new = max(len(prompt.inputs.embeds) - prompt.known for prompt in prompts)
        seen = torch.zeros((len(prompts), before + new), dtype=torch.bool, device=device)
        embeds = prompts[0].inputs.embeds.new_zeros((len(prompts), new, prompts[0].inputs.embeds.shape[1]))
        positions = torch.zeros((len(prompts), new), dtype=torch.long, device=device)
        modality = torch.zeros((len(prompts), new), dtype=torch.bool, device=device)
        for row, prompt in enumerate(prompts):
            fresh = len(prompt.inputs.embeds) - prompt.known
            # Two stretches of a row with a hole between them; the hole is masked, and positions are given, so nothing depends
            # on it.
            seen[row, before - prompt.known : before] = True
            seen[row, before + new - fresh :] = True
            embeds[row, new - fresh :] = prompt.inputs.embeds[prompt.known :]
            positions[row, new - fresh :] = prompt.inputs.positions[prompt.known :]
            if prompt.inputs.modality is not None:
                modality[row, new - fresh :] = prompt.inputs.modality[prompt.known :]
        visual = modality if any(prompt.inputs.modality is not None for prompt in prompts) else None
        self.llm.hooks.run = Run(samples=len(prompts), modality=visual)
        place = torch.arange(new, device=device)
        # A query sees its row's columns up to its own. Padding sees itself, since a softmax over nothing is not a number.
        mask = seen[:, None, :] & (torch.arange(before + new, device=device) <= before + place[:, None])
        mask[:, place, before + place] = True
        cache = _cache(_laid([prompt.beginning for prompt in prompts], before))
        logits = self._read(embeds, mask[:, None], positions, cache)
        pairs = [(layer.keys, layer.values) for layer in cache.layers]
        kept = [_row(pairs, row, seen[row]) for row in range(len(prompts))]
        following = positions[:, -1] + 1
        if any(prompt.copies > 1 for prompt in prompts):
            # Several answers to one prompt share its reading: its row is copied, not read again.
            copies = torch.tensor([row for row, prompt in enumerate(prompts) for _ in range(prompt.copies)], device=device)
            pairs = [(keys[copies], values[copies]) for keys, values in pairs]
            seen, following, logits = seen[copies], following[copies], logits[copies]
        self._add(pairs, seen, following)
        return logits, kept

    @torch.no_grad()
    def step(self, tokens: Sequence[int]) -> Tensor:
        """Write a token to each row; logits `[B, V]` of the next ones."""
        device = self._seen.device
        # The new token's own column, which it must see.
        self._seen = torch.cat([self._seen, self._seen.new_ones((len(self), 1))], dim=1)
        self.llm.hooks.run = Run(samples=len(self))
        cache = DynamicCache()
        cache.layers = self._columns
        embeds = self.llm.embed(torch.tensor(tokens, device=device)[:, None])
        logits = self._read(embeds, self._seen[:, None, None], self._next[:, None], cache)
        self._next = self._next + 1
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        """Let all rows leave but these; columns that nobody sees any longer go with them."""
        if not rows:
            self._pairs, self._seen, self._next = [], self._seen[:0, :0], self._next[:0]
            return
        index = torch.tensor(rows, device=self._seen.device)
        seen = self._seen[index]
        # A long prompt that leaves would otherwise keep its columns in every later step.
        columns = seen.any(dim=0)
        whole = bool(columns.all())
        self._pairs = [
            (keys[index], values[index]) if whole else (keys[index][:, :, columns], values[index][:, :, columns])
            for keys, values in self._pairs
        ]
        self._seen, self._next = seen[:, columns], self._next[index]

    def _read(self, embeds: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache) -> Tensor:
        output = self.llm.model.base_model(
            inputs_embeds=embeds, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        )
        return self.llm.logits(output.last_hidden_state[:, -1])

    def _add(self, pairs: Pairs, seen: Tensor, following: Tensor) -> None:
        if not len(self):
            self._pairs, self._seen, self._next = pairs, seen, following
            return
        width = max(self._seen.shape[1], seen.shape[1])
        self._pairs = [
            (torch.cat([_left(old, width), _left(new, width)]), torch.cat([_left(first, width), _left(second, width)]))
            for (old, first), (new, second) in zip(self._pairs, pairs, strict=True)
        ]
        self._seen = torch.cat([_columns(self._seen, width), _columns(seen, width)])
        self._next = torch.cat([self._next, following])


def _cache(pairs: Pairs) -> DynamicCache:
    cache = DynamicCache()
    for number, (keys, values) in enumerate(pairs):
        cache.update(keys, values, number)
    return cache


def _laid(beginnings: Sequence[Beginning | None], length: int) -> Pairs:
    """Beginnings as a batch, padded in front to `length`."""
    some = next((each for each in beginnings if each is not None), None)
    if some is None:
        return []
    found: Pairs = []
    for number, pattern in enumerate(some.pairs):
        batch = [part.new_zeros((len(beginnings), part.shape[0], length, part.shape[2])) for part in pattern]
        for row, each in enumerate(beginnings):
            if each is not None:
                for part, own in zip(batch, each.pairs[number], strict=True):
                    part[row, :, length - each.length :] = own[:, : each.length]
        found.append((batch[0], batch[1]))
    return found


def _row(pairs: Pairs, row: int, seen: Tensor) -> Pairs:
    """A row's keys and values without its holes; those of a prompt read alone, which has none, are not copied."""
    if seen.all() and pairs[0][0].shape[0] == 1:
        return [(keys[0], values[0]) for keys, values in pairs]  # nothing is written into what was read: `Columns` grow first
    return [(keys[row][:, seen], values[row][:, seen]) for keys, values in pairs]


def _left(part: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(part, (0, 0, width - part.shape[2], 0))


def _columns(seen: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(seen, (width - seen.shape[1], 0))
