"""The fuzzer itself: it finds what is planted, brings an input back, and every surface makes inputs that are read."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.changes import holds, places, raw, tree
from tests.fuzz.oracles import Case, Changed, attempt
from tests.fuzz.running import SHARES, Tally, report, surface_of
from vistune.errors import InputError
from vistune.spec import kinds


def test_every_surface_has_a_share() -> None:
    assert sorted(SHARES) == kinds("tests.fuzz.surfaces")


def refuse(text: str) -> None:
    raise InputError(text)


def change() -> None:
    raise Changed("other")


@pytest.mark.parametrize(
    ("check", "what"),
    [
        (lambda: None, "read"),
        (lambda: refuse("a.json is empty"), "refused"),
        (lambda: refuse(" "), "traceback"),
        (change, "change"),
        (lambda: {}["x"], "traceback"),
        (lambda: sys.exit(3), "traceback"),
    ],
)
def test_outcomes_are_told_apart(check, what: str, tmp_path: Path) -> None:
    outcome = attempt(Case("planted", check), tmp_path)
    assert outcome.what == what and outcome.bad == (what not in ("read", "refused"))
    tally = Tally()
    tally.add("media", "planted", outcome, 7, tmp_path, tmp_path.with_name("kept"), 3)
    assert ("FINDING" in report(tally)) == outcome.bad


PLANTED = """
import random, subprocess, sys, socket
from pathlib import Path
from tests.fuzz.oracles import Case, attempt, install
room = Path(sys.argv[1]) / "room"
room.mkdir()
(room.parent / "secret.png").write_bytes(b"s")
(room.parent / "canary_of_the_fuzzer.py").write_text("x = 1")
sys.path.append(str(room.parent))
install(room.parent / "secret.png")
def swallowed():
    try:
        import canary_of_the_fuzzer
    except BaseException:
        pass
asks = lambda: socket.create_connection(("10.1.2.3", 80), 1)
for check in (lambda: subprocess.run(["true"]), swallowed, asks, lambda: open(room.parent / "secret.png")):
    print(attempt(Case("planted", check, inside=True), room).what)
print(attempt(Case("fine", lambda: (room / "a").write_text("x") and None, inside=True), room).what)
"""


def test_what_runs_asks_or_leaves_the_folder_is_caught(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", PLANTED, str(tmp_path)], capture_output=True, text=True)
    assert done.stdout.split() == ["execution"] * 4 + ["read"], done.stderr


def test_an_input_follows_from_its_seed_and_number() -> None:
    assert [surface_of(3, number, SHARES) for number in range(50)] == [surface_of(3, number, SHARES) for number in range(50)]
    value = {"a": [1, {"kind": "mlp"}], "b": "x"}
    for number in range(200):
        one, other = (tree(value, random.Random(number)) for _ in range(2))
        assert repr(one) == repr(other) and value == {"a": [1, {"kind": "mlp"}], "b": "x"}
        assert raw(b"abcdef", random.Random(number)) == raw(b"abcdef", random.Random(number))
    assert len(list(places(value))) == 5
    assert holds({"a": (1, 2), "b": 3}, {"a": [1, 2]}) and not holds({"a": 1}, {"a": 1.0}) and not holds({}, {"a": None})


@pytest.mark.slow
@pytest.mark.parametrize("surface", SHARES)
def test_a_few_hostile_inputs_of_every_surface_find_nothing(surface: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", "--surface", surface, "--inputs", "40", "--seed", "99", "--minutes", "8"]
    done = subprocess.run([*command, "--processes", "1", "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and "40 inputs, 0 findings" in done.stdout, done.stdout
