"""Headless Chromium, driven over the WebDriver protocol: for the pages that people use."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the W3C WebDriver standard's key of an element reference


class Browser:
    """The few WebDriver commands the page's test needs."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        flags += ["--disable-component-update", "--disable-sync", "--window-size=1280,900"]
        options = {"goog:chromeOptions": {"args": flags}, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._client.post("/session", json={"capabilities": {"alwaysMatch": options}}).json()
        self._session = f"/session/{made['value']['sessionId']}"

    def command(self, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._session}/{path}"
        reply = self._client.get(url) if body is None else self._client.post(url, json=body)
        assert reply.status_code == 200, reply.text
        return reply.json()["value"]

    def open(self, url: str) -> None:
        self.command("url", {"url": url})

    def run(self, script: str) -> Any:
        return self.command("execute/sync", {"script": script, "args": []})

    def text(self, selector: str) -> str:
        return str(self.run(f"return document.querySelector({selector!r}).innerText"))

    def click(self, selector: str) -> None:
        element = self.command("element", {"using": "css selector", "value": selector})[_ELEMENT]
        self.command(f"element/{element}/click", {})

    def fill(self, selector: str, text: str) -> None:
        """Type into an element; into a field for files, choose a file."""
        element = self.command("element", {"using": "css selector", "value": selector})[_ELEMENT]
        self.command(f"element/{element}/value", {"text": text})

    def press(self, keys: str) -> None:
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.command("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def wait(self, condition: str) -> None:
        """Until a JavaScript condition holds; a page that never gets there fails the test."""
        deadline = time.monotonic() + 20
        while not self.run(f"return Boolean({condition})"):
            assert time.monotonic() < deadline, f"the page never reached: {condition}"
            time.sleep(0.02)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.command("screenshot")))

    def complaints(self) -> list[str]:
        """What the page wrote to the console: errors, and what its security policy blocked."""
        return [entry["message"] for entry in self.command("se/log", {"type": "browser"})]

    def close(self) -> None:
        self._client.delete(self._session)
        self._client.close()


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser while the block runs; skips the test where there is none."""
    driver = shutil.which("chromedriver")
    if driver is None or not (shutil.which("chromium") or shutil.which("google-chrome")):
        pytest.skip("chromium and chromedriver are not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([driver, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/status", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "chromedriver does not start"
                time.sleep(0.1)
        made = Browser(f"http://127.0.0.1:{port}")
        yield made
        made.close()
    finally:
        process.terminate()
        process.wait()
