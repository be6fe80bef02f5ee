"""What docs/serve.md says works: its commands and its code run, one after the other, against the server that it starts."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from serving_requests import free_port, picture
from typer.testing import CliRunner

from vistune.cli import app
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(bash|python)\n(.*?)```", PAGE, re.DOTALL)
ADDRESS = "http://127.0.0.1:8000"


@pytest.mark.slow
def test_the_page_runs(tiny_model: VisionLanguageModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save(tiny_model, tmp_path / "runs/mine/tune", {"llm", "vision", "connector"})
    (tmp_path / "photos").mkdir()
    for place in (tmp_path / "photo.png", tmp_path / "photos/a.png"):
        place.write_bytes(picture("red"))
    url = f"http://127.0.0.1:{free_port()}"
    server = None
    try:
        for language, block in BLOCKS:
            if language == "python":
                said = io.StringIO()
                with contextlib.redirect_stdout(said):
                    exec(compile(block.replace(ADDRESS, url), "docs/serve.md", "exec"), {})  # noqa: S102 - our own page
                assert said.getvalue()
                continue
            for line in block.splitlines():
                program, *arguments = shlex.split(line.replace(ADDRESS, url))
                if arguments[0] == "train":  # minutes: the folder it makes is there
                    continue
                if arguments[0] == "serve":
                    command = [str(Path(sys.executable).with_name(program)), *arguments, "--port", url.rpartition(":")[2]]
                    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
                    while not answered(url):
                        assert server.poll() is None
                        time.sleep(0.1)
                elif program == "curl":
                    done = subprocess.run([program, "--noproxy", "*", *arguments], capture_output=True, text=True, check=True)
                    assert '"choices"' in done.stdout, done.stdout
                else:
                    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
                    assert program == "vistune" and result.exit_code == 0 and result.stdout, result.output
    finally:
        assert server is not None
        server.kill()
        server.wait()
    assert (tmp_path / "captions.jsonl").read_text().count("\n") == 1 and (tmp_path / "exported/config.json").is_file()


def answered(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_every_field_that_is_read_is_on_the_page() -> None:
    from vistune.serving.protocol.request import _CHAT

    missing = [name for name in _CHAT if name != "model" and f"`{name}`" not in PAGE and f"`{name}." not in PAGE]
    assert missing == []
