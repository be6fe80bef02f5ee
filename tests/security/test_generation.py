"""What lies beside a backbone's weights does not decide how it answers: greedy stays greedy, and what was set aside is told."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fuzz.surfaces.backbones import _GENERATION
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel, question_sample

THEIRS = {key: value for key, value in _GENERATION.items() if key not in ("use_cache", "return_dict_in_generate")}


def answer(spec: dict[str, Any], llm: Path) -> str:
    torch.manual_seed(0)
    model = VisionLanguageModel(ModelSpec.from_json(spec | {"llm": str(llm)})).eval()
    return model.generate([question_sample(None, "What is in the picture?")], max_new_tokens=8)[0]


def test_generation_settings_of_a_folder_change_no_greedy_answer(
    tiny_spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(tiny_spec["llm"], tmp_path / "llm"))
    (folder / "generation_config.json").write_text("{}")
    whole = answer(tiny_spec, folder)
    assert whole and not capsys.readouterr().err.count("not used")
    (folder / "generation_config.json").write_text(json.dumps(THEIRS))
    assert answer(tiny_spec, folder) == whole
    said = capsys.readouterr().err
    assert f"{folder}: the generation settings that lie there are not used: " in said and "guidance_scale: 3.0" in said
