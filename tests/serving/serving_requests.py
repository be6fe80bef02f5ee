"""Requests and a server in this process, for the tests of this folder."""

from __future__ import annotations

import base64
import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from PIL import Image

from vistune.model.answering.opening import Model
from vistune.serving.server import Server
from vistune.serving.settings import Settings


def picture(color: str, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def data_url(content: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"


def asked(color: str, question: str) -> list[dict[str, Any]]:
    shown = {"type": "image_url", "image_url": {"url": data_url(picture(color))}}
    return [{"role": "user", "content": [shown, {"type": "text", "text": question}]}]


@contextmanager
def serving(models: dict[str, Callable[[], Model]], **settings: Any) -> Iterator[Server]:
    """A server in a thread of this process, ready."""
    server = Server(models, Settings(port=0, **settings))
    thread = threading.Thread(target=server.run_all, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while server.service.state != "ready" or not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, server.service.fault
        time.sleep(0.01)
    try:
        yield server
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
