"""Conversations and descriptions of films, sounds, solids and pages, by the tasks of their senses."""

from __future__ import annotations

from vistune.construction.offline.asked import Asked, Rule, pairs, sentence, told
from vistune.construction.parsers import free_text
from vistune.construction.parsers.base import Item
from vistune.sample import Region
from vistune.world.pages.page import Page
from vistune.world.senses import SENSES, ask, converse_about


def conversation(asked: Asked) -> list[Item]:
    """Questions of the sense's tasks in words."""
    sense = asked.record.meta["sense"]
    tasks = [task for task in SENSES[sense].tasks() if not task.endswith("_caption")]
    found = converse_about(asked.subject, asked.rng(), asked.turns, tasks)
    spoken = [one for one in found if not any(isinstance(part, Region) for part in one.answer)]
    return [asked.item(one) for one in spoken] or caption(asked)


def caption(asked: Asked) -> list[Item]:
    """The sense's own caption, as a sentence; a page is described by its elements."""
    subject, sense = asked.subject, asked.record.meta["sense"]
    if isinstance(subject, Page):
        question, text = "What is on this page?", page_in_words(subject)
    else:
        exchange = ask(f"{sense.removesuffix('s')}_caption", subject, asked.rng())
        assert exchange is not None, "everything can be described"
        question, text = asked.words(exchange.question), sentence(asked.words(exchange.answer))
    alone = asked.prompt.format.name == free_text.FORMAT.name or bool(asked.prompt.questions)
    return told(text) if alone else pairs([(question, text)])


def plan(asked: Asked) -> list[Item]:
    """A goal on a page and the step that reaches it: a box to tick, or a field to read."""
    page = asked.subject
    form = page.element("form") if isinstance(page, Page) else None
    if form is None:
        return []
    open_boxes = [label for label, ticked in form.ticks if not ticked]
    label, _, value = form.cells[0]
    if open_boxes:
        return pairs([(f'How do I choose "{open_boxes[0]}"?', f'Tick the box before "{open_boxes[0]}", which is empty now.')])
    return pairs([(f'Where do I see the "{label}"?', f'Look at the field "{label}" of the form, it holds "{value}".')])


def page_in_words(page: Page) -> str:
    """The elements of a page from top to bottom, with what they hold."""
    return " ".join(map(sentence, layout(page)))


def layout(page: Page) -> list[str]:
    """One line an element, as a detector and a reader of text would list them."""
    lines = []
    for element in page.elements:
        words = " ".join(word.text for word in element.words)
        if element.kind == "form":
            fields = [f'the field "{label}" holds "{value}"' for label, _, value in element.cells]
            boxes = [f'the box "{label}" is {"ticked" if ticked else "empty"}' for label, ticked in element.ticks]
            lines.append(f"a form: {', '.join([*fields, *boxes])}".replace(": ", ", "))
        else:
            lines.append(f'a {element.kind} with "{words}"')
    return lines


RULES: dict[str, Rule] = {
    "conversation": conversation,
    "reasoning": conversation,
    "reading": conversation,
    "words": conversation,
    "caption": caption,
    "summary": caption,
    "detail": caption,
    "plan": plan,
}
