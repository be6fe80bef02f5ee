"""Sounds: the truth is what the samples hold (energy in time, sides, spectra), and answers follow from it."""

import re

import numpy as np
import pytest

from vistune.data.media.audio import load_audio
from vistune.errors import InputError
from vistune.world.senses import sense_sample
from vistune.world.sounds.instruments import MAKES, RANGES
from vistune.world.sounds.sound import make_sound
from vistune.world.sounds.speech import RATE, WORDS

from ..oracle import NUMBERS

N = 30


@pytest.fixture(scope="module")
def sounds():
    return [make_sound(seed, "test") for seed in range(N)]


def part(sound, event):
    return sound.samples[int(event.start * RATE) : int(event.end * RATE)]


def noun(event):
    return f'voice saying "{event.name}"' if event.kind == "spoken" else event.name


def test_a_sound_follows_from_its_seed_and_its_file_says_the_same(sounds):
    again = make_sound(4, "test")
    assert np.array_equal(again.samples, sounds[4].samples) and again.events == sounds[4].events
    decoded = load_audio(again.media()[0])
    assert decoded.rate == RATE and np.abs(decoded.samples - again.samples).max() < 1e-4
    with pytest.raises(InputError, match="1 to 4 things"):
        make_sound(0, count=5)


def test_splits_share_no_maker_and_no_voice():
    heard = {split: {(e.name, e.make) for seed in range(60) for e in make_sound(seed, split).events} for split in MAKES}
    for split, makes in MAKES.items():
        assert {make for _, make in heard[split]} <= set(makes)
    assert not set(MAKES["train"]) & (set(MAKES["test"]) | set(MAKES["validation"]))


def test_there_is_sound_where_the_truth_says_and_silence_elsewhere(sounds):
    for sound in sounds:
        loud = np.abs(sound.samples).max(axis=1)
        outside = np.ones(len(loud), bool)
        for event in sound.events:
            assert part(sound, event).max() > 0.2
            outside[int(event.start * RATE) - 2 : int(event.end * RATE) + 2] = False
        assert loud[outside].max() < 0.06
        ends = [event.end for event in sound.events]
        assert all(later.start > end for end, later in zip(ends, sound.events[1:], strict=False))


def test_sides_are_the_louder_channels(sounds):
    for sound in sounds:
        for event in sound.events:
            left, right = (part(sound, event) ** 2).sum(axis=0)
            assert event.side == ("left" if left > right else "right")


def test_pitches_are_the_spectrum_s():
    """Of instruments whose fundamental is the strongest partial."""
    checked = 0
    for seed in range(60):
        sound = make_sound(seed, "train")
        for event in sound.events:
            if event.name in ("flute", "whistle", "bell", "drum"):
                wave = part(sound, event).sum(axis=1)
                spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave)), 1 << 15))
                peak = spectrum.argmax() * RATE / (1 << 15)
                low, high = RANGES[event.name][event.pitch]
                assert 0.85 * low < peak < 1.3 * high, (event, peak)
                checked += 1
    assert checked > 20


def test_pitch_ranges_of_a_source_stay_apart():
    assert all(ranges["high"][0] > 1.6 * ranges["low"][1] for ranges in RANGES.values())


def test_words_differ_in_their_formants():
    """The same voice: no two words have spectra as alike as two utterances of one word."""
    from vistune.world.sounds.instruments import voice_of
    from vistune.world.sounds.speech import say

    def print_of(word, seed):
        wave = say(word, voice_of(3, "low"), np.random.default_rng(seed))
        frames = np.array_split(wave, 6)
        bands = [np.add.reduceat(np.abs(np.fft.rfft(frame, 1024)) ** 2, np.arange(0, 513, 16)) for frame in frames]
        print_ = np.log(np.concatenate(bands) + 1e-3)
        return print_ - print_.mean()

    first, second = ({word: print_of(word, seed) for word in WORDS} for seed in (1, 2))
    for word, prints in first.items():
        distances = {other: np.linalg.norm(prints - second[other]) for other in WORDS}
        assert min(distances, key=distances.get) == word


def asked(task):
    for seed in range(N):
        sample = sense_sample(task, seed, "test")
        yield sample.turns[0].text.strip(), sample.answers[0], make_sound(sample.meta["scenes"][0], "test")


def test_sources_words_and_pitches():
    places = ("first", "second", "third", "fourth")
    for question, answer, sound in asked("sound_source"):
        event = sound.events[next(index for index, place in enumerate(places) if place in question)]
        assert answer == ("voice" if event.kind == "spoken" else event.name)
    for question, answer, sound in asked("sound_word"):
        pitch = re.search("(low|high) voice", question)
        spoken = [e for e in sound.events if e.kind == "spoken" and (pitch is None or e.pitch == pitch[1])]
        assert [event.name for event in spoken] == [answer]


@pytest.mark.parametrize("task", ["sound_pitch", "sound_side"])
def test_low_high_left_right(task):
    for question, answer, sound in asked(task):
        (event,) = [event for event in sound.events if noun(event) in question]
        assert answer == (event.pitch if task == "sound_pitch" else event.side)


def test_counts_and_order():
    kinds = {"struck": "struck", "blown": "blown", "spoken": "spoken", "speak": "spoken"}
    for question, answer, sound in asked("sound_count"):
        kind = next((kind for word, kind in kinds.items() if word in question), None)
        assert answer == NUMBERS[sum(kind in (None, event.kind) for event in sound.events)]
    for question, answer, sound in asked("sound_order"):
        pair = [event for event in sound.events if noun(event) in question]
        assert answer == noun(pair[0])


def test_swapped_channels_turn_sides_round_and_one_channel_takes_them():
    for seed in range(4):
        plain, swapped, one = (
            load_audio(sense_sample("sound_side", seed, "test", control).media[0]).samples
            for control in ("none", "swapped_channels", "one_channel")
        )
        assert np.array_equal(plain[:, ::-1], swapped)
        assert np.array_equal(one[:, 0], one[:, 1])
