"""The ReAct loop as GPT4Tools' released client and LangChain run it, held to a recording of both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vistune.completer import Request
from vistune.construction.completers.scripted import Scripted
from vistune.programs.formats.base import Talk
from vistune.programs.formats.react_gpt4tools import CLOSING, ReactGpt4tools, remembered
from vistune.programs.hands import Live
from vistune.programs.loop import converse
from vistune.programs.session import Held, Session
from vistune.programs.tool import Toolbox, tool_of
from vistune.sample import Media

ENDS = " step by step."


def closing(text: str) -> str:
    """The recording's mark where the closing sentences stood; the end of ours is theirs."""
    assert CLOSING.endswith(ENDS)
    return text.replace(CLOSING, f"<closing paragraph>{ENDS}")


def toolbox(calls: list[list[str]]) -> Toolbox:
    def named(name: str, answer: Any) -> Any:
        def run(text: str) -> str:
            calls.append([name, text])
            return str(answer(text))

        return tool_of(run, name, "Of a test.")

    return Toolbox(
        named("Answer Question About The Image", lambda text: "blue"),
        named("Edge Detection On Image", lambda text: text.replace(".png", "_edge.png")),
        named("Get Photo Description", lambda text: "a cat on a mat"),
    )


def test_prompts_calls_and_answers_are_those_of_the_released_loop(shared: Path) -> None:
    cases = json.loads((shared / "golden/gpt4tools_react_loop.json").read_text(encoding="utf-8"))["cases"]
    assert len(cases) == 12
    for case in cases:
        compare(case)


def compare(case: dict[str, Any]) -> None:
    replies: Iterator[str] = iter(case["replies"])
    asked: list[str] = []

    def answer(request: Request) -> str:
        asked.append(request.messages[0].text)
        return next(replies)

    form = ReactGpt4tools(released=True, keep=case["keep_last"])
    earlier: list[tuple[str, str]] = []
    shown = [(Held(case["image"][0], Media("image", data=b"")), case["image"][1])] if case["image"] else []
    memory = "".join([remembered(Talk(Toolbox(), "", shown))])
    for turn in case["result"]:
        calls: list[list[str]] = []
        asked.clear()
        memory = form.cut(memory)
        talk = Talk(toolbox(calls), turn["input"], shown, earlier)
        outcome = converse(talk, form, Session(), Live(Scripted(answer=answer)))
        tails = [closing(text)[closing(text).index("Previous conversation:") :] for text in asked]
        assert tails == turn["model_input_tails"], case["name"]
        assert calls == turn["tool_calls"]
        if "error" in turn:
            assert (outcome.ended, outcome.why) == ("unreadable", turn["message"])
            continue
        assert outcome.text == turn["output"]
        steps = [[s.said.calls[0].tool, s.said.calls[0].arguments, s.said.text, s.observations[0]] for s in outcome.steps]
        assert steps == turn["steps"]
        earlier.append((turn["input"], outcome.text))
        memory += f"\nHuman: {turn['input']}\nAI: {outcome.text}"
        assert memory == turn["memory_after"]
