"""A template's layout as Jinja source, the form in which `transformers` and servers take chat templates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def chat_template(fields: Mapping[str, Any], image_token: str) -> str:
    """Jinja source that writes what a `Template` of these fields lays out, images as `image_token`.

    It refuses (`raise_exception`) what training refuses: turns that do not alternate, roles other than system or developer
    (first only), user and assistant, media in a system message or an answer, and media that are not images.
    """
    marks = {
        "BEGIN": fields["begin"],
        "SYSTEM_PREFIX": fields["system_prefix"],
        "SYSTEM_SUFFIX": fields["system_suffix"],
        "USER_PREFIX": fields["user_prefix"],
        "LATER_PREFIX": fields["user_prefix"] if fields["later_user_prefix"] is None else fields["later_user_prefix"],
        "USER_SUFFIX": fields["user_suffix"] + fields["assistant_prefix"],
        "ANSWER_PREFIX": fields["answer_prefix"],
        "ANSWER_SUFFIX": fields["answer_suffix"],
        "CLOSING": fields["closing"],
        "MEDIA_PREFIX": fields["media_prefix"],
        "MEDIA_SUFFIX": fields["media_suffix"],
        "PLACED_SUFFIX": fields["media_suffix"].rstrip() if fields["media_first"] else fields["media_suffix"],
    }
    source = _LAYOUT.replace("@QUESTION@", _question(fields))
    source = source.replace("@GENERATED@", _TRAINED_PREFIX if fields["answer_prefix_trained"] else _PLAIN_PREFIX)
    source = source.replace("@LEADING@", _DROPPED if fields["leading_answer"] == "drop" else "")
    source = source.replace("@SYSTEM@", json.dumps(fields["system"], ensure_ascii=False))
    source = source.replace("@IN_QUESTION@", str(fields["system_in_first_question"]).lower())
    source = source.replace("@WHEN_EMPTY@", str(fields["system_when_empty"]).lower())
    source = source.replace("@ROUNDS@", str(fields["first_round"]))
    source = source.replace("@IMAGE@", json.dumps(image_token, ensure_ascii=False))
    for name, value in marks.items():
        source = source.replace(f"@{name}@", _quoted(value))
    return source


def _question(fields: Mapping[str, Any]) -> str:
    if not fields["question_text"]:
        return _MOVED
    if fields["media_first"] == "all":
        return _MOVED + _STRIPPED
    if fields["media_first"]:
        return "{%- if pictures | length == 1 -%}" + _MOVED + _STRIPPED + "{%- else -%}" + _IN_PLACE + "{%- endif -%}"
    return _IN_PLACE


def _quoted(value: str) -> str:
    """A field as a Jinja expression, its names in braces filled when the template is used."""
    # A JSON string is a Jinja string as well, quotes and line ends escaped alike.
    quoted = json.dumps(value, ensure_ascii=False)
    filled = {"{bos}": "bos_token", "{eos}": "eos_token", "{n}": "(shown.count | string)", "{round}": "(round | string)"}
    for name, expression in filled.items():
        quoted = quoted.replace(name, f'" + {expression} + "')
    return f"({quoted})"


_ITEMS = "({'type': 'text', 'text': message['content']},) if message['content'] is string else message['content']"
_TEXTS = "selectattr('type', 'equalto', 'text') | map(attribute='text') | join"
_OTHERS = "rejectattr('type', 'equalto', 'text') | list"
_PICTURE = "{%- set shown.count = shown.count + 1 -%}{{- @MEDIA_PREFIX@ + @IMAGE@ + "
_MOVED = "{%- for item in pictures -%}" + _PICTURE + "@MEDIA_SUFFIX@ -}}{%- endfor -%}"
_STRIPPED = "{%- set said = content | " + _TEXTS + " -%}{{- (said | trim) if pictures else said -}}"
_IN_PLACE = (
    "{%- for item in content -%}{%- if item['type'] == 'text' -%}{{- item['text'] -}}{%- else -%}"
    + _PICTURE
    + "@PLACED_SUFFIX@ -}}{%- endif -%}{%- endfor -%}"
)
_TRAINED_PREFIX = "{%- generation -%}{{- @ANSWER_PREFIX@ -}}"
_PLAIN_PREFIX = "{{- @ANSWER_PREFIX@ -}}{%- generation -%}"
_DROPPED = "{%- if turns and turns[0]['role'] == 'assistant' -%}{%- set turns = turns[1:] -%}{%- endif -%}"
_LAYOUT = (
    "{%- set shown = namespace(count=0) -%}{%- set system = @SYSTEM@ -%}{%- set turns = messages -%}"
    "{%- if messages[0]['role'] in ('system', 'developer') -%}{%- set message = messages[0] -%}"
    "{%- set content = " + _ITEMS + " -%}"
    "{%- if content | " + _OTHERS + " -%}{{- raise_exception('a system message holds text only') -}}{%- endif -%}"
    "{%- set system = content | " + _TEXTS + " -%}{%- set turns = messages[1:] -%}{%- endif -%}@LEADING@"
    "{{- @BEGIN@ -}}"
    "{%- if not @IN_QUESTION@ and (system or @WHEN_EMPTY@) -%}{{- @SYSTEM_PREFIX@ + system + @SYSTEM_SUFFIX@ -}}{%- endif -%}"
    "{%- for message in turns -%}"
    "{%- if message['role'] != ('user', 'assistant')[loop.index0 % 2] -%}"
    "{{- raise_exception('after an optional system message, user and assistant alternate: message ' ~ loop.index ~ "
    "' is of the role ' ~ message['role']) -}}{%- endif -%}"
    "{%- set content = " + _ITEMS + " -%}{%- set pictures = content | " + _OTHERS + " -%}"
    "{%- if pictures | rejectattr('type', 'in', ('image', 'image_url')) | list -%}"
    "{{- raise_exception('of the media, this model is shown images only') -}}{%- endif -%}"
    "{%- if message['role'] == 'user' -%}{%- set round = loop.index0 // 2 + @ROUNDS@ -%}"
    "{{- @USER_PREFIX@ if loop.first else @LATER_PREFIX@ -}}"
    "{%- if loop.first and @IN_QUESTION@ and (system or @WHEN_EMPTY@) -%}"
    "{{- @SYSTEM_PREFIX@ + system + @SYSTEM_SUFFIX@ -}}{%- endif -%}@QUESTION@{{- @USER_SUFFIX@ -}}"
    "{%- else -%}{%- if pictures -%}{{- raise_exception('an answer holds text only') -}}{%- endif -%}"
    "@GENERATED@{{- content | " + _TEXTS + " -}}{{- @ANSWER_SUFFIX@ -}}{%- if loop.last -%}{{- @CLOSING@ -}}{%- endif -%}"
    "{%- endgeneration -%}{%- endif -%}{%- endfor -%}"
)
