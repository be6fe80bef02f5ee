"""GPT4Tools' evaluator beside the released one, on its recorded answers and on drawn lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vistune.errors import InputError
from vistune.evals.metrics.tool_use import Scored, Trace, score_trace, tool_use

OURS = Path(__file__).parents[2] / "golden" / "tool_use.json"
USED = "Thought: Do I need to use a tool? Yes\nAction: Segment the Image\nAction Input: a.png\nObservation:"
TALKED = "Thought: Do I need to use a tool? No\nAI: Hello."


def numbers(scored: Scored) -> list[float]:
    return [scored.thought, scored.action, scored.arguments, scored.success, scored.iou]


def test_the_recorded_answers_are_read_and_scored_the_same(shared: Path) -> None:
    cases = json.loads((shared / "golden/gpt4tools_parser.json").read_text(encoding="utf-8"))["evaluation"]
    for case in cases:
        trace, expected = Trace.read(case["prediction"]), case["scores"]["result"]
        read = {"thoughts": trace.thoughts, "actions": trace.actions, "inputs": trace.inputs, "replies": trace.replies}
        assert {name: list(lines) for name, lines in read.items()} == case["parsed_prediction"]
        wanted = [expected[name] for name in ("thought_acc", "action_acc", "action_args_acc", "acc", "iou")]
        assert numbers(score_trace(case["prediction"], case["reference"])) == pytest.approx(wanted, abs=1e-6), case[
            "prediction"
        ]
    assert len(cases) == 18


def test_drawn_lines_are_scored_as_the_released_code_scores_them() -> None:
    cases = json.loads(OURS.read_text(encoding="utf-8"))["cases"]
    for case in cases:
        assert numbers(score_trace(case["prediction"], case["reference"])) == pytest.approx(case["scores"], abs=1e-6), case
    assert len({tuple(case["scores"]) for case in cases}) >= 15  # they tell scorers apart


def test_rates_are_means_over_replies_and_a_missing_one_is_wrong() -> None:
    result = tool_use([USED, TALKED, "no idea", None], [USED, TALKED, USED, TALKED])
    assert result.items.tolist() == [100, 100, 0, 0]
    assert dict(result.values) == {"SR": 50, "SR_t": 50, "SR_act": 50, "SR_args": 50, "IoU": 50}
    assert (result.missing, result.unparsed) == (1, 1)


def test_a_reference_with_a_tool_and_no_input_is_refused() -> None:
    with pytest.raises(InputError, match="reference 2 names 2 tools and 1 inputs"):
        tool_use([USED, USED], [USED, f"Action: Draw\n{USED}"])
