"""Run files, mixtures, settings of `--set`, data specs and descriptions of HTTP models.

What must hold: what is read says all that the file says, and is the same once written and read again.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import yaml

from tests.fuzz.changes import CANARY, KINDS, WRONG, dumps, holds, raw, tree
from tests.fuzz.oracles import Case, Changed
from vistune.construction.opening import check_completer
from vistune.data.samples import parse, read
from vistune.errors import InputError
from vistune.evals.http_model import HttpModel
from vistune.files import dump_yaml, parse_yaml, read_yaml
from vistune.nano import nano
from vistune.recipe import Recipe, load_recipe, names

_TEXTS = (
    f"!!python/object/apply:{CANARY}.Touch []",
    "!!python/object/apply:os.system [true]",
    f"!!python/name:{CANARY}.Touch",
    "&a [*a]",
    "{a: &a {b: *a}}",
    "[" * 500,
    "{a: " * 500,
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c]",
    "? [a]\n: b",
    "<<: [1]",
    "a: 2026-12-01\nb: 190:20:30\nc: 0o7\nd: 1_000",
    "!!binary aGk=",
    "!!set {a}",
    "- - - -\n",
    "\t",
    "a: 1\na: 2",
    "%YAML 9.9\n---\na",
    "--- a\n--- b",
    "stages: [on, off, yes, no, ~]",
)
_MIXTURE = {
    "sources": [
        {"data": "world:?task=captions&size=4", "weight": 1.0, "prompt": "{text} Briefly."},
        {"data": {"kind": "world", "task": "vqa", "size": 3}, "repeat": 2.0, "system": "Be kind.", "cap": 2},
    ],
    "sampling": "all",
    "temperature": 2.0,
    "epochs": 2,
    "seed": 3,
}
_HTTP = {"api": "openai", "url": "http://127.0.0.1:9/v1", "model": "m", "system": "s", "codec": "decimals", "timeout": 3.0}
_HTTP |= {"concurrency": 4, "retries": 1, "patience": 5.0, "max_usd": 1.0, "price_in": 1.0, "price_out": 1.0, "extra": {"a": 1}}
_HTTP |= {"requests_per_minute": 60.0, "tokens_per_minute": 1000.0, "max_total_tokens": 1000, "key_env": "A_NAME"}

_WIDE = ("/", "/tmp", ".", "..")


class Surface:
    """Every shipped recipe, whole and on small backbones, written as YAML or JSON."""

    def __init__(self, folder: Path) -> None:
        self._recipes = []
        for name in names():
            recipe = load_recipe(name)
            self._recipes.append(recipe.to_json())
            try:
                self._recipes.append(nano(recipe).to_json())
            except InputError:
                continue  # it takes a whole model, and none ships

    def make(self, chance: random.Random, room: Path) -> Case:
        """A file of one of the kinds."""
        what = chance.choice(("run", "run", "run", "mixture", "mixture", "set", "spec", "http", "completer"))
        if what == "run":
            file, said = _written(chance.choice(self._recipes), room, chance)
            return Case("run file", lambda: _run_file(file, said))
        if what == "mixture":
            file, _ = _written(_MIXTURE, room, chance)
            return Case("mixture", lambda: _mixture(file))
        if what == "http":
            file, _ = _written(_HTTP, room, chance)
            return Case("http model", lambda: HttpModel.open(file, room / "replies.jsonl").close())
        if what == "set":
            return self._setting(chance)
        if what == "completer":
            wrong = tree({"kind": "endpoint", **_HTTP} | {"kind": chance.choice(("endpoint", "replay", "offline"))}, chance)
            return Case("completer", lambda: check_completer(wrong) if isinstance(wrong, dict | str) else None)
        text = raw(b"mixture:a.yaml?sources=[world]&seed=3&epochs=2&sampling=all", chance).decode(errors="replace")
        return Case("data spec", lambda: _spec(text))

    def _setting(self, chance: random.Random) -> Case:
        recipe = Recipe.from_json(chance.choice(self._recipes))
        keys = chance.choice(
            ("stages.0.train.llm", "model.connector", "model.llm", "stages.0.data", "seed", "model.vision.path")
        )
        path = chance.choice(
            (keys, keys.replace(".", ".."), keys + ".x.y", "stages.9.x", "x", "", "stages.-1.data", "stages.a")
        )
        value = chance.choice((*WRONG, *KINDS))
        return Case("setting", lambda: _changed(recipe, path, value))


def _written(record: Any, room: Path, chance: random.Random) -> tuple[Path, Any]:
    """A file with faults in its tree or its text, and the tree where it was the tree."""
    file, changed = room / "file.yaml", tree(record, chance, ("mlp", "world", "q_former", "builtin:clip", "adamw"))
    how = chance.random()
    if how < 0.6:
        try:
            text = _yaml(changed)
            file.write_text(text, encoding="utf-8")
            return file, changed
        except (yaml.YAMLError, UnicodeEncodeError):
            pass
    if how < 0.8:
        file.write_text(dumps(changed))
    elif how < 0.9:
        file.write_bytes(raw(_yaml(record).encode(), chance))
    else:
        text = _yaml(record)
        spot = chance.choice([place for place, letter in enumerate(text) if letter == ":"])
        attack = chance.choice(_TEXTS)
        file.write_text(chance.choice((attack, f"{text}\nx: {attack}", f"{text[:spot]}: {attack}\n{text[spot + 1 :]}")))
    return file, None


def _yaml(value: Any) -> str:
    return str(dump_yaml(value, sort_keys=False, allow_unicode=True))  # which quotes texts that look like numbers


def _run_file(file: Path, said: Any) -> None:
    recipe = load_recipe(str(file))
    found = recipe.to_json()
    said = read_yaml(file) if said is None else said
    if not holds(found, said):
        raise Changed(f"a run file was read as something else: {said!r}"[:1500])
    again = Recipe.from_json(parse_yaml(recipe.to_yaml(), "again"))
    if dumps(again.to_json()) != dumps(found):  # as text: NaN is not equal to itself
        raise Changed("a run file became another when it was written and read again")


def _mixture(file: Path) -> None:
    data = read({"kind": "mixture", "path": str(file)})
    first = [data[index] for index in range(min(len(data), 12))]
    if any(isinstance(source, str) and source in _WIDE for source in read_yaml(file).get("sources", ())):
        return  # what such folders hold changes while they are read
    again = read({"kind": "mixture", "path": str(file)})
    if [sample.id for sample in first] != [again[index].id for index in range(len(first))]:
        raise Changed("a mixture was read twice, as two")
    said = read_yaml(file)
    for sample in first:
        source = said["sources"][sample.meta["source"]]
        if isinstance(source, dict) and source.get("system") and sample.turns[0].parts[0].text != source["system"]:
            raise Changed("a mixture's system turn is not there")


def _spec(text: str) -> None:
    parse(text)


def _changed(recipe: Recipe, path: str, value: Any) -> None:
    recipe.override({path: value}).to_json()
