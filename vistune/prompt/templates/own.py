"""The tokenizer's own chat template, read off what it writes for a few marked conversations."""

from __future__ import annotations

from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from vistune.errors import InputError
from vistune.prompt.template import Template, as_text
from vistune.sample import Media, MediaRef, Part, Sample, Text, Turn

_SYSTEM, _Q1, _A1, _Q2, _A2 = "SYSTEMWORDS", "FIRSTQUESTION", "FIRSTANSWER", "SECONDQUESTION", "SECONDANSWER"
_IMAGE = "<image>"
_ORDERS: tuple[tuple[Part, ...], ...] = (
    (MediaRef(0), Text(_Q1)),
    (Text(_Q1), MediaRef(0)),
    (MediaRef(0), Text(_Q1), MediaRef(1)),  # whose pictures may be numbered, or stay where they are
)


class Own(Template):
    """What `tokenizer.chat_template` writes, as fields of a `Template`, so that answers can be supervised and exported again.

    Every field is checked: the template must write the marked conversations exactly as the tokenizer does. Raises `InputError`
    for a tokenizer without a chat template, and for one that no fields express (one that rewrites earlier turns, say).
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, system: str | None = None) -> None:
        if tokenizer.chat_template is None:
            raise InputError("the tokenizer has no chat template of its own: name one, for example template: vicuna_v1")
        fields = _fields(_Jinja(tokenizer))
        super().__init__(**fields)
        _check(self, tokenizer)
        if system is not None:
            object.__setattr__(self, "system", system)


class _Jinja:
    """The tokenizer's template, called with plain texts or, where it wants them so, with lists of parts."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.listed = _Q1 not in self._call([("user", (Text(_Q1),)), ("assistant", (Text(_A1),))], False, listed=False)

    def __call__(self, turns: list[tuple[str, str]], answer_next: bool = False) -> str:
        return self._call([(role, (Text(text),)) for role, text in turns], answer_next, self.listed)

    def with_images(self, parts: tuple[Part, ...]) -> str | None:
        """A question with pictures; None for a template that takes plain texts or shows no `<image>`."""
        try:
            text = self._call([("user", parts)], True, listed=True)
        except InputError:
            return None
        return text if _IMAGE in text and _Q1 in text else None

    def _call(self, turns: list[tuple[str, tuple[Part, ...]]], answer_next: bool, listed: bool) -> str:
        messages: list[dict[str, Any]] = [
            {"role": role, "content": [_item(part) for part in parts] if listed else "".join(map(_plain, parts))}
            for role, parts in turns
        ]
        try:
            return str(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=answer_next))
        except (TemplateError, TypeError, KeyError) as error:
            raise InputError(f"the tokenizer's chat template refuses a conversation: {error}") from error


def _item(part: Part) -> dict[str, str]:
    return {"type": "text", "text": part.text} if isinstance(part, Text) else {"type": "image"}


def _plain(part: Part) -> str:
    return part.text if isinstance(part, Text) else _IMAGE


def _fields(jinja: _Jinja) -> dict[str, Any]:
    """Cut what the template writes at the marks."""
    tokens = jinja.tokenizer
    two = jinja([("user", _Q1), ("assistant", _A1), ("user", _Q2), ("assistant", _A2)])
    head, middle, between, again, tail = _cut(two, _Q1, _A1, _Q2, _A2)
    asking = _cut(jinja([("user", _Q1)], answer_next=True), _Q1)[1]
    if middle != again or not middle.startswith(asking) or not between.startswith(tail):
        raise _inexpressible("it writes earlier turns in another way than the last")
    user_prefix = between.removeprefix(tail)
    if user_prefix not in head:
        raise _inexpressible("the first question begins in another way than the second")
    fields: dict[str, Any] = {
        "user_prefix": user_prefix,
        "user_suffix": asking,
        "answer_prefix": middle.removeprefix(asking),
        "answer_suffix": tail,
        **_system_fields(jinja, head, user_prefix),
        **_media_fields(jinja, user_prefix),
    }
    for name, token in (("{bos}", tokens.bos_token), ("{eos}", tokens.eos_token)):
        if token:
            fields = {key: value.replace(token, name) if isinstance(value, str) else value for key, value in fields.items()}
    return fields


def _system_fields(jinja: _Jinja, head: str, user_prefix: str) -> dict[str, Any]:
    """How the system sentence is set, and what stands in its place, in `head`, when a conversation brings none."""
    try:
        told = jinja([("system", _SYSTEM), ("user", _Q1), ("assistant", _A1)])
        before, after, _, _ = _cut(told, _SYSTEM, _Q1, _A1)
    except InputError:  # templates that know no system turn: it opens the first question
        begin = head.removesuffix(user_prefix)
        return {"begin": begin, "system": "", "system_in_first_question": True, "system_suffix": "\n\n"}
    inside = bool(user_prefix) and user_prefix in before
    if inside:
        begin, _, prefix = before.partition(user_prefix)
        default, suffix = head.removeprefix(begin + user_prefix), after
    else:
        bos = jinja.tokenizer.bos_token or ""
        begin = bos if head.startswith(bos) and before.startswith(bos) else ""
        prefix, suffix = before.removeprefix(begin), after.removesuffix(user_prefix)
        default = head.removeprefix(begin).removesuffix(user_prefix)
    silent = jinja([("system", ""), ("user", _Q1), ("assistant", _A1)])
    written = begin + (user_prefix + prefix + suffix if inside else prefix + suffix + user_prefix)
    shown = bool(default) and default.startswith(prefix) and default.endswith(suffix)
    system = default[len(prefix) : len(default) - len(suffix)] if shown else ""
    return {
        "begin": begin,
        "system_prefix": prefix,
        "system_suffix": suffix,
        "system": system,
        "system_when_empty": silent.startswith(written) if system else shown,
        "system_in_first_question": inside,
    }


def _media_fields(jinja: _Jinja, user_prefix: str) -> dict[str, Any]:
    """Whether a picture moves in front of its question, and what then stands around it."""
    told = jinja.with_images(_ORDERS[0])
    if told is None:
        return {}
    head, shown, suffix = _cut(told, _Q1)[0].partition(_IMAGE)
    if not shown:
        return {}
    behind = jinja.with_images(_ORDERS[1])
    moved = behind is not None and behind.index(_IMAGE) < behind.index(_Q1)
    prefix = head.removeprefix(_cut(jinja([("user", _Q1)], answer_next=True), _Q1)[0])
    return {"media_first": moved, "media_prefix": prefix, "media_suffix": suffix}


def _cut(text: str, *marks: str) -> list[str]:
    """The stretches between marks."""
    stretches = []
    for mark in marks:
        before, found, text = text.partition(mark)
        if not found:
            raise _inexpressible(f"it leaves out the words {mark!r}")
        stretches.append(before)
    return [*stretches, text]


def _check(template: Template, tokenizer: PreTrainedTokenizerBase) -> None:
    """The fields write what the tokenizer writes."""
    jinja = _Jinja(tokenizer)
    tokens = {"bos": tokenizer.bos_token or "", "eos": tokenizer.eos_token or ""}
    question, answer = ("user", _Q1), ("assistant", _A1)
    conversations = [[question, answer], [question, answer, ("user", _Q2), ("assistant", _A2)]]
    for turns in conversations:
        sample = Sample("check", (), tuple(Turn(role, (Text(text),)) for role, text in turns))  # type: ignore[arg-type]
        if as_text(template.pieces(sample), tokens) != jinja(turns):
            raise _inexpressible("its turns cannot be told apart")
    for parts in _ORDERS:
        shown = jinja.with_images(parts)
        sample = Sample("check", (Media("image", data=b""),) * 2, (Turn("user", parts),))
        if shown is not None and as_text(template.pieces(sample, answer_next=True), tokens) != shown:
            raise _inexpressible("it sets pictures in another way")


def _inexpressible(reason: str) -> InputError:
    return InputError(
        f"the tokenizer's own chat template cannot be trained with ({reason}): name one, such as template: chatml"
    )
