"""AssistGPT (Gao et al., arXiv 2306.08640): planner, executor, inspector, and a learner that keeps what was solved.

Planner    writes thoughts and calls (`formats/module_calls.py`), shown examples that are like the question
Executor   checks and runs the calls (`running.py`)
Inspector  keeps every medium by number with what is known of it, new ones too, and tells the planner
Learner    judges an answer, by the truth where there is one or by asking the planner; tries again, and keeps the trace of a
           success as an example
There is no released code. Not held by a recording.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from vistune.completer import Message, Request
from vistune.errors import InputError
from vistune.journal import Journal, read_journal
from vistune.programs.formats.base import Step, Talk
from vistune.programs.hands import Hands, PlannerError
from vistune.programs.loop import Outcome, converse
from vistune.programs.observation import ToolError
from vistune.programs.program import earlier, open_format, open_tools, question
from vistune.programs.session import Held, Session
from vistune.sample import Sample
from vistune.spec import Spec

JUDGE = "A question about a picture or film, the steps taken, and the answer follow. Is the answer right? Say yes or no."


class Assistgpt:
    """The program `assistgpt`.

    tools:    modules by the names that the planner writes
    describe: the module the inspector looks at each medium with; None: what is known is its kind alone
    examples: a JSONL file of solved questions, read and added to; None keeps none
    shots:    examples shown; tries: attempts a question; steps: calls an attempt, at most
    truth:    judge by the sample's answers where it has some; else the planner judges itself
    """

    paper, plans = "arXiv 2306.08640", True

    def __init__(
        self,
        tools: Mapping[str, Spec] | Sequence[Spec],
        describe: str | None = None,
        examples: str | None = None,
        shots: int = 2,
        tries: int = 2,
        steps: int = 8,
        truth: bool = False,
        format: Spec = "module_calls",
    ) -> None:
        if tries < 1:
            raise InputError(f"tries is {tries}, expected at least 1")
        self._tools, self._describe, self._format = open_tools(tools), describe, open_format(format)
        self._examples = None if examples is None else Path(examples)
        self._shots, self._tries, self._steps, self._truth = shots, tries, steps, truth
        if describe is not None:
            self._tools.named(describe)

    def run(self, task: Sample, session: Session, hands: Hands) -> Outcome:
        """See `Program`. The first answer that is judged right, else the last."""
        asked = question(task)
        shown = [(held, self._inspected(held, session, hands)) for held in session]
        recalled = hands.recall("examples", lambda: self._alike(asked))
        before = (*earlier(task), *((one, two) for one, two in recalled))
        outcome = Outcome()
        for _ in range(self._tries):
            talk = Talk(self._tools, asked, shown, before)
            outcome = converse(talk, self._format, session, hands, self._steps)
            if outcome.ended != "answer":
                continue
            try:
                right = self._right(task, asked, outcome, hands)
            except PlannerError:  # nobody can judge it: the answer stands
                return outcome
            if right:
                self._learn(asked, outcome)
                return outcome
        return outcome

    def _inspected(self, held: Held, session: Session, hands: Hands) -> str:
        if self._describe is None:
            return ""
        tool = self._tools.named(self._describe)
        if tool.takes[0].kind != held.medium.kind:
            return ""
        try:
            return hands.use(tool, {tool.takes[0].name: held.name}, session)[0].text
        except ToolError as error:
            return str(error)

    def _right(self, task: Sample, asked: str, outcome: Outcome, hands: Hands) -> bool:
        if self._truth and task.answers:
            return outcome.text.strip().lower() in (answer.strip().lower() for answer in task.answers)
        told = f"Question: {asked}\n{_trace(outcome.steps)}Answer: {outcome.text}"
        reply = hands.ask(Request((Message("system", JUDGE), Message("user", told)), 8)).text
        return reply.strip().lower().startswith("yes")

    def _learn(self, asked: str, outcome: Outcome) -> None:
        if self._examples is not None:
            solution = f"{_trace(outcome.steps)}Act: answer({json.dumps(outcome.text, ensure_ascii=False)})"
            with Journal(self._examples) as journal:
                journal.append({"question": asked, "solution": solution})

    def _alike(self, asked: str) -> list[tuple[str, str]]:
        """Solved questions that share most words with this one, the likest last."""
        if self._examples is None or not self._shots:
            return []
        words = set(asked.lower().split())
        solved = []
        for number, record in read_journal(self._examples):
            if not isinstance(record.get("question"), str) or not isinstance(record.get("solution"), str):
                raise InputError(f"{self._examples}: line {number} has no question or no solution")
            theirs = set(record["question"].lower().split())
            solved.append((len(words & theirs) / max(1, len(words | theirs)), number, record))
        best = sorted(solved, key=lambda one: one[:2])[-self._shots :]
        return [(f"Question: {record['question']}", record["solution"]) for _, _, record in best]


def _trace(steps: Sequence[Step]) -> str:
    return "".join(f"{step.said.text.strip()}\nObs: {' '.join(step.observations)}\n" for step in steps)
