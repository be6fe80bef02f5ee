"""docs/serve.md names every field that is read; `tests/pages` runs the page against a server."""

from __future__ import annotations

from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "serve.md").read_text(encoding="utf-8")


def test_every_field_that_is_read_is_on_the_page() -> None:
    from vistune.serving.protocol.request import CHAT
    from vistune.serving.protocol.responses import READ

    missing = [name for name in (*CHAT, *READ) if name != "model" and f"`{name}`" not in PAGE and f"`{name}." not in PAGE]
    assert missing == []
