"""The walk of the contributing page names files that are there; `tests/pages` writes its files and runs its commands."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
WALK = PAGE[PAGE.index("## A walk") : PAGE.index("## What each contract asks")]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def files() -> dict[str, str]:
    """The blocks that begin with the name of a file."""
    named = [(text.partition("\n")[0].removeprefix("# "), text) for language, text in BLOCK.findall(WALK) if language != "sh"]
    return dict(named)


def test_the_page_has_the_files_of_the_walk_and_they_are_python_and_yaml() -> None:
    import yaml

    made = files()
    assert list(made) == ["mine/squeeze.py", "mine/test_squeeze.py", "mine/run.yaml"]
    compile(made["mine/squeeze.py"], "squeeze.py", "exec")
    assert yaml.safe_load(made["mine/run.yaml"])["name"] == "squeezed"


def test_every_path_and_target_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`((?:vistune|tests|docs)/[\w/.]*)`", PAGE)) - {"vistune/model/connectors/squeeze.py"}
    own = [name for name in named if not Path(name).name.startswith("my_") and not (ROOT / name).exists()]
    assert len(named) > 15 and not own
    targets = re.findall(r"^make ([\w-]+)", PAGE, re.MULTILINE)
    assert targets and all(f"{target}:" in (ROOT / "Makefile").read_text() for target in targets)
