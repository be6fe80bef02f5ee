"""A pytest plugin that collects the tests once and then tries mutants, each in a fork that has everything imported.

The driver writes a request a line to standard input (`{"file", "new", "tests", "limit"}`) and reads an answer a line from the
file descriptor that `VISTUNE_MUTANTS_ANSWERS` names. A test that fails without a mutant, too, is left out.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.mutants.swap import Functions, NotSwappableError, functions, swap
from benchmarks.mutants.trial import Outcome, forked

ANSWERS = "VISTUNE_MUTANTS_ANSWERS"
PASSED, FAILED, IMPORT_ANEW = 0, 1, 75


class Server:
    """The collected tests, the package's functions, and the tests that fail by themselves."""

    def __init__(self, session: pytest.Session, known: Functions) -> None:
        self.session, self.known = session, known
        self.items = {item.nodeid: item for item in session.items}
        self.root = session.config.rootpath
        self.log = self.root.parent / "server.log"
        self.sound: dict[str, bool] = {}

    def answer(self, request: dict[str, Any]) -> Outcome | None:
        """A mutant's outcome, or `None` where it has to be imported anew."""
        file = self.root / request["file"]
        source = file.read_text(encoding="utf-8")
        tests = [test for test in request["tests"] if test in self.items and self.sound.get(test, True)]
        while tests:
            file.write_text(request["new"], encoding="utf-8")  # for the processes that tests start
            try:
                outcome = forked(
                    lambda chosen=tests: self._try(chosen, file, source, request["new"]), request["limit"], self.log
                )
            finally:
                file.write_text(source, encoding="utf-8")
            if outcome.code == IMPORT_ANEW:
                return None
            failed = outcome.said.removeprefix("FAILED ").strip()
            if outcome.result != "killed" or self._is_sound(failed):
                return outcome
            tests.remove(failed)
        return Outcome("unseen", 0.0, "no test that passes runs this line")

    def _is_sound(self, test: str) -> bool:
        if test not in self.sound:
            self.sound[test] = forked(partial(self._run, [test]), 300.0, self.log).code == PASSED
        return self.sound[test]

    def _try(self, tests: Sequence[str], file: Path, old: str, new: str) -> int:
        try:
            swap(self.known.get(str(file), []), file, old, new)
        except NotSwappableError:
            return IMPORT_ANEW
        return self._run(tests)

    def _run(self, tests: Sequence[str]) -> int:
        chosen = [self.items[test] for test in tests]
        for item, following in zip(chosen, [*chosen[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.session.testsfailed:
                print(f"\nFAILED {item.nodeid}", flush=True)
                return FAILED
        return PASSED


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Serve until the driver closes its end."""
    package = importlib.import_module("vistune")
    for module in pkgutil.walk_packages(package.__path__, "vistune."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)  # a module imported later, in a fork, would be beyond the exchange
    server = Server(session, functions(session.config.rootpath / "vistune"))
    base = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    kept = set(base.iterdir())
    gc.collect()
    gc.freeze()  # a fork's collections do not touch, and so do not copy, what is here
    with os.fdopen(int(os.environ[ANSWERS]), "w") as answers:
        print(json.dumps({"tests": len(server.items)}), file=answers, flush=True)
        for line in sys.stdin:
            outcome = server.answer(json.loads(line))
            print(json.dumps(outcome and asdict(outcome)), file=answers, flush=True)
            for left in set(base.iterdir()) - kept:
                shutil.rmtree(left, ignore_errors=True)
    return True
