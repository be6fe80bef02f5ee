"""Each part's losses, initial weights and gradients, small and seeded, are those written down: a change is seen at once.

These are this package's own numbers, not an official module's (which stand in `test_official_*.py`): what they hold is that a
change of code is meant. Who means one writes the numbers anew with  python tests/model/test_part_numbers.py  and says why.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from families import decoder, tower
from test_part_contracts import PARTS, Case

from vistune.model.packing import pack

FILE = Path(__file__).parent.parent / "golden" / "part_numbers.json"
RECORDED: dict[str, dict[str, float]] = json.loads(FILE.read_text()) if FILE.exists() else {}


def numbers(part: tuple[str, str], language: str, clip: str, place: Path) -> dict[str, float]:
    """Losses by name, how large the part's weights are, and the gradients that reach them."""
    spec: dict[str, Any] = {"llm": language, "vision": {"kind": "huggingface", "path": clip}, "connector": "mlp"}
    spec |= {"template": {"kind": "vicuna_v1", "system": ""}, "codec": {"kind": "location_tokens", "bins": 8}}
    case = Case(spec | {"max_length": 512}, *part, place)
    torch.manual_seed(7)
    losses = case.model(pack(case.examples))
    torch.stack([loss.sum for loss in losses.values()]).sum().backward()
    weights = list(case.model.get_submodule(case.name).parameters())
    found = {name: float(loss.sum) for name, loss in losses.items()}
    found["weights"] = float(sum(weight.detach().double().abs().sum() for weight in weights))
    gradients = [weight.grad.double().abs().sum() for weight in weights if weight.grad is not None]
    return found | {"gradients": float(sum(gradients)), "learnt": len(gradients), "tokens": len(pack(case.examples).ids)}


@pytest.mark.parametrize(
    "part",
    [pytest.param(part, marks=[pytest.mark.slow] if part[0] == "heads" else []) for part in PARTS],  # painters take long
    ids=["-".join(part) for part in PARTS],
)
def test_numbers_are_those_that_were_written_down(
    part: tuple[str, str], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    name = "-".join(part)
    if name not in RECORDED:
        pytest.skip("new: no numbers are written down yet")
    found = numbers(part, *backbones(tmp_path), tmp_path)
    assert found == {key: pytest.approx(value, rel=2e-3, abs=1e-5) for key, value in RECORDED[name].items()}


def backbones(place: Path) -> tuple[str, str]:
    """Of this test's own, so that the numbers depend on no other test's fixtures."""
    made = place / "language", place / "clip"
    for folder in made:
        folder.mkdir()
    return decoder("llama", made[0], max_position_embeddings=1024), tower("clip", made[1])


def main() -> None:
    """Write the numbers of all parts."""
    found = {}
    for part in PARTS:
        with tempfile.TemporaryDirectory() as folder:
            made = numbers(part, *backbones(Path(folder)), Path(folder))
        found["-".join(part)] = {key: float(f"{value:.6g}") for key, value in made.items()}
    FILE.write_text(json.dumps(found, indent=0, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
