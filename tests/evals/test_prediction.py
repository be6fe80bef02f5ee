from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.evals.prediction import Prediction, read_predictions


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_round_trip_and_order(tmp_path: Path) -> None:
    given = [Prediction("b", "", "why?", {"model": "m"}), Prediction("a", "ja\u0661")]
    assert read_predictions(write(tmp_path / "p.jsonl", *(item.to_json() for item in given))) == given


def test_whole_number_is_an_id(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path / "p.jsonl", {"id": 7, "answer": "x"}))[0].id == "7"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['{"id": "a"'], "line 1: not JSON"),
        ([{"id": "a", "answer": "x"}, {"answer": "x"}], "line 2: field 'id' is missing"),
        ([{"id": "a", "answer": None}], "line 1: field 'answer' holds null, expected text"),
        ([{"id": True, "answer": "x"}], "line 1: field 'id' holds true"),
        ([{"id": "", "answer": "x"}], "line 1: field 'id' holds \"\""),
        ([{"id": "a", "answer": "x", "extras": []}], "field 'extras' holds [], expected an object"),
        ([{"id": "a", "answer": "x", "score": 1}], "unknown field 'score'"),
        ([["a", "x"]], "line 1: a prediction is an object"),
        ([{"id": "1", "answer": "x"}, {"id": 1, "answer": "y"}], "line 2: id '1' was already given another answer at"),
    ],
)
def test_faults_are_located(tmp_path: Path, lines: list[object], message: str) -> None:
    with pytest.raises(InputError) as error:
        read_predictions(write(tmp_path / "p.jsonl", *lines))
    assert message in str(error.value)
    assert "p.jsonl" in str(error.value)


def test_scoring_imports_neither_torch_nor_transformers() -> None:
    code = (
        "import pkgutil, importlib, sys, vistune.evals as e\n"
        "for m in pkgutil.walk_packages(e.__path__, 'vistune.evals.'): importlib.import_module(m.name)\n"
        "print(sorted({'torch', 'transformers', 'pycocoevalcap', 'pycocotools'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
