"""What models and endpoints answer: construction's reply formats, providers' bodies, judges' verdicts, kept replies.

What must hold: every reply gives items or reasons, nothing of it is lost, and what is kept can be saved.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.construction.parsers.test_any_reply import NASTY, damaged, sound
from tests.construction.parsers.test_parsers import FORMATS
from tests.fuzz.changes import WRONG, dumps, json_text, raw, tree
from tests.fuzz.oracles import Case, Changed
from vistune.completer import Message, Request
from vistune.construction.http.apis.anthropic import Anthropic
from vistune.construction.http.apis.google import Google
from vistune.construction.http.apis.openai import Openai
from vistune.construction.http.attempts import retry_after
from vistune.construction.http.wire import BadReplyError, reply_of
from vistune.construction.parsers.target_names import names
from vistune.construction.running.store import ReplyStore
from vistune.evals.judges.llava_bench import LlavaBench
from vistune.evals.judges.mm_vet import MmVet
from vistune.evals.judges.pairwise import Pairwise
from vistune.evals.judges.qa_match import QaMatch
from vistune.evals.judges.rating import Rating
from vistune.evals.judges.video_chatgpt import VideoChatgpt
from vistune.journal import Journal, read_journal

_USAGE = {"prompt_tokens": 3, "completion_tokens": 4}
_BODIES: dict[str, tuple[Any, Any]] = {
    "openai": (
        Openai(),
        {"model": "m", "choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}], "usage": _USAGE},
    ),
    "anthropic": (
        Anthropic(),
        {
            "model": "m",
            "content": [{"type": "text", "text": "Yes."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 4},
        },
    ),
    "google": (
        Google(),
        {
            "candidates": [{"content": {"parts": [{"text": "Yes."}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 4},
        },
    ),
}
_REQUEST = Request((Message("user", "Is it?"),), max_tokens=8, id="a")
_VERDICTS = (
    '{"pred": "yes", "score": 4}',
    "8 7\nbecause",
    "0.5",
    "[[A]]",
    "correctness: 3",
    '{"score": 4.5}',
    "A",
    "Rating: 4",
)


class Surface:
    """Good replies of every form, spoiled as models and networks spoil them."""

    def __init__(self, folder: Path) -> None:
        self._good = {name: form.write(items) for name, (form, items) in FORMATS.items()}
        self._judges: list[Any] = [LlavaBench(), MmVet(), Pairwise(()), QaMatch(), Rating(), VideoChatgpt()]

    def make(self, chance: random.Random, room: Path) -> Case:
        """A reply of one of the kinds."""
        what = chance.choice(("format", "format", "format", "body", "body", "verdict", "kept", "names"))
        if what == "body":
            api, good = _BODIES[chance.choice(sorted(_BODIES))]
            content = json_text(good, chance)
            return Case("provider's body", lambda: _body(api, content))
        if what == "kept":
            return self._kept(chance, room)
        if what == "verdict":
            judge = chance.choice(self._judges)
            text = self._spoiled(chance.choice(_VERDICTS), chance)
            return Case("verdict", lambda: _verdict(judge, text))
        name = chance.choice(sorted(FORMATS))
        text = self._spoiled(self._good[name], chance)
        if what == "names":
            return Case("names", lambda: _names(text))
        return Case(f"format {name}", lambda: _parsed(FORMATS[name][0], text))

    def _spoiled(self, text: str, chance: random.Random) -> str:
        how = chance.random()
        if how < 0.2:  # half characters only as escapes: what is no UTF-8 is no reply
            value = chance.choice((*NASTY, *WRONG))
            return (value if isinstance(value, str) else dumps(value)).encode(errors="replace").decode()
        if how < 0.3:
            return raw(text.encode("utf-8", "surrogatepass"), chance).decode("utf-8", "replace")
        return damaged(text, chance.randrange(1 << 30))

    def _kept(self, chance: random.Random, room: Path) -> Case:
        file = room / "replies.jsonl"
        if chance.random() < 0.3:
            return Case("retry-after", lambda: _waits(str(chance.choice((*WRONG, "Mon, 01 Dec 2026 99:00:00", "-1", "1e400")))))
        lines = [{"who": "w", "key": f"k{n}", "text": "t", "reply": {"text": "t"}, "prompt_tokens": 1} for n in range(3)]
        text = b"".join(json_text(tree(line, chance), chance) + b"\n" for line in lines)
        file.write_bytes(raw(text, chance) if chance.random() < 0.3 else text)
        return Case("kept replies", lambda: _journal(file))


def _parsed(form: Any, text: str) -> None:
    sound(form.parse(text))
    for item in form.parse(text).items:
        for pair in item.pairs:
            "".join(pair).encode()


def _names(text: str) -> None:
    if not all(isinstance(name, str) and name for name in names(text)):
        raise Changed("a name that is no name")


def _verdict(judge: Any, text: str) -> None:
    scores = judge.parse(text)
    if scores is not None:
        json.dumps(dict(scores), allow_nan=False)


def _body(api: Any, content: bytes) -> None:
    try:
        reply = reply_of(api, content, _REQUEST, "m")
    except BadReplyError:
        return  # asked again
    said = json.dumps([reply.text, reply.model, reply.finish, reply.prompt_tokens, reply.completion_tokens], ensure_ascii=False)
    said.encode()
    left, texts = reply.text, sorted(filter(None, _texts(json.loads(content))), key=len, reverse=True)
    while left and (piece := next((text for text in texts if left.startswith(text)), "")):
        left = left.removeprefix(piece)
    if left:
        raise Changed(f"the reply {reply.text!r} is nowhere in the body")


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _texts(one)]


def _waits(value: str) -> None:
    wait = retry_after({"retry-after": value})
    if not 0 <= wait < float("inf"):
        raise Changed(f"a wait of {wait} seconds")


def _journal(file: Path) -> None:
    before = list(read_journal(file))
    with Journal(file) as journal:
        journal.append({"n": 1})
    after = list(read_journal(file))
    if after[:-1] != before or after[-1][1] != {"n": 1}:
        raise Changed("a journal lost or changed a line when another was added")
    ReplyStore(file).close()
