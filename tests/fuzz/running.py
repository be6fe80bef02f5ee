"""Processes that try inputs, and the parent that ends those that hang, grow or crash."""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tests.fuzz.changes import SECRET
from tests.fuzz.oracles import CANARY, Case, Outcome, attempt, install

SHARES = {
    "replies": 26.0,
    "pages": 2.0,
    "media": 14.0,
    "run_files": 14.0,
    "readers": 13.0,
    "human_server": 9.0,
    "api_server": 8.0,
    "scorers": 12.0,
    "checkpoints": 0.9,
    "backbones": 0.55,
    "imports": 0.55,
}
"""How many of a hundred inputs go to each surface; those with a model behind them take a hundred times as long."""
SECONDS = 60.0  # of the processor's time, for one input: many times what the slowest takes
WAITING = 120.0  # by the clock, in which a process that waits uses no processor
MEMORY = 3 << 30  # bytes beyond what a process needs to begin
_KEPT = 3  # inputs kept of findings that look alike


@dataclass
class Tally:
    """What came of the inputs: counts by surface, kind and outcome, and every finding by what it looks like."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    findings: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    kept: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Inputs tried."""
        return sum(self.counts.values())

    def add(self, surface: str, kind: str, outcome: Outcome, number: int, room: Path, out: Path, seed: int) -> None:
        """Count one; keep the input of a finding."""
        self.counts[surface, kind, outcome.what] += 1
        if not outcome.bad:
            return
        like = (surface, outcome.what, outcome.where)
        self.findings[like] += 1
        if self.findings[like] <= _KEPT:
            folder = out / f"{surface}-{outcome.what}-{seed}-{number}"
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError, shutil.Error):  # pipes and links to nowhere are named in the sentence
                shutil.copytree(room, folder, symlinks=True)
            folder.mkdir(parents=True, exist_ok=True)
            said = f"{kind}\n{outcome.what}: {outcome.where}\nagain: python -m tests.fuzz --seed {seed} --only {number}\n"
            (folder / "FINDING.txt").write_text(said + outcome.text, encoding="utf-8", errors="backslashreplace")
            self.kept.setdefault(like, []).append(str(folder))


def surface_of(seed: int, number: int, shares: dict[str, float]) -> str:
    """Which surface an input goes to."""
    return random.Random(f"{seed}/{number}").choices(list(shares), list(shares.values()))[0]


class Trier:
    """Makes and tries inputs by number, in one process, in folders of its own."""

    def __init__(self, seed: int, shares: dict[str, float], folder: Path) -> None:
        self.seed, self.shares, self.folder = seed, shares, folder
        self._surfaces: dict[str, Any] = {}
        (folder / SECRET).write_bytes(b"secret")
        (folder / f"{CANARY}.py").write_text("class Touch:\n    def __init__(self, *args, **kwargs): pass\n")
        sys.path.append(str(folder))
        install(folder / SECRET)

    def try_one(self, number: int, room: Path) -> tuple[str, str, Outcome]:
        """(surface, kind, outcome) of input `number`, made in the empty folder `room`."""
        name = surface_of(self.seed, number, self.shares)
        case = self.case(name, number, room)
        return name, case.kind, attempt(case, room)

    def case(self, name: str, number: int, room: Path) -> Case:
        """The input itself."""
        if name not in self._surfaces:
            home = self.folder / name
            home.mkdir(exist_ok=True)  # one whose making failed is tried again
            self._surfaces[name] = importlib.import_module(f"tests.fuzz.surfaces.{name}").Surface(home)
        case: Case = self._surfaces[name].make(random.Random(f"{self.seed}/{number}/{name}"), room)
        return case


def _work(pipe: Connection, seed: int, shares: dict[str, float], numbers: tuple[int, int, int], folder: str) -> None:
    """Try inputs `first, first + step, ...` below `end`, and tell the parent before and after each."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HOME": folder, "OMP_NUM_THREADS": "1"}
    trier = Trier(seed, shares, Path(folder))
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (64 << 30, resource.RLIM_INFINITY))
    room = Path(folder) / "room"
    for number in range(*numbers):
        name = surface_of(seed, number, shares)
        shutil.rmtree(room, ignore_errors=True)
        room.mkdir()
        try:
            case = trier.case(name, number, room)
            pipe.send(("begin", number, name, case.kind, None))
            outcome = attempt(case, room)
        except Exception:  # noqa: BLE001 - a fault of the fuzzer's own, which is told like a finding
            case, outcome = Case("making it", lambda: None), Outcome("fuzzer", name, traceback.format_exc())
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > grown:
            outcome, grown = Outcome("memory", outcome.where or case.kind, outcome.text), 1 << 62
        pipe.send(("end", number, name, case.kind, outcome))
        if outcome.bad:
            pipe.recv()  # until the parent has kept the folder
    pipe.send(("done", 0, "", "", None))


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    folder: str
    next: int
    step: int
    name: str = ""
    used: float = 0.0
    moved: tuple[float, float] = (0.0, 0.0)  # by the clock and by the processor, when it was last seen to work

    def processor(self) -> float:
        """Seconds of the processor's time that the process has used."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def late(self) -> bool:
        """Has the input that it reads taken too long, or does it wait for what does not come?"""
        if not self.name:
            return False
        now, used = time.monotonic(), self.processor()
        if used > self.moved[1]:
            self.moved = now, used
        return used - self.used > SECONDS or now - self.moved[0] > WAITING


def run(seed: int, shares: dict[str, float], minutes: float, inputs: int, processes: int, out: Path) -> Tally:
    """Try inputs until the time is over or there were enough."""
    tally, deadline = Tally(), time.monotonic() + 60 * minutes
    context = multiprocessing.get_context("spawn")
    with _folders() as folder:

        def started(first: int, step: int) -> _Worker:
            here, there = context.Pipe()
            place = tempfile.mkdtemp(dir=folder)
            process = context.Process(target=_work, args=(there, seed, shares, (first, inputs, step), place), daemon=True)
            process.start()
            there.close()
            return _Worker(process, here, place, first, step)

        workers = [started(number, processes) for number in range(min(processes, inputs))]
        while workers and time.monotonic() < deadline:
            ready = wait([worker.pipe for worker in workers], timeout=1)
            for worker in list(workers):
                ended = None
                if worker.pipe in ready:
                    try:
                        going = _heard(worker, tally, out, seed)
                    except EOFError:
                        worker.process.join()
                        going, ended = False, Outcome("crash", f"exit code {worker.process.exitcode}")
                elif worker.late():
                    going, ended = False, Outcome("hang", f"more than {SECONDS:.0f} s, or a wait of {WAITING:.0f} s")
                else:
                    continue
                if going:
                    continue
                workers.remove(worker)
                worker.process.kill()
                worker.process.join()
                if ended is not None:
                    tally.add(worker.name, "any", ended, worker.next, Path(worker.folder) / "room", out, seed)
                    workers.append(started(worker.next + worker.step, worker.step))
                shutil.rmtree(worker.folder, ignore_errors=True)
        for worker in workers:
            worker.process.kill()
            worker.process.join()
    return tally


def _heard(worker: _Worker, tally: Tally, out: Path, seed: int) -> bool:
    """Take one message; False at the end."""
    what, number, name, kind, outcome = worker.pipe.recv()
    if what == "done":
        return False
    worker.next, worker.name = number, name if what == "begin" else ""
    if what == "begin":
        worker.used = worker.processor()
        worker.moved = time.monotonic(), worker.used
    else:
        tally.add(name, kind, outcome, number, Path(worker.folder) / "room", out, seed)
        if outcome.bad:
            worker.pipe.send(True)
    return True


@contextlib.contextmanager
def _folders() -> Iterator[str]:
    """A place in memory where there is one: most inputs are small files."""
    here = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=here, ignore_cleanup_errors=True) as folder:
        yield folder


def report(tally: Tally) -> str:
    """Counts by surface and kind, then findings."""
    lines, whats = [], sorted({what for _, _, what in tally.counts})
    for surface in sorted({surface for surface, _, _ in tally.counts}):
        kinds = sorted({kind for one, kind, _ in tally.counts if one == surface})
        total = {what: sum(tally.counts[surface, kind, what] for kind in kinds) for what in whats}
        lines.append(f"{surface:<14}{sum(total.values()):>8}  " + ", ".join(f"{n} {what}" for what, n in total.items() if n))
        for kind in kinds:
            found = {what: tally.counts[surface, kind, what] for what in whats}
            lines.append(f"  {kind:<28}{sum(found.values()):>8}  " + ", ".join(f"{n} {w}" for w, n in found.items() if n))
    for (surface, what, where), count in tally.findings.most_common():
        lines.append(f"FINDING {count:>5} x {surface} {what}: {where}  [{tally.kept[surface, what, where][0]}]")
    bad = sum(tally.findings.values())
    lines.append(f"{tally.total} inputs, {bad} findings of {len(tally.findings)} kinds")
    return "\n".join(lines)


def as_json(tally: Tally, seed: int) -> str:
    """The counts, for adding up several runs."""
    counts = [[*key, count] for key, count in sorted(tally.counts.items())]
    return json.dumps({"seed": seed, "total": tally.total, "findings": sum(tally.findings.values()), "counts": counts})
