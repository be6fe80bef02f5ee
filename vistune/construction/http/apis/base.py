"""`Api`: what differs between providers: the address, how the key is shown, the request's body and the reply's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from vistune.completer import Reply, Request


class Api(Protocol):
    """One provider's chat format."""

    key_env: str
    """The environment variable that holds the key, unless another is given."""

    takes_tools: bool
    """Does it know functions that a model may call, as this package speaks of them?"""

    def path(self, model: str) -> str:
        """Where a request is sent, behind the base address."""
        ...

    def headers(self, secret: str) -> dict[str, str]:
        """Headers of every request; a `secret` that is empty is not shown."""
        ...

    def body(self, request: Request, model: str) -> dict[str, Any]:
        """The JSON body of a request."""
        ...

    def read(self, value: Any) -> tuple[Reply, Mapping[str, Any]]:
        """The reply in a body that was JSON, and its counts of tokens as `prompt` and `completion`, None where it says none.

        Raises `LookupError`, `TypeError`, `AttributeError` or `ValueError` for a body without a reply.
        """
        ...
