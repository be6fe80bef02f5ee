"""LLaVA's pretraining sets (CC-595K, LCS-558K): captions balanced by concept, each behind a request for a short description."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.concepts import balanced
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.template import describe, templates
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator

LEAST, MOST = 3, 100
"""Captions that a concept has at least to count, and at most to be kept of it."""
BRIEFLY = (
    "Describe the picture in one sentence.",
    "Say briefly what is shown.",
    "Give a short account of the image.",
    "What does the photograph show, in a few words?",
    "Summarise what can be seen.",
    "Name the main content of the picture.",
    "Write a terse but informative line about it.",
    "State clearly and concisely what the picture shows.",
)


def steps(kit: Kit) -> list[Operator]:
    """Choose, then ask for a short description; the caption answers."""
    return [balanced(LEAST, MOST, kit.seed), templates(describe(BRIEFLY, "brief"), seed=kit.seed), *tidy(kit)]


PIPELINE = Pipeline(
    "LLaVA's pretraining captions (Liu et al., 2023, Visual Instruction Tuning, appendix; LLaVA-1.5's 558K likewise)",
    ("captions",),
    "a short description per picture, concepts balanced",
    steps,
    deviations="noun phrases are found by rule, not by spaCy; for LLaVA-1.5 give LAION, CC and SBU with BLIP's captions",
)
