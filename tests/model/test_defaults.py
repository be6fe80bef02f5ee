"""Arguments that a spec leaves out take a part's defaults, so a changed default changes old checkpoints and recipes unseen.

A default that is to change on purpose is changed in `tests/golden/part_defaults.json`, too, and said in the changelog. New
parts are written there by  python tests/model/test_defaults.py.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest

from vistune.model.adapters import adapt
from vistune.model.modalities.chain import Chain
from vistune.model.modalities.frames import Frames
from vistune.model.modalities.region import Regions
from vistune.model.spec import ModelSpec
from vistune.recipe import Stage
from vistune.spec import kinds, resolve

FILE = Path(__file__).parent.parent / "golden" / "part_defaults.json"
FOLDERS = [f"vistune.model.{name}" for name in ("connectors", "encoders", "fusion", "heads", "regions")]
FOLDERS += ["vistune.prompt.templates", "vistune.prompt.codecs"]
OTHERS = (Chain, Frames, Regions, ModelSpec, Stage, adapt.lora, adapt.dora, adapt.rslora, adapt.ia3)


def defaults(made: object) -> dict[str, str]:
    parameters = inspect.signature(made).parameters.values()  # type: ignore[arg-type]
    return {
        each.name: repr(each.default) for each in parameters if each.default is not each.empty and "<" not in repr(each.default)
    }


def table() -> dict[str, dict[str, str]]:
    found = {}
    for folder in FOLDERS:
        for kind in kinds(folder):
            if not kind.startswith("_"):
                found[f"{folder.removeprefix('vistune.')}.{kind}"] = defaults(resolve(folder, kind, object))
    return found | {each.__name__: defaults(each) for each in OTHERS}


RECORDED: dict[str, dict[str, str]] = json.loads(FILE.read_text()) if FILE.exists() else {}


def test_defaults_are_those_that_checkpoints_were_written_under() -> None:
    now = table()
    changed = {
        f"{part}.{name}": (before, now.get(part, {}).get(name))
        for part, known in RECORDED.items()
        for name, before in known.items()
        if now.get(part, {}).get(name) != before
    }
    assert not changed


@pytest.mark.parametrize("part", ["connectors.q_former", "encoders.huggingface", "heads.promptable_mask", "fusion.splice"])
def test_the_record_holds_what_there_is(part: str) -> None:
    assert f"model.{part}" in RECORDED and len(RECORDED) > 80


if __name__ == "__main__":
    FILE.write_text(json.dumps(table(), indent=0, sort_keys=True) + "\n")
