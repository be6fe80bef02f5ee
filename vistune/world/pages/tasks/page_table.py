"""What stands in a cell of the table?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_QUESTIONS = (
    'In the table, what is the "{column}" of "{row}"?',
    'What stands in the row "{row}" under "{column}"?',
    'Read the cell of the table in row "{row}" and column "{column}".',
)


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Any cell."""
    table = page.element("table")
    if table is None:
        return None
    row, column, value = table.cells[int(rng.integers(len(table.cells)))]
    return Exchange.words(choose(_QUESTIONS, rng).format(row=row, column=column), value, f"page table {row} {column}")
