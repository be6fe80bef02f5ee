"""Tiny models of every family, each built once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from native_families import build


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The directory of a family's tiny model."""
    folder = tmp_path_factory.mktemp("native")

    @cache
    def made(name: str) -> str:
        return str(build(name, folder / name))

    return made
