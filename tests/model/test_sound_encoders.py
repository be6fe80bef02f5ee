"""Encoders of sounds: the tokens of `transformers` for the same sound, at any rate, in windows; what is too long is refused."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from mechanisms import close

from vistune.data.media.audio import audio_length
from vistune.errors import InputError
from vistune.model.encoders._sounds import SoundEncoder
from vistune.sample import Media
from vistune.spec import build

LAYER = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SECONDS = {"whisper": 2.0, "spectrogram_transformer": 0.64, "clap": 1.0}


def whisper(folder: Path) -> None:
    sizes = {"d_model": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_layers": 1}
    sizes |= {"decoder_attention_heads": 2, "decoder_ffn_dim": 16, "vocab_size": 50, "max_source_positions": 100}
    ids = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 3, "num_mel_bins": 80}
    hf.WhisperModel(hf.WhisperConfig(**sizes, **ids)).save_pretrained(folder)
    hf.WhisperFeatureExtractor(chunk_length=2).save_pretrained(folder)


def spectrogram_transformer(folder: Path) -> None:
    hf.ASTModel(hf.ASTConfig(**LAYER, max_length=64, num_mel_bins=32, frequency_stride=8, time_stride=8)).save_pretrained(
        folder
    )
    hf.ASTFeatureExtractor(max_length=64, num_mel_bins=32).save_pretrained(folder)


def clap(folder: Path) -> None:
    sizes: dict[str, Any] = {"depths": [1, 1], "num_attention_heads": [2, 4], "patch_embeds_hidden_size": 16, "hidden_size": 32}
    sizes |= {"num_mel_bins": 16, "spec_size": 32, "window_size": 2, "patch_stride": [4, 4]}
    hf.ClapAudioModel(hf.ClapAudioConfig(**sizes)).save_pretrained(folder)
    hf.ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc", sampling_rate=8000).save_pretrained(
        folder
    )


MADE = {"whisper": whisper, "spectrogram_transformer": spectrogram_transformer, "clap": clap}


@pytest.fixture(scope="module", params=MADE)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, SoundEncoder]:
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    MADE[request.param](folder)
    return request.param, folder, build("vistune.model.encoders", {"kind": request.param, "path": str(folder)}).eval()


def tone(seconds: float, rate: int, channels: int = 1) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    noise = np.random.default_rng(0).normal(size=len(time)) * 0.01
    return np.repeat((0.4 * np.sin(2 * np.pi * 300 * time * (1 + time)) + noise)[:, None], channels, axis=1).astype(np.float32)


def wav(samples: np.ndarray, rate: int) -> Media:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((samples.shape[1], 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return Media("audio", data=buffer.getvalue())


def test_tokens_are_those_of_transformers(encoder: tuple[str, Path, SoundEncoder]) -> None:
    name, folder, ours = encoder
    samples = tone(0.7 * SECONDS[name], ours.rate)
    prepared = ours.read(Media("audio", data=samples))
    extractor = hf.AutoFeatureExtractor.from_pretrained(folder)
    theirs = extractor(samples[:, 0], sampling_rate=ours.rate, return_tensors="pt")
    with torch.no_grad():
        seen = ours(prepared.inputs)
        if name == "whisper":
            expected = hf.WhisperModel.from_pretrained(folder).eval().encoder(theirs["input_features"]).last_hidden_state
        elif name == "clap":
            found = hf.ClapAudioModel.from_pretrained(folder).eval()(theirs["input_features"], is_longer=theirs["is_longer"])
            expected = found.last_hidden_state.flatten(2).transpose(1, 2)
            close(seen.pooled, found.pooler_output, 1e-3, 1e-3)
        else:
            expected = hf.ASTModel.from_pretrained(folder).eval()(theirs["input_values"]).last_hidden_state[:, 2:]
    close(seen.x, expected, 1e-3, 1e-3)
    assert seen.x.shape == (1, ours.tokens, ours.width)


def test_a_long_sound_is_windows_and_another_rate_the_same(encoder: tuple[str, Path, SoundEncoder]) -> None:
    name, _, ours = encoder
    long = wav(tone(2.5 * SECONDS[name], 44_100, 2), 44_100)
    prepared, layout = ours.read(long), ours.layout(long)
    assert layout.inputs == 3 == len(prepared.inputs) and prepared.layout == layout
    assert layout.seconds == pytest.approx([number * SECONDS[name] for number in range(3)])
    assert audio_length(long) == (int(2.5 * SECONDS[name] * 44_100), 44_100)
    with torch.no_grad():
        assert ours(prepared.inputs).x.shape == (3, ours.tokens, ours.width)
    slow = ours.read(wav(tone(0.7 * SECONDS[name], ours.rate), ours.rate)).inputs
    fast = ours.read(wav(tone(0.7 * SECONDS[name], 2 * ours.rate), 2 * ours.rate)).inputs
    assert float(torch.corrcoef(torch.stack([slow.flatten(), fast.flatten()]))[0, 1]) > 0.9


def test_every_parameter_learns(encoder: tuple[str, Path, SoundEncoder]) -> None:
    _, _, ours = encoder
    ours(torch.randn_like(ours.read(Media("audio", data=tone(0.3, ours.rate))).inputs)).x.square().sum().backward()
    still = [name for name, parameter in ours.named_parameters() if parameter.requires_grad and parameter.grad is None]
    assert still == [] and len(ours.blocks) == 2


def test_what_is_too_long_is_refused_before_it_is_decoded(encoder: tuple[str, Path, SoundEncoder]) -> None:
    name, _, ours = encoder
    with pytest.raises(InputError, match=r"tape\.wav lasts .* s, longer than the .* s that are heard: set .* windows to 6"):
        ours.layout(Media("audio", data=tone(5.5 * SECONDS[name], ours.rate)), "sample 3: tape.wav")
