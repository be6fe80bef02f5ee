"""`vistune doctor` knows every extra that the project has."""

from __future__ import annotations

import tomllib
from pathlib import Path

from vistune.commands.doctor import EXTRAS


def test_every_extra_is_looked_for() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(EXTRAS) == set(project["project"]["optional-dependencies"]) - {"dev"}
