"""The whole check: a pass over records, a pass over distinct media, then what only shows across samples.

Both passes run in parallel over ranges of indices and stream; what stays in memory is a few numbers a sample:

    records  -> faults; hashes of id, of content, and (hash of medium, sample) pairs
    media    -> each distinct medium once: faults, notes, fingerprints
    across   -> repeated ids and samples, equal and nearly equal pictures, pictures shared with held-out data
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.check.finding import PROBLEMS, REASONS, Budget, Finding
from vistune.data.check.fingerprint import equal_groups, near_pairs
from vistune.data.check.media_rules import MediaReport, check_media
from vistune.data.check.sample_rules import check_sample
from vistune.data.media.image import image_size
from vistune.data.order.parallel import over_ranges
from vistune.data.readers.base import declared, told
from vistune.data.samples import Samples
from vistune.errors import InputError
from vistune.sample import Media, Sample

_PART = 256  # samples in one piece of parallel work


@dataclass
class Report:
    """What was found. `counts`: reason -> samples; `problems`: samples with at least one problem;
    `examples`: reason -> the first of its findings; `unused`: keys of records
    that hold something and that the reader makes no use of -> records."""

    samples: int = 0
    media: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    problems: int = 0
    examples: dict[str, str] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, object]:
        """Plain JSON."""
        ordered = {reason: self.counts[reason] for reason in REASONS if self.counts[reason]}
        unused = dict(self.unused.most_common())
        return {
            "samples": self.samples,
            "media": self.media,
            "problems": self.problems,
            "counts": ordered,
            "examples": {reason: self.examples[reason] for reason in ordered},
            "unused_keys": unused,
        }


_SAMPLE = np.dtype([("index", np.int64), ("id", np.uint64), ("content", np.uint64)])
_SHOWN = np.dtype([("key", np.uint64), ("index", np.int64), ("which", np.int32)])


@dataclass(frozen=True, slots=True)
class _Records:
    """What the first pass keeps: a `_SAMPLE` for each readable sample, a `_SHOWN` for each medium of each."""

    found: list[Finding]
    samples: NDArray[Any]
    shown: NDArray[Any]
    unused: Counter[str]


@dataclass(slots=True)
class _Pictures:
    """Distinct media: their hashes, what was found, their fingerprints (`flat`: nothing to compare), their names."""

    keys: NDArray[np.uint64]
    reports: dict[int, list[tuple[str, str]]]
    exact: NDArray[np.uint64]
    rows: NDArray[np.uint64]
    columns: NDArray[np.uint64]
    flat: NDArray[np.bool_]
    names: Callable[[int], str]


def check(
    data: Samples,
    *,
    held_out: Sequence[Samples] = (),
    budget: Budget | None = None,
    workers: int = 1,
    decode: bool = True,
    allowed: frozenset[str] = frozenset(),
    emit: Callable[[Finding], None] = lambda finding: None,
) -> Report:
    """Check `data` and hand every finding to `emit`, as it is found.

    held_out:  test data, whose pictures `data` must not have
    budget:    a model's token budget
    workers:   processes
    decode:    without it, media are only looked for, not opened
    allowed:   reasons that are no problem in this data
    """
    report = Report(samples=len(data))
    bad: set[int] = set()

    def note(finding: Finding) -> None:
        report.counts[finding.reason] += 1
        report.examples.setdefault(finding.reason, finding.detail)
        if finding.problem and finding.reason not in allowed:
            bad.add(finding.index)
        emit(finding)

    samples, shown = _first_pass(data, budget, workers, note, "records", report.unused, decode)
    for finding in _repeated(samples):
        note(finding)
    pictures = _second_pass(data, shown, workers, decode)
    report.media = len(pictures.keys)
    users = _Users(shown)
    for finding in _media_findings(pictures, users):
        note(finding)
    for other in held_out:
        _, theirs = _first_pass(other, None, workers, lambda finding: None, "held-out records", Counter(), False)
        for finding in _leaks(pictures, _second_pass(other, theirs, workers, decode), users):
            note(finding)
    report.problems = len(bad)
    return report


def _first_pass(
    data: Samples,
    budget: Budget | None,
    workers: int,
    note: Callable[[Finding], None],
    what: str,
    unused: Counter[str],
    decode: bool,
) -> tuple[NDArray[Any], NDArray[Any]]:
    samples, shown = [np.zeros(0, _SAMPLE)], [np.zeros(0, _SHOWN)]
    for part in over_ranges(
        lambda begin, end: _check_records(data, begin, end, budget, decode), len(data), _PART, workers, what
    ):
        for finding in part.found:
            note(finding)
        samples.append(part.samples)
        shown.append(part.shown)
        unused.update(part.unused)
    return np.concatenate(samples), np.concatenate(shown)


def _check_records(data: Samples, begin: int, end: int, budget: Budget | None, decode: bool) -> _Records:
    found: list[Finding] = []
    samples: list[tuple[int, int, int]] = []
    shown: list[tuple[int, int, int]] = []
    unused: Counter[str] = Counter()
    for index in range(begin, end):
        try:
            sample, keys_left = told(data, index)
        except InputError as error:
            found.append(Finding(index, "unreadable", str(error)))
            continue
        unused.update(keys_left)
        faults = [*check_sample(sample), *(_declared(data, index, sample) if decode else ())]
        found += [Finding(index, reason, detail) for reason, detail in faults]
        if (
            budget is not None
            # A sample that is broken already would only be refused by the renderer for the same reason in other words.
            and not any(reason in PROBLEMS for reason, _ in faults)
            and (fault := budget.fault(sample)) is not None
        ):
            found.append(Finding(index, *fault))
        keys = [_key(medium) for medium in sample.media]
        turns = json.dumps(sample.to_json()["turns"], sort_keys=True)
        # Eight bytes each: ids and turns of ten million samples would not fit into memory as text.
        samples.append((index, _hash(sample.id), _hash(f"{keys}{turns}")))
        shown += [(key, index, which) for which, key in enumerate(keys)]
    return _Records(found, np.array(samples, _SAMPLE), np.array(shown, _SHOWN), unused)


def _declared(data: Samples, index: int, sample: Sample) -> Iterator[tuple[str, str]]:
    """Whether the size that a record gives its image is the file's; what cannot be opened is found with the media."""
    size = declared(data, index)
    if size is None or not sample.media or sample.media[0].kind != "image":
        return
    with suppress(InputError):
        found = image_size(sample.media[0])
        if found != size:
            told_size, own = (f"{width:g}x{height:g}" for width, height in (size, found))
            yield "declared_size", f"{sample.where}: image {sample.media[0].name} is {own}, but its record says {told_size}"


def _hash(text: str) -> int:
    # File names of old systems may hold half characters, which plain UTF-8 refuses.
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def _key(medium: Media) -> int:
    """Media in one place are one medium; their content is compared later."""
    if medium.path is not None:
        return _hash(f"{medium.kind}\0{medium.path}\0{medium.offset}\0{medium.length}")
    data = medium.data.tobytes() if isinstance(medium.data, np.ndarray) else medium.data
    assert data is not None
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def _repeated(samples: NDArray[Any]) -> Iterator[Finding]:
    for reason, field_name, what in (("duplicate_id", "id", "id"), ("duplicate", "content", "media and turns")):
        for group in equal_groups(samples[field_name]):
            first, *others = samples["index"][group].tolist()
            for index in others:
                yield Finding(index, reason, f"sample number {index} has the same {what} as number {first}")


class _Users:
    """Hash of a medium -> the samples that show it."""

    def __init__(self, shown: NDArray[Any]) -> None:
        order = np.argsort(shown["key"], kind="stable")
        self._keys, self._samples = shown["key"][order], shown["index"][order]

    def of(self, key: np.uint64) -> list[int]:
        """Each sample once."""
        begin, end = np.searchsorted(self._keys, key), np.searchsorted(self._keys, key, side="right")
        return list(dict.fromkeys(self._samples[begin:end].tolist()))


def _second_pass(data: Samples, shown: NDArray[Any], workers: int, decode: bool) -> _Pictures:
    keys, firsts = np.unique(shown["key"], return_index=True)
    order = np.argsort(firsts)  # as the data has them: rows of one parquet group, or of one archive, one behind the other
    keys, firsts = keys[order], firsts[order]
    samples, which = shown["index"][firsts], shown["which"][firsts]

    def medium(number: int) -> Media:
        return data[int(samples[number])].media[int(which[number])]

    def look(begin: int, end: int) -> list[tuple[int, MediaReport]]:
        return [(number, check_media(medium(number), decode=decode)) for number in range(begin, end)]

    size = len(keys)
    exact, rows, columns = (np.zeros(size, np.uint64) for _ in range(3))
    flat = np.ones(size, bool)
    reports: dict[int, list[tuple[str, str]]] = {}
    for part in over_ranges(look, size, _PART, workers, "media"):
        for number, seen in part:
            if seen.found:
                reports[number] = seen.found
            if seen.print is not None:
                exact[number], rows[number], columns[number] = seen.print.exact, seen.print.rows, seen.print.columns
                flat[number] = seen.print.flat
    return _Pictures(keys, reports, exact, rows, columns, flat, lambda number: medium(number).name)


def _media_findings(pictures: _Pictures, users: _Users) -> Iterator[Finding]:
    for number, found in pictures.reports.items():
        for index in users.of(pictures.keys[number]):
            yield from (Finding(index, reason, detail) for reason, detail in found)
    known = np.flatnonzero(~pictures.flat)
    if len(known):
        for first, second in near_pairs(pictures.rows[known], pictures.columns[known]):
            a, b = int(known[first]), int(known[second])
            detail = f"image {pictures.names(b)} looks like {pictures.names(a)}"
            yield from (Finding(index, "near_duplicate", detail) for index in users.of(pictures.keys[b]))


def _leaks(mine: _Pictures, theirs: _Pictures, users: _Users) -> Iterator[Finding]:
    """Pictures of ours that the held-out data has: the same pixels, or nearly."""
    ours, others = np.flatnonzero(~mine.flat), np.flatnonzero(~theirs.flat)
    if not len(ours) or not len(others):
        return
    # Pictures of one colour are left out: stand-ins for missing pictures are alike everywhere and leak nothing.
    where = {int(value): int(number) for number, value in zip(others, theirs.exact[others], strict=True)}
    leaked = {int(number): where[int(mine.exact[number])] for number in ours if int(mine.exact[number]) in where}
    for number, other in leaked.items():
        detail = f"image {mine.names(number)} is {theirs.names(other)} of the held-out data"
        yield from (Finding(index, "leak", detail) for index in users.of(mine.keys[number]))
    # Held-out pictures come first, so that each of ours is paired with a held-out picture wherever it has a twin there.
    rows = np.concatenate([theirs.rows[others], mine.rows[ours]])
    columns = np.concatenate([theirs.columns[others], mine.columns[ours]])
    for first, second in near_pairs(rows, columns):
        if first < len(others) <= second and int(ours[second - len(others)]) not in leaked:
            number = int(ours[second - len(others)])
            detail = f"image {mine.names(number)} looks like {theirs.names(int(others[first]))} of the held-out data"
            yield from (Finding(index, "near_leak", detail) for index in users.of(mine.keys[number]))
