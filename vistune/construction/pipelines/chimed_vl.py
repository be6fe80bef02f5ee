"""ChiMed-VL (Qilin-Med-VL): captions and questions about medical figures, translated into Chinese."""

from __future__ import annotations

from vistune.construction.kit import Kit
from vistune.construction.operators.filters import tidy
from vistune.construction.operators.generate import generate, pairs
from vistune.construction.operators.template import asked, describe, templates
from vistune.construction.operators.translate import said, translation
from vistune.construction.pipeline import Pipeline
from vistune.construction.record import Operator

ALIGN = ("Describe this medical image.", "What does the figure show?", "State the findings in this picture.")
TRANSLATE = translation("zh", subject="Use the terms of Chinese medical literature. ")


def steps(kit: Kit) -> list[Operator]:
    """Captions to align and questions to instruct, then all of it into Chinese."""
    return [
        templates(describe(ALIGN, "align"), asked(name="instruct"), seed=kit.seed),
        said(),
        generate(kit.writer, TRANSLATE, pairs, kit.seed),
        *tidy(kit),
    ]


PIPELINE = Pipeline(
    "ChiMed-VL (Liu et al., Qilin-Med-VL, 2023, section 3)",
    ("captions or qa",),
    "Chinese descriptions and answers",
    steps,
    (TRANSLATE,),
)
