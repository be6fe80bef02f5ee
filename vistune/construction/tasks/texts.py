"""Text in pictures: reading it, finding it, judging it."""

from __future__ import annotations

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.labels import labelled
from vistune.construction.tasks.wording import YES_NO, box, draw_of, five, optional, shuffled


def _everything(record: Record) -> list[Filled]:
    read = " ".join(item.label or "" for item in record.facts.ocr)
    return [Filled.of(read)] if read else []


def _where(record: Record) -> list[Filled]:
    draw, known = draw_of(record, "text_localization"), record.facts.ocr
    words = [item.label for item in known]
    made = []
    for item in known if len(known) > 1 else ():
        if words.count(item.label) == 1:
            others = [box(other.bounds()) for other in known if other is not item]
            options = [box(item.bounds()), *draw.sample(others, min(3, len(others)))]
            made.append(Filled.of(box(item.bounds()), text=item.label or "", options=shuffled(options, draw)))
    return made


def _says(record: Record) -> list[Filled]:
    draw, made = draw_of(record, "region_text_match"), []
    words = [item.label or "" for item in record.facts.ocr]
    for item in record.facts.ocr:
        others = [word for word in words if word != item.label]
        wrong = bool(others) and draw.random() < 0.5
        text = draw.choice(others) if wrong else item.label or ""
        made.append(Filled.of("no" if wrong else "yes", text=text, box=box(item.bounds()), options=shuffled(YES_NO, draw)))
    return made


TASKS = (
    Template("visual_text_extraction", five("Read the text in the picture.", "Which words are written?"), _everything),
    Template("text_localization", optional('Which region says "{text}"?', 'Choose where "{text}" stands.'), _where),
    Template("region_text_match", optional('Does {box} say "{text}"?', 'Is "{text}" written in {box}?'), _says),
    labelled("text_legibility", "Can the text be read?", "Judge how legible the text is."),
    labelled("text_type", "What kind of text is it?", "Tell how the text was made."),
)
