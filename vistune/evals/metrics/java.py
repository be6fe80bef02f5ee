"""Running the Java programs that METEOR and SPICE are, from the jars that `pycocoevalcap` ships."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from vistune.errors import InputError, MissingExtraError


def jar(relative: str, purpose: str) -> Path:
    """A file of `pycocoevalcap`, found without importing it. Raises `MissingExtraError` when it is not installed."""
    package = importlib.util.find_spec("pycocoevalcap")
    if package is None or package.submodule_search_locations is None:
        raise MissingExtraError("pycocoevalcap", "captions", purpose)
    return Path(package.submodule_search_locations[0]) / relative


def run_jar(path: Path, arguments: Sequence[str], lines: str, memory: str, purpose: str) -> str:
    """What a jar prints for its input, both UTF-8 whatever the locale. Raises `InputError` without Java, or when it fails."""
    java = shutil.which("java")
    if java is None:
        raise InputError(f"{purpose} needs Java (a `java` on the PATH, version 8 or later), or leave {purpose} out")
    # Old Javas take the locale's encoding, and under `C` every accent would become a question mark.
    command = [java, f"-Xmx{memory}", "-Dfile.encoding=UTF-8", "-jar", str(path), *arguments]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=False)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise InputError(f"{purpose}: java ended with code {done.returncode}: {reason[0]}")
    return done.stdout.decode()
