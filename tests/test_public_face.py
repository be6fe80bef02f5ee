"""Pages read on a phone, right boxes are green, and the public names have their types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import vistune
from vistune.commands.report import page
from vistune.data.contact_sheet import write_contact_sheet
from vistune.data.samples import read
from vistune.demo.page import Shown, _right
from vistune.prompt.codecs.location_tokens import LocationTokens

ROOT = Path(vistune.__file__).parent


def test_every_page_has_a_viewport(tmp_path: Path) -> None:
    write_contact_sheet(tmp_path / "sheet.html", "s", iter(read("world:?task=count&size=2")), {})
    written = [(tmp_path / "sheet.html").read_text(), *(file.read_text() for file in ROOT.rglob("*.html"))]
    sources = [file.read_text() for file in ROOT.rglob("*.py") if "<!doctype html>" in file.read_text()]
    assert len(written) >= 3 and len(sources) >= 3
    assert all('name="viewport"' in text for text in [*written, *sources])
    assert page


def test_a_box_that_overlaps_by_half_is_right() -> None:
    codec = LocationTokens(bins=64)
    sample = next(iter(read("world:?task=refer_box&split=test&size=1")))
    box = next(part for part in sample.turns[-1].parts if hasattr(part, "box"))
    left, top, right, bottom = box.box
    near = codec.encode(type(box)(box=(left, top, min(1, right + 0.02), bottom)))
    far = codec.encode(type(box)(box=(0, 0, 0.05, 0.05)))
    assert _right(Shown("refer_box", sample, near), codec) and not _right(Shown("refer_box", sample, far), codec)


def test_every_public_name_stands_in_the_stub() -> None:
    stub = (ROOT / "__init__.pyi").read_text()
    for name in vistune.__all__:
        assert name == "__version__" or f"import {name} as {name}\n" in stub, name
        assert getattr(vistune, name) is not None


@pytest.mark.slow
def test_type_checkers_know_the_public_names(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text('import vistune\nreveal_type(vistune.read("world"))\nvistune.nonsense\nvistune.train("x", outt=1)\n')
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path / "cache"), "--follow-imports", "silent", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent).stdout
    assert "Samples" in said and 'no attribute "nonsense"' in said and "outt" in said
