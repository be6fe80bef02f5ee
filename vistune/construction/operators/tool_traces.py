"""Tool use as text: instructions with a call become traces of thought, action, input and observation."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from vistune.construction.operators.generate import Apply
from vistune.construction.parsers.base import Item
from vistune.construction.parsers.tool_lines import PLACEHOLDER, Tool
from vistune.construction.prompt import Prompt
from vistune.construction.record import Operator, Record, each, pairs_to_turns

YES = "Thought: Do I need to use a tool? Yes"
NO = "Thought: Do I need to use a tool? No"


def traces(tools: Mapping[str, Tool], image: str = "image/{id}.png", seed: int = 0) -> Apply:
    """Every call as a record: the instruction (with the picture's file name, when the tool takes one) and the trace.

    A tool with a prerequisite gets the call before it and its result as the picture (an edge map before edge-to-image).
    """

    def apply(record: Record, prompt: Prompt, items: Sequence[Item]) -> list[Record]:
        made = []
        for number, item in enumerate(items):
            name = f"{record.id}#{number}"
            picture = image.format(id=record.id)
            trace = "\n".join(_calls(tools, tools[item.fields["tool"]], item.fields["arguments"], picture))
            instruction = item.pairs[0][0].replace(PLACEHOLDER, picture)
            if not instruction:
                made.append(replace(record, id=name).rejected("empty instruction"))
                continue
            said = f"{instruction}\nPicture: {picture}" if tools[item.fields["tool"]].needs_image else instruction
            meta = {**record.meta, "tool": item.fields["tool"]}
            made.append(replace(record, id=name, task="tool", media=(), turns=pairs_to_turns([(said, trace)]), meta=meta))
        return made

    return apply


def _calls(tools: Mapping[str, Tool], tool: Tool, arguments: Sequence[str], picture: str) -> list[str]:
    lines = []
    if tool.prerequisite:
        before = tools[tool.prerequisite]
        lines = [YES, f"Action: {before.name}", f"Action Input: {picture}", f"Observation: {_result(picture, before)}"]
        picture = _result(picture, before)
    given = ", ".join(picture if argument == PLACEHOLDER else argument for argument in arguments)
    return [*lines, YES, f"Action: {tool.name}", f"Action Input: {given}", "Observation:"]


def _result(picture: str, tool: Tool) -> str:
    stem = picture.removesuffix(".png")
    return f"{stem}_{tool.name.split()[0].lower()}.png"


def tool_list(tools: Mapping[str, Tool]) -> str:
    """The tools as a model reads them, one a line."""
    return "\n".join(f"{tool.name}: {tool.use} Arguments: {tool.arguments}." for tool in tools.values())


def no_tool(share: float, seed: int = 0) -> Operator:
    """Turn a share of question-and-answer records into traces that need no tool (GPT4Tools' negatives)."""

    def change(record: Record) -> Record:
        if not record.facts.qa or random.Random(f"{seed}:no tool:{record.id}").random() >= share:
            return record
        pairs = [(question, f"{NO}\nAI: {answer}") for question, answer in record.facts.qa]
        return replace(record, task="no tool", media=(), turns=pairs_to_turns(pairs))

    return each(change)
