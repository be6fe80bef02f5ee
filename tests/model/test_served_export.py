"""The exported directory behind `transformers serve` answers an OpenAI-style request with a picture in it."""

from __future__ import annotations

import base64
import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from vistune.model.interchange.export import export
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_transformers_serves_what_we_export(tiny_spec: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("openai", reason="`transformers serve` wants the library openai: pip install 'transformers[serving]'")
    export(VisionLanguageModel(ModelSpec.from_json(tiny_spec)).eval(), tmp_path / "hf")
    port = free_port()
    program = str(Path(sys.executable).with_name("transformers"))
    command = [program, "serve", str(tmp_path / "hf"), "--device", "cpu", "--port", str(port)]
    server = subprocess.Popen(
        command, env=os.environ | {"HF_HUB_OFFLINE": "1"}, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), "red").save(picture, format="png")
        url = "data:image/png;base64," + base64.b64encode(picture.getvalue()).decode()
        content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]
        body = {"model": str(tmp_path / "hf"), "messages": [{"role": "user", "content": content}], "max_tokens": 5}
        for _ in range(240):
            assert server.poll() is None, "the server stopped"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                time.sleep(1)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=240) as answer:
            said = json.load(answer)
        assert said["choices"][0]["message"]["role"] == "assistant"
        assert isinstance(said["choices"][0]["message"]["content"], str)
    finally:
        server.terminate()
        server.wait()
