"""A conversation on the terminal: lines are questions, lines that begin with `/` are commands."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vistune.errors import InputError, nearest

if TYPE_CHECKING:
    from vistune.chat import Conversation
    from vistune.sample import Region

HELP = """/image FILE        talk about another picture, from the beginning (/image alone: about none)
/region X1 Y1 X2 Y2 QUESTION   ask about a box, its edges as shares of the picture's width and height
/set KEY=VALUE     max_new_tokens, do_sample, temperature, top_p, num_beams
/reset             forget what was said
/help              this
/quit              leave, as Ctrl-D does"""

SETTINGS = ("max_new_tokens", "do_sample", "temperature", "top_p", "top_k", "num_beams")


def answer(talk: Conversation, question: str, out: Path | None, ask: Callable[[str], str] | None = None) -> None:
    """Ask, print the answer, say what was left out, and draw where a file was named for it."""
    said = ""

    def say(piece: str) -> None:
        nonlocal said
        said += piece
        print(piece, end="", flush=True)

    talk.say = say
    text = (ask or talk.ask)(question) or "(an empty answer)"
    print(text.removeprefix(said) if text.startswith(said) else f"\n{text}")
    if talk.dropped:
        print(f"({talk.dropped} of the oldest turns were left out: all is more than the model reads)", file=sys.stderr)
    drawn = None if out is None else talk.draw(out)  # nothing is written beside the user's pictures unless asked
    if drawn is not None:
        print(f"drawn: {drawn}")
    for made in [] if out is None else talk.keep(out):
        print(f"made: {made}")
    if talk.media and out is None:
        print(f"({len(talk.media)} media were made: --out FILE keeps them beside FILE)", file=sys.stderr)


def converse(talk: Conversation, out: Path | None) -> None:
    """Read lines until the end of input. What cannot be done is said, and the conversation goes on."""
    with suppress(ImportError):  # not on every platform
        import readline  # noqa: F401 - gives `input` its history and its editing keys
    if sys.stdin.isatty():
        print("a question, or /help; Ctrl-D ends", file=sys.stderr)
    while True:
        try:
            line = input("> ").strip()
        except EOFError:
            return
        if line in ("/quit", "/exit"):
            return
        try:
            if line.startswith("/"):
                _command(talk, line, out)
            elif line:
                answer(talk, line, out)
        except InputError as error:
            print(f"vistune: {error}", file=sys.stderr)


def _command(talk: Conversation, line: str, out: Path | None) -> None:
    name, _, rest = line[1:].partition(" ")
    rest = rest.strip()
    if name == "help":
        print(HELP)
    elif name == "reset":
        talk.reset()
    elif name == "image":
        talk.show(str(Path(rest).expanduser()) if rest else None)
    elif name == "region":
        answer(talk, rest, out, lambda words: _about_region(talk, words))
    elif name == "set":
        _set(talk, rest)
    else:
        raise InputError(f"there is no /{name}{nearest(name, ['help', 'reset', 'image', 'region', 'set', 'quit'])}")


def boxed(text: str, name: str, pictures: Sequence[Path]) -> Region:
    """A box as `X1,Y1,X2,Y2`. Raises `InputError`, beginning with `name`."""
    from vistune.sample import Region

    if not pictures:
        raise InputError(f"{name} needs a picture: give --image")
    try:
        x1, y1, x2, y2 = map(float, text.split(","))
        return Region(box=(x1, y1, x2, y2))
    except ValueError as error:
        raise InputError(f"{name} {text}: expected left, top, right and bottom from 0 to 1") from error


def _about_region(talk: Conversation, rest: str) -> str:
    from vistune.sample import Region

    words = rest.split(maxsplit=4)
    try:
        x1, y1, x2, y2 = map(float, words[:4])
        region = Region(box=(x1, y1, x2, y2))
    except ValueError as error:
        raise InputError(f"/region {rest}: expected left, top, right and bottom from 0 to 1, and a question") from error
    if talk.image is None:
        raise InputError("/region needs a picture: name one with /image FILE")
    return talk.ask(words[4] if len(words) > 4 else "Describe this region.", region)


def _set(talk: Conversation, pair: str) -> None:
    from vistune.commands._settings import settings

    for key, value in settings([pair]).items():
        if key not in SETTINGS:
            raise InputError(f"/set {key}: there is no such setting{nearest(key, list(SETTINGS))}")
        if isinstance(value, str) or value is None:
            raise InputError(f"/set {key}={value}: expected a number, or true or false")
        if key == "max_new_tokens":
            talk.max_new_tokens = int(value)
        else:
            talk.options[key] = value
