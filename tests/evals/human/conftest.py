"""A study of three samples and two models, served on loopback."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from vistune.evals.human.server import RatingServer
from vistune.evals.human.study import Study, make_study
from vistune.sample import Media, MediaRef, Region, Sample, Text, Turn

ANSWERS = {
    "alpha": {"s0": "A red square.", "s1": "<b>Two</b> circles & a line.", "s2": "One blue dot."},
    "beta": {"s0": "It shows a square, red all over.", "s1": "Nothing.", "s2": ""},
}


def picture(color: str) -> Media:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), color).save(buffer, "PNG")
    return Media("image", data=buffer.getvalue())


def sample(name: str, color: str) -> Sample:
    parts = (MediaRef(0), Text("What is in "), Region(box=(0.25, 0.25, 0.75, 0.75)), Text("?"))
    return Sample(name, (picture(color),), (Turn("user", parts), Turn("assistant", (Text("the reference answer"),))))


@pytest.fixture
def samples() -> list[Sample]:
    return [sample("s0", "red"), sample("s1", "green"), sample("s2", "blue")]


@pytest.fixture
def study(samples: list[Sample], tmp_path: Path) -> Study:
    return make_study(samples, ANSWERS, tmp_path / "study")


@pytest.fixture
def server(study: Study, tmp_path: Path) -> Iterator[RatingServer]:
    with RatingServer(study, tmp_path / "study", port=0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
