"""Pairs for preference tuning against hallucination: a true and a false answer to whether something is in the picture."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.negatives import Vocabulary, preferred_existence
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator


def steps(kit: Kit) -> list[Operator]:
    """Absent objects in POPE's three ways, and as many present ones; nobody is asked, so it runs offline."""
    return [preferred_existence(Vocabulary(), ("random", "popular", "adversarial"), 1, kit.seed)]


PIPELINE = Pipeline(
    "absent objects in POPE's three ways (Li et al., 2023, section 4), as pairs for DPO (RLHF-V, arXiv 2312.00849, in idea)",
    ("objects",),
    "a question about existence with a true answer and a false one (meta.rejected), up to six a picture",
    steps,
    (),
)
