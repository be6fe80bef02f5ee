"""Run `vistune score` on files whose number is published, and print expected against got.

    python benchmarks/published_scores.py ../shared/scores [--only NAME]

The table `vistune/evals/published_scores.json` holds the numbers as printed; a number is right when it is equal at that many
digits. Status: P published by the authors, R what the official code prints, S the official rule on synthetic judgements. Of
rules that are close but not equal, a row says within how much. Rows that need Java, or nltk's data, are skipped where there is
none, and said so. Ends with 1 when a row differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import vistune.evals
from vistune.errors import InputError
from vistune.evals.metrics.chair_words import nltk_lemmas
from vistune.evals.result import Result
from vistune.evals.score import score

TABLE = Path(vistune.evals.__file__).with_name("published_scores.json")
NEEDS_JAVA = frozenset({"METEOR", "SPICE"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scores", type=Path, help="the folder of prediction and annotation files")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    arguments = parser.parse_args()
    different = near = skipped = checked = 0
    for row in json.loads(TABLE.read_text(encoding="utf-8")):
        if arguments.only not in row["name"]:
            continue
        if lacking := lacks(row):
            print(f"SKIP  {row['name']}: no {lacking}")
            skipped += 1
            continue
        result = run(row, arguments.scores)
        for name, expected in row["expected"].items():
            value = value_of(result, name)
            got, within = shown(value, expected), row.get("within")
            right = got == expected if within is None else abs(value - float(expected)) <= within
            checked, different, near = checked + 1, different + (not right), near + (right and got != expected)
            verdict = "DIFF" if not right else "ok  " if got == expected else "near"
            print(f"{verdict}  {row['status']:7} {row['name']:55} {name:30} expected {expected:22} got {got}", flush=True)
        if "cells" in row:
            wanted = json.loads((arguments.scores / row["cells"]).read_text(encoding="utf-8"))
            wrong = [name for name in wanted if result.details["cells"].get(name) != wanted[name]]
            checked, different = checked + len(wanted), different + len(wrong)
            print(
                f"{'DIFF' if wrong else 'ok  '}  {row['status']:7} {row['name']:55} {len(wanted)} cells, {len(wrong)} different"
            )
    print(f"{checked} numbers, {different} different, {near} near but not equal, {skipped} rows skipped")
    return 1 if different else 0


def lacks(row: dict[str, Any]) -> str:
    """What a row needs and this machine has not; '' when nothing."""
    if NEEDS_JAVA & row["expected"].keys() and shutil.which("java") is None:
        return "Java"
    if row.get("needs") == "nltk":
        try:
            nltk_lemmas()
        except InputError as error:
            return f"nltk data ({error})"
    return ""


def run(row: dict[str, Any], folder: Path) -> Result:
    """Score a row's files as `vistune score` does."""
    spec = {"kind": row["benchmark"], **row["options"]}
    return score(spec, folder / row["predictions"], folder / row["annotations"])


def value_of(result: Result, name: str) -> Any:
    """A number of a result: one of its values, `details.x`, `n`, `unparsed`, or `correct`, the count of right items."""
    if name.startswith("details."):
        return result.details[name.removeprefix("details.")]
    counts = {"n": result.n, "unparsed": result.unparsed, "correct": int((result.items > 0).sum())}
    return counts[name] if name in counts else result.values[name]


def shown(value: Any, like: str) -> str:
    """The number with as many digits as the expected text has."""
    if isinstance(value, list):
        return "/".join(str(item) for item in value)
    return f"{value:.{len(like.partition('.')[2])}f}"


if __name__ == "__main__":
    sys.exit(main())
