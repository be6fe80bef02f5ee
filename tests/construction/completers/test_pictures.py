"""Pictures on their way to an endpoint: every format that we decode is sent, and one that cannot be fails alone."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from tests.construction.completers.test_endpoint import asked
from tests.construction.fake_endpoint import FakeEndpoint
from vistune.completer import Message, Request
from vistune.construction.http.pictures import PictureError, sent
from vistune.sample import Media

RED = (255, 0, 0)


def encoded(format_: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), RED).save(buffer, format_)
    return buffer.getvalue()


@pytest.mark.parametrize(("format_", "kind"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")])
def test_what_endpoints_take_goes_as_it_is(format_: str, kind: str):
    content = encoded(format_)
    assert sent(Media("image", data=content)) == (f"image/{kind}", base64.b64encode(content).decode())


@pytest.mark.parametrize("format_", ["BMP", "TIFF", "PPM"])
def test_other_pictures_go_as_png(format_: str):
    kind, data = sent(Media("image", data=encoded(format_)))
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (kind, picture.format, picture.size, picture.getpixel((0, 0))) == ("image/png", "PNG", (4, 3), RED)


@pytest.mark.parametrize("content", [b"", b"no picture", b"RIFF\x04\x00\x00\x00WAVE", encoded("BMP")[:60]])
def test_what_cannot_be_decoded_is_refused(content: bytes):
    with pytest.raises(PictureError):
        sent(Media("image", data=content))


def test_a_picture_that_cannot_be_sent_fails_its_request_alone(tmp_path: Path):
    (tmp_path / "broken.bmp").write_bytes(b"no picture")
    (tmp_path / "whole.bmp").write_bytes(encoded("BMP"))
    names = ["broken.bmp", "missing.png", "whole.bmp"]
    wanted = [Request((Message("user", "What?", (Media("image", path=str(tmp_path / name)),)),), 20) for name in names]
    with FakeEndpoint(text="Red.") as server:
        replies, completer = asked(server.url, wanted)
        assert len(server.bodies) == 1
        assert b"data:image/png;base64," in server.bodies[0]
    assert [reply.text for reply in replies] == ["", "", "Red."]
    assert all(reply.error.startswith("picture: ") for reply in replies[:2])
    assert (completer.account.asked, completer.account.failed, completer.account.answered) == (3, 2, 1)
