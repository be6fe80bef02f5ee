"""Encoder-decoders (T5, FLAN-T5) behind the surface of `LanguageModel`: the encoder reads, the decoder answers.

    row             [ picture ] What is it? </s> A bus. </s> And why? </s> It has wheels. </s>
    1st answer       encoder ------------------> decoder -->
    2nd answer       encoder ------------------------------------------> decoder -------->

Every supervised answer is a target of its own: the encoder reads all that stands before it in its sample, earlier answers
included, and the decoder writes it. Visual tokens are spliced into what the encoder reads, as in BLIP-2 (arXiv 2301.12597,
section 3.2). The decoder's state that predicts token t + 1 is given at place t of the row, as causal decoders give theirs, so
that losses and logits are taken alike; places that predict no answer hold zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForSeq2SeqLM

from vistune.errors import InputError, reading
from vistune.model.language.causal import LanguageModel
from vistune.model.language.finite import watched
from vistune.model.language.hooks import Hooks
from vistune.model.language.inputs import Inputs
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model
from vistune.model.weights.quantize import FourBit


def language_model(
    path: str, revision: str | None = None, load_weights: bool = True, quantize: FourBit | None = None
) -> LanguageModel:
    """The language model in `path` (a directory or hub id), whichever kind its configuration names."""
    config = read_config(path, locate(path), revision)
    kind = EncoderDecoder if config.is_encoder_decoder else LanguageModel
    with reading(f"no language model can be made of {path}"):  # its configuration decides sizes and kinds of everything
        return kind(path, revision, load_weights, quantize)


class EncoderDecoder(LanguageModel):
    """A T5. Samples are a padded batch to it: its relative positions make padding behind them exact."""

    def _read(self, path: str, folder: str, config: Any, revision: str | None, load_weights: bool, **how: Any) -> Any:
        if config.model_type != "t5":
            raise InputError(f"{path} is a {config.model_type}; of encoder-decoders, what can be used is: t5 (FLAN-T5, too)")
        model = read_model(AutoModelForSeq2SeqLM, path, folder, config, revision, load_weights)
        if (
            not config.scale_decoder_outputs
        ):  # T5 1.1 and FLAN-T5 have a head of their own; `transformers` ties it in a new model
            head = model.get_output_embeddings()
            if head.weight is model.get_input_embeddings().weight:
                head.weight = nn.Parameter(head.weight.detach().clone())
            model.config.tie_word_embeddings = False
        return model

    @property
    def blocks(self) -> nn.ModuleList:
        """The encoder's layers, then the decoder's."""
        return nn.ModuleList([*self.model.get_encoder().block, *self.model.get_decoder().block])

    @property
    def hooks(self) -> Hooks:
        """None: a fusion that asks for them is refused."""
        raise InputError("the fusion acts inside a decoder, but the language model is an encoder-decoder: use splice")

    @hooks.setter
    def hooks(self, hooks: Hooks) -> None:
        """There is no place for them."""

    def forward(self, inputs: Inputs) -> Tensor:
        """A packed row of T tokens -> the decoder's states `[T, H]`, each at the place before the token it predicts."""
        spans = answer_spans(inputs)
        hidden = inputs.embeds.new_zeros(inputs.embeds.shape)
        if not spans:
            return hidden
        read, seen = pad_right([inputs.embeds[first:start] for first, start, _ in spans])
        # Teacher forcing: the decoder reads the start token and the answer without its last token, and predicts the answer.
        begin = self.embed(torch.tensor([self.model.config.decoder_start_token_id], device=hidden.device))
        written, _ = pad_right([torch.cat([begin, inputs.embeds[start : end - 1]]) for _, start, end in spans])
        encoded = self.model.get_encoder()(inputs_embeds=read, attention_mask=seen).last_hidden_state
        states = self.model.get_decoder()(
            inputs_embeds=written, encoder_hidden_states=encoded, encoder_attention_mask=seen, use_cache=False
        ).last_hidden_state
        # Shifted by one, so that the loss, which looks one place ahead of a label as in decoders, finds each state before its
        # token.
        places = torch.cat([torch.arange(start - 1, end - 1) for _, start, end in spans]).to(hidden.device)
        values = torch.cat([row[: end - start] for row, (_, start, end) in zip(states, spans, strict=True)])
        return hidden.to(values.dtype).index_put((places,), values)

    def read(self, inputs: Inputs) -> Tensor:
        """The encoder's states of what stands before the first answer of each sample; zeros behind it."""
        # `reversed`, because the last entry of a key wins in `dict`, and the first answer of each sample is wanted.
        begun = dict(reversed([(first, start) for first, start, _ in answer_spans(inputs)]))
        starts = [0, *torch.tensor(inputs.lengths).cumsum(0).tolist()]
        ends = [begun.get(start, end) for start, end in pairwise(starts)]
        read, seen = pad_right([inputs.embeds[start:end] for start, end in zip(starts, ends, strict=False)])
        encoded = self.model.get_encoder()(inputs_embeds=read, attention_mask=seen).last_hidden_state
        blank = inputs.embeds.new_zeros(inputs.embeds.shape)
        places = torch.cat([torch.arange(start, end) for start, end in zip(starts, ends, strict=False)]).to(blank.device)
        return blank.to(encoded.dtype).index_put((places,), encoded[seen.bool()])

    def logits(self, hidden: Tensor) -> Tensor:
        """`[..., H]` -> `[..., vocabulary]`; the first T5 scales its states, T5 1.1 does not."""
        config = self.model.config
        scores: Tensor = self.model.lm_head(hidden * config.d_model**-0.5 if config.scale_decoder_outputs else hidden)
        return scores

    @torch.no_grad()
    def generate_ids(
        self, inputs: Inputs, max_new_tokens: int, stop: list[str] | None = None, pauses: Sequence[int] = (), **options: Any
    ) -> list[list[int]]:
        """Answer each prompt of a packed row, greedily unless `options` say otherwise; earlier answers are read as text."""
        read, seen = pad_right(list(inputs.embeds.split(inputs.lengths)))
        with watched(self.model):
            ids = self.model.generate(
                inputs_embeds=read,
                attention_mask=seen,
                max_new_tokens=max_new_tokens,
                pad_token_id=self.tokenizer.pad_token_id,
                eos_token_id=[*self.ends(stop or []), *pauses],
                **({"do_sample": False} | options),
            )
        # The library returns the decoder's start token as the first one.
        return [self.cut(row[1:].tolist(), stop or [], pauses) for row in ids]


def answer_spans(inputs: Inputs) -> list[tuple[int, int, int]]:
    """Of each answer in a row: where its sample starts, where it starts, and where it ends."""
    if inputs.answers is None:
        raise ValueError("an encoder-decoder needs to know which tokens are answers")
    spans, first = [], 0
    for length, answers in zip(inputs.lengths, inputs.answers.cpu().split(inputs.lengths), strict=True):
        # Rises and falls of the supervised flag are the borders of answers; a zero on either side makes those at the ends of
        # a sample edges, too.
        edges = torch.diff(answers.int(), prepend=torch.zeros(1, dtype=torch.int), append=torch.zeros(1, dtype=torch.int))
        starts, ends = (edges == 1).nonzero().flatten().tolist(), (edges == -1).nonzero().flatten().tolist()
        spans += [(first, first + start, first + end) for start, end in zip(starts, ends, strict=True) if start > 0]
        first += length
    return spans


def pad_right(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Rows `[length, H]` -> a batch `[B, longest, H]`, zeros behind what is shorter, and its mask `[B, longest]`."""
    batch = nn.utils.rnn.pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows], device=batch.device)
    return batch, (torch.arange(batch.shape[1], device=batch.device) < lengths[:, None]).long()
