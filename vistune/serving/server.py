"""A server: listens at once, loads its models meanwhile, and drains when it is told to stop.

SIGTERM, Ctrl-C   new requests are refused (503), running answers are finished for at most `settings.drain` seconds
again             the end, at once
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import FrameType

import uvicorn

from vistune.errors import InputError
from vistune.model.answering.opening import Model
from vistune.serving.app import make_app
from vistune.serving.engine.engine import Engine
from vistune.serving.engine.served import Served
from vistune.serving.patience import PatientProtocol
from vistune.serving.service import Service
from vistune.serving.settings import Settings


class Server(uvicorn.Server):
    """Serves `models`: functions that load them, by name. `port` 0 takes a free one; `url` says which."""

    def __init__(self, models: Mapping[str, Callable[[], Model]], settings: Settings) -> None:
        self.service = Service(settings, tuple(models))
        self._models = models
        self._socket = _bound(settings.host, settings.port)
        config = uvicorn.Config(
            make_app(self.service),
            http=partial(PatientProtocol, patience=settings.seconds),  # type: ignore[arg-type] # it is called, no more
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=1024,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=5,
            lifespan="off",
        )
        super().__init__(config)

    @property
    def url(self) -> str:
        """Where the page is."""
        host = self.service.settings.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._socket.getsockname()[1]}/"

    def run_all(self) -> None:
        """Serve until told to stop. Raises `InputError` when a model cannot be loaded."""
        threading.Thread(target=self._load, name="loading", daemon=True).start()
        try:
            self.run(sockets=[self._socket])
        finally:
            self.service.close()
        if self.service.fault is not None:
            raise InputError(self.service.fault)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What uvicorn calls at a signal."""
        if self.service.draining:
            self.should_exit = self.force_exit = True
            return
        self.service.draining = True
        threading.Thread(target=self._drain, name="draining", daemon=True).start()

    def _drain(self) -> None:
        deadline = time.monotonic() + self.service.settings.drain
        while self.service.flying and time.monotonic() < deadline:
            time.sleep(0.02)
        self.should_exit = True

    def _load(self) -> None:
        for name, load in self._models.items():
            try:
                model = load()
                limits = self.service.settings.limits
                self.service.engines[name] = Engine(Served(name, model, limits.media_bytes), limits)
            except InputError as error:
                self.service.fault = str(error)
            except Exception as error:  # noqa: BLE001 - nobody else sees what a thread raises
                self.service.fault = f"the model {name!r} cannot be loaded: {type(error).__name__}: {error}"
            if self.service.fault is not None:
                self.should_exit = True
                return
        print(f"serving {', '.join(self._models)} at {self.url}  (Ctrl-C stops)", file=sys.stderr, flush=True)


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(1024)
    except OSError as error:
        raise InputError(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port") from error
    return made
