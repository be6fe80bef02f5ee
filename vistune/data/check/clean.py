"""The data without its faulty samples, and a list of these."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from vistune.data.check.finding import Finding
from vistune.data.check.run import check
from vistune.data.samples import Samples, read
from vistune.data.writers import samples as writer
from vistune.errors import InputError
from vistune.files import atomic_open
from vistune.sample import Sample


def clean(
    spec: str, out: Path, allowed: frozenset[str] = frozenset(), most: float = 0.1, workers: int = 1
) -> tuple[int, Counter[str]]:
    """Write the samples without problems to `out`, and each other with its reasons to `OUT.rejects.jsonl`.

    Returns how many were written, and how many samples each reason cost. Raises `InputError`, writing nothing, where more than
    the share `most` would be left out: then something is wrong with how the data is read.
    """
    if out.suffix != ".jsonl":
        raise InputError(f"{out}: samples are written as JSON Lines: choose a name in .jsonl")
    data = read(spec)
    bad: dict[int, list[Finding]] = {}

    def note(finding: Finding) -> None:
        if finding.problem and finding.reason not in allowed:
            bad.setdefault(finding.index, []).append(finding)

    check(data, workers=workers, allowed=allowed, emit=note)
    # A wrong folder of pictures makes every record a problem; half an empty data set would be written without a word.
    if len(bad) > most * len(data):
        first = next(iter(bad.values()))[0] if bad else None
        raise InputError(
            f"{len(bad)} of {len(data)} samples of {spec} have problems, more than {most:.0%} (--most); the first: "
            f"{first.reason if first else ''}: {first.detail if first else 'the data is empty'}"
        )
    count = writer.write(_kept(data, bad), str(out), out.parent)
    if bad:
        with atomic_open(f"{out}.rejects.jsonl") as file:
            # In the order of the data: findings about media come after those about records.
            for index, findings in sorted(bad.items()):
                reasons = [{"reason": finding.reason, "detail": finding.detail} for finding in findings]
                file.write(json.dumps({"index": index, "reasons": reasons}, ensure_ascii=False) + "\n")
    return count, Counter(reason for findings in bad.values() for reason in {finding.reason for finding in findings})


def _kept(data: Samples, bad: dict[int, list[Finding]]) -> Iterator[Sample]:
    return (data[index] for index in range(len(data)) if index not in bad)
