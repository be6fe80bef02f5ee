"""Whole rows as the language models of published methods read them: embeddings, labels, losses and gradients.

Recorded with a tokenizer of one token a character, so a row is the template's text, a medium's tokens in the middle of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from mechanisms import Golden, close
from recorded_language import language_model
from torch import Tensor

from vistune.model.connectors.bracket import Bracket
from vistune.model.features import Features
from vistune.model.fusion.splice import splice
from vistune.model.language.causal import LanguageModel
from vistune.model.language.inputs import Inputs
from vistune.prompt.render import IGNORE, Slot
from vistune.prompt.template import Template
from vistune.recipe import load_recipe
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import build

BOS = 1
SIZES = {
    "hidden_size": 8,
    "intermediate_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-6,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def row_of(model: LanguageModel, ids: Tensor, tokens: Tensor | None, begin: int = 0) -> Inputs:
    """The ids `[L]` of a row as embeddings, with the tokens of a film at the places from `begin` on."""
    inputs = Inputs(model.embed(ids), torch.arange(len(ids)), (len(ids),))
    return inputs if tokens is None else splice(inputs, {"video": [tokens]}, {"video": [Slot(0, begin, len(tokens))]})


def test_films_stand_in_rows_as_video_chatgpts(tiny_language: str, tmp_path: Path) -> None:
    """Learned vectors around a film do what rows of the vocabulary do there: the same embeddings, loss and gradients."""
    golden = Golden("video_chatgpt_splice")
    model = language_model(golden, tmp_path, tiny_language, "model.", "lm_head.weight", vocab_size=40, **SIZES)
    words = model.embeddings
    connector = Bracket(6, 8, inner="linear")
    inner: Any = connector.inner
    inner.proj.load_state_dict({name: golden[f"param/model.mm_projector.{name}"] for name in ("weight", "bias")})
    connector.begin.data, connector.end.data = words[36].detach().clone(), words[37].detach().clone()
    total, count = torch.zeros(()), 0
    for row, ids in enumerate(golden["in/input_ids"]):
        length = int(golden["in/attention_mask"][row].sum())
        shown = (ids == 36).nonzero()
        tokens = connector(Features(golden["in/video"][row][None]))[0] if len(shown) else None
        inputs = row_of(model, ids[:length], tokens, int(shown[0]) if len(shown) else 0)
        close(inputs.embeds, golden["out/spliced_embeds"][row, :length], 1e-5)
        hidden, labels = model(inputs), golden["in/labels"][row, :length]
        close(model.logits(hidden), golden["out/logits"][row, :length], 1e-5, 1e-4)
        total, count = total + model.loss_sum(hidden, labels), count + int((labels[1:] != IGNORE).sum())
    close(total / count, golden["out/loss"], 1e-5)
    (total / count).backward()
    for name in ("grad_mm_projector", "adapter_stage_grad_mm_projector"):  # what is frozen beside it changes nothing
        close(inner.proj.weight.grad, golden[f"out/{name}"], 1e-5, 1e-4)
    assert words.grad is not None and connector.begin.grad is not None and connector.end.grad is not None
    expected = golden["out/grad_embed_tokens"]
    close(connector.begin.grad, expected[36], 1e-5, 1e-4)
    close(connector.end.grad, expected[37], 1e-5, 1e-4)
    others = [number for number in range(40) if number not in (36, 37)]
    close(words.grad[others], expected[others], 1e-5, 1e-4)


class Typed:
    """What a recipe's template and words around media make of a conversation, a character a token, and what they supervise."""

    def __init__(self, recipe: str) -> None:
        self.spec = load_recipe(recipe).model
        self.template: Template = build("vistune.prompt.templates", self.spec.template, Template)  # type: ignore[union-attr]

    def row(self, sample: Sample, tokens: Sequence[Tensor], words: Tensor) -> tuple[Tensor, Tensor]:
        """Embeddings `[L, H]` and labels `[L]`, the beginning token in front."""
        embeds, labels = [], []
        for piece in self.template.pieces(sample):
            if isinstance(piece.part, MediaRef):
                medium = sample.media[piece.part.index]
                around: Any = self.spec.modalities[medium.kind]  # type: ignore[union-attr]
                settings = around if isinstance(around, dict) else {}
                self._say(settings.get("before", ""), False, words, embeds, labels)
                embeds.append(tokens[piece.part.index])
                labels += [IGNORE] * len(tokens[piece.part.index])
                self._say(settings.get("after", ""), False, words, embeds, labels)
            elif isinstance(piece.part, Text):
                self._say(piece.part.text, piece.trained, words, embeds, labels)
        return torch.cat(embeds), torch.tensor(labels)

    def _say(self, text: str, trained: bool, words: Tensor, embeds: list[Tensor], labels: list[int]) -> None:
        begins = text.startswith("{bos}")
        ids = [BOS] * begins + [ord(letter) for letter in text.removeprefix("{bos}")]
        if ids:
            embeds.append(words[torch.tensor(ids)])
            labels += ids if trained else [IGNORE] * len(ids)


def asked(kinds: Sequence[Any], question: str, answer: str) -> Sample:
    media = tuple(Media(kind, data=b"x") for kind in kinds)
    shown = tuple(MediaRef(place) for place in range(len(media)))
    return Sample("s", media, (Turn("user", (*shown, Text(question))), Turn("assistant", (Text(answer),))))


@pytest.mark.parametrize(
    ("kinds", "question", "recorded"), [(("audio",), "hear?", "audio"), (("audio", "image"), "both?", "both")]
)
def test_sounds_and_pictures_stand_in_rows_as_bubogpts(
    kinds: tuple[str, ...], question: str, recorded: str, tiny_language: str, tmp_path: Path
) -> None:
    golden = Golden("bubogpt_audio_branch")
    head = "llama_model.lm_head.weight"
    model = language_model(golden, tmp_path, tiny_language, "llama_model.model.", head, vocab_size=128, **SIZES)
    made = {"audio": golden["out/audio_tokens"].clone().requires_grad_(), "image": golden["out/vision_tokens"]}
    typed = Typed("bubogpt")
    total, count = torch.zeros(()), 0
    for row, answer in enumerate(("a dog barks", "rain")):
        embeds, labels = typed.row(asked(kinds, question, answer), [made[kind][row] for kind in kinds], model.embeddings)
        close(embeds, golden[f"out/{recorded}_inputs_embeds"][row, : len(embeds)], 1e-5)
        assert torch.equal(labels, golden[f"out/{recorded}_labels"][row, : len(labels)])
        assert (golden[f"out/{recorded}_labels"][row, len(labels) :] == IGNORE).all()
        hidden = model(Inputs(embeds, torch.arange(len(embeds)), (len(embeds),)))
        total, count = total + model.loss_sum(hidden, labels), count + int((labels != IGNORE).sum())
    close(total / count, golden[f"out/{recorded}_loss"], 2e-5)
    (total / count).backward()
    assert made["audio"].grad is not None and made["audio"].grad.abs().sum() > 0


def test_films_and_sounds_stand_in_rows_as_chatbridges(tiny_language: str, tmp_path: Path) -> None:
    """Shorter rows are padded in front there, which hides their beginning token; the loss is that of such rows."""
    golden = Golden("chatbridge_shared_trunk")
    head = "llama_model.lm_head.weight"
    model = language_model(golden, tmp_path, tiny_language, "llama_model.model.", head, vocab_size=128, **SIZES)
    media = (Media("video", data=b"x"), Media("audio", data=b"x"))
    ask = (MediaRef(0), Text(" "), MediaRef(1), Text("hi"))
    inside = (Text("A"), MediaRef(0), Text("B"), MediaRef(1), Text("C"))
    talks = [
        (Turn("user", ask), Turn("assistant", (Text("yes."),))),
        (
            Turn("user", inside),
            *(Turn(role, (Text(text),)) for role, text in (("assistant", "ok"), ("user", "D"), ("assistant", "no"))),
        ),  # type: ignore[arg-type]
    ]
    made = [golden["out/video_tokens"], golden["out/audio_tokens"]]
    total, count = torch.zeros(()), 0
    for row, turns in enumerate(talks):
        embeds, labels = Typed("chatbridge").row(Sample("s", media, turns), [tokens[row] for tokens in made], model.embeddings)
        own = len(embeds) - 1  # recorded without the beginning token
        close(embeds[1:], golden["out/prompt_embeds"][row, -own:], 1e-5)
        assert torch.equal(labels[1:], golden["out/prompt_labels"][row, -own:]) and labels[0] == IGNORE
        assert int(golden["out/prompt_mask"][row].sum()) == own
        hidden_begin = own < golden["out/prompt_mask"].shape[1]
        seen, wanted = (embeds[1:], labels[1:]) if hidden_begin else (embeds, labels)
        hidden = model(Inputs(seen, torch.arange(len(seen)), (len(seen),)))
        total, count = total + model.loss_sum(hidden, wanted), count + int((wanted != IGNORE).sum())
    close(total / count, golden["out/instruct_loss"], 2e-5)
