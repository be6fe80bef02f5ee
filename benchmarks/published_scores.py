"""Run `vistune score` on files whose number is published, and print expected against got.

    python benchmarks/published_scores.py ../shared/scores [--only NAME]

The table beside this file holds the numbers as printed; a number is right when it is equal at that many digits. Status: P
published by the authors, R what the official code prints, S the official rule on synthetic judgements. Rows that need
Java are skipped where there is none, and said so. Ends with 1 when a row differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from vistune.evals.result import Result
from vistune.evals.score import score

TABLE = Path(__file__).with_suffix(".json")
NEEDS_JAVA = frozenset({"METEOR", "SPICE"})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scores", type=Path, help="the folder of prediction and annotation files")
    parser.add_argument("--only", default="", help="rows whose name holds this")
    arguments = parser.parse_args()
    different = skipped = checked = 0
    for row in json.loads(TABLE.read_text(encoding="utf-8")):
        if arguments.only not in row["name"]:
            continue
        if NEEDS_JAVA & row["expected"].keys() and shutil.which("java") is None:
            print(f"SKIP  {row['name']}: no Java")
            skipped += 1
            continue
        result = run(row, arguments.scores)
        for name, expected in row["expected"].items():
            got = shown(value_of(result, name), expected)
            checked, different = checked + 1, different + (got != expected)
            verdict = "ok  " if got == expected else "DIFF"
            print(f"{verdict}  {row['status']:7} {row['name']:55} {name:30} expected {expected:22} got {got}", flush=True)
    print(f"{checked} numbers, {different} different, {skipped} rows skipped")
    return 1 if different else 0


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
