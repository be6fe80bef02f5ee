"""Two processes train a model of every modality as one does, also where a process lacks media of a kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

MODEL = Path(__file__).parent.parent / "model"
sys.path.insert(0, str(MODEL))

from test_modalities import recipe_of, sample_of, spec_of  # noqa: E402

import vistune  # noqa: E402
from vistune.trust import trusting  # noqa: E402

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", "29517"]
KINDS = ("ivap", "i", "iv", "ia", "ip", "ivp", "i", "iap")


@pytest.mark.slow
def test_two_processes_are_one(tiny_spec: dict, tmp_path: Path) -> None:
    data = tmp_path / "samples.jsonl"
    data.write_text("\n".join(json.dumps(sample_of(number, kinds).to_json()) for number, kinds in enumerate(KINDS)))
    recipe = recipe_of(spec_of(tiny_spec), f"samples:{data}", batch=4, micro=1, steps=3, cache="off")
    with trusting(["small_parts"]):
        one = vistune.train(recipe, tmp_path / "one", precision="fp32", report=False)
    jobs = [
        {"recipe": recipe.to_json(), "out": str(tmp_path / way), "parallel": way, "precision": "fp32", "trust": ["small_parts"]}
        for way in ("ddp", "fsdp")
    ]
    file = tmp_path / "jobs.json"
    file.write_text(json.dumps(jobs))
    path = os.pathsep.join([str(MODEL), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    command = [*TORCHRUN, str(Path(__file__).parent / "many.py"), str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=500)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    with trusting(["small_parts"]):
        expected = vistune.load(one, trust=["small_parts"]).state_dict()
        for way in ("ddp", "fsdp"):
            assert json.loads(Path(f"{file}.0").read_text())[str(tmp_path / way)] == "done"
            got = vistune.load(tmp_path / way / "tune", trust=["small_parts"]).state_dict()
            for name, tensor in expected.items():
                torch.testing.assert_close(
                    got[name], tensor, atol=1e-4, rtol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
                )
