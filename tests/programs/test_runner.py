"""`vistune run`: a folder that the same command continues, and traces that play back without any model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vistune.cli import main
from vistune.completer import Request
from vistune.construction.completers.scripted import Scripted
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.journal import read_journal
from vistune.programs.methods.gpt4tools import Gpt4tools
from vistune.programs.runner import replay, run_program
from vistune.sample import Sample, Text, Turn

CALL = "Thought: Do I need to use a tool? Yes\nAction: Crop\nAction Input: {picture}, [0.1, 0.1, 0.5, 0.5]\nObservation:"


def samples(count: int = 3) -> list[Sample]:
    return [read("world:?split=test&task=identity")[index] for index in range(count)]


class Planner:
    """Crops, then says what was made; counts what it is asked."""

    def __init__(self, fails_at: int = -1) -> None:
        self.asked, self._fails_at = 0, fails_at

    def completer(self) -> Scripted:
        return Scripted(answer=self._answer)

    def _answer(self, request: Request) -> str:
        self.asked += 1
        if self.asked == self._fails_at:
            raise KeyboardInterrupt
        text = request.messages[0].text
        if "\nObservation: " in text.partition("New input:")[2]:
            return f"Thought: Do I need to use a tool? No\nAI: See {text.strip().rpartition(' ')[2]}"
        return CALL.format(picture=text.partition("image named ")[2].partition(". ")[0])


def program() -> Gpt4tools:
    return Gpt4tools(["crop", "edges"])


def test_a_run_that_was_stopped_goes_on_and_plays_back(tmp_path: Path) -> None:
    tasks = samples()
    with pytest.raises(KeyboardInterrupt):
        run_program(program(), tasks, tmp_path, Planner(fails_at=4).completer(), {"program": "gpt4tools"})
    planner = Planner()
    outcomes = run_program(program(), tasks, tmp_path, planner.completer(), {"program": "gpt4tools"})
    assert planner.asked == 4 and [outcome.ended for outcome in outcomes] == ["answer"] * 3
    assert all(outcome.text == f"See {outcome.made[0]}" for outcome in outcomes)
    made = {path.parent.name: path.name for path in (tmp_path / "media").rglob("*.png")}
    assert made == {sample.id: outcome.made[0].replace("/", "_") for sample, outcome in zip(tasks, outcomes, strict=True)}
    lines = [json.loads(line) for line in (tmp_path / "predictions.jsonl").read_text().splitlines()]
    assert [line["answer"] for line in lines] == [outcome.text for outcome in outcomes]
    again = run_program(program(), tasks, tmp_path, Planner(fails_at=1).completer(), {"program": "gpt4tools"})
    assert again == outcomes
    assert replay(program(), tasks, tmp_path / "trace.jsonl") == outcomes
    with pytest.raises(InputError, match="program differ"):
        run_program(program(), tasks, tmp_path, None, {"program": "detgpt"})


def test_a_replay_that_departs_from_its_trace_is_refused(tmp_path: Path) -> None:
    run_program(program(), samples(1), tmp_path, Planner().completer())
    other = [Sample("other")]
    with pytest.raises(InputError, match="holds no task 'other'"):
        replay(program(), other, tmp_path / "trace.jsonl")
    changed = [Sample(samples(1)[0].id, samples(1)[0].media, (Turn("user", (Text("Something else?"),)),))]
    with pytest.raises(InputError, match="asks its planner something else"):
        replay(program(), changed, tmp_path / "trace.jsonl")


def test_the_command_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script.jsonl"
    picture = _name(samples(1)[0])
    script.write_text("".join(json.dumps(line) + "\n" for line in (CALL.format(picture=picture), "Thought: No\nAI: done")))
    given = ["gpt4tools", "--data", "world:?split=test&task=identity", "--limit", "1", "--set", "tools=[crop]"]
    out = _run([*given, "--planner", f"scripted:{script}", "--out", str(tmp_path / "out")], capsys)
    assert "1 tasks; 1 ended with answer" in out and ": done" in out
    events = [event["event"] for _, event in read_journal(tmp_path / "out" / "trace.jsonl")]
    assert events == ["task", "reply", "call", "observation", "reply", "end"]
    assert "1 ended with answer" in _run([*given, "--replay", str(tmp_path / "out" / "trace.jsonl")], capsys)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["gpt4tols"], "no kind 'gpt4tols' (did you mean 'gpt4tools'?)"),
        (["gpt4tools"], "give --planner"),
        (["detgpt", "--set", "answer={kind: answer, model: /nowhere}"], "give --out"),
        (["gpt4tools", "--set", "tools=[fly]", "--planner", "offline"], "no kind 'fly'"),
        (["gpt4tools", "--set", "tools=['os:system']", "--planner", "offline"], "--trust"),
    ],
)
def test_what_cannot_run_is_said_in_one_sentence(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _main(["run", *given, "--data", "world:?task=identity"])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def _name(sample: Sample) -> str:
    from vistune.programs.session import Session

    return Session().add(sample.media[0]).name


def _run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        _main(["run", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def _main(arguments: list[str]) -> Any:
    import sys

    before, sys.argv = sys.argv, ["vistune", *arguments]
    try:
        return main()
    finally:
        sys.argv = before
