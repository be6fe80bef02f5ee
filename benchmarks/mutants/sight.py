"""A pytest plugin that writes down which lines of the package each test runs, and how long it takes.

Loaded by `-p benchmarks.mutants.sight`; `VISTUNE_SIGHT` names the folder it writes to. Processes that a test starts are
followed, too, so that a line which only a command's own process runs is seen by the test that starts it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter

import pytest
from coverage import Coverage, CoverageData
from coverage.numbits import numbits_to_nums

from benchmarks.mutants.drawing import Mutant

CONFIG = """[run]
source = {source}
data_file = {data}
parallel = true
context = ${{VISTUNE_SIGHT_TEST-}}
patch = subprocess
sigterm = true
disable_warnings = no-data-collected,module-not-imported,module-not-measured
"""
_durations: dict[str, float] = {}


def folder() -> Path:
    """Where sight is written to."""
    return Path(os.environ["VISTUNE_SIGHT"])


def pytest_configure(config: pytest.Config) -> None:
    """Begin before any module of the package is imported."""
    folder().mkdir(parents=True, exist_ok=True)
    settings = folder() / "coveragerc"
    settings.write_text(CONFIG.format(source=",".join(json.loads(os.environ["VISTUNE_SIGHT_SOURCES"])), data=folder() / "data"))
    config.stash[_COVERAGE] = Coverage(config_file=str(settings))
    config.stash[_COVERAGE].start()


_COVERAGE = pytest.StashKey[Coverage]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Everything between a test's set-up and its end is its own."""
    os.environ["VISTUNE_SIGHT_TEST"] = item.nodeid  # what its processes are told
    item.config.stash[_COVERAGE].switch_context(item.nodeid)
    failed, start = item.session.testsfailed, perf_counter()
    yield
    if item.session.testsfailed == failed:  # a test that fails by itself notices nothing
        _durations[item.nodeid] = round(perf_counter() - start, 3)
    item.config.stash[_COVERAGE].switch_context("")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write lines and durations."""
    coverage = config.stash[_COVERAGE]
    coverage.stop()
    coverage.save()
    known = folder() / "durations.json"
    before = json.loads(known.read_text()) if known.exists() else {}
    known.write_text(json.dumps(before | _durations))


class Sight:
    """The tests that run each line of the package, and how long they take."""

    def __init__(self, where: Path, root: Path) -> None:
        self.durations: dict[str, float] = json.loads((where / "durations.json").read_text())
        self._lines: dict[str, defaultdict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for data in sorted(where.glob("data*")):
            for file, line, test in _rows(data):
                self._lines[str(Path(file).relative_to(root))][line].add(test)

    def of(self, mutant: Mutant, seconds: float) -> tuple[list[str], bool]:
        """The tests that may notice a mutant, and whether its module has to be imported anew.

        What runs outside of tests (at import, or while tests are collected) is seen by the tests that run another line of the
        same function, class or file.
        """
        lines = self._lines.get(mutant.file, {})
        own = lines.get(mutant.line) or lines.get(mutant.statement) or set()
        anew = mutant.scope is not None or "" in own
        if anew:
            first, last = mutant.scope or (1, max(lines, default=1))
            inside = [tests for line, tests in lines.items() if first <= line <= last and "" not in tests]
            own = set().union(*(inside or lines.values()))
        return ordered(own & self.durations.keys(), self.durations, seconds), anew


def _rows(data: Path) -> Iterator[tuple[str, int, str]]:
    """`(file, line, test)` of one data file: `line_bits` holds a row for each file and context, a bit for each line."""
    CoverageData(str(data)).read()  # refuses what is no data file
    with sqlite3.connect(data) as base:
        query = "select file.path, context.context, numbits from line_bits join file on file_id = file.id "
        for path, test, bits in base.execute(query + "join context on context_id = context.id"):
            yield from ((path, line, test) for line in numbits_to_nums(bits))


def ordered(tests: Iterable[str], durations: dict[str, float], seconds: float) -> list[str]:
    """The tests that fit into the time together, the quickest few of every file first; the first always does."""
    files: dict[str, int] = defaultdict(int)
    places = {}
    for test in sorted(tests, key=lambda test: (durations[test], test)):
        file = test.partition("::")[0]
        places[test] = files[file] // 4, durations[test], test
        files[file] += 1
    chosen: list[str] = []
    total = 0.0
    for test in sorted(places, key=places.__getitem__):
        total += durations[test]
        if chosen and total > seconds:
            total -= durations[test]
            continue
        chosen.append(test)
    return chosen
