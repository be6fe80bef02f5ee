"""What docs/build.md says works: its commands run, its pipeline is one, its list of pipelines is the folder's."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vistune.commands.build import app
from vistune.construction.pipeline import Pipeline
from vistune.construction.sources import Sources

PAGE = (Path(__file__).parents[2] / "docs" / "build.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    vistune, build, *arguments = shlex.split(command)
    assert (vistune, build) == ("vistune", "build")
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0 and result.output


def test_the_example_is_a_pipeline():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "docs/build.md", "exec"), names)  # noqa: S102 - our own page
    pipeline = names["PIPELINE"]
    assert isinstance(pipeline, Pipeline)
    (record,) = Sources(["world:?size=1"], pipeline.spoken)
    assert "Descriptions:\n" in pipeline.prompts[0].messages(record)[-1].text
