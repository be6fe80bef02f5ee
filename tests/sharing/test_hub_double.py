"""Names on a hub, against a server on this machine that speaks as one: pins, failures, cut transfers, checksums, pushes.

The library reads where its hub is once, when it is imported: each question is asked by a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from hub_double import Double, hub, of_folder
from huggingface_hub.constants import DOWNLOAD_CHUNK_SIZE

from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save

ROOT = Path(__file__).parents[2]
FETCH = "import sys; from vistune.hub import local_folder; print(local_folder(sys.argv[1], sys.argv[2]))"
BIG = bytes(range(256)) * 4000


@pytest.fixture
def double() -> Iterator[Double]:
    with hub() as found:
        yield found


def asked(double: Double, tmp_path: Path, *command: object, offline: bool = False) -> subprocess.CompletedProcess[str]:
    environment = {"HF_ENDPOINT": double.address, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_DISABLE_XET": "1"}
    environment |= {"HF_TOKEN": "hf_double", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "*", "PYTHONPATH": str(ROOT)}
    environment |= {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1"} | ({"HF_HUB_OFFLINE": "1"} if offline else {})
    command_line = [sys.executable, *(str(word) for word in command)]
    return subprocess.run(command_line, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=240)


def fetched(double: Double, tmp_path: Path, name: str, kind: str = "dataset", offline: bool = False) -> dict[str, bytes]:
    done = asked(double, tmp_path, "-c", FETCH, name, kind, offline=offline)
    assert done.returncode == 0, done.stderr
    return of_folder(Path(done.stdout.strip()))


def test_a_revision_is_pinned_and_what_is_there_is_not_asked_for(double: Double, tmp_path: Path) -> None:
    first = double.commit("dataset", "some/data", {"a.json": b"[1]", "big.bin": BIG})
    assert fetched(double, tmp_path, "hub:some/data") == {"a.json": b"[1]", "big.bin": BIG}
    double.commit("dataset", "some/data", {"a.json": b"[2]", "big.bin": BIG})
    assert fetched(double, tmp_path, f"hub:some/data@{first}")["a.json"] == b"[1]"
    before = len(double.contents())
    assert fetched(double, tmp_path, "hub:some/data")["a.json"] == b"[2]"
    assert double.contents()[before:] == [path for path in double.contents()[before:] if path.endswith("a.json")]
    asks = len(double.asked)
    assert fetched(double, tmp_path, f"hub:some/data@{first}", offline=True)["a.json"] == b"[1]" and len(double.asked) == asks


def test_a_server_that_fails_is_asked_again(double: Double, tmp_path: Path) -> None:
    double.commit("dataset", "some/data", {"a.json": b"[1]"})
    double.failing = 2
    assert fetched(double, tmp_path, "hub:some/data") == {"a.json": b"[1]"}
    assert len(double.contents()) == 3


@pytest.mark.slow  # a library waits between its tries
def test_a_server_that_goes_on_failing_is_given_up(double: Double, tmp_path: Path) -> None:
    double.commit("dataset", "some/data", {"a.json": b"[1]"})
    double.failing = 1000
    done = asked(double, tmp_path, "-m", "vistune", "eval", "x:Y", "--bench", "blink=hub:some/data", "--out", tmp_path / "o")
    assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
    assert len(double.contents()) <= 20


def test_a_transfer_that_is_cut_goes_on_where_it_stopped(double: Double, tmp_path: Path) -> None:
    long = BIG * (3 * DOWNLOAD_CHUNK_SIZE // len(BIG))  # cut at one and a half of the library's chunks, one of which it keeps
    double.commit("dataset", "some/data", {"big.bin": long})
    double.cut = 1
    assert fetched(double, tmp_path, "hub:some/data") == {"big.bin": long}
    ranges = [said for method, path, said in double.asked if method == "GET" and path.endswith("big.bin")]
    assert ranges == ["", f"bytes={DOWNLOAD_CHUNK_SIZE}-"]


@pytest.mark.parametrize("name", ["big.bin", "a.json"])
def test_other_bytes_than_the_checksum_says_are_refused(name: str, double: Double, tmp_path: Path) -> None:
    double.commit("dataset", "some/data", {"a.json": b"[1]", "big.bin": BIG})
    double.spoilt = {name}
    done = asked(double, tmp_path, "-c", FETCH, "hub:some/data", "dataset")
    assert f"{name} is not what its checksum on the hub says" in done.stderr
    double.spoilt = set()
    assert fetched(double, tmp_path, "hub:some/data") == {"a.json": b"[1]", "big.bin": BIG}, "nothing spoilt was kept"


def test_what_is_not_there_is_one_sentence(double: Double, tmp_path: Path) -> None:
    done = asked(double, tmp_path, "-m", "vistune", "chat", "hub:some/thing", "Who?")
    assert done.returncode == 2 and done.stderr.startswith("vistune: hub:some/thing: the hub gives no model of that name")
    assert done.stderr.count("\n") == 1


def test_what_is_pushed_is_what_a_folder_holds_and_is_opened_by_its_name(
    tiny_spec: dict[str, Any], double: Double, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    spec = tiny_spec | {"vision": tiny_spec["vision"] | {"fit": "crop"}}
    save(VisionLanguageModel(ModelSpec.from_json(spec)), tmp_path / "model", {"connector", "llm", "vision"})
    to = asked(double, tmp_path, "-m", "vistune", "push", tmp_path / "model", "--to", tmp_path / "shared")
    sent = asked(double, tmp_path, "-m", "vistune", "push", tmp_path / "model", "me/mine")
    assert to.returncode == 0 and sent.returncode == 0, to.stderr + sent.stderr
    found = double.files("model", "me/mine", "main")
    assert found is not None
    written = {name: data for name, data in found[1].items() if name != ".gitattributes"}
    assert written == of_folder(tmp_path / "shared") and "README.md" in written
    assert yaml.safe_load(written["README.md"].split(b"---")[1])["tags"] == ["vistune"]
    here = asked(double, tmp_path, "-m", "vistune", "chat", tmp_path / "model", "Who?", "--max-new-tokens", 4)
    there = asked(double, tmp_path, "-m", "vistune", "chat", f"hub:me/mine@{found[0]}", "Who?", "--max-new-tokens", 4)
    assert there.returncode == 0 and there.stdout == here.stdout, there.stderr


def test_a_backbone_is_named_on_the_hub_and_pinned(
    tiny_spec: dict[str, Any], tiny_language: str, double: Double, tmp_path: Path
) -> None:
    mark = double.commit("model", "some/language", of_folder(Path(tiny_language)))
    double.commit("model", "some/language", {"README.md": b"empty now"})
    stage = {"name": "s", "train": {"connector": 1e-3}, "data": "world:?task=count&size=8", "batch": 4, "steps": 1}
    model = tiny_spec | {"llm": f"hub:some/language@{mark}"}
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({"name": "t", "model": model, "stages": [stage]}))
    done = asked(double, tmp_path, "-m", "vistune", "train", "run.yaml", "--out", "run")
    assert done.returncode == 0, done.stderr
    config = yaml.safe_load((tmp_path / "run/s/vistune.yaml").read_text())
    assert config["model"]["llm"] == f"hub:some/language@{mark}"
    assert double.contents(), "it came over the network"
