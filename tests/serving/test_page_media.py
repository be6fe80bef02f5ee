"""The page with a film, a sound and a point cloud, in the light and in the dark: real files, in a real browser."""

from __future__ import annotations

import io
import sys
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from headless import Browser
from PIL import Image
from serving_requests import picture, serving
from test_chat_page import ask, drop, saved

from vistune.serving.server import Server
from vistune.trust import trusting

sys.path.insert(0, str(Path(__file__).parent.parent / "model"))
from test_modalities import model_of, spec_of

av = pytest.importorskip("av")


def film() -> bytes:
    """Eight frames that get lighter, as MP4."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=4)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(8):
            frame = av.VideoFrame.from_image(Image.new("RGB", (64, 48), (30 * number, 90, 20)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return made.getvalue()


def sound() -> bytes:
    """A fifth of a second of a tone, as WAV."""
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((8000 * np.sin(np.arange(3200) / 6)).astype("<i2").tobytes())
    return made.getvalue()


def cloud() -> bytes:
    """A helix in red, as PLY."""
    turn = np.linspace(0, 12, 300)
    points = np.stack([np.cos(turn), np.sin(turn), turn / 6 - 1, np.full(300, 255), np.zeros(300), np.zeros(300)], axis=1)
    head = "ply\nformat ascii 1.0\nelement vertex 300\n"
    head += "".join(f"property float {name}\n" for name in "xyz")
    head += "".join(f"property uchar {name}\n" for name in ("red", "green", "blue")) + "end_header\n"
    return (head + "\n".join(" ".join(f"{value:g}" for value in point) for point in points) + "\n").encode()


@pytest.fixture(scope="module")
def page(tiny_spec: dict[str, Any]) -> Iterator[Server]:
    with trusting(["small_parts"]):
        model = model_of(spec_of(tiny_spec)).eval()
    with serving({"all": lambda: model}) as made:
        yield made


def pixels(browser: Browser) -> list[int]:
    """What the cloud's canvas shows."""
    return list(
        browser.run(
            """const c = document.querySelector("canvas.cloud, .frame canvas");
            return [...c.getContext("2d").getImageData(0, 0, c.width, c.height).data]"""
        )
    )


@pytest.mark.slow
def test_a_film_a_sound_and_a_cloud_are_shown_asked_about_and_saved(browser: Browser, page: Server) -> None:
    browser.complaints()
    browser.open(page.url)
    browser.wait("document.getElementById('model').options.length === 1")
    drop(browser, film(), "lighter.mp4", "video/mp4")
    browser.wait("document.querySelector('.medium video')?.readyState >= 2")
    width, length = browser.run("const v = document.querySelector('video'); return [v.videoWidth, v.duration]")
    assert width == 64 and length == pytest.approx(2, abs=0.3)
    drop(browser, sound(), "tone.wav", "audio/wav")
    browser.wait("document.querySelector('.medium audio')?.duration > 0.19")
    drop(browser, cloud(), "helix.ply", "")
    browser.wait("document.querySelector('.frame canvas')")
    before = pixels(browser)
    painted = np.array(before).reshape(-1, 4)
    assert (painted[:, 3] > 0).sum() > 300
    seen = painted[painted[:, 3] > 0]
    assert (seen[:, 0] > seen[:, 1]).mean() > 0.9, "points are shown in their colours"
    x, y = browser.run(
        "const c = document.querySelector('.frame canvas'); c.scrollIntoView({block: 'center'});"
        "const r = c.getBoundingClientRect(); return [r.left + r.width / 2, r.top + r.height / 2]"
    )
    moved = {"type": "pointerMove", "duration": 20, "x": round(x) + 60, "y": round(y) + 20}
    pressed, let_go = ({"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp"))
    steps = [{"type": "pointerMove", "x": round(x), "y": round(y)}, pressed, moved, let_go]
    browser.command("actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": steps}]})
    assert pixels(browser) != before, "the mouse turns it"
    ask(browser, "What is it?", 1)
    sample = saved(browser)
    assert [medium.kind for medium in sample.media[:3]] == ["video", "audio", "points"]
    assert [medium.data for medium in sample.media[:3]] == [film(), sound(), cloud()]
    assert [said for said in browser.complaints() if "willReadFrequently" not in said] == []  # that one is about this test


@pytest.mark.slow
def test_it_is_dark_where_its_reader_likes_it_dark(browser: Browser, page: Server, tmp_path: Path) -> None:
    def lightness() -> list[float]:
        """Of the page, and of what is written on it, from 0 to 255."""
        names = browser.run(
            "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color].map((c) => c.match(/[0-9.]+/g))"
        )
        return [sum(map(float, name[:3])) / 3 for name in names]

    shades = {}
    try:
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            asked = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
            browser.command("goog/cdp/execute", asked)
            browser.open(page.url)
            browser.wait("document.getElementById('model').options.length === 1")
            drop(browser, picture("red"), "bus.png", "image/png")
            browser.wait("document.querySelector('.medium img')?.complete")
            shades[scheme] = lightness()
            browser.screenshot(tmp_path / f"{scheme}.png")
            print(tmp_path / f"{scheme}.png")
    finally:
        browser.command("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": []}})
    assert shades["light"][0] - shades["light"][1] > 150 and shades["dark"][1] - shades["dark"][0] > 150
