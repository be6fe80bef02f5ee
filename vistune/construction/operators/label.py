"""Model labelling: what a detector, OCR engine, tagger or captioner finds becomes facts."""

from __future__ import annotations

from dataclasses import replace

from vistune.construction.context import words
from vistune.construction.facts import check_kind
from vistune.construction.guards import injected
from vistune.construction.kit import Kit
from vistune.construction.operators.generate import as_caption, generate
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each
from vistune.errors import InputError


def label(kit: Kit, kind: str) -> Operator:
    """Let the labeler for a kind of fact look at records where it is not known yet.

    What it finds is checked as given facts are: words on a picture that hold orders to a model reject the record. Raises
    `InputError` when a record needs it and none was given.
    """
    check_kind(kind)

    def look(record: Record) -> Record:
        if record.facts.has(kind):
            return record
        labeler = kit.labelers.get(kind)
        if labeler is None:
            raise InputError(
                f"record {record.id!r} has no {kind}: put them in the data, or give --label {kind}=package.module:Class"
            )
        facts = record.facts
        for medium in record.media:
            facts = facts.joined(labeler.label(medium))
        found = replace(record, facts=facts)
        return found.rejected("injected context") if injected(words(facts)) else found

    return each(look)


def caption(kit: Kit, prompt: Prompt) -> Operator:
    """Let the viewer describe the media; the description becomes a caption. Raises `InputError` without a viewer."""
    return generate(kit.eyes(), prompt, as_caption, kit.seed)
