"""Steps of doing something (wikiHow): the caption is the step shown, `before` and `after` are the others, in order."""

from __future__ import annotations

from vistune.construction.operators.template import Filled, Template
from vistune.construction.record import Record
from vistune.construction.tasks.wording import draw_of, five, optional, shuffled

_ORDER = ("next", "previous")


def _aim(record: Record) -> str:
    return record.facts.labels[0] if record.facts.labels else "the task"


def _next(record: Record) -> list[Filled]:
    if not record.facts.after or not record.facts.captions:
        return []
    history = "; ".join(record.facts.before) or "nothing"
    return [Filled.of(record.facts.after[0], aim=_aim(record), history=history, step=record.facts.captions[0])]


def _select(record: Record) -> list[Filled]:
    draw, others = draw_of(record, "wikihow"), [*record.facts.before, *record.facts.after[1:]]
    if not record.facts.after or not others:
        return []
    options = [record.facts.after[0], *draw.sample(others, min(3, len(others)))]
    return [Filled.of(record.facts.after[0], aim=_aim(record), options=shuffled(options, draw))]


def _order(record: Record, task: str, picture_first: bool) -> list[Filled]:
    """Is the step in words the next or the previous one of the step shown, or the step shown that of the one in words?"""
    draw = draw_of(record, task)
    sides = [side for side, steps in (("next", record.facts.after), ("previous", record.facts.before)) if steps]
    if not sides:
        return []
    side = draw.choice(sides)
    step = record.facts.after[0] if side == "next" else record.facts.before[-1]
    other = "previous" if side == "next" else "next"
    return [Filled.of(side if picture_first else other, aim=_aim(record), step=step, options=shuffled(_ORDER, draw))]


TASKS = (
    Template(
        "wikihow_next_step",
        five(
            'For "{aim}", after {history}, "{step}" is done. What is next?',
            'Next step of "{aim}" after "{step}"? Before: {history}',
        ),
        _next,
    ),
    Template(
        "wikihow_immediate_next_step_selection",
        optional('Which step of "{aim}" follows the picture?', 'The picture is a step of "{aim}". Choose the next.'),
        _select,
    ),
    Template(
        "wikihow_image_text_step_order",
        optional(
            'For "{aim}", is "{step}" the next or the previous step of the picture?', '"{step}" in "{aim}": after or before?'
        ),
        lambda record: _order(record, "image text", True),
    ),
    Template(
        "wikihow_text_image_step_order",
        optional(
            'For "{aim}", is the picture the next or the previous step of "{step}"?', 'Where is the picture to "{step}"? {aim}'
        ),
        lambda record: _order(record, "text image", False),
    ),
)
