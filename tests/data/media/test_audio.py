"""Sounds: samples in [-1, 1] whatever the file's numbers; what is refused."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest

from vistune.data.media.audio import load_audio
from vistune.errors import InputError
from vistune.sample import Media

TONE = np.stack([np.sin(np.arange(800) / 9), np.linspace(-1, 0.99, 800)], axis=1) * 0.9


def wav(width: int, tone: np.ndarray = TONE) -> bytes:
    whole = np.round(tone * 2 ** (8 * width - 1)).astype(np.int64) + (128 if width == 1 else 0)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((tone.shape[1], width, 16000, 0, "NONE", ""))
        file.writeframes(whole.astype("<i8").view(np.uint8).reshape(-1, 8)[:, :width].tobytes())
    return buffer.getvalue()


def sound(data: bytes) -> Media:
    return Media("audio", data=data)


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_wav_of_any_width_gives_the_samples(width: int) -> None:
    found = load_audio(sound(wav(width)))
    assert found.rate == 16000 and found.samples.dtype == np.float32
    assert np.abs(found.samples - TONE).max() <= 0.51 / 2 ** (8 * width - 1) + 1e-7


@pytest.mark.parametrize(
    ("kind", "subtype", "precision"),
    [
        ("FLAC", "PCM_16", 2e-5),
        ("OGG", "VORBIS", 0.1),
        ("MP3", "MPEG_LAYER_III", 0.2),
        ("WAV", "FLOAT", 1e-7),
        ("WAVEX", "PCM_16", 2e-5),
    ],
)
def test_other_formats_are_read_by_soundfile(kind: str, subtype: str, precision: float) -> None:
    soundfile = pytest.importorskip("soundfile", reason="needs vistune[audio]")
    smooth = np.sin(np.arange(16000)[:, None] / np.array([20.0, 33.0])) * 0.5
    buffer = io.BytesIO()
    soundfile.write(buffer, smooth, 16000, format=kind, subtype=subtype)
    found = load_audio(sound(buffer.getvalue()))
    assert found.rate == 16000 and found.samples.shape == smooth.shape
    assert np.abs(found.samples - smooth).mean() <= precision


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    data = wav(2)
    for broken, said in (
        (data[:1000], r"is truncated: it has 239 of 800 samples"),
        (data[:30], "is truncated: its header is not whole"),
    ):
        with pytest.raises(InputError, match=f"s1: audio <audio in memory> {said}"):
            load_audio(sound(broken), "s1")
    with pytest.raises(InputError, match="800 samples in 2 channels: more than the 0 million"):
        load_audio(sound(data), max_samples=1599)
    with pytest.raises(InputError, match=r"cannot read audio .*gone\.wav"):
        load_audio(Media.file("audio", str(tmp_path / "gone.wav")))
    with pytest.raises(InputError, match="is not a sound"):
        load_audio(Media("image", data=data))


def test_bytes_that_are_no_sound_are_refused() -> None:
    pytest.importorskip("soundfile", reason="needs vistune[audio]")
    for data in (b"", b"no sound at all" * 9, b"RIFF\x24\0\0\0WAVEjunk"):
        with pytest.raises(InputError, match=r"cannot be decoded|is truncated"):
            load_audio(sound(data))


def test_arrays_have_no_rate() -> None:
    found = load_audio(Media("audio", data=TONE.astype(np.float32)))
    assert found.rate is None and found.samples.shape == (800, 2)
    with pytest.raises(InputError, match="expected float32"):
        load_audio(Media("audio", data=TONE))


def test_an_ogg_that_was_cut_is_refused_wherever_it_was_cut() -> None:
    soundfile = pytest.importorskip("soundfile", reason="needs vistune[audio]")
    buffer = io.BytesIO()
    long = np.random.default_rng(0).uniform(-0.5, 0.5, (40_000, 1)).astype(np.float32)
    soundfile.write(buffer, long, 8000, format="OGG", subtype="VORBIS")
    data = buffer.getvalue()
    load_audio(sound(data))
    pages = [place for place in range(len(data)) if data[place : place + 4] == b"OggS"]
    assert len(pages) > 3
    for end in (len(data) // 2, pages[-1], pages[2], len(data) - 1):
        with pytest.raises(InputError, match="truncated"):
            load_audio(sound(data[:end]))
