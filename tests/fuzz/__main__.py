"""`python -m tests.fuzz`: try hostile inputs for some minutes. Exit code 0: nothing was found, 1: see the folder."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.running import SHARES, Trier, as_json, report, run


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--inputs", type=int, default=10**9, help="no more than so many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--surface", action="append", choices=list(SHARES), help="only this one; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where inputs of findings are kept")
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    parser.add_argument("--only", type=int, help="try this one input here, with its traceback")
    asked = parser.parse_args()
    shares = {name: share for name, share in SHARES.items() if not asked.surface or name in asked.surface}
    if asked.only is not None:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            room = Path(folder) / "room"
            room.mkdir()
            surface, kind, outcome = Trier(asked.seed, shares, Path(folder)).try_one(asked.only, room)
            print(f"{surface}, {kind}: {outcome.what} {outcome.where}\n{outcome.text}")
            return int(outcome.bad)
    print(f"seed {asked.seed}, {asked.processes} processes, {asked.minutes:g} minutes")
    tally = run(asked.seed, shares, asked.minutes, asked.inputs, asked.processes, asked.out)
    print(report(tally))
    if asked.json:
        asked.json.write_text(as_json(tally, asked.seed))
    return int(bool(tally.findings) or not tally.total)


if __name__ == "__main__":
    sys.exit(main())
