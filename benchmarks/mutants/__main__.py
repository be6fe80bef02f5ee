"""Small mistakes are put into the source, one at a time, and the tests that run the changed line have to notice.

    python -m benchmarks.mutants                 # 400 mutants, at most two hours; the same command goes on where it stopped
    python -m benchmarks.mutants --seed 7        # others
    python -m benchmarks.mutants --again         # the survivors of the journal once more, after tests were written

First, once for a state of the source and the tests, the suite runs under coverage, which tells the tests that run each line. A
mutant is put into a copy of the tree and the quickest of its tests run until one fails. The journal (one line a mutant) and the
page of survivors lie in `build/mutants`. A mutant that no test runs has survived.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.mutants.drawing import Mutant, drawn
from benchmarks.mutants.served import Served
from benchmarks.mutants.sight import Sight
from benchmarks.mutants.trial import Outcome, tried, warm_up

ROOT = Path(__file__).parents[2]
SOURCES = ("vistune/model", "vistune/training", "vistune/prompt", "vistune/evals/metrics")
TESTS = (
    "tests/evals", "tests/prompt", "tests/model", "tests/training", "tests/recipes", "tests/native",
    "tests/serving/test_engine.py", "tests/sharing/test_push.py",
    "tests/security/test_weights.py", "tests/security/test_resume.py", "tests/security/test_foreign_folders.py",
)  # fmt: skip
SEED, COUNT, HOURS = 16, 400, 2.0
TEST_SECONDS, SLACK = 40.0, 20.0  # of tests a mutant, as they took when sight was recorded; and what a trial may take beyond


def main() -> int:
    """Record sight where there is none, try what the journal lacks, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--hours", type=float, default=HOURS, help="stop after so long; the same command goes on")
    parser.add_argument("--again", action="store_true", help="try survivors of the journal once more")
    parser.add_argument("--marks", default="not slow and not gpu and not network", help="which tests may see a mutant")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mutants")
    options = parser.parse_args()
    options.out = options.out.resolve()  # the processes of trials work in the tree
    options.out.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 3600 * options.hours
    tree = copied(options.out / "tree")
    sight = options.out / "sight"
    record(tree, sight, options.marks)
    seen = Sight(sight, tree)
    journal = options.out / f"journal-{options.seed}.jsonl"
    chosen = drawn(tree, SOURCES, options.seed, options.count)
    done = results(journal)
    again = ("survived", "unseen", "broken") if options.again else ()
    todo = [mutant for mutant in chosen if mutant.key not in done or done[mutant.key]["result"] in again]
    warm_up(tree)
    with Served(tree, environment(), options.marks, TESTS) as served, journal.open("a") as file:
        for mutant in todo:
            if time.monotonic() > until:
                print(f"{options.hours} hours are over: the same command goes on", flush=True)
                break
            line = one(mutant, tree, seen, served, options.out / "trial.log")
            print(json.dumps(line), file=file, flush=True)
            print(f"{line['result']:9} {mutant.file}:{mutant.line} {mutant.said} {line['said'][:90]}", flush=True)
    page = options.out / f"survivors-{options.seed}.md"
    page.write_text(summary(chosen, results(journal)))
    print(page.read_text().split("\n\n")[1], page, sep="\n")
    return 0


def copied(tree: Path) -> Path:
    """The tree as it is now, without what is made from it."""
    shutil.rmtree(tree, ignore_errors=True)
    made = shutil.ignore_patterns(".git", ".venv", "build", "runs", "*.egg-info", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, tree, ignore=made)
    # A mutant may have the size and the second of another: only a hash of the source tells that compiled code is old.
    subprocess.run(
        [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", tree / "vistune"], check=True
    )
    return tree


def record(tree: Path, sight: Path, marks: str) -> None:
    """Run the suite once under coverage, a folder at a time: one that is done is not run again after a kill."""
    known = {"VISTUNE_SIGHT": str(sight), "VISTUNE_SIGHT_SOURCES": json.dumps([str(tree / each) for each in SOURCES])}
    settings = environment() | known | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "benchmarks.mutants.sight", "-p", "no:cacheprovider", "-m", marks]
    for tests in TESTS:
        done = sight / f"done.{tests.replace('/', '.')}"
        if done.exists():
            continue
        code = subprocess.run([*command, tests], cwd=tree, env=settings).returncode
        if code not in (0, 1):  # a test that fails under coverage still tells which lines it runs
            raise SystemExit(f"{tests} did not run (pytest ended with {code})")
        done.touch()


def environment() -> dict[str, str]:
    """Ours, with the shared material where the real tree would look for it."""
    return os.environ | {"VISTUNE_SHARED": os.environ.get("VISTUNE_SHARED", str(ROOT.parent / "shared"))}


def one(mutant: Mutant, tree: Path, seen: Sight, served: Served, log: Path) -> dict[str, Any]:
    """The journal's line of one mutant."""
    tests, anew = seen.of(mutant, TEST_SECONDS)
    line = asdict(mutant) | {"tests": len(tests)}
    if not tests:
        return line | {"result": "unseen", "seconds": 0.0, "said": "no test runs this line"}
    limit = 2 * sum(seen.durations[test] for test in tests) + SLACK
    file = tree / mutant.file
    source = file.read_text(encoding="utf-8")
    changed = mutant.applied(source)
    outcome: Outcome | None = None if anew else served.tried(mutant.file, changed, tests, limit)
    if outcome is None:
        os.environ |= environment()
        try:
            file.write_text(changed, encoding="utf-8")
            outcome = tried(tree, tests, limit, log)
        finally:
            file.write_text(source, encoding="utf-8")
    return line | asdict(outcome)


def results(journal: Path) -> dict[str, dict[str, Any]]:
    """The last result of each mutant; a line that a kill cut off is none."""
    found: dict[str, dict[str, Any]] = {}
    for text in journal.read_text().splitlines() if journal.exists() else []:
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        found[line["key"]] = line
    return found


def summary(chosen: list[Mutant], done: dict[str, dict[str, Any]]) -> str:
    """The page: how many were noticed, and each that was not."""
    tried_ones = [(mutant, done[mutant.key]) for mutant in chosen if mutant.key in done]
    survivors = [(mutant, line) for mutant, line in tried_ones if line["result"] not in ("killed", "timeout")]
    killed = len(tried_ones) - len(survivors)
    seconds = sum(line["seconds"] for _, line in tried_ones)
    share = 100 * killed / max(1, len(tried_ones))
    head = f"{killed} of {len(tried_ones)} mutants were noticed ({share:.1f} %), in {seconds / 60:.0f} minutes of trials."
    rows = [
        f"| `{mutant.file}:{mutant.line}` | {mutant.kind} | {mutant.said} | {line['result']} |" for mutant, line in survivors
    ]
    return "\n".join(["# Mutants\n", head, "", "| place | kind | change | |", "|---|---|---|---|", *rows, ""])


if __name__ == "__main__":
    raise SystemExit(main())
