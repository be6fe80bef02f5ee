"""What a person sees of a stage while it runs: a bar on a terminal, a line every few steps anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY = 10
"""Steps between two lines where stderr is no terminal."""


class Teller:
    """Tells of steps on stderr; `first` of `steps` are done already."""

    def __init__(self, name: str, first: int, steps: int, bar: Progress | None) -> None:
        self._name, self._first, self._steps = name, first, steps
        self._began = time.perf_counter()
        self._tokens, self._losses = 0, list[float]()
        self._bar = bar
        self._task: TaskID | None = None if bar is None else bar.add_task(f"stage {name}", total=steps, completed=first)
        if first:
            self.say(f"goes on at step {first} of {steps}")

    def say(self, text: str) -> None:
        """One line about the stage."""
        line = f"stage {self._name}: {text}"
        if self._bar is not None:
            self._bar.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)

    def step(self, step: int, loss: float, rate: float, tokens: int) -> None:
        """Step number `step` (from 1) is done: its loss, its highest learning rate, and the tokens of all processes."""
        self._tokens += tokens
        self._losses.append(loss)
        pace = self._tokens / max(1e-9, time.perf_counter() - self._began)
        shown = f"loss {sum(self._losses) / len(self._losses):.4f}, lr {rate:.2e}, {pace:,.0f} tokens/s"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=step, description=f"stage {self._name}  {shown}")
        due = step % EVERY == 0 or step == self._steps
        if due and (self._bar is None or step == self._steps):
            self.say(f"step {step}/{self._steps}, {shown}")
        # Losses are averaged between two lines, so that a line is not the luck of one batch.
        if due:
            self._losses.clear()


class _Silent(Teller):
    """That of processes which do not speak."""

    def __init__(self) -> None:
        pass

    def say(self, text: str) -> None:
        """Nothing."""

    def step(self, step: int, loss: float, rate: float, tokens: int) -> None:
        """Nothing."""


@contextmanager
def telling(name: str, first: int, steps: int, speaks: bool) -> Iterator[Teller]:
    """A teller for the length of a stage."""
    if not speaks:
        yield _Silent()
        return
    if not sys.stderr.isatty():
        yield Teller(name, first, steps, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Teller(name, first, steps, bar)
