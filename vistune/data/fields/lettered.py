"""The options of a multiple-choice question as everybody shows them: a line each, behind a letter."""

from __future__ import annotations

from collections.abc import Sequence

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def lettered(choices: Sequence[str]) -> str:
    """Options a line each: `A. a cat`."""
    return "\n".join(f"{letter}. {choice}" for letter, choice in zip(LETTERS, choices, strict=False))
