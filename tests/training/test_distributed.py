"""Two real processes give the numbers of one, whole or cut, whatever each of them has before it; and they fail together."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vistune.data.order.epochs import sample_at
from vistune.model.weights.checkpoint import load
from vistune.recipe import Recipe
from vistune.training.run import train

SAMPLES, BATCH, STEPS = 24, 6, 5
PICTURES = (*range(0, SAMPLES, 5), 3)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]

# What is trained, with which parts. Of each step's batch of six a process takes three, in rows of two, then one.
CASES: dict[str, dict] = {
    "splice": {"train": {"connector": 1e-3, "llm": 1e-3, "vision": 1e-3}, "weight_decay": 0.1, "balance": False},
    "balanced": {"train": {"connector": 1e-3, "llm": 1e-3, "vision": 1e-3}, "weight_decay": 0.1},
    "budget": {"train": {"connector": 1e-3, "llm": 1e-3}, "micro": None, "max_tokens": 90},
    "recompute": {"train": {"connector": 1e-3, "llm": 1e-3, "vision[1:]": 1e-3}, "recompute": ["llm", "vision"]},
    "gated_cross_attention": {"train": {"connector": 1e-3, "fusion": 1e-3}},
    "muon": {"train": {"connector": 1e-3, "llm": 1e-3}, "optimizer": "muon", "weight_decay": 0.1},
    "lora": {"train": {"connector": 1e-3, "llm.adapter": 1e-3}},
}
MODELS: dict[str, dict] = {
    "gated_cross_attention": {
        "fusion": {"kind": "gated_cross_attention", "every": 1, "heads": 2, "head_width": 8},
        "connector": {"kind": "perceiver_resampler", "latents": 4, "depth": 1, "heads": 2, "head_width": 8},
    },
    "lora": {"adapt": {"llm": {"kind": "lora", "rank": 4}}},
}


@dataclass(frozen=True)
class Runs:
    """The folder of data and runs, and what each process said at the end of each training."""

    root: Path
    spec: dict
    said: tuple[dict[str, str], ...] = ()

    def recipe(self, case: str, data: str = "whole") -> dict:
        source = f"conversations:{self.root / data / 'data.json'}?images={self.root / data}"
        stage = {"name": "s", "data": source, "batch": BATCH, "micro": 2, "steps": STEPS, **CASES[case]}
        return {"name": "test", "model": self.spec | MODELS.get(case, {}), "stages": [stage]}

    def alone(self, case: str) -> Path:
        """The same on one process."""
        out = self.root / f"alone-{case}"
        train(Recipe.from_json(self.recipe(case)), out, precision="fp32", report=False)
        return out


def kinds(case: str) -> tuple[str, ...]:
    """How two processes can share the case's work: Muon needs whole matrices."""
    return ("ddp",) if CASES[case].get("optimizer") == "muon" else ("ddp", "fsdp")


def losses(run: Path) -> list[float]:
    return [json.loads(line)["loss"] for line in (run / "logs" / "s.jsonl").read_text().splitlines()]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load(run / "s").state_dict())


def write_data(folder: Path) -> None:
    """Dialogues, some about a picture, answers of unequal length."""
    folder.mkdir()
    random = np.random.default_rng(0)
    records = []
    for index in range(SAMPLES):
        shown = index in PICTURES
        if shown:
            Image.fromarray(random.integers(0, 255, (40, 32, 3), dtype=np.uint8)).save(folder / f"{index}.png")
        says = ["<image>\n" * shown + "What is in the picture?", "A red bus. " * (1 + index % 4)]
        turns = [{"from": who, "value": text} for who, text in zip(("human", "gpt"), says, strict=True)]
        records.append({"id": str(index), "conversations": turns} | ({"image": f"{index}.png"} if shown else {}))
    (folder / "data.json").write_text(json.dumps(records))


def broken_picture() -> int:
    """The picture that the second process meets first after the state of step 2."""
    places = [step * BATCH + place for step in range(2, STEPS) for place in range(BATCH // 2, BATCH)]
    return next(index for index in (sample_at(place, SAMPLES, 0) for place in places) if index in PICTURES)


pytestmark = pytest.mark.slow  # every training three times, two of them by two processes


@pytest.fixture(scope="module")
def runs(tiny_spec: dict, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """All trainings of this file by one pair of processes."""
    made = Runs(tmp_path_factory.mktemp("many"), tiny_spec)
    write_data(made.root / "whole")
    write_data(made.root / "broken")
    (made.root / "broken" / f"{broken_picture()}.png").write_bytes(b"no picture")
    jobs = [(case, "whole", parallel) for case in CASES for parallel in kinds(case)]
    jobs += [("splice", "broken", "ddp"), ("splice", "broken", "fsdp")]
    file = made.root / "jobs.json"
    listed = [
        {"recipe": made.recipe(case, data), "out": str(made.root / f"{parallel}-{case}-{data}"), "parallel": parallel}
        for case, data, parallel in jobs
    ]
    file.write_text(json.dumps([job | {"precision": "fp32"} for job in listed]))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*TORCHRUN, str(Path(__file__).parent / "many.py"), str(file)], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    said = tuple(json.loads(Path(f"{file}.{rank}").read_text()) for rank in range(2))
    return Runs(made.root, made.spec, said)


def test_the_data_leaves_a_process_without_pictures_and_a_round_without_any(runs: Runs) -> None:
    """What the comparison below is worth."""
    shares = [[sample_at(step * BATCH + place, SAMPLES, 0) in PICTURES for place in range(BATCH)] for step in range(STEPS)]
    halves = [(any(share[: BATCH // 2]), any(share[BATCH // 2 :])) for share in shares]
    assert (True, False) in halves or (False, True) in halves
    assert any(not any(share[2 : BATCH // 2] + share[BATCH // 2 + 2 :]) for share in shares)


@pytest.mark.parametrize("case", CASES)
def test_two_processes_are_one(runs: Runs, case: str) -> None:
    one = runs.alone(case)
    for parallel in kinds(case):
        two = runs.root / f"{parallel}-{case}-whole"
        assert [said[str(two)] for said in runs.said] == ["done", "done"]
        # Muon multiplies in bf16, where sums in another order may round to the next number.
        assert losses(two) == pytest.approx(losses(one), abs=2e-4 if case == "muon" else 1e-5)
        if case == "muon":
            continue  # `test_shared_muon` compares its updates, to the bit
        expected, got = weights(one), weights(two)
        assert got.keys() == expected.keys()
        for name, tensor in expected.items():
            torch.testing.assert_close(got[name], tensor, atol=1e-4, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("parallel", ["ddp", "fsdp"])
def test_what_one_process_cannot_read_stops_both_and_one_goes_on_from_their_state(runs: Runs, parallel: str) -> None:
    stopped = runs.root / f"{parallel}-splice-broken"
    complaints = {said[str(stopped)] for said in runs.said}
    assert len(complaints) == 1 and f"{broken_picture()}.png" in complaints.pop()
    assert [path.name for path in (stopped / "state" / "s").iterdir()] == ["00000002"]
    picture = runs.root / "broken" / f"{broken_picture()}.png"
    picture.write_bytes((runs.root / "whole" / picture.name).read_bytes())
    recipe = Recipe.from_json(runs.recipe("splice", "broken"))
    train(recipe, stopped, precision="fp32", report=False, accept=["data"])  # the picture is another one
    assert losses(stopped) == pytest.approx(losses(runs.root / "ddp-splice-whole"), abs=1e-5)
