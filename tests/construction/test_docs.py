"""The example of docs/build.md is a pipeline; `tests/pages` runs the page."""

from __future__ import annotations

import re
from pathlib import Path

from vistune.construction.pipeline import Pipeline
from vistune.construction.sources import Sources

PAGE = (Path(__file__).parents[2] / "docs" / "build.md").read_text(encoding="utf-8")


def test_the_example_is_a_pipeline():
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "docs/build.md", "exec"), names)  # noqa: S102 - our own page
    pipeline = names["PIPELINE"]
    assert isinstance(pipeline, Pipeline)
    (record,) = Sources(["world:?size=1"], pipeline.spoken)
    assert "Descriptions:\n" in pipeline.prompts[0].messages(record)[-1].text
