"""Several data sets in chosen proportions, as one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vistune.data.held import joined
from vistune.data.order.mixture import Plan, Sampling, Share, epoch_counts
from vistune.data.readers.base import Reader, declared, told
from vistune.data.samples import read
from vistune.errors import InputError, nearest
from vistune.files import read_yaml
from vistune.sample import Sample, Text, Turn
from vistune.spec import describe, matches

_SETTINGS = {"sources": list, "sampling": Sampling, "temperature": float, "size": int, "epochs": int, "seed": int}
_KEYS = ("data", "weight", "cap", "repeat", "prompt", "system")


class Mixture(Reader):
    """Samples of several sources in a random order that depends on the seed alone, never on ranks or workers.

    path:         a YAML file with this reader's other arguments; each is given in one place, in the file or beside it
    sources:      a list of `{data: SPEC, weight, cap, repeat, prompt, system}`, of which only `data` is needed:
                  weight, cap, repeat  see `vistune.data.order.mixture.Share`
                  prompt               wraps the text of user turns, e.g. "{text}\\nAnswer with a single word."
                  system               a system turn to begin with
    sampling:     all, weights, sqrt or temperature, see `vistune.data.order.mixture.epoch_counts`
    temperature:  for sampling=temperature
    size:         samples per epoch (not with sampling=all)
    epochs:       how many; each sees capped sources' next samples, and all in a new order
    seed:         of the order

    A sample's id becomes `NUMBER/id`, NUMBER being its source's place in the list, and meta gains `source`.
    """

    def __init__(
        self,
        path: str | None = None,
        sources: list[Any] | None = None,
        sampling: Sampling | None = None,
        temperature: float | None = None,
        size: int | None = None,
        epochs: int | None = None,
        seed: int | None = None,
    ) -> None:
        if (path is None) == (sources is None):
            raise InputError("mixture: give either path (a YAML file) or sources")
        if path is not None:
            given = {"sampling": sampling, "temperature": temperature, "size": size, "epochs": epochs, "seed": seed}
            settings = _file(path, [name for name, value in given.items() if value is not None])
            sources, sampling = settings.get("sources"), settings.get("sampling", sampling)
            temperature, size = settings.get("temperature", temperature), settings.get("size", size)
            epochs, seed = settings.get("epochs", epochs), settings.get("seed", seed)
        sampling, temperature = sampling or "all", 2.0 if temperature is None else temperature
        epochs, seed = 1 if epochs is None else epochs, seed or 0
        entries = [_entry(source, number) for number, source in enumerate(sources or ())]
        if not entries:
            raise InputError("mixture: there are no sources")
        self._sources = [read(entry["data"]) for entry in entries]
        self._entries = entries
        empty = next((number for number, samples in enumerate(self._sources) if not len(samples)), None)
        if empty is not None:
            raise InputError(f"mixture: source {empty} ({entries[empty]['data']}) holds no samples")
        shares = [
            Share(len(samples), entry.get("weight", 1.0), entry.get("cap"), entry.get("repeat", 1.0))
            for samples, entry in zip(self._sources, entries, strict=True)
        ]
        self.counts = epoch_counts(shares, sampling, size, temperature)
        self._plan = Plan(shares, self.counts, epochs, seed)

    def __len__(self) -> int:
        return len(self._plan)

    def sample(self, index: int) -> Sample:
        """The sample at a place of the run."""
        return self.told(index)[0]

    def declared(self, index: int) -> tuple[float, float] | None:
        """What the samples' own reader says."""
        number, inner = self._plan.at(index)
        return declared(self._sources[number], inner)

    def told(self, index: int) -> tuple[Sample, tuple[str, ...]]:
        """As the source's own reader tells it."""
        number, inner = self._plan.at(index)
        entry = self._entries[number]
        sample, unused = told(self._sources[number], inner)
        turns = sample.turns
        if prompt := entry.get("prompt"):
            turns = tuple(_wrapped(turn, prompt) if turn.role == "user" else turn for turn in turns)
        if system := entry.get("system"):
            turns = (Turn("system", (Text(system),)), *turns)
        return replace(sample, id=f"{number}/{sample.id}", turns=turns, meta={**sample.meta, "source": number}), unused


def _wrapped(turn: Turn, prompt: str) -> Turn:
    before, after = prompt.split("{text}")
    parts = list(turn.parts)
    places = [number for number, part in enumerate(parts) if isinstance(part, Text)]
    if not places:
        return replace(turn, parts=(*parts, Text(before + after)))
    parts.insert(places[-1] + 1, Text(after))
    parts.insert(places[0], Text(before))
    return joined(replace(turn, parts=tuple(parts)))


def _entry(source: Any, number: int) -> dict[str, Any]:
    where = f"mixture source {number}"
    if not isinstance(source, Mapping):
        source = {"data": source}
    if strange := [key for key in source if key not in _KEYS]:
        raise InputError(f"{where} has no key {strange[0]!r}{nearest(str(strange[0]), list(_KEYS))}")
    if not isinstance(source.get("data"), str | Mapping):
        raise InputError(f"{where} needs the key 'data', a spec such as conversations:train.json")
    for key in ("weight", "repeat", "cap"):
        value = source.get(key, 1)
        if isinstance(value, bool) or not isinstance(value, int if key == "cap" else int | float):
            raise InputError(f"{where}: {key} is {value!r}, expected a {'whole ' if key == 'cap' else ''}number")
        if not math.isfinite(value):
            raise InputError(f"{where}: {key} is {value!r}, expected a finite number")
    for key in ("prompt", "system"):
        if not isinstance(source.get(key, ""), str):
            raise InputError(f"{where}: {key} is {source[key]!r}, expected text")
    if "prompt" in source and source["prompt"].count("{text}") != 1:
        raise InputError(f"{where}: prompt must hold {{text}} once, where the turn's own text goes")
    return dict(source)


def _file(path: str, given: list[str]) -> dict[str, Any]:
    """The settings of a file, of the types that the reader's own arguments have; `given` are those it must leave open."""
    settings = read_yaml(path)
    known = list(_SETTINGS)
    if not isinstance(settings, dict):
        raise InputError(f"{path} holds no mixture: expected the keys {', '.join(known)}")
    if strange := [key for key in settings if key not in known]:
        raise InputError(f"{path}: a mixture has no key {strange[0]!r}{nearest(str(strange[0]), known)}")
    for key, value in settings.items():
        if value is not None and not matches(value, _SETTINGS[key]):
            raise InputError(f"{path}: {key} is {value!r}, expected {describe(_SETTINGS[key])}")
        if key in given:
            raise InputError(f"{path}: {key} is given in the file and beside it: leave out one of them")
    return settings
