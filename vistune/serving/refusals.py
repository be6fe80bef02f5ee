"""`Refusal`: a request that is not answered, as OpenAI's clients read it: a status and `{"error": {...}}`."""

from __future__ import annotations

from typing import Any

from vistune.errors import InputError

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    408: "timeout_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}


class Refusal(InputError):  # noqa: N818 - what the protocol knows as an error
    """`message` is one sentence; `param` names the field at fault, `retry_after` is in seconds."""

    def __init__(
        self, message: str, status: int = 400, param: str | None = None, code: str | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(_whole(message))
        self.status, self.param, self.code, self.retry_after = status, param and _whole(param), code, retry_after

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the status."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}

    def to_json(self) -> dict[str, Any]:
        """The body."""
        kind = _KINDS.get(self.status, "invalid_request_error")
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def refusal(error: InputError) -> Refusal:
    """Any sentence for the user, as a refusal: what the command line would print, with status 400."""
    return error if isinstance(error, Refusal) else Refusal(str(error))


def _whole(text: str) -> str:
    """Half a character, which a sentence may repeat from the request, is one that no answer can carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
