"""Spectra are those of the feature extractors of `transformers`; sounds keep their pitch at another rate."""

from __future__ import annotations

import numpy as np
import pytest
import transformers as hf

from vistune.data.media.resample import resampled, resampled_length
from vistune.data.media.spectrum import clap_mel, kaldi_fbank, whisper_mel

RANDOM = np.random.default_rng(0)
NOISE = (RANDOM.normal(size=48_000) * np.linspace(0, 0.3, 48_000)).astype(np.float32)


@pytest.mark.parametrize("mels", [80, 128])
def test_whispers_spectrum(mels: int) -> None:
    extractor = hf.WhisperFeatureExtractor(feature_size=mels, chunk_length=3)
    expected = extractor(NOISE, sampling_rate=16_000, return_tensors="np")["input_features"][0]
    np.testing.assert_allclose(whisper_mel(NOISE, mels), expected, atol=1e-4, rtol=0)


def test_claps_spectrum() -> None:
    extractor = hf.ClapFeatureExtractor(max_length_s=1, truncation="rand_trunc", padding="pad", frequency_min=50)
    expected = extractor(NOISE, sampling_rate=48_000, return_tensors="np")["input_features"][0, 0]
    np.testing.assert_allclose(clap_mel(NOISE), expected, atol=1e-3, rtol=0)


def test_the_filter_bank_of_spectrogram_transformers() -> None:
    extractor = hf.ASTFeatureExtractor(max_length=298, do_normalize=False)
    expected = extractor(NOISE, sampling_rate=16_000, return_tensors="np")["input_values"][0]
    np.testing.assert_allclose(kaldi_fbank(NOISE), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize(("rate", "wanted"), [(44_100, 16_000), (8_000, 16_000), (22_050, 48_000), (16_000, 16_000)])
def test_a_tone_keeps_its_pitch_and_loudness(rate: int, wanted: int) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    got = resampled(tone, rate, wanted)
    assert len(got) == resampled_length(rate, rate, wanted) == wanted
    expected = np.sin(2 * np.pi * 440 * np.arange(wanted) / wanted)
    inside = slice(wanted // 10, -wanted // 10)
    np.testing.assert_allclose(got[inside], expected[inside], atol=2e-3)


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    high = np.sin(2 * np.pi * 15_000 * np.arange(48_000) / 48_000).astype(np.float32)
    assert np.abs(resampled(high, 48_000, 16_000)[500:-500]).max() < 0.02
