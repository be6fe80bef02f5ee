"""Which frames are seen: the numbers of the official readers, and the bound of films that need too many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.data.media.sampling import Sampling
from vistune.errors import InputError

GOLDEN = Path(__file__).parents[2] / "golden" / "mechanisms" / "film_sampling.json"
CASES: list[dict[str, Any]] = json.loads(GOLDEN.read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['frames']}-{case['wanted']}")
def test_frames_are_those_of_the_official_readers(case: dict[str, Any]) -> None:
    for rule in ("segments", "starts", "ends"):
        assert Sampling(case["wanted"], rule).places(case["frames"], None, "film") == case[rule], rule  # type: ignore[arg-type]
    clock = [frame / 10 for frame in range(case["frames"])]
    for rate, places in (case["rate"] or {}).items():
        # The official reader takes no frame of a film shorter than half the time between two; ours takes the first.
        assert Sampling(1000, "rate", float(rate)).places(case["frames"], clock, "film") == (places or [0]), rate


def test_a_long_film_is_refused_at_a_rate_and_never_cut() -> None:
    clock = [frame / 10 for frame in range(600)]
    assert Sampling(60, "rate", 1.0).places(600, clock, "a.mp4") == [10 * frame + 5 for frame in range(60)]
    with pytest.raises(InputError, match=r"a\.mp4 lasts 60\.0 s: at 2 frames a second these are 120, more than the 60"):
        Sampling(60, "rate", 2.0).places(600, clock, "a.mp4")
    with pytest.raises(InputError, match="does not say when its frames are shown"):
        Sampling(60, "rate").places(600, None, "a.mp4")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"frames": 0}, "frames is 0"),
        ({"frames": 4, "rule": "random"}, "sample is 'random', expected one of"),
        ({"frames": 4, "rate": 0.0}, "rate is 0.0"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Sampling(**settings)
