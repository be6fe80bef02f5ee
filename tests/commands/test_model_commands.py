"""`vistune merge`, `export` and `import` as a user calls them, on the backbones that ship."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from cli_calls import called

from vistune.cli import main
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import save
from vistune.trust import trusting

CLIP = {"kind": "huggingface", "path": "builtin:clip"}
# A tower of the user's own that sees more than the one it is derived from: its export cannot give the same logits.
OFF = "from vistune.model.encoders.huggingface import Huggingface\n\nclass Off(Huggingface):\n    def forward(self, pixels):\n"
OFF += "        return super().forward(pixels + 1)\n"


def vistune(*arguments: str | Path, code: int = 0, **environment: str) -> str:
    """The output of a command that must end with this exit code; of its errors where that is not 0."""
    command = [sys.executable, "-m", "vistune", *map(str, arguments)]
    if environment:
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    else:
        done = called(*arguments)
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def checkpoint(folder: Path, **changes: Any) -> Path:
    """A LLaVA of nano backbones with adapters that change its logits."""
    torch.manual_seed(0)
    spec = {"llm": "builtin:language", "vision": CLIP, "connector": "mlp", "template": {"kind": "vicuna_v1", "system": ""}}
    model = VisionLanguageModel(ModelSpec.from_json(spec | changes))
    parts = {"connector"}
    if model.spec.adapt:
        parts.add("llm.adapter")
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.data.normal_(std=0.02)
    save(model, folder, parts)
    return folder


def number(text: str) -> float:
    found = re.search(r"largest logit difference[a-z ]*: (\S+)", text)
    assert found, text
    return float(found[1])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint, merged, exported and imported again, and what the three commands printed."""
    place = tmp_path_factory.mktemp("models")
    adapted = checkpoint(place / "adapted", adapt={"llm": {"kind": "lora", "rank": 2}})
    (place / "merge.txt").write_text(vistune("merge", adapted, "--out", place / "merged"))
    (place / "export.txt").write_text(vistune("export", place / "merged", "--out", place / "hf", "--to", "hf"))
    (place / "import.txt").write_text(vistune("import", place / "hf", "--out", place / "again"))
    return {"place": place, "adapted": adapted, "merged": place / "merged", "hf": place / "hf", "again": place / "again"}


def test_each_command_prints_where_and_how_close(folders: dict[str, Path]) -> None:
    place = folders["place"]
    for command, out in (("merge", "merged"), ("export", "hf"), ("import", "again")):
        printed = (place / f"{command}.txt").read_text()
        assert printed.splitlines()[0] == str(place / out)
        assert number(printed) <= (1e-3 if command == "merge" else 1e-4)
    assert json.loads((folders["hf"] / "config.json").read_text())["model_type"] == "llava"
    assert "next: transformers serve" in (place / "export.txt").read_text()


def test_what_comes_back_answers_alike(folders: dict[str, Path]) -> None:
    from vistune.model.interchange.probe import largest_difference, probes
    from vistune.model.weights.checkpoint import load

    models = [load(folders[name]) for name in ("adapted", "merged", "again")]
    first, *others = [model.logits(probes(models[0])) for model in models]
    assert all(largest_difference(first, other) <= 1e-3 for other in others)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("merge", "merged"), "has no adapters to merge"),
        (("export", "adapted"), "this model has adapters: `vistune merge` it first"),
        (("import", "merged"), "holds no model: it has no config.json"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    folders: dict[str, Path],
    tmp_path: Path,
    arguments: tuple[str, str],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, source = arguments
    out = str(tmp_path / "out")
    monkeypatch.setattr(sys, "argv", ["vistune", command, str(folders["place"] / source), "--out", out])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("vistune: ") and complaint in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_answers_otherwise_is_not_left_behind(tmp_path: Path) -> None:
    (tmp_path / "off.py").write_text(OFF)
    sys.path.insert(0, str(tmp_path))
    try:
        with trusting(["off"]):
            folder = checkpoint(tmp_path / "model", vision=CLIP | {"kind": "off:Off"})
    finally:
        sys.path.remove(str(tmp_path))
    said = vistune("export", folder, "--out", tmp_path / "hf", "--trust", "off", code=2, PYTHONPATH=str(tmp_path))
    assert (
        "Traceback" not in said
        and "transformers gives other logits from the exported directory: the largest difference is" in said
    )
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["model", "off.py"]


def test_boxes_in_exported_answers_are_words(tmp_path: Path) -> None:
    """Software that leaves special tokens out of an answer must leave the places of boxes in."""
    from transformers import AutoTokenizer

    from vistune.model.interchange.export import export
    from vistune.model.interchange.import_any import import_any
    from vistune.model.weights.checkpoint import load

    boxes = {"kind": "location_tokens", "bins": 4}
    model = load(checkpoint(tmp_path / "boxes", codec=boxes))
    assert export(model, tmp_path / "hf") <= 1e-4
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "hf")
    ids = tokenizer.convert_tokens_to_ids(["<loc_0>", "<loc_3>"])
    assert ids == model.llm.tokenizer.convert_tokens_to_ids(["<loc_0>", "<loc_3>"])
    assert tokenizer.decode([*ids, tokenizer.eos_token_id], skip_special_tokens=True).replace(" ", "") == "<loc_0><loc_3>"
    import_any(tmp_path / "hf", tmp_path / "again", None, None)
    again = load(tmp_path / "again")
    assert again.llm.tokenizer.convert_tokens_to_ids(["<loc_0>", "<loc_3>"]) == ids
