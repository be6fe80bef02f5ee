"""Whose run a folder holds: claimed by a recipe, found again by the same one, refused to another, with the keys that differ.

Finished stages stay: a recipe that differs only in stages that have not begun takes the folder over.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vistune.data.manifest import MARK, media_files, named
from vistune.data.manifest import manifest as data_manifest
from vistune.data.samples import read
from vistune.errors import InputError
from vistune.files import atomic_open, parse_yaml, read_json, write_json
from vistune.model.weights import checkpoint
from vistune.recipe import Recipe, Stage
from vistune.training.provenance import manifest, versions

_ROOM = ("micro", "max_tokens", "max_images", "recompute", "workers", "balance", "cache", "cache_folder")
FREE = frozenset({*_ROOM, "evaluate", "keep"})
"""Settings of a stage that change memory and time, not what is learned: they may change while it runs."""


ACCEPTED = ("data", "weights", "precision", "device", "versions")
"""What may be another when a run goes on, if its name is said."""
_CALLED = {"weights": "weights, of which backbones are part,", "device": "kind of device"}
_DECIDING = ("torch", "transformers", "peft", "numpy", "pillow", "tokenizers")  # whose other versions may give other bits
_ENTRY = {"stage", "samples", "files"}


def finished(out: Path, stage: Stage) -> bool:
    """Has the stage left its checkpoint?"""
    return (out / stage.name / checkpoint.CONFIG).exists()


def begun(out: Path, stage: Stage) -> bool:
    """Does the stage have a state to go on from?"""
    folder = out / "state" / stage.name
    return folder.is_dir() and any(folder.iterdir())


def trained_how(stage: Stage, seed: int) -> str:
    """A hash of all settings of a stage that decide what is learned."""
    # Micro-batches and workers are left out: the loss is exact whatever they are, so a run may go on with others.
    said = {key: value for key, value in asdict(stage).items() if key not in FREE}
    return hashlib.sha256(json.dumps([said, seed], sort_keys=True, default=str).encode()).hexdigest()


def claim(out: Path, recipe: Recipe) -> None:
    """Make the run folder ours, or find it ours already. Raises `InputError` for another's, naming what differs."""
    file, text = out / "run.yaml", recipe.to_yaml()
    if file.exists():
        held = file.read_text(encoding="utf-8")
        if held == text:
            return
        _take_over(out, Recipe.from_json(parse_yaml(held, str(file)), str(file)), recipe)
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out} is not empty and holds no run: choose another --out")
    try:
        with atomic_open(file) as handle:
            handle.write(text)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error


def _take_over(out: Path, held: Recipe, recipe: Recipe) -> None:
    """Raises `InputError` unless all that was done under the recipe `held` would be done alike under the new one."""
    different = recipe.apart(held)
    others = [line for line in different if not line.startswith("stages.")]
    if others:
        raise _another(out, others)
    for number, old in enumerate(held.stages):
        changed = [line for line in different if line.startswith(f"stages.{number}.")]
        if not changed:
            continue
        # A stage that has not begun may change at will; a finished one in nothing, since later stages stand on it.
        if finished(out, old) or (begun(out, old) and not all(_key(line) in FREE for line in changed)):
            hint = "" if finished(out, old) else f", or remove {out / 'state' / old.name} to begin that stage again"
            raise _another(out, changed, hint)


def _key(line: str) -> str:
    """`stages.0.micro: 4, not null` -> `micro`."""
    return line.partition(":")[0].split(".")[2]


def _another(out: Path, lines: list[str], hint: str = "") -> InputError:
    more = f" (and {len(lines) - 3} more)" if len(lines) > 3 else ""
    return InputError(
        f"{out} holds a run of another recipe, which differs in {'; '.join(lines[:3])}{more}:"
        f" choose another --out, or remove it{hint}"
    )


def record(out: Path, recipe: Recipe, begun_with: Mapping[str, str], accept: Collection[str] = ()) -> None:
    """Write the manifest, or find in it what unfinished stages began with: all that decides the bits of what is learned.

    That is their data (a place in other data is another place) down to each picture, the precision, the kind of device, the
    versions of libraries, and the weights before the first step. A stage that was changed before it began is written anew.
    Raises `InputError` for a difference that is not among those to `accept`; what was accepted is written into the manifest.
    """
    file = out / "manifest.json"
    if not file.exists():
        write_json(file, {**manifest(recipe), **begun_with})
        return
    kept = read_json(file)
    if not _is_manifest(kept):
        raise InputError(f"{file} is no manifest of a run: put it back, or choose another --out")
    differences: dict[str, list[str]] = {}
    if not all(finished(out, stage) for stage in recipe.stages):
        differences = _differences(kept, begun_with)
    known = {entry["stage"]: entry for entry in kept["stages"]}
    entries = []
    for stage in recipe.stages:
        entry, changed = (known[stage.name], "") if finished(out, stage) else _entry(out, stage, known)
        entries.append(entry)
        if changed:
            differences.setdefault("data", []).append(changed)
    for name, lines in differences.items():
        if name not in accept:
            raise InputError(
                f"{'; '.join(lines[:3])}: that is not what it was when {out} was begun: put it back, choose another --out, or"
                f" say --accept {name} to go on with it"
            )
    accepted = [*kept.get("accepted", ()), *(line for lines in differences.values() for line in lines)]
    now = {**kept, **begun_with, "stages": entries, **({"accepted": accepted} if accepted else {})}
    now |= {"versions": versions()} if "versions" in differences else {}
    if now != kept:
        write_json(file, now)


def _is_manifest(value: Any) -> bool:
    stages = value.get("stages") if isinstance(value, dict) else None
    return isinstance(stages, list) and all(isinstance(entry, dict) and set(entry) >= _ENTRY for entry in stages)


def _differences(kept: Mapping[str, Any], begun_with: Mapping[str, str]) -> dict[str, list[str]]:
    """What is not as it was, by what it is accepted as."""
    found: dict[str, list[str]] = {}
    for name, now in begun_with.items():
        if kept.get(name) != now:
            found[name] = [f"the {_CALLED.get(name, name)} of the run: {kept.get(name)}, now {now}"]
    before, today = kept.get("versions", {}), versions()
    changed = [f"{name} {before.get(name)}, now {today.get(name)}" for name in _DECIDING if before.get(name) != today.get(name)]
    return found | ({"versions": changed} if changed else {})


def _entry(out: Path, stage: Stage, known: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """What a stage reads now, and for a stage that has begun what of it is something else."""
    before, now = known.get(stage.name), {"stage": stage.name, **data_manifest(stage.data)}
    if before is None:
        return now, ""
    # By content: a file that was copied elsewhere and back has another time and is the same data.
    files = [path for path in {**before["files"], **now["files"]} if _hash(before, path) != _hash(now, path)]
    other = files[0] if files else _other_medium(before, now, stage)
    if not other and before["samples"] == now["samples"]:
        return dict(before), ""
    told = f"{other or 'the data'} of stage {stage.name!r} ({before['samples']} samples, now {now['samples']})"
    return now, told if begun(out, stage) else ""


def _other_medium(before: Mapping[str, Any], now: Mapping[str, Any], stage: Stage) -> str:
    """The first picture, film or sound that is another; empty where all are what they were."""
    was, found = before.get("media", {}).get("marks", ""), now["media"]["marks"]
    if "media" not in before or was == found:
        return ""
    paths = media_files(read(stage.data), named(stage.data))
    for number, path in enumerate(paths):
        # Marks are of one length and in the order of the media, so the first that differs names the file.
        if was[number * MARK : (number + 1) * MARK] != found[number * MARK : (number + 1) * MARK]:
            return path
    return f"the number of media ({before['media']['count']}, now {now['media']['count']})"


def _hash(data: Mapping[str, Any], path: str) -> str | None:
    """That of a file. A folder's listing is no reason to stop: run folders and indexes may lie in it."""
    found: str | None = data["files"].get(path, {}).get("sha256")
    return found
