"""Streaming: one order for any number of ranks and workers, and a run that was killed goes on at the very next sample."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vistune.data.convert import convert
from vistune.data.order.stream import Order, Stream, positions
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.sample import Sample, Text, Turn


class Held(list[Sample]):
    """A list of samples is `Samples`."""


def samples(count: int) -> Held:
    return Held(Sample(str(number), turns=(Turn("user", (Text("Q"),)),)) for number in range(count))


def ids(stream: Stream) -> list[str]:
    return [sample.id for _, sample in stream]


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 9), min_size=1, max_size=6), window=st.integers(1, 12) | st.none(), seed=st.integers(0, 5))
def test_each_epoch_holds_every_sample_once(sizes: list[int], window: int | None, seed: int) -> None:
    total = sum(sizes)
    if not total:
        return
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    order = Order(total, ends=ends, seed=seed, window=window)
    for epoch in range(3):
        assert sorted(order[epoch * total + place] for place in range(total)) == list(range(total))


def test_shards_are_read_one_after_another_up_to_the_window() -> None:
    order = Order(100, ends=list(range(10, 101, 10)), seed=1, window=1)
    shards = [order[place] // 10 for place in range(100)]
    assert all(len(set(shards[start : start + 10])) == 1 for start in range(0, 100, 10))
    assert shards != sorted(shards)
    assert [order[place] % 10 for place in range(10)] == list(range(10))
    open_at_once = [
        len({Order(100, ends=list(range(10, 101, 10)), window=20)[place] // 10 for place in range(start, start + 20)})
        for start in range(0, 100, 20)
    ]
    assert max(open_at_once) <= 3


def test_epochs_differ() -> None:
    order = Order(30, window=None)
    assert [order[place] for place in range(30)] != [order[place] for place in range(30, 60)]


@given(st.integers(0, 50), st.integers(0, 90), st.integers(1, 4), st.integers(1, 4))
def test_positions_are_divided_without_gap_or_overlap(cursor: int, end: int, ranks: int, workers: int) -> None:
    parts = [
        list(positions(cursor, end, rank=rank, ranks=ranks, worker=worker, workers=workers))
        for rank in range(ranks)
        for worker in range(workers)
    ]
    assert sorted(place for part in parts for place in part) == list(range(cursor, end))


@pytest.mark.parametrize("workers", [0, 1, 3])
@pytest.mark.parametrize("cursor", [0, 7, 59])
def test_any_number_of_workers_gives_the_same_order_from_any_cursor(workers: int, cursor: int) -> None:
    data = samples(20)
    whole = [(position, sample.id) for position, sample in Stream(data, seed=2, window=8, epochs=3)]
    stream = Stream(data, seed=2, window=8, epochs=3, cursor=cursor, workers=workers)
    assert [(position, sample.id) for position, sample in stream] == whole[cursor:]


@pytest.mark.parametrize("workers", [0, 2])
def test_ranks_interleave_to_the_same_order(workers: int) -> None:
    data = samples(21)
    whole = ids(Stream(data, seed=2))
    parts = [ids(Stream(data, seed=2, rank=rank, ranks=2, workers=workers)) for rank in range(2)]
    assert [parts[place % 2][place // 2] for place in range(21)] == whole


@pytest.mark.parametrize("workers", [0, 2])
def test_an_unreadable_sample_is_raised_at_its_place(tmp_path: Path, workers: int) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(sample.to_json()) for sample in samples(9)]
    lines[4] = "broken"
    path.write_text("\n".join(lines))
    seen = []
    with pytest.raises(InputError, match="line 5: not JSON"):
        for _, sample in Stream(read(f"samples:{path}"), window=1, workers=workers):
            seen.append(sample.id)
    assert seen == ["0", "1", "2", "3"]


def test_faults_are_named() -> None:
    with pytest.raises(InputError, match="no samples"):
        Stream(Held())
    with pytest.raises(InputError, match="window is at least 1"):
        Stream(samples(3), window=0)
    with pytest.raises(InputError, match="not counted from 0"):
        list(Stream(samples(3), rank=2, ranks=2))


PROGRAM = """
import sys, time
from vistune.data.samples import read
from vistune.data.order.stream import Stream
from vistune.files import atomic_open
spec, log, saved, workers, pause = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
data = read({"kind": "shards", "path": spec, "layout": {"kind": "samples"}})
try:
    cursor = int(open(saved).read())
except FileNotFoundError:
    cursor = 0
for position, sample in Stream(data, ends=data.ends, seed=5, window=16, epochs=2, cursor=cursor, workers=workers):
    time.sleep(pause)
    with open(log, "a") as file:
        file.write(f"{position} {sample.id}\\n")
    with atomic_open(saved) as file:
        file.write(str(position + 1))
"""


def children(process: int) -> list[int]:
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for child processes in /proc")
def test_a_killed_run_goes_on_at_the_very_next_sample_with_any_number_of_workers(tmp_path: Path) -> None:
    from vistune.data.writers.shards import write

    write(samples(60), str(tmp_path / "data.tar"), tmp_path, per_shard=25)
    log, saved = tmp_path / "log", tmp_path / "cursor"
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data-*.tar"), str(log), str(saved)]
    for workers in (2, 0, 3):
        before = int(saved.read_text()) if saved.exists() else 0
        process = subprocess.Popen([*command, str(workers), "0.01"])
        while not (saved.exists() and int(saved.read_text()) >= before + 7):
            assert process.poll() is None
            time.sleep(0.01)
        workers_ids = children(process.pid)
        assert len(workers_ids) >= workers
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        deadline = time.monotonic() + 20
        while any(alive(number) for number in workers_ids) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not any(alive(number) for number in workers_ids), "reading processes outlived the run"
    subprocess.run([*command, "1", "0"], check=True)
    lines = [line.split() for line in log.read_text().splitlines()]
    data = read({"kind": "shards", "path": str(tmp_path / "data-*.tar"), "layout": {"kind": "samples"}})
    whole = [(str(position), sample.id) for position, sample in Stream(data, ends=data.ends, seed=5, window=16, epochs=2)]  # type: ignore[attr-defined]
    # A sample that was used, but whose cursor was not yet saved when the run was killed, is used again: nothing else repeats.
    repeated = sum(count - 1 for count in Counter(position for position, _ in lines).values())
    assert repeated <= 3
    assert list(dict.fromkeys((position, identity) for position, identity in lines)) == whole


def test_shards_written_by_convert_stream(tmp_path: Path) -> None:
    _, back = convert(samples(5), "shards", str(tmp_path / "data.tar"))
    data = read(back)
    assert sorted(ids(Stream(data, window=2)), key=int) == ["0", "1", "2", "3", "4"]
