"""A model of every modality: two processes train it as one does, and a run that was killed goes on to the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
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


@pytest.mark.slow
def test_a_run_killed_outright_goes_on_to_the_same_bits(tiny_spec: dict, tmp_path: Path) -> None:
    """With dropout in the adapters, so that the state of the random numbers is part of what goes on; twice, at other steps."""
    data = tmp_path / "samples.jsonl"
    data.write_text("\n".join(json.dumps(sample_of(number, kinds).to_json()) for number, kinds in enumerate(KINDS)))
    spec = spec_of(tiny_spec, "Dreams") | {"adapt": {"llm": {"kind": "lora", "rank": 4, "dropout": 0.3}}}
    recipe = recipe_of(spec, f"samples:{data}", batch=4, micro=2, steps=14, cache="encoder")
    rates = {**recipe.stages[0].train, "llm.adapter": 1e-2}
    run = tmp_path / "run.yaml"
    run.write_text(recipe.override({"stages.0.train": rates}).to_yaml())
    path = os.pathsep.join([str(MODEL), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}

    def command(out: str) -> list[str]:
        told = ["--save-every", "2", "--precision", "fp32", "--trust", "small_parts"]
        return [sys.executable, "-m", "vistune", "train", str(run), "--out", str(tmp_path / out), *told]

    def log(out: str) -> list[dict]:
        file = tmp_path / out / "logs" / "tune.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")] if file.exists() else []

    subprocess.run(command("whole"), env=environment, check=True, capture_output=True)
    for until in (3, 9):
        process = subprocess.Popen(command("cut"), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(log("cut")) < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL and not (tmp_path / "cut" / "tune").exists()
    subprocess.run(command("cut"), env=environment, check=True, capture_output=True)
    assert [line["loss"] for line in log("cut")] == [line["loss"] for line in log("whole")]
    with trusting(["small_parts"]):
        whole, cut = (vistune.load(tmp_path / out / "tune", trust=["small_parts"]).state_dict() for out in ("whole", "cut"))
    assert whole.keys() == cut.keys() and all(torch.equal(whole[name], cut[name]) for name in whole)
