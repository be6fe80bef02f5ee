"""Questions put to data that has none of its own (captions, classes, boxes): one, or several spread over the samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from vistune.errors import InputError


class Questions:
    """One of several wordings for each sample, chosen by its id not by its position: adding data changes no other sample."""

    def __init__(self, wordings: str | Sequence[str]) -> None:
        self.wordings = [wordings] if isinstance(wordings, str) else list(wordings)
        if not self.wordings:
            raise InputError("at least one question is needed")

    def of(self, identity: str) -> str:
        """The wording for a sample."""
        if len(self.wordings) == 1:
            return self.wordings[0]
        digest = hashlib.blake2b(identity.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        return self.wordings[int.from_bytes(digest) % len(self.wordings)]
