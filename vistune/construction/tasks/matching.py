"""Does a text belong to the picture? Texts of other pictures are noted beforehand, by `foreign`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Operator, Record
from vistune.construction.tasks.wording import YES_NO, draw_of, optional, shuffled

_CAPTIONS, _QUESTIONS = "foreign captions", "foreign questions"


def foreign(window: int = 64) -> Operator:
    """Note the captions and the questions of up to `window` records before each one, one a line."""

    def run(records: Iterable[Record]) -> Iterator[Record]:
        captions: deque[str] = deque(maxlen=window)
        questions: deque[str] = deque(maxlen=window)
        for record in records:
            if record.reject:
                yield record
                continue
            yield record.with_note(_CAPTIONS, "\n".join(captions)).with_note(_QUESTIONS, "\n".join(questions))
            captions.extend(text.replace("\n", " ") for text in record.facts.captions[:1])
            questions.extend(ask.replace("\n", " ") for ask, _ in record.facts.qa[:1])

    return run


def _others(record: Record, note: str, own: Iterable[str]) -> list[str]:
    known = set(own)
    return [line for line in dict.fromkeys(record.notes.get(note, "").split("\n")) if line and line not in known]


def _matches(record: Record) -> list[Filled]:
    draw, own = draw_of(record, "ITM"), record.facts.captions
    others = _others(record, _CAPTIONS, own)
    if not own or not others:
        return []
    wrong = draw.random() < 0.5
    text = draw.choice(others) if wrong else own[0]
    return [Filled.of("no" if wrong else "yes", text=text, options=shuffled(YES_NO, draw))]


def _best(record: Record) -> list[Filled]:
    draw, own = draw_of(record, "image_text_selection"), record.facts.captions
    others = _others(record, _CAPTIONS, own)
    if not own or len(others) < 2:
        return []
    return [Filled.of(own[0], options=shuffled([own[0], *draw.sample(others, min(4, len(others)))], draw))]


def _answerable(record: Record) -> list[Filled]:
    draw, own = draw_of(record, "question_image_match"), [ask for ask, _ in record.facts.qa]
    others = _others(record, _QUESTIONS, own)
    if not own or not others:
        return []
    wrong = draw.random() < 0.5
    question = draw.choice(others) if wrong else own[0]
    return [Filled.of("no" if wrong else "yes", question=question, options=shuffled(YES_NO, draw))]


TASKS = (
    Template("ITM", optional('Does "{text}" describe the picture?', 'Is "{text}" true of the picture?'), _matches),
    Template("image_text_selection", optional("Which text describes the picture?", "Choose the picture's caption."), _best),
    Template(
        "question_image_match",
        optional('Can "{question}" be answered from the picture?', 'Does the picture suffice for "{question}"?'),
        _answerable,
    ),
)
