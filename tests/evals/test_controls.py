"""Controls of two kinds of media in one question: one kind is left away, the rest stays what it was."""

from __future__ import annotations

import numpy as np
import pytest

from vistune.errors import InputError
from vistune.evals.controls import without
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn


def sample_of() -> Sample:
    picture = Media("image", data=np.zeros((4, 4, 3), dtype=np.uint8))
    sound = Media("audio", data=np.zeros((8, 1), dtype=np.float32))
    ask = (MediaRef(0), MediaRef(1), Text("Is "), Region(1, box=(0.0, 0.0, 0.5, 0.5)), Text(" what is heard?"))
    return Sample("s", (sound, picture), (Turn("user", ask), Turn("assistant", (Text("yes"),))), (Region(1, point=(0.1, 0.1)),))


def test_what_is_left_is_numbered_anew() -> None:
    sample = sample_of()
    silent, unseen = without(sample, "audio"), without(sample, "image")
    assert [medium.kind for medium in silent.media] == ["image"] and [medium.kind for medium in unseen.media] == ["audio"]
    assert silent.turns[0].parts[0] == MediaRef(0)
    assert [part.media for part in silent.turns[0].parts if isinstance(part, Region)] == [0] == [silent.regions[0].media]
    assert unseen.turns[0].parts == (MediaRef(0), Text("Is "), Text(" what is heard?")) and not unseen.regions
    assert silent.turns[1] == unseen.turns[1] == sample.turns[1]


def test_a_kind_that_is_not_shown_is_refused() -> None:
    with pytest.raises(InputError, match="shows no video that could be left away"):
        without(sample_of(), "video")
