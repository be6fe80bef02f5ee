"""Our parsers beside the released ones, on recorded inputs; where we are stricter on purpose, the case is named here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.construction.boxes import Notation
from vistune.construction.mentions import cleaned
from vistune.construction.parsers import (
    media_dialogues,
    messages,
    python_pairs,
    question_answer,
    question_answer_lines,
    triple_equals,
    user_assistant,
)
from vistune.construction.parsers.target_names import detector_prompt, names, without_names
from vistune.construction.parsers.tool_lines import Tool, parse

OURS = Path(__file__).parents[2] / "golden" / "replies.json"


def table(shared: Path, name: str) -> dict[str, Any]:
    return json.loads((shared / "golden" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return json.loads(OURS.read_text(encoding="utf-8"))


def test_triple_equals_gives_the_same_pairs_and_errors(shared: Path):
    for case in table(shared, "parser_llava_triple_equals")["cases"]:
        parsed = triple_equals.parse(case["input"])
        assert [list(pair) for item in parsed.items for pair in item.pairs] == case["output"]["pairs"], case["input"]
        assert [problem.reason for problem in parsed.problems] == [case["output"]["error"]] * bool(case["output"]["error"])


def test_question_answer_gives_the_same_valid_and_invalid_blocks(shared: Path):
    for case in table(shared, "parser_syphus_qa")["cases"]:
        parsed = question_answer.parse(case["input"])
        valid = [{"id": "ID", "question": item.pairs[0][0], "answer": item.pairs[0][1]} for item in parsed.items]
        assert valid == case["output"]["valid"], case["input"]
        assert [problem.text for problem in parsed.problems] == case["output"]["invalid"]


def test_python_pairs_reads_what_the_released_code_evaluates_and_also_checks_the_keys(shared: Path):
    ours_alone_refuses = {"[]", "[{'question': 'wrong key', 'A': 'b'}]"}
    for case in table(shared, "parser_video_chatgpt_list")["cases"]:
        parsed = python_pairs.parse(case["input"])
        value = case["output"]["value"]
        if value is None or case["input"] in ours_alone_refuses:
            assert not parsed.items and len(parsed.problems) == 1, case["input"]
        else:
            entries = [value] if isinstance(value, dict) else value
            assert [item.pairs for item in parsed.items] == [((entry["Q"], entry["A"]),) for entry in entries]


def test_messages_reads_the_same_dialogues(shared: Path):
    """A reply cut short and a reply without a dialogue are problems here; the released code counts none."""
    stricter = {
        "truncated reply": (1, 1),
        "empty reply": (0, 1),
        "not a dialogue": (0, 1),
        # These two raise or pass half-checked there: a user message without pictures is always a problem here.
        "first user message without image_ids, python quotes": (0, 1),
        "first user message without image_ids, JSON": (0, 1),
        # A brace inside a text breaks the search there.
        "braces inside the text": (1, 0),
        # Known pictures are checked where the pictures are known (`place_ids`), not in the parser.
        "unknown image id": (1, 0),
    }
    for case in table(shared, "parser_sparkles_json")["cases"]:
        parsed = messages.parse(case["input"])
        expected = case["output"]
        if case["name"] in stricter:
            assert (len(parsed.items), len(parsed.problems)) == stricter[case["name"]], case["name"]
            continue
        assert len(parsed.problems) == expected["problem_count"], case["name"]
        assert len(parsed.items) == len(expected["dialogues"]), case["name"]
        for item, dialogue in zip(parsed.items, expected["dialogues"], strict=True):
            shown = [tuple(image["image_id"] for image in message["images"]) for message in dialogue[::2]]
            assert list(item.fields["images"]) == shown
            told = [message["content"].replace("<Img><ImageHere></Img>", "") for message in dialogue]
            assert [words for pair in item.pairs for words in pair] == told


def test_tool_lines_give_the_same_calls_and_refusals(shared: Path):
    golden = table(shared, "gpt4tools_parser")
    tools = {
        name: Tool(name, "", entry["num_args"], entry["needs_image"], entry["prerequisite"])
        for name, entry in golden["tools"].items()
    }
    spellings = {
        "segment given object": "Segment the given object",
        "segment image": "Segment the Image",
        "detect object": "Detect the Give Object",
    }
    for case in golden["instruction_lines"]:
        parsed = parse(case["line"], tools, spellings)
        if "error" in case:
            assert not parsed.items and len(parsed.problems) == 1, case["line"]
            continue
        (item,) = parsed.items
        expected = case["result"]
        assert (item.pairs[0][0], item.fields["tool"]) == (expected["instruction"], expected["tool"])
        assert list(item.fields["arguments"]) == expected["arguments"]


def test_target_names_are_the_same(shared: Path):
    for case in table(shared, "detgpt_answer_parser")["cases"]:
        assert sorted(names(case["text"])) == (case["names_sorted"] or []), case["text"]


def test_unit_boxes_are_written_as_shikra_writes_them(shared: Path):
    written = 0
    for case in table(shared, "shikra_box_strings")["boxes"]:
        width, height = case["size_wh"]
        box = tuple(min(1.0, max(0.0, value / side)) for value, side in zip(case["box"], (width, height) * 2, strict=True))
        assert Notation("unit").write(box) == case["text"]
        written += 1
    assert written == 34


def test_thousandths_are_written_as_ferret_writes_them(shared: Path):
    """The released code clamps to the last pixel first; a box within the picture's last pixel is the same."""
    for case in table(shared, "ferret_box_strings")["boxes"]:
        width, height = case["size_wh"]
        clamped = [min(max(value, 0), side - 1) for value, side in zip(case["box"], (width, height) * 2, strict=True)]
        box = tuple(value / side for value, side in zip(clamped, (width, height) * 2, strict=True))
        ours = [int(number) for number in Notation("thousandths").write(box).strip("[]").split(",")]
        theirs = [int(number) for number in case["box_text"].strip("[]").split(",")]
        assert all(abs(mine - other) <= 1 for mine, other in zip(ours, theirs, strict=True)), case


def test_mosit_dialogues_are_kept_and_cut_as_the_released_code_does(recorded: dict[str, Any]):
    for case in recorded["mosit"]:
        parsed = media_dialogues.as_released(case["input"])
        expected = [[turn["value"] for turn in dialogue] for dialogue in case["output"]]
        assert [[words for pair in item.pairs for words in pair] for item in parsed.items] == expected, case["input"]
        assert parsed.items or parsed.problems


def test_three_dashes_part_two_dialogues(recorded: dict[str, Any]):
    text = "Human: a\nGPT: <Image> b </Image>\n---\nHuman: c\nGPT: d"
    assert [len(item.pairs) for item in media_dialogues.parse(text).items] == [1, 1]


def test_svit_replies_give_the_same_pairs_references_and_errors(recorded: dict[str, Any]):
    for case in recorded["svit"]:
        parsed = question_answer_lines.parse(case["input"])
        expected = case["output"]
        pairs = [list(item.pairs[0]) for item in parsed.items]
        assert pairs == expected["pairs"], case["input"]
        found = [reference for pair in pairs for text in pair for reference in question_answer_lines.references(text)]
        assert [{"name": name, "boxes": boxes} for name, boxes in found] == expected["references"]
        reasons = [problem.reason for problem in parsed.problems] if case["input"] else []  # an empty reply is a problem here
        assert reasons == [expected["error"]] * bool(expected["error"]), case["input"]


def test_llava_med_conversations_are_read_and_cleaned_as_released(recorded: dict[str, Any]):
    for case in recorded["llava_med"]:
        parsed = user_assistant.as_released(case["input"])
        expected = case["output"]
        if "error" in expected:
            assert not parsed.items and parsed.problems, case["input"]
            continue
        (item,) = parsed.items
        assert [list(pair) for pair in item.pairs] == expected["formatted"], case["input"]
        assert [list(pair) for pair in cleaned(item.pairs)] == expected["cleaned"], case["input"]


def test_detgpt_asks_its_detector_and_shows_its_answer_as_recorded(shared: Path):
    for case in table(shared, "detgpt_answer_parser")["cases"]:
        assert detector_prompt(case["text"]) == case["detector_prompt"], case["text"]
        assert without_names(case["text"]) == case["display_text"], case["text"]
