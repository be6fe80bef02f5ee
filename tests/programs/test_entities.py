"""Phrases of an answer and found things, held to a recording of BuboGPT's matcher."""

from __future__ import annotations

import json
from pathlib import Path

from vistune.programs.entities import matched


def test_pieces_pairs_and_colours_are_the_official_ones(shared: Path) -> None:
    cases = json.loads((shared / "golden/bubogpt_entity_match.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 12
    for case in cases:
        found = matched(case["text"], list(case["tags"]), case["reply"])
        assert [list(piece) for piece in found.pieces] == case["output"]["highlight"], case["text"]
        assert dict(found.pairs) == case["output"]["match"]
        assert {number: case["tags"][tag] for number, tag in found.tags.items()} == case["output"]["colors"]


def test_without_the_released_rule_no_character_is_lost() -> None:
    assert "".join(piece for piece, _ in matched("a dog!", ["dog"], "dog - dog", released=False).pieces) == "a dog!"
    assert "".join(piece for piece, _ in matched("a dog!", ["dog"], "dog - dog").pieces) == "a dog"
