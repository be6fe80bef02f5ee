"""Where a session keeps the files in which it has found tests, before it leaves any out."""

from __future__ import annotations

from pathlib import Path

import pytest

COLLECTED = pytest.StashKey[set[Path]]()
