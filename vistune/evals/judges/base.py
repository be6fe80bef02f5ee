"""What a judge is, and how one is run: raw replies kept in a journal, unreadable ones asked again and then counted.

Judging has two steps. `run` asks a completer and appends every raw reply to a file; `verdicts` reads that file back and needs
no completer, so that a judged number can be computed again, or by someone else, from files alone. A reply is found by the
hash of what was asked: a changed answer or prompt never meets an old verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

from vistune.completer import Completer, Message, Request
from vistune.errors import InputError
from vistune.evals.prediction import Prediction
from vistune.evals.result import Result
from vistune.journal import Journal, read_journal
from vistune.progress import track
from vistune.sample import Sample

RETRY_WARMER = 0.5  # each further attempt samples at a temperature this much higher, or it would get the same reply


@dataclass(frozen=True, slots=True)
class Question:
    """One request, and the numbers of the samples whose answers it shows."""

    items: tuple[int, ...]
    request: Request


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was asked and what the reply says; `scores` is `None` when it says nothing that the judge's rule can read."""

    question: Question
    scores: Mapping[str, float] | None


class Judge(Protocol):
    """The contract of a file in `judges/`: a frozen dataclass whose fields are its variants."""

    rule: ClassVar[str]
    """Name and version of prompt and reading together."""

    attempts: ClassVar[int]
    """How often an unreadable reply is asked for again, the first time included."""

    def ask(self, samples: Sequence[Sample], predictions: Sequence[Prediction | None]) -> list[Question]:
        """The questions about the answers that are there; a missing prediction is not asked about."""
        ...

    def parse(self, text: str) -> Mapping[str, float] | None:
        """The scores a reply states, `None` when it does not keep to the form asked for."""
        ...

    def result(
        self, samples: Sequence[Sample], predictions: Sequence[Prediction | None], verdicts: Sequence[Verdict]
    ) -> Result:
        """The number."""
        ...


def run(
    judge: Judge,
    samples: Sequence[Sample],
    predictions: Sequence[Prediction | None],
    completer: Completer,
    replies: Path,
) -> list[Verdict]:
    """Ask what is not yet in the file `replies`, append every raw reply, and return the verdicts.

    Stopped at any point, it goes on there. Raises `InputError` when requests failed: the answered ones are kept, so that
    running again asks for the failed ones only. Raises it, too, for a file with replies of another judge model.
    """
    who = dict(getattr(completer, "identity", {}))  # a scripted completer is nobody
    with Journal(replies) as journal:

        def answer(pending: Sequence[Request]) -> Mapping[str, str]:
            return _complete(pending, completer, journal, who)

        return _decide(judge, judge.ask(samples, predictions), _known(replies, who), answer)


def verdicts(
    judge: Judge, samples: Sequence[Sample], predictions: Sequence[Prediction | None], replies: str | Path
) -> list[Verdict]:
    """The verdicts from a file of replies. Raises `InputError` when one is missing: a judged number has no substitute."""
    path = Path(replies)
    if not replies or not path.is_file():
        raise InputError(f"{judge.rule} is a judge's number: run `vistune judge` and name its replies with judgements=FILE")

    def refuse(pending: Sequence[Request]) -> Mapping[str, str]:
        raise InputError(
            f"{path}: has no reply to {len(pending)} question(s), the first about sample {pending[0].id!r}:"
            " run `vistune judge` on these predictions"
        )

    return _decide(judge, judge.ask(samples, predictions), _known(path), refuse)


def judged(
    judge: Judge,
    samples: Sequence[Sample],
    predictions: Sequence[Prediction | None],
    found: Sequence[Verdict],
    replies: str | Path,
) -> Result:
    """The judge's result, with a note on which models' replies it rests on.

    Raises `InputError` when not one reply could be read: the lowest score of the scale would then be the judge's failure, told
    as the model's.
    """
    if found and unread(found) == len(found):
        raise InputError(
            f"none of the judge's {len(found)} replies keeps to the form that {judge.rule} asks for, so there is no score: look"
            f" at {replies}, and take another judge model"
        )
    models = Counter(str(record.get("model") or "unnamed") for _, record in read_journal(replies))
    note = "judged by " + ", ".join(f"{model} ({count} replies)" for model, count in models.most_common())
    result = judge.result(samples, predictions, found)
    return replace(result, notes=(*result.notes, note))


def one_each(
    samples: Sequence[Sample],
    predictions: Sequence[Prediction | None],
    prompt: Callable[[Sample, str], str],
    **arguments: Any,
) -> list[Question]:
    """One question about every answer; `arguments` are those of `Request`."""
    return [
        Question((index,), Request((Message("user", prompt(sample, prediction.answer)),), id=sample.id, **arguments))
        for index, (sample, prediction) in enumerate(zip(samples, predictions, strict=True))
        if prediction is not None
    ]


def question_of(sample: Sample) -> str:
    """What was asked, without what the prompt adds about the form of answers where the benchmark keeps them apart.

    Raises `InputError` for a sample of answers alone, which a judge cannot be told about.
    """
    if question := sample.meta.get("question"):
        return str(question)
    turns = sample.prompt().turns
    if not turns:
        raise InputError(f"{sample.where} has an answer but no question, which the judge has to be shown")
    return turns[-1].text


def known_of(sample: Sample) -> str:
    """What a judge is told about the picture and the right answer: the description, then every accepted answer."""
    lines = [str(sample.meta["context"])] if "context" in sample.meta else []
    return "\n".join([*lines, *(f"Right answer: {answer}" for answer in sample.answers)]) or "(nothing beyond the question)"


def scores_of(name: str, found: Sequence[Verdict], count: int) -> list[float | None]:
    """One named score for each of `count` samples, the mean where several questions show it; `None` without a readable one."""
    given: list[list[float]] = [[] for _ in range(count)]
    for verdict in found:
        if verdict.scores is not None and name in verdict.scores:
            for index in verdict.question.items:
                given[index].append(verdict.scores[name])
    return [sum(scores) / len(scores) if scores else None for scores in given]


def unread(found: Sequence[Verdict]) -> int:
    """How many replies could not be read."""
    return sum(verdict.scores is None for verdict in found)


def _decide(
    judge: Judge,
    questions: Sequence[Question],
    known: dict[str, str],
    answer: Callable[[Sequence[Request]], Mapping[str, str]],
) -> list[Verdict]:
    requests = [question.request for question in questions]
    scores: list[Mapping[str, float] | None] = [None] * len(questions)
    open_ = list(range(len(questions)))
    for attempt in range(judge.attempts):
        asked = {index: _warmer(requests[index], attempt) for index in open_}
        keys = {index: request.key() for index, request in asked.items()}
        pending = {keys[index]: request for index, request in asked.items() if keys[index] not in known}
        if pending:
            known |= answer(list(pending.values()))
        for index in open_:
            scores[index] = judge.parse(known[keys[index]])
        open_ = [index for index in open_ if scores[index] is None]
    return [Verdict(question, score) for question, score in zip(questions, scores, strict=True)]


def _warmer(request: Request, attempt: int) -> Request:
    if attempt == 0:
        return request
    return replace(request, temperature=request.temperature + RETRY_WARMER * attempt, seed=request.seed + attempt)


def _known(path: Path, who: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Kept replies by key. With `who`, one file is one judge's: another model's replies, found by their prompts, would be taken
    for this one's."""
    known = {}
    for number, record in read_journal(path):
        if who is not None and record.get("who", who) != who:
            raise InputError(
                f"{path}: reply {number} is of another judge ({_said(record['who'])}) than is asked now ({_said(who)}): give"
                " each judge its own --out"
            )
        if {"key", "reply"} <= record.keys():
            known[record["key"]] = record["reply"]
    return known


def _said(who: Any) -> str:
    named = who if isinstance(who, Mapping) else {"name": who}
    return ", ".join(f"{name} {value}" for name, value in named.items() if value) or "no model"


def _complete(pending: Sequence[Request], completer: Completer, journal: Journal, who: Mapping[str, Any]) -> dict[str, str]:
    replies, failures = {}, []
    answered = zip(pending, completer.complete(pending), strict=True)
    for request, reply in track(answered, "judging", len(pending)):
        if reply.error:
            failures.append(f"sample {request.id!r}: {reply.error}")
            continue
        replies[request.key()] = reply.text
        journal.append(
            {
                "key": request.key(),
                "id": request.id,
                "model": reply.model,
                "who": who,
                "temperature": request.temperature,
                "prompt": [{"role": message.role, "text": message.text} for message in request.messages],
                "reply": reply.text,
            }
        )
    if failures:
        raise InputError(
            f"the judge gave no reply to {len(failures)} of {len(pending)} questions ({failures[0]}); the others are kept in"
            f" {journal.path}: run again to ask only these"
        )
    return replies
