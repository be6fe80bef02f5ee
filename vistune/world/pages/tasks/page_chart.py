"""What does the chart show: the value of a bar, or which bar is the highest or the lowest?"""

from __future__ import annotations

import numpy as np

from vistune.world.exchange import Exchange, choose
from vistune.world.pages.page import Page

_VALUE = (
    'What is the value of "{name}" in the chart?',
    'How high is the bar "{name}"?',
    'Read the value of the bar "{name}".',
)
_HIGHEST = ("Which bar is the highest?", "What has the greatest value in the chart?", "Name the highest bar.")
_LOWEST = ("Which bar is the lowest?", "What has the least value in the chart?", "Name the lowest bar.")


def ask(page: Page, rng: np.random.Generator) -> Exchange | None:
    """Half of the questions are about values, a quarter each about the highest and the lowest bar."""
    chart = page.element("chart")
    if chart is None:
        return None
    values = {name: int(value) for name, _, value in chart.cells}
    which = rng.random()
    if which < 0.5:
        name = choose(tuple(values), rng)
        return Exchange.words(choose(_VALUE, rng).format(name=name), str(values[name]), f"page chart {name}")
    if which < 0.75:
        return Exchange.words(choose(_HIGHEST, rng), max(values, key=lambda name: values[name]), "page chart highest")
    return Exchange.words(choose(_LOWEST, rng), min(values, key=lambda name: values[name]), "page chart lowest")
