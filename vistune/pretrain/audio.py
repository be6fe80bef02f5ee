"""`vistune pretrain audio`: a small Whisper taught to write down what sounds, and to name what each fiftieth of a second holds.

Whisper (arXiv 2212.04356) is taught by transcription alone, on 680,000 hours. The names, pitches and order of what sounds at
each of the encoder's places (heads that are thrown away) get a small encoder there in minutes. It hears one channel, the mean
of the two, as Whisper does; left and right are heard by giving it each channel by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration

from vistune.pretrain.card import HASHED, write_card
from vistune.pretrain.loop import adamw, pretrain
from vistune.pretrain.tokenizer import train_bpe
from vistune.world.sounds.phrases import transcript
from vistune.world.sounds.sound import KINDS, MAX_COUNT, NAMES, SECONDS, Sound, make_sound
from vistune.world.sounds.speech import RATE

FOLDER = "whisper"
PLACES = 150  # of the encoder, a fiftieth of a second each
ALL_NAMES = [name for kind in KINDS for name in NAMES[kind]]
VALIDATION_SOUNDS = 192
QUIET = 0.2  # what places without a sound weigh


def extractor() -> WhisperFeatureExtractor:
    """Log-mel spectrograms of three seconds, `[80, 300]`."""
    return WhisperFeatureExtractor(feature_size=80, sampling_rate=RATE, chunk_length=int(SECONDS))


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level, taught on transcripts; they begin with `<s>` and end with `</s>`."""
    texts = [transcript(make_sound(seed)) for seed in range(400)]
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"}
    return train_bpe(texts, 340, ["<pad>", "<s>", "</s>"], add_end=True, max_length=64, **special)


def config(tokens: PreTrainedTokenizerFast) -> WhisperConfig:
    """0.9 M parameters that hear, 0.6 M that write."""
    return WhisperConfig(
        vocab_size=len(tokens),
        num_mel_bins=80,
        d_model=128,
        encoder_layers=4,
        encoder_attention_heads=4,
        encoder_ffn_dim=512,
        decoder_layers=2,
        decoder_attention_heads=4,
        decoder_ffn_dim=512,
        max_source_positions=PLACES,
        max_target_positions=64,
        pad_token_id=tokens.pad_token_id,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        decoder_start_token_id=tokens.bos_token_id,
        begin_suppress_tokens=None,
    )


def heard(sounds: Sequence[Sound], extract: WhisperFeatureExtractor) -> Tensor:
    """`[B, 80, 300]` of the mean of both channels."""
    waves = [sound.samples.mean(axis=1) for sound in sounds]
    features: Tensor = extract(waves, sampling_rate=RATE, return_tensors="pt")["input_features"]
    return features


def labels(sounds: Sequence[Sound]) -> Tensor:
    """`[B, 150, 3]`: name (0: nothing), pitch and number in order (from 0) of what sounds at each place."""
    found = np.zeros((len(sounds), PLACES, 3), np.int64)
    for row, sound in zip(found, sounds, strict=True):
        for number, event in enumerate(sound.events):
            here = places(event.start, event.end)
            row[here] = ALL_NAMES.index(event.name) + 1, event.pitch == "high", number
    return torch.from_numpy(found)


def places(start: float, end: float) -> slice:
    """The encoder's places between two times in seconds; at least one."""
    first = int(start / SECONDS * PLACES)
    return slice(first, max(first + 1, round(end / SECONDS * PLACES)))


class Pretraining(nn.Module):
    """A Whisper, and linear heads on its encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = tokenizer()
        self.extract = extractor()
        self.whisper = WhisperForConditionalGeneration(config(self.tokens))
        self.name, self.pitch = nn.Linear(128, len(ALL_NAMES) + 1), nn.Linear(128, 2)
        self.order, self.count = nn.Linear(128, MAX_COUNT), nn.Linear(128, MAX_COUNT)

    def losses(self, sounds: Sequence[Sound]) -> dict[str, Tensor]:
        """`name`, `pitch` and `order` of each place, `count` of the whole, `text` of the transcript."""
        hidden = self.whisper.model.encoder(heard(sounds, self.extract)).last_hidden_state
        names, pitches, orders = labels(sounds).unbind(-1)
        weight = torch.where(names > 0, 1.0, QUIET)
        each = F.cross_entropy(self.name(hidden).transpose(1, 2), names, reduction="none")
        losses = {"name": (each * weight).sum() / weight.sum()}
        sounding = names > 0
        losses["pitch"] = F.cross_entropy(self.pitch(hidden[sounding]), pitches[sounding])
        losses["order"] = F.cross_entropy(self.order(hidden[sounding]), orders[sounding])
        counts = torch.tensor([len(sound.events) - 1 for sound in sounds])
        losses["count"] = F.cross_entropy(self.count(hidden.mean(dim=1)), counts)
        losses["text"] = self._text(hidden, sounds)
        return losses

    def _text(self, hidden: Tensor, sounds: Sequence[Sound]) -> Tensor:
        ids = self.tokens([transcript(sound) for sound in sounds], return_tensors="pt", padding=True)["input_ids"]
        states = self.whisper.model.decoder(input_ids=ids[:, :-1], encoder_hidden_states=hidden).last_hidden_state
        logits = self.whisper.proj_out(states)
        return F.cross_entropy(logits.transpose(1, 2), ids[:, 1:], ignore_index=self.tokens.pad_token_id)

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Share of validation sounds' events named right (name, pitch, order by the mean over their places), and counts."""
        hits: dict[str, list[bool]] = {"name": [], "pitch": [], "order": [], "count": []}
        for first in range(0, VALIDATION_SOUNDS, 32):
            sounds = [make_sound(first + index, "validation") for index in range(32)]
            hidden = self.whisper.model.encoder(heard(sounds, self.extract)).last_hidden_state
            for row, sound in zip(hidden, sounds, strict=True):
                hits["count"].append(int(self.count(row.mean(0)).argmax()) + 1 == len(sound.events))
                for number, event in enumerate(sound.events):
                    mean = row[places(event.start, event.end)].mean(0)
                    hits["name"].append(int(self.name(mean)[1:].argmax()) == ALL_NAMES.index(event.name))
                    hits["pitch"].append(int(self.pitch(mean).argmax()) == (event.pitch == "high"))
                    hits["order"].append(int(self.order(mean).argmax()) == number)
        return {key: sum(values) / len(values) for key, values in hits.items()}


def pretrain_audio(
    out: Path, steps: int, batch: int = 16, lr: float = 1.5e-3, seed: int = 0, until: int | None = None
) -> dict[str, float]:
    """Teach the Whisper, write its Hugging Face directory (bf16) with its card into `out/whisper`; validation scores."""
    torch.manual_seed(seed)
    model = Pretraining()

    def losses_at(step: int) -> dict[str, Tensor]:
        first = (seed * steps + step) * batch
        return model.losses([make_sound(first + index) for index in range(batch)])

    scores = pretrain(model, losses_at, model.validate, out, steps, [adamw(model.parameters(), lr)], until)
    folder = out / FOLDER
    model.whisper.to(torch.bfloat16).save_pretrained(folder)
    model.tokens.save_pretrained(folder)
    model.extract.save_pretrained(folder)
    command = f"vistune pretrain audio --steps {steps} --batch {batch} --seed {seed}"
    write_card(folder, out, command, model.whisper, (make_sound(index).samples for index in range(HASHED)), scores)
    return scores
