"""What is shipped: a wheel that works where the checkout is not, and pages whose links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def tracked(*endings: str) -> set[str]:
    """Files of the package that are no Python, as the repository has them."""
    listed = subprocess.run(["git", "ls-files", "vistune"], capture_output=True, text=True, cwd=ROOT)
    if listed.returncode:
        pytest.skip("needs the repository: which files are tracked is asked of git")
    return {name for name in listed.stdout.splitlines() if not name.endswith(".py") and "__pycache__" not in name}


@pytest.mark.slow
def test_a_wheel_holds_every_file_and_runs_outside_the_checkout(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path),
        str(ROOT),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert tracked() <= inside, sorted(tracked() - inside)
    place = tmp_path / "installed"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(wheel)], check=True
    )
    script = (
        f"import sys; sys.path.insert(0, {str(place)!r})\n"
        "import vistune; assert vistune.__file__.startswith(sys.path[0]), vistune.__file__\n"
        "from vistune.cli import main; main()\n"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (["--version"], ["build", "run", "llava_instruct", "--data", "world", "--limit", "2", "--out", "made"]):
        done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, cwd=empty)
        assert done.returncode == 0, done.stderr[-1500:]
    assert (empty / "made" / "review.html").is_file()


@pytest.mark.slow
def test_a_source_archive_holds_every_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", f"from setuptools import build_meta; build_meta.build_sdist({str(tmp_path)!r})"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as held:
        inside = {name.partition("/")[2] for name in held.getnames()}
    assert tracked() <= inside, sorted(tracked() - inside)


@pytest.mark.slow
def test_the_site_is_built_and_no_link_of_it_is_broken(tmp_path: Path) -> None:
    if importlib.util.find_spec("mkdocs") is None or importlib.util.find_spec("material") is None:
        pytest.skip("needs the extra docs: pip install 'vistune[docs]'")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    pages = {page.stem for page in (ROOT / "docs").rglob("*.md")}
    assert {path.parent.name for path in tmp_path.rglob("index.html")} >= pages - {"index"}


def test_links_between_pages_lead_somewhere() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith("mailto:"):
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
