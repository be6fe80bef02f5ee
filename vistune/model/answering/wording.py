"""An answer's tokens as text while it grows: what may be said already, and whether a stop has been written.

    tokens   It | is |  a |  c | at |  . | ##|#          stop: ###
    said     It   is    a    c   at    .                 held back: blanks, beginnings of stops, half characters

What is said, joined, is the whole answer: the text of all tokens up to the first stop, without blanks around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

Decode = Callable[[Sequence[int]], str]


class Wording:
    """`decode` gives the text of tokens, `stops` end it. Unless `said_early`, text is only looked at for stops."""

    def __init__(self, decode: Decode, stops: Sequence[str], said_early: bool) -> None:
        self._decode, self._stops = decode, [stop for stop in stops if stop]
        self._early = said_early
        self.said = ""
        self.reach = 0  # how far the text of all tokens goes, without blanks in front
        self.ids: list[int] = []
        self.stopped = False

    def write(self, token: int) -> str:
        """Another token; returns what can be said now."""
        self.ids.append(token)
        if not self._early and not self._stops:
            return ""
        text = self._decode(self.ids)
        self.reach = len(text.lstrip())
        cut = _cut(text, self._stops)
        if cut is not None:
            self.stopped = True
            return self._say(cut.strip())
        return self._say(self._safe(text.lstrip())) if self._early else ""

    def finish(self) -> tuple[str, str]:
        """The whole answer, and what of it was not said yet."""
        text = self._decode(self.ids)
        cut = _cut(text, self._stops)
        whole = (text if cut is None else cut).strip()
        return whole, self._say(whole)

    def _safe(self, text: str) -> str:
        """Without what a later token could take back."""
        # A character of several tokens decodes to the replacement character until its last token is there.
        text = text.rstrip("\ufffd").rstrip()
        # The beginning of a stop is held back: if the rest comes, it was never part of the answer.
        longest = max((_begun(text, stop) for stop in self._stops), default=0)
        return text[: len(text) - longest].rstrip()

    def _say(self, text: str) -> str:
        if not text.startswith(self.said):  # a tokenizer that rewrites what it decoded: what was said stays said
            return ""
        more = text[len(self.said) :]
        self.said = text
        return more


def _cut(text: str, stops: Sequence[str]) -> str | None:
    """The text before the first stop; None without one."""
    places = [place for place in (text.find(stop) for stop in stops) if place >= 0]
    return text[: min(places)] if places else None


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of the text begin a stop."""
    return next((count for count in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:count])), 0)


class Speaker:
    """Says one answer while `generate` writes it: what `transformers` calls a streamer.

    `decode` and `stops` as for `Wording`, `ends` are tokens that are not said, `say` is told of every piece of text.
    """

    def __init__(self, decode: Decode, stops: Sequence[str], ends: Collection[int], say: Callable[[str], None]) -> None:
        self._wording = Wording(decode, stops, said_early=True)
        self._ends, self._say = ends, say
        self._prompt = True

    @property
    def said(self) -> str:
        """All that was told."""
        return self._wording.said

    def put(self, value: Any) -> None:
        """Tokens of one row: first those of the prompt, then each as it is written."""
        # The library hands the prompt to a streamer first.
        if self._prompt:
            self._prompt = False
            return
        for token in value.flatten().tolist():
            if token not in self._ends and not self._wording.stopped:
                piece = self._wording.write(token)
                if piece:
                    self._say(piece)

    def end(self) -> None:
        """A run of `generate` is over; where a head goes on, the next begins with a prompt again."""
        self._prompt = True
