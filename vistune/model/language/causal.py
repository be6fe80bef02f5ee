"""`LanguageModel`: one wrapper over any causal decoder of `transformers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, DynamicCache

from vistune.errors import InputError
from vistune.model.adapters.soft_prompts import SoftPrompt
from vistune.model.answering.prefixes import Shared
from vistune.model.language import attention
from vistune.model.language.finite import NOT_FINITE, watched
from vistune.model.language.hooks import Hooks, Run
from vistune.model.language.inputs import Inputs
from vistune.model.language.loss import cross_entropy_sum, log_likelihoods
from vistune.model.part import Stack
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model, read_tokenizer
from vistune.model.weights.quantize import FourBit, four_bit


class LanguageModel(Stack):
    """A decoder that reads embeddings of packed samples and gives hidden states, losses or generated tokens.

    `path` is a directory or hub id. `width` is H. Rows of the embedding are added for tokens a codec needs and the
    tokenizer lacks. `quantize` holds the layers' matrices in four bits, for adapters to be trained beside them.
    """

    def __init__(
        self, path: str, revision: str | None = None, load_weights: bool = True, quantize: FourBit | None = None
    ) -> None:
        super().__init__()
        folder = locate(path)
        config = read_config(path, folder, revision)
        if "vision_config" in config.sub_configs:
            raise InputError(f"{path} is a {config.model_type}, a whole vision-language model: `vistune import` it instead")
        self.model: Any = self._read(path, folder, config, revision, load_weights, **four_bit(quantize))
        self.tokenizer = read_tokenizer(path, folder, revision)
        self.width = int(self.embeddings.shape[1])
        self.hooks = Hooks(self.blocks)
        self.prompt: SoftPrompt | None = None  # what stands in front of every sample
        self.added: list[int] = []  # tokens that `add_tokens` gave the tokenizer

    def _read(self, path: str, folder: str, config: Any, revision: str | None, load_weights: bool, **how: Any) -> Any:
        """The model of `transformers`."""
        attention.register()
        how |= {"attn_implementation": attention.NAME}
        model = read_model(AutoModelForCausalLM, path, folder, config, revision, load_weights, **how)
        if not model.is_backend_compatible():
            raise InputError(f"{path} is a {config.model_type}, whose attention cannot be told where packed samples end")
        return model

    @property
    def blocks(self) -> nn.ModuleList:
        """The decoder layers, first to last."""
        lists = [module for module in self.model.modules() if isinstance(module, nn.ModuleList)]
        # Families name their layers differently (`layers`, `h`, `decoder.layers`), but the stack of layers is the longest
        # list in all of them.
        return max(lists, key=len)

    @property
    def embeddings(self) -> Tensor:
        """The rows of the input embedding, `[vocabulary, H]`."""
        rows: Tensor = self.model.get_input_embeddings().weight
        return rows

    @property
    def hidden_width(self) -> int:
        """The width inside the decoder layers; that of the embedding, H, in all families but a few."""
        return int(self.model.config.get_text_config().hidden_size)

    @property
    def heads(self) -> int:
        """Query heads of each layer."""
        return int(self.model.config.get_text_config().num_attention_heads)

    def add_tokens(self, tokens: list[str]) -> int:
        """Give the tokenizer the special tokens it lacks and the embedding a row for each; returns how many were new.

        New rows start at the mean of the old ones: they neither attract nor repel probability at first, and a checkpoint that
        does not hold them is loaded to the same numbers.
        """
        known = self.tokenizer.get_vocab()
        new = [token for token in tokens if token not in known]
        if not new:
            return 0
        self.tokenizer.add_tokens(new, special_tokens=True)
        self.added += self.tokenizer.convert_tokens_to_ids(new)
        self.grow()
        return len(new)

    def grow(self) -> None:
        """Give each word of the tokenizer a row, see `add_tokens`."""
        # Some families have more rows than words (a multiple of 64 for the sake of speed): those are used first.
        rows = self.model.get_input_embeddings().weight.shape[0]
        if len(self.tokenizer) > rows:
            self.model.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
            for layer in (self.model.get_input_embeddings(), self.model.get_output_embeddings()):
                # A new word as likely as the average one: a random row may win or lose every softmax before it is taught.
                layer.weight.data[rows:] = layer.weight.data[:rows].mean(dim=0)

    def embed(self, ids: Tensor) -> Tensor:
        """`[...]` token ids -> `[..., H]`."""
        layer = self.model.get_input_embeddings()
        try:
            embeds: Tensor = layer(ids)
        except IndexError as error:  # a tokenizer that some other model was made for
            raise InputError(
                f"the tokenizer gives the token {int(ids.max())}, the language model knows {len(layer.weight)}: no pair"
            ) from error
        return embeds

    def forward(self, inputs: Inputs) -> Tensor:
        """A packed row of T tokens -> hidden states `[T, H]`."""
        if self.prompt is None:
            return self._run(inputs)
        return self.prompt.leave(self._run(self.prompt.enter(inputs)), inputs.lengths)

    def read(self, inputs: Inputs) -> Tensor:
        """States `[T, H]` of a row as it is read in a first pass: in a decoder, what `forward` gives."""
        states: Tensor = self(inputs)
        return states

    def _run(self, inputs: Inputs, after: tuple[int | None, ...] | None = None, cache: DynamicCache | None = None) -> Tensor:
        """`forward`, where sample i may go on from sample `after[i]`; given a `cache`, keys and values are left there."""
        self.hooks.run = Run(
            samples=len(inputs.lengths),
            modality=None if inputs.modality is None else inputs.modality[None],
            context=inputs.context,
            sees=None if inputs.sees is None else inputs.sees[None],
        )
        output = self.model.base_model(
            inputs_embeds=inputs.embeds[None],
            # Given, since the library would count positions through the whole row instead of restarting at each sample.
            position_ids=inputs.positions[None],
            attention_mask=_NO_MASK.to(inputs.embeds.device),
            past_key_values=cache,
            use_cache=cache is not None,
            lengths=inputs.lengths,
            after=after,
            branches=inputs.branches,
        )
        hidden: Tensor = output.last_hidden_state[0]
        return hidden

    def logits(self, hidden: Tensor) -> Tensor:
        """`[..., H]` -> `[..., vocabulary]`, as the model's own head gives them."""
        scores: Tensor = self.model.get_output_embeddings()(hidden)
        settings = self.model.config.get_text_config().to_dict()
        if settings.get("logits_scaling") is not None:  # Granite
            scores = scores / settings["logits_scaling"]
        if settings.get("logit_scale") is not None:  # Cohere
            scores = scores * settings["logit_scale"]
        cap = settings.get("final_logit_softcapping")  # Gemma 2
        return scores if cap is None else torch.tanh(scores / cap) * cap

    def loss_sum(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """Summed cross-entropy of next tokens: `hidden [T, H]` of one packed row, `labels [T]` (-100: none).

        Position t predicts token t + 1. The first token of a sample is never supervised, so that no sample predicts its
        neighbour. The vocabulary is projected to only where labels are, a chunk at a time, and no chunk's logits are kept.
        """
        where = torch.nonzero(labels[1:] != -100).squeeze(1)
        # The head's own parameters are passed on so that the chunked loss can give them gradients; everything before it goes
        # through `hidden`.
        weights = list(self.model.get_output_embeddings().parameters())
        return cross_entropy_sum(self.logits, weights, len(self.embeddings), hidden[where], labels[where + 1])

    def log_likelihoods(self, hidden: Tensor, labels: Tensor) -> Tensor:
        """The logarithm of each label's probability, `[T]`, zero where there is none; arguments as for `loss_sum`."""
        where = torch.nonzero(labels[1:] != -100).squeeze(1)
        found = log_likelihoods(self.logits, len(self.embeddings), hidden[where], labels[where + 1])
        if not bool(torch.isfinite(found).all()):
            raise InputError(NOT_FINITE)
        return found.new_zeros(len(labels)).index_put((where + 1,), found)

    def shared_states(self, inputs: Inputs, shared: Shared) -> Tensor | None:
        """What `forward` gives for a packed row, every shared beginning computed once; None where that may not be done.

        It may not in an encoder-decoder, and where hooks look beside the row.
        """
        pieces = self._pieces(inputs, shared)
        # `back` puts the states of shared pieces where each sample would have computed them itself.
        return None if pieces is None else self._run(pieces, shared.after)[shared.back.to(inputs.embeds.device)]

    def _pieces(self, inputs: Inputs, shared: Shared) -> Inputs | None:
        if self.model.config.is_encoder_decoder or self.prompt is not None or self.hooks.concatenates:
            return None
        return shared.read(inputs)

    @torch.no_grad()
    def prefill(self, inputs: Inputs, shared: Shared) -> DynamicCache | None:
        """Keys and values of a packed row of prompts but for the last token of each, every shared beginning computed once.

        Rows are padded on the left, as `generate` pads them. None where `shared_states` gives none, and where a prompt ends
        with a visual token that is routed.
        """
        pieces = self._pieces(inputs, shared)
        ends = torch.tensor(inputs.lengths).cumsum(0).to(inputs.embeds.device) - 1
        # The last token of a prompt is computed by `generate`, which takes it for text: a routed visual token would go
        # through the wrong expert.
        if pieces is None or (inputs.modality is not None and bool(inputs.modality[ends].any())):
            return None
        row = DynamicCache()
        self._run(pieces, shared.after, row)
        cache = DynamicCache(config=self.model.config)
        # Without the last token: `generate` needs at least one token to compute the first logits from.
        places = [part[:-1] for part in shared.back.to(inputs.embeds.device).split(inputs.lengths)]
        lengths = tuple(map(len, places))
        for number, layer in enumerate(row.layers):
            pair = (part[0].transpose(0, 1)[torch.cat(places)] for part in (layer.keys, layer.values))
            # The library's layout is `[B, heads, T, d]`; padding acts on the axis of tokens, which therefore stands in front
            # meanwhile.
            cache.update(*(_pad_left(part, lengths).transpose(1, 2) for part in pair), number)
        return cache

    def generate(self, inputs: Inputs, max_new_tokens: int, stop: list[str] | None = None, **options: Any) -> list[str]:
        """Continue each prompt of a packed row; returns the new text up to the first of `stop`, see `generate_ids`."""
        return [self.text_of(row, stop or []) for row in self.generate_ids(inputs, max_new_tokens, stop, **options)]

    @torch.no_grad()
    def generate_ids(
        self, inputs: Inputs, max_new_tokens: int, stop: list[str] | None = None, pauses: Sequence[int] = (), **options: Any
    ) -> list[list[int]]:
        """Continue each prompt of a packed row, greedily unless `options` say otherwise; returns the new tokens.

        Prompts are padded on the left. An answer ends before the end-of-sequence token or a `stop` of one token, and behind
        a token of `pauses`. With `past_key_values` from `prefill` among the options, nothing in them is computed again.
        """
        inputs = inputs if self.prompt is None else self.prompt.enter(inputs)
        lengths = inputs.lengths
        # On the left, so that all prompts end in the same column and new tokens stand side by side.
        mask = _pad_left(torch.ones_like(inputs.positions), lengths)
        self.hooks.run = Run(
            samples=len(lengths),
            modality=None if inputs.modality is None else _pad_left(inputs.modality, lengths),
            context=inputs.context,
            sees=None if inputs.sees is None else _pad_left(inputs.sees, lengths),
        )
        with watched(self.model):
            ids = self.model.generate(
                inputs_embeds=_pad_left(inputs.embeds, lengths),
                attention_mask=mask,
                position_ids=_pad_left(inputs.positions, lengths),
                max_new_tokens=max_new_tokens,
                pad_token_id=self.tokenizer.pad_token_id,
                eos_token_id=[*self.ends(stop or []), *pauses],
                # The caller's options win; without any, greedy decoding keeps answers reproducible.
                **({"do_sample": False} | options),
            )
        return [self.cut(row.tolist(), stop or [], pauses) for row in ids]

    def ends(self, stop: list[str]) -> list[int]:
        """Tokens that end an answer: the tokenizer's own, and every `stop` string that is a single special token."""
        vocabulary = self.tokenizer.get_added_vocab()
        return [self.tokenizer.eos_token_id, *(vocabulary[text] for text in stop if text in vocabulary)]

    def cut(self, ids: list[int], stop: list[str], pauses: Sequence[int] = ()) -> list[int]:
        """New tokens up to the first end (left out) or the first pause (kept)."""
        ends = set(self.ends(stop))
        for place, token in enumerate(ids):
            if token in ends or token in pauses:
                return ids[: place + (token in pauses)]
        return ids

    def words(self, ids: Sequence[int]) -> str:
        """Tokens as text; special ones, which a codec or a head reads, are kept."""
        return str(self.tokenizer.decode(list(ids), skip_special_tokens=False))

    def text_of(self, ids: Sequence[int], stop: list[str]) -> str:
        """New tokens as text up to the first of `stop`; tokens that a codec or a head reads are kept."""
        text = self.words(ids)
        # Stops of several tokens cannot end generation early; what was written behind them is cut off here.
        for marker in stop:
            text = text.split(marker)[0]
        return text.strip()


def _pad_left(row: Tensor, lengths: tuple[int, ...]) -> Tensor:
    """A packed row `[T, ...]` -> a batch `[B, longest, ...]`, zeros in front of what is shorter."""
    padded = row.new_zeros((len(lengths), max(lengths), *row.shape[1:]))
    for place, sample in enumerate(row.split(lengths)):
        padded[place, max(lengths) - len(sample) :] = sample
    return padded


# Four-dimensional, so that `transformers` takes it for a finished mask and builds none; with `lengths` nobody reads it.
_NO_MASK = torch.ones((1, 1, 1, 1), dtype=torch.bool)
