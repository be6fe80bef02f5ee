"""`Recipe` and `Stage`: a published method as data, written by `recipes/<method>.py`, kept in `run.yaml`, run by `train`."""

from __future__ import annotations

import importlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from vistune.errors import InputError, nearest
from vistune.files import dump_yaml, parse_yaml
from vistune.model.native.spec import NativeSpec, read_spec
from vistune.model.spec import ModelSpec
from vistune.spec import Spec, check_arguments, kinds, matches

RECIPES = "vistune.recipes"
TAKEN = ("logs", "state", "features")  # by a run folder, for what is no stage's checkpoint
_FOLDER = re.compile(r"[\w-][\w.-]*")


ROW = 8
"""Samples that go through the model at once where a stage says nothing of it."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One round of training.

    `train` maps a pattern over parameter names to a learning rate; what no pattern matches is frozen. A pattern is a part
    (`connector`), its adapters (`llm.adapter`), a glob (`llm.*q_proj*`) or a part's blocks from a number on (`vision[4:]`).
    `data` is a data spec.
    `steps` or `epochs` says how long, `batch` how many samples a step, `micro` how many at once on a device (the rest is
    accumulated): as many of the step's samples as fit into `max_tokens` and `max_images` (each tile is one), where either is
    given in place of `micro`, and eight without a word.
    `warmup` is a share of the steps. `optimizer` is AdamW, or Muon for the weights of linear layers and AdamW for all others.
    `template` replaces the model's own for this stage. `losses` replaces weights of named losses (`text`: 1, and the published
    ones of the model's heads), as in `{text: 1.0, mask_bce: 2.0}`. `recompute` names parts
    whose blocks keep no activations but compute them again going backward: less memory, more time, the same numbers.
    `cache` keeps on disk what a frozen `encoder`, or encoder and `connector`, makes of each picture, in `cache_folder` (the
    run's own, where none is named): `auto` where pictures are seen again and the disk has ample room.
    `workers` is the number of processes that decode and render ahead (0: a thread does).
    With `balance` each of several processes takes those of a step's samples that make all end together, by what encoders and
    language model will have to do for them; without it, neighbours.
    `encode_as` sends media of a kind the way of another, where a joint encoder reads both: `{video: audio}` teaches what stands
    behind sounds on films (Video-LLaMA's audio branch).
    `preference` makes the stage learn from pairs of answers (`vistune.training.preference.losses`).
    `evaluate` measures on held-out data while it runs (`vistune.training.measuring.settings`). With `keep: best` the best
    checkpoint is kept beside the last, by `best` (`NAME.METRIC`; the first number measured, without it); after `patience`
    measurements without a better one the stage ends.
    """

    name: str
    train: Mapping[str, float]
    data: str | Mapping[str, Any]
    batch: int = 128
    micro: int | None = None
    max_tokens: int | None = None
    max_images: int | None = None
    epochs: float = 1.0
    steps: int | None = None
    warmup: float = 0.03
    optimizer: Literal["adamw", "muon"] = "adamw"
    weight_decay: float = 0.0
    clip: float = 1.0
    template: Spec | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    recompute: Sequence[str] = ()
    cache: Literal["auto", "encoder", "connector", "off"] = "auto"
    cache_folder: str | None = None
    workers: int = 0
    balance: bool = True
    encode_as: Mapping[str, str] = field(default_factory=dict)
    preference: Mapping[str, Any] | None = None
    evaluate: Sequence[Mapping[str, Any]] = ()
    keep: Literal["last", "best"] = "last"
    best: str | None = None
    patience: int | None = None

    @property
    def row(self) -> int:
        """The most samples that go through the model at once; `max_tokens` and `max_images` may make them fewer."""
        budgeted = self.max_tokens is not None or self.max_images is not None
        return self.micro or (self.batch if budgeted else min(self.batch, ROW))

    def __post_init__(self) -> None:
        if not _FOLDER.fullmatch(self.name) or self.name in TAKEN:
            raise InputError(
                f"stage {self.name!r}: a name is that of the stage's folder: letters, digits, '-', '_' and '.', "
                f"and none of {', '.join(TAKEN)}"
            )
        for key, good, range_ in (
            ("epochs", 0 < self.epochs < math.inf, "a number above 0"),
            ("warmup", 0 <= self.warmup <= 1, "a share of the steps, from 0 to 1"),
            ("weight_decay", 0 <= self.weight_decay < math.inf, "at least 0"),
            ("clip", self.clip > 0, "a number above 0"),  # infinity clips nothing
        ):
            if not good:  # also for NaN
                raise InputError(f"stage {self.name!r}: {key} is {getattr(self, key)}, expected {range_}")
        for pattern, rate in self.train.items():
            if not isinstance(pattern, str) or not 0 < rate < math.inf:
                raise InputError(f"stage {self.name!r}: train.{pattern} is {rate}, expected a pattern and a rate above 0")
        for key in ("batch", "micro", "max_tokens", "max_images", "steps", "patience"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise InputError(f"stage {self.name!r}: {key} is {value}, expected at least 1")
        for name, weight in self.losses.items():
            if not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
                raise InputError(f"stage {self.name!r}: losses.{name} is {weight!r}, expected a weight of at least 0")
        if self.workers < 0:
            raise InputError(f"stage {self.name!r}: workers is {self.workers}, expected at least 0")
        if self.micro is not None and (self.max_tokens is not None or self.max_images is not None):
            raise InputError(f"stage {self.name!r}: give either micro (samples a row) or max_tokens and max_images")
        if not self.train:
            raise InputError(f"stage {self.name!r} trains nothing: give 'train' a pattern, for example {{connector: 1e-3}}")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A method: its model, its stages, and where it comes from.

    `start` is a checkpoint whose weights the model begins with; `model` is then its model, perhaps with adapters added.
    `nano` holds the settings, as `override` takes them, that fit its parts to the backbones that ship with the package.
    """

    name: str
    model: ModelSpec | NativeSpec
    stages: tuple[Stage, ...]
    seed: int = 0
    paper: str = ""
    deviations: tuple[str, ...] = ()
    published: Mapping[str, float] = field(default_factory=dict)
    nano: Mapping[str, Any] = field(default_factory=dict)
    start: str | None = None

    def __post_init__(self) -> None:
        named = [stage.name for stage in self.stages]
        twice = next((name for name in named if named.count(name) > 1), None)
        if twice is not None:
            raise InputError(f"{self.name}: two stages have the name {twice!r}, and each needs a folder of its own")
        if not -(2**63) <= self.seed < 2**63:
            raise InputError(f"{self.name}: seed is {self.seed}, expected a number of 64 bits")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of `from_json`."""
        record = asdict(self)
        record["stages"] = [asdict(stage) for stage in self.stages]
        record["deviations"] = list(self.deviations)
        return record

    @classmethod
    def from_json(cls, record: Mapping[str, Any], where: str = "recipe") -> Recipe:
        """From plain JSON (a run file's content). Unknown and ill-typed keys are refused with the nearest right name."""
        if not isinstance(record, Mapping) or not isinstance(record.get("model"), Mapping):
            raise InputError(f"{where} needs the mapping 'model' and the list 'stages'")
        known = list(cls.__dataclass_fields__)
        for key in record:
            if key not in known:
                raise InputError(f"{where} has no key {key!r}{nearest(str(key), known)}")
        if not isinstance(record.get("stages"), (list, tuple)) or not record["stages"]:
            raise InputError(f"{where} needs at least one stage in the list 'stages'")
        for stage in record["stages"]:
            if not isinstance(stage, Mapping):
                raise InputError(f"{where}: a stage is {stage!r}, expected a mapping with name, train and data")
            check_arguments(Stage, stage, f"{where}: stage")
        rest = {key: value for key, value in record.items() if key not in ("model", "stages", "deviations")}
        check_arguments(cls, rest, where, {"model": None, "stages": None})
        deviations = record.get("deviations", ())
        if not matches(deviations, list[str]):
            raise InputError(f"{where}.deviations is {deviations!r}, expected a list of sentences")
        return cls(
            model=read_spec(record["model"]),
            stages=tuple(Stage(**stage) for stage in record["stages"]),
            deviations=tuple(deviations),
            **rest,
        )

    def to_yaml(self) -> str:
        """What `vistune show` prints and `vistune train FILE` reads."""
        return dump_yaml(self.to_json(), sort_keys=False, allow_unicode=True, width=120)

    def override(self, settings: Mapping[str, Any]) -> Recipe:
        """A copy with dotted keys replaced: `{"stages.1.train.llm": 1e-5, "model.llm": "Qwen/Qwen3-0.6B"}`."""
        record = self.to_json()
        for path, value in settings.items():
            _set(record, path.split("."), value, path)
        return Recipe.from_json(record, self.name)

    def apart(self, other: Recipe) -> list[str]:
        """What is set differently than in `other`, a line each: `stages.0.optimizer: muon, not adamw`."""
        return differing(self.settings(), other.settings())

    def settings(self) -> dict[str, str]:
        """Every setting by its dotted key, as JSON; those of `nano` are none of the recipe's own."""
        return {key: json.dumps(value) for key, value in _leaves(self.to_json() | {"nano": None})}


def differing(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[str]:
    """A line for each of two recipes' `settings` that is not the same in both."""
    keys = [*ours, *(key for key in theirs if key not in ours)]
    said = {key: (ours.get(key, "unset"), theirs.get(key, "unset")) for key in keys}
    return [f"{key}: {here}, not {there}" for key, (here, there) in said.items() if here != there]


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside nested mappings and lists, by its dotted key; a part without arguments is as well its name alone."""
    if not isinstance(value, (Mapping, list, tuple)) or not value:
        yield path.removesuffix(".kind"), value
        return
    for key, inner in value.items() if isinstance(value, Mapping) else enumerate(value):
        yield from _leaves(inner, f"{path}.{key}" if path else str(key))


def _set(target: Any, keys: list[str], value: Any, path: str) -> None:
    """Replace one value inside nested mappings and lists; parts' keyword arguments may be new, everything else must exist."""
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(target, list):
            index: Any = _place(target, key, path)
        elif isinstance(target, dict):
            index = key
            if depth == 0 and key not in target:
                raise InputError(f"--set {path}: there is no {key!r}{nearest(key, list(target))}")
        else:
            raise InputError(f"--set {path}: {'.'.join(keys[:depth])} is {target!r} and holds no {key!r}")
        if last:
            target[index] = value
        elif isinstance(target, dict) and key not in target:
            raise InputError(f"--set {path}: there is no {key!r}{nearest(key, list(target))}")
        elif isinstance(target[index], str) and keys[depth - 1 : depth] == ["model"]:
            target[index] = {"kind": target[index]}
            target = target[index]
        else:
            target = target[index]


def _place(target: list[Any], key: str, path: str) -> int:
    """The number of an entry, by its number or, of stages, by its name."""
    named = [entry.get("name") for entry in target if isinstance(entry, Mapping)]
    if key in named:
        return named.index(key)
    if not key.isdecimal() or int(key) >= len(target):
        known = nearest(key, [str(name) for name in named]) if named else ""
        raise InputError(f"--set {path}: {key!r} is no place in a list of {len(target)}{known}")
    return int(key)


def names() -> list[str]:
    """The recipes that ship with the package."""
    return kinds(RECIPES)


def load_recipe(source: str, **arguments: Any) -> Recipe:
    """A recipe by name, or from a run file (`.yaml`). Raises `InputError` for neither."""
    if source.endswith((".yaml", ".yml")):
        try:
            text = Path(source).read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot read {source}: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{source}: byte {error.start} is not UTF-8") from error
        return Recipe.from_json(parse_yaml(text, source), source)
    known = names()
    if source not in known:
        raise InputError(f"there is no recipe {source!r}{nearest(source, known)}")
    function = resolve_recipe(source)
    check_arguments(function, arguments, f"recipe {source}")
    made: Recipe = function(**arguments)
    return made


def only(recipe: Recipe, stages: Sequence[str]) -> Recipe:
    """The recipe with these of its stages, in its order; all where none is named."""
    known = [stage.name for stage in recipe.stages]
    for name in stages:
        if name not in known:
            raise InputError(f"--stage {name}: {recipe.name} has no such stage{nearest(name, known)}")
    return replace(recipe, stages=tuple(stage for stage in recipe.stages if not stages or stage.name in stages))


def resolve_recipe(name: str) -> Any:
    """The function that writes a recipe: it has the file's name."""
    return getattr(importlib.import_module(f"{RECIPES}.{name}"), name)


def marks(name: str) -> dict[str, str]:
    """The words around a modality's media that many methods write: `<Video>`, `</Video>`."""
    return {"before": f"<{name}>", "after": f"</{name}>"}
