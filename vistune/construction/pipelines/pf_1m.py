"""PF-1M (Polite Flamingo): terse answers rewritten by a model that learnt to undo distortions, and the data to teach it."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import close_to, noted_answer, tidy
from vistune.construction.operators.generate import answers, generate, note
from vistune.construction.operators.source import fan
from vistune.construction.operators.template import asked, templates
from vistune.construction.operators.translate import said
from vistune.construction.parsers import free_text, triple_equals
from vistune.construction.parsers.base import Item
from vistune.construction.pipeline import Pipeline
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, of_task, pairs_to_turns, when

DISTORT = Prompt(
    "distort",
    "distort",
    "Spoil the following answer as a careless or impolite writer would: shorten it, drop politeness, capitals and "
    "punctuation, and "
    "let a detail slip. Keep its core.",
    ("note:original",),
    free_text.FORMAT,
    ("The bus is blue, and it is just leaving.", (Item.of(("", "blue bus")),)),
    temperature=1.0,
)
REWRITE = Prompt(
    "rewrite",
    "rewrite",
    "The answers below are correct but curt. Repeat every question as it is and rewrite its answer as a polite, complete and "
    "well-formed one with the same meaning.",
    ("note:said",),
    triple_equals.FORMAT,
    ("Question:\nWhat colour is the bus?\n===\nAnswer:\nblue", (Item.of(("What colour is the bus?", "The bus is blue.")),)),
)


def _original(record: Record) -> Record:
    return record.with_note("original", record.facts.qa[0][1])


def _draft(record: Record) -> Record:
    question = record.facts.qa[0][0]
    ask = f"{question}\n(Draft): {record.notes['distorted']}\n(Revised):"
    return record.with_turns(pairs_to_turns([(ask, record.notes["original"])]))


def steps(kit: Kit) -> list[Operator]:
    """`distort` gives pairs that teach the rewriter, `rewrite` applies it; kept when similar enough to the original (0.40)."""
    return [
        fan("distort", "rewrite"),
        when(of_task("distort"), each(_original)),
        when(of_task("distort"), generate(kit.writer, DISTORT, note("distorted"), kit.seed)),
        when(of_task("distort"), each(_draft)),
        when(of_task("rewrite"), templates(asked(name="rewritten"), seed=kit.seed)),
        when(of_task("rewritten"), noted_answer()),
        when(of_task("rewritten"), said()),
        when(of_task("rewritten"), generate(kit.writer, REWRITE, answers, kit.seed)),
        when(of_task("rewritten"), close_to(lambda record: record.notes["original"], 0.4)),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "PF-1M (Chen et al., Visual Instruction Tuning with Polite Flamingo, 2023, section 3)",
    ("qa",),
    "drafts with their revisions (to teach a rewriter) and rewritten answers",
    steps,
    (DISTORT, REWRITE),
    deviations="a language model distorts; word overlap stands in for sentence embeddings at the same threshold",
)
