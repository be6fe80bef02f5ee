"""The page over HTTP, on this machine alone, made anew for each request; galleries of the runs beside it, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from vistune.errors import InputError
from vistune.training.report.page import html
from vistune.trust import is_loopback


def server(runs: Sequence[Path], port: int, every: int) -> ThreadingHTTPServer:
    """A server that is bound and not yet running."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """The page, or a gallery by its name."""
            if not is_loopback(self.headers.get("Host", "")):
                self.send_error(403)
                return
            name = unquote(self.path).partition("?")[0]
            try:
                text = html(runs, every) if name == "/" else _gallery(runs, name)
            except InputError as error:
                text = None
                self.log_error("%s", error)
            if text is None:
                self.send_error(404)
                return
            content = text.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a page that is looked at is no news."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


def _gallery(runs: Sequence[Path], name: str) -> str | None:
    """A gallery that lies in one of the runs' logs, by its exact name."""
    known = {f"/logs/{file.name}": file for run in runs for file in (run / "logs").glob("*.gallery.html")}
    return known[name].read_text(encoding="utf-8") if name in known else None
