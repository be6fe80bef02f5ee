"""InternLM-XComposer's composition (Zhang et al., arXiv 2309.15112, section 3.4): an article gets pictures where they fit.

Which lines are illustrated and with what caption is asked of the planner; pictures are found or painted; which of them is taken
is asked as a choice among letters. The steps, what each prompt holds and how replies are read are held to a recording of the
released demonstration; the sentences are arguments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vistune.completer import Message, Request
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.loop import Outcome
from vistune.programs.observation import ToolError
from vistune.programs.program import open_tool, question
from vistune.programs.session import Session
from vistune.sample import Media, Sample
from vistune.spec import Spec

_LINE = re.compile(r"<Seg(\d*)>")
_LETTERS = "ABCD"


@dataclass(frozen=True, slots=True)
class Wording:
    """What is said to the planner.

    locate:  asks for lines, with {article} and {count}; the answer's opening stands at its end, and before what is read
    caption: asks for one line's caption, with {article}, {known} and {line}; known: one earlier caption, {line} and {caption}
    choose:  opens the choice; listed: stands before its letters; most: closes it
    """

    locate: str = 'The article:\n"{article}"\nChoose {count} lines that a picture should follow. The lines are '
    opening: str = "The lines are "
    caption: str = (
        'The article:\n"{article}"\n{known}Write the caption of a picture that should follow <Seg{line}>. The caption is "'
    )
    known: str = 'The picture after <Seg{line}> shows "{caption}". '
    choose: str = "Choose the picture that suits the text best: "
    listed: str = "\n\nThe pictures: "
    most: str = "\n\nThe best picture is "


class InternlmXcomposer:
    """The program `internlm_xcomposer`. The sample's question is the article, its first line the title.

    illustrate: the tool that finds or paints a picture for a caption (`retrieve`, `paint`)
    pictures:   lines to illustrate; candidates: pictures to choose among, at most four
    wording:    another wording, by the names of `Wording`
    """

    paper, plans = "arXiv 2309.15112", True

    def __init__(self, illustrate: Spec, pictures: int = 2, wording: dict[str, str] | None = None) -> None:
        self._illustrate, self._pictures = open_tool(illustrate), pictures
        self._wording = Wording(**(wording or {}))

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. The article with the names of its pictures on lines of their own."""
        title, *lines = question(task).split("\n")
        sections = [f"{title}\n", *(f"<Seg{number}> {line}\n" for number, line in enumerate(lines))]
        try:
            captions = locate_and_caption(hands, sections, self._pictures, self._wording)
            found = {line: self._candidates(caption, session, hands) for line, caption in captions.items() if line < len(lines)}
            shown = {line: [session[name].medium for name in names] for line, names in found.items() if names}
            chosen = choose(hands, lines, shown, self._wording)
        except ToolError as error:
            return Outcome(ended="tool", why=str(error))
        except PlannerError as error:
            return Outcome(ended="planner", why=str(error))
        taken = {line: found[line][index] for line, index in chosen.items()}
        text = [title]
        for number, line in enumerate(lines):
            text += [line, *([f"[{taken[number]}: {captions[number]}]"] if number in taken else [])]
        return Outcome("\n".join(text), (), tuple(taken.values()))

    def _candidates(self, caption: str, session: Session, hands: Hands) -> list[str]:
        _, held = hands.use(self._illustrate, {self._illustrate.takes[0].name: caption}, session)
        return [one.name for one in held[: len(_LETTERS)]]


def locate_and_caption(hands: Hands, sections: Sequence[str], count: int, wording: Wording) -> dict[int, str]:
    """Captions by line. `sections` are the title and the lines with their marks.

    A line beyond the article is taken as it is; one that is named twice keeps its last caption. Raises `PlannerError` for a
    mark without a number.
    """
    reply = _ask(hands, wording.locate.format(article="".join(sections), count=count), 300)
    captions: dict[int, str] = {}
    known = ""
    for digits in _LINE.findall(f"{wording.opening}{reply}"):
        if not digits:
            raise PlannerError(f"the planner named a line without its number: {reply[:80]!r}")
        line = int(digits)
        asked = wording.caption.format(article="".join(sections[: line + 2]), known=known, line=line)
        caption = _ask(hands, asked, 100).partition('"')[0].strip()
        captions[line] = caption
        known += wording.known.format(line=line, caption=caption)
    return captions


def choose(hands: Hands, lines: Sequence[str], shown: Mapping[int, Sequence[Media]], wording: Wording) -> dict[int, int]:
    """Which picture each illustrated line gets. The planner reads the text up to the line, with the pictures chosen so far, and
    then the candidates by letter; a reply that is no letter of theirs takes the first."""
    chosen: dict[int, int] = {}
    pieces: list[str | Media] = [wording.choose]
    start = 0
    for line, candidates in shown.items():
        pieces += [f"{text}\n" for text in lines[start : line + 1]]
        start = line + 1
        listing: list[str | Media] = [wording.listed]
        for letter, candidate in zip(_LETTERS, candidates, strict=False):
            listing += [f"{letter}.", candidate, "\n"]
        reply = hands.ask(Request((_message([*pieces, *listing[:-1], wording.most]),), 5)).text
        letter = reply[:1] if reply[:1] != " " else reply[1:2]
        index = _LETTERS.find(letter) if letter else 0
        chosen[line] = index if 0 <= index < len(candidates) else 0
        pieces.append(candidates[chosen[line]])
    return chosen


def _ask(hands: Hands, text: str, longest: int) -> str:
    return hands.ask(Request((Message("user", text),), longest)).text


def _message(pieces: Sequence[str | Media]) -> Message:
    """Text and pictures in order, as one message."""
    text = ""
    images: list[Media] = []
    places: list[int] = []
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
        else:
            images.append(piece)
            places.append(len(text))
    return Message("user", text, tuple(images), tuple(places))
