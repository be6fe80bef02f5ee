"""Damaged inputs by the thousand, and what became of them: `python -m tests.counting`.

Every benchmark with changed annotations and changed results, every reader of files with damaged records, every parser of
replies with damaged replies. What was read is compared with what was written: `lost` are records that gave neither a sample
nor an error, `changed` those that nobody damaged and that came out as others. A traceback ends the row and is printed. Ends
with 1 where there is any of these.

    python -m tests.counting                                                          a sample, some minutes
    python -m tests.counting --benchmarks 500 --readers 10000 --replies 10000         the whole (hours on a slow machine)
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.construction.parsers.test_any_reply import account as replies
from tests.construction.parsers.test_parsers import FORMATS
from tests.data.sources import SOURCES
from tests.data.test_fuzz import fuzz as records
from tests.evals.test_mutations import NAMES, Counts
from tests.evals.test_mutations import fuzz as mutations

NUMBERS = ("tried", "refused", "lost", "changed", "tracebacks")


def rows(asked: argparse.Namespace) -> Iterator[tuple[str, str, Callable[[Path], Counter[str]]]]:
    """What is counted, its name, and how."""
    for name in NAMES if asked.benchmarks else ():
        for results in (False, True):
            what = "results" if results else "annotations"
            yield (
                what,
                name,
                lambda folder, name=name, results=results: numbers(
                    mutations(name, folder, asked.benchmarks, seed=asked.seed, results=results)
                ),
            )
    for name in sorted(SOURCES) if asked.readers else ():
        yield "reader", name, lambda folder, name=name: records(name, folder, asked.readers)
    for name in FORMATS if asked.replies else ():
        yield "replies", name, lambda folder, name=name: replies(name, asked.replies)


def numbers(counts: Counts) -> Counter[str]:
    """A benchmark's counts under the names that all share."""
    return Counter(tried=counts.tried, refused=counts.refused, lost=counts.lost, changed=counts.changed)


def counted(how: Callable[[Path], Counter[str]]) -> tuple[Counter[str], str]:
    """The counts, and the message of what was raised, '' for nothing."""
    with tempfile.TemporaryDirectory(prefix="counting-") as folder:
        try:
            return how(Path(folder)), ""
        except AssertionError as error:
            return Counter(tracebacks=1), str(error)


def main() -> int:
    """Parse, count, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.counting", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--benchmarks", type=int, default=20, help="changed files of each benchmark, of either kind")
    parser.add_argument("--readers", type=int, default=100, help="damaged records of each reader")
    parser.add_argument("--replies", type=int, default=200, help="damaged replies of each format")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*", default=(), metavar="NAME", help="these benchmarks, readers and formats")
    asked, total, kinds = parser.parse_args(), Counter[str](), Counter[str]()
    print(f"{'':12}{'':28}" + "".join(f"{name:>11}" for name in NUMBERS))
    for what, name, how in (row for row in rows(asked) if not asked.only or row[1] in asked.only):
        started = time.perf_counter()
        found, said = counted(how)
        total, kinds = total + found, kinds + Counter({what: found["tried"]})
        line = "".join(f"{found[number]:11}" for number in NUMBERS)
        print(f"{what:12}{name:28}{line}   {time.perf_counter() - started:.0f} s  {said[:200]}", flush=True)
    print(f"{'':12}{'all':28}" + "".join(f"{total[number]:11}" for number in NUMBERS))
    print(", ".join(f"{count} {what}" for what, count in kinds.items()))
    return int(bool(total["lost"] or total["changed"] or total["tracebacks"]))


if __name__ == "__main__":
    sys.exit(main())
