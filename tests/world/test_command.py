"""`vistune world`: files where they were asked for, one sentence and exit code 2 otherwise."""

import subprocess
import sys

import pytest
from PIL import Image
from typer.testing import CliRunner

from vistune.commands.world import app


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "vistune", "world", *map(str, arguments)], capture_output=True, text=True)


def test_show_draws_a_sheet(tmp_path):
    arguments = ["show", "--out", str(tmp_path / "sheet.png"), "--size", "7", "--split", "test", "--domain", "inverse"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0 and result.output.startswith("7 scenes in ")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] == 6 * 260


SHEETS = {"films": (1040, 292), "sounds": (495, 576), "solids": (486, 356), "pages": (520, 324), "edits": (536, 148)}


@pytest.mark.parametrize(("sense", "size"), SHEETS.items())
def test_show_draws_a_sheet_of_another_sense(sense, size, tmp_path):
    result = CliRunner().invoke(app, ["show", "--out", str(tmp_path / "sheet.png"), "--size", "2", "--sense", sense])
    assert result.exit_code == 0 and result.output.startswith(f"2 {sense} in ")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == size


def test_export_lists_what_it_wrote(tmp_path):
    result = CliRunner().invoke(app, ["export", str(tmp_path / "w"), "--size", "2", "--split", "validation"])
    assert result.exit_code == 0 and len(result.output.splitlines()) == 12
    assert len(list((tmp_path / "w" / "images").iterdir())) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "w", "--split", "tset"), "did you mean 'test'"),
        (("show", "--out", "sheet.jpg"), "ends in .png"),
        (("show", "--out", "sheet.png", "--sense", "solid"), "did you mean 'solids'"),
        (("show", "--out", "sheet.png", "--domain", "nosie"), "did you mean 'noise'"),
        (("show", "--out", "sheet.png", "--seed", "-1"), "zero or above"),
    ],
)
def test_bad_input_is_one_sentence(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.returncode == 2 and message in result.stderr and len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
