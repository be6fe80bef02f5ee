"""A model of `transformers` taken whole, and a server that is asked for long, as their users meet them."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from cli_calls import called
from serving_requests import data_url, serving

from vistune.commands._answerers import open_model
from vistune.model.vlm import VisionLanguageModel
from vistune.serving.engine.engine import Limits

sys.path.insert(0, str(Path(__file__).parent.parent / "native"))
from native_families import build
from PIL import Image

QUESTIONS = ("What is in the picture?", "Two cats on a mat.")


def messages(content: bytes, question: str) -> list[dict[str, Any]]:
    shown = {"type": "image_url", "image_url": {"url": data_url(content)}}
    return [{"role": "user", "content": [shown, {"type": "text", "text": f"\n{question}"}]}]


def test_the_official_client_and_curl_get_what_predict_writes(tmp_path: Path) -> None:
    openai = pytest.importorskip("openai")
    folder = build("llava", tmp_path / "whole")
    records = []
    for number, (colour, question) in enumerate(zip(("red", "blue"), QUESTIONS, strict=True)):
        Image.new("RGB", (40, 30), colour).save(tmp_path / f"{number}.png")
        turns = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": "A."}]
        records.append({"id": str(number), "image": f"{number}.png", "conversations": turns})
    (tmp_path / "asked.json").write_text(json.dumps(records))
    out = tmp_path / "answers.jsonl"
    done = called(
        *("predict", str(folder), "--data", f"conversations:{tmp_path}/asked.json?images={tmp_path}"),
        *("--out", str(out), "--max-new-tokens", "8"),
    )
    assert done.returncode == 0, done.stderr
    expected = [json.loads(line)["answer"] for line in out.read_text().splitlines()]
    assert len(expected) == 2 and all(expected)
    with serving({"whole": lambda: open_model(str(folder), "cpu")}) as server:
        http = httpx.Client(trust_env=False)
        client = openai.OpenAI(base_url=f"{server.url}v1", api_key="none", max_retries=0, http_client=http)
        for number, question in enumerate(QUESTIONS):
            sent = messages((tmp_path / f"{number}.png").read_bytes(), question)
            wanted: dict[str, Any] = {"model": "whole", "messages": sent, "max_tokens": 8, "temperature": 0}
            reply = client.chat.completions.create(**wanted)
            assert reply.choices[0].message.content == expected[number]
            assert reply.usage.completion_tokens <= 8 < reply.usage.prompt_tokens
            pieces = client.chat.completions.create(**wanted, stream=True)
            assert "".join(piece.choices[0].delta.content or "" for piece in pieces) == expected[number]
            if shutil.which("curl") is not None:
                assert curled(server.url, wanted) == expected[number]


def curled(url: str, body: dict[str, Any]) -> str:
    command = ["curl", "-s", "--noproxy", "*", f"{url}v1/chat/completions", "-H", "Content-Type: application/json"]
    done = subprocess.run([*command, "--data-binary", "@-"], input=json.dumps(body), capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout)["choices"][0]["message"]["content"])


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").is_file(), reason="memory is read from /proc")
def test_memory_is_bounded_over_two_thousand_requests(tiny_model: VisionLanguageModel) -> None:
    """New pictures all the time, of which each is kept until there is no room: the second thousand needs no more."""
    held: list[int] = []
    with serving({"tiny": lambda: tiny_model}, limits=Limits(media_bytes=2 << 20, prefix_bytes=2 << 20)) as server:
        client = httpx.Client(base_url=server.url, timeout=60, trust_env=False)
        for number in range(2000):
            pixel = Image.new("RGB", (32, 32), (number % 256, number // 256, 7))
            buffer = io.BytesIO()
            pixel.save(buffer, "PNG")
            sent = messages(buffer.getvalue(), QUESTIONS[number % 2])
            body = {"model": "tiny", "messages": sent, "max_tokens": 6, "temperature": 0, "stream": number % 3 == 0}
            assert client.post("/v1/chat/completions", json=body).status_code == 200
            if number % 500 == 499:
                held.append(resident())
    print(f"memory behind 500, 1000, 1500 and 2000 requests: {[f'{size / 2**20:.0f} MiB' for size in held]}")
    assert held[-1] - held[0] < 24 << 20
