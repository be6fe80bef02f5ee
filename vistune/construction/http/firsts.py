"""`FirstRequests`: when the first requests of a run all fail for the same lasting reason, so will the rest."""

from __future__ import annotations

from vistune.errors import InputError

MANY = 8


class FirstRequests:
    """How the first requests end, by the order they were asked in: refusals come sooner than replies, and would win a race.

    `heard` is set once a reply came: the address, the key and the options are right, and what fails fails alone.
    """

    def __init__(self) -> None:
        self.heard = False
        self._numbers = 0
        self._causes: dict[int, str] = {}

    def number(self) -> int:
        """The next request's number."""
        self._numbers += 1
        return self._numbers

    def failed(self, number: int, kind: str, said: str = "") -> None:
        """A try failed. `kind` is empty for a cause that may pass. Raises `InputError` when nothing can be hoped for."""
        if self.heard or number > MANY:
            return
        self._causes[number] = kind
        # All eight and all alike: one refused picture among them says nothing about the others.
        if kind and len(self._causes) == MANY and set(self._causes.values()) == {kind}:
            raise InputError(
                f"the first {MANY} requests all failed with {kind}{': ' + said if said else ''}; check the address, the model "
                "and the options, and run the same command again: replies already bought are kept"
            )
