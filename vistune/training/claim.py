"""Whose run a folder holds: claimed by a recipe, found again by the same one, refused to another, with the keys that differ.

Finished stages stay: a recipe that differs only in stages that have not begun takes the folder over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vistune.data.manifest import manifest as data_manifest
from vistune.errors import InputError
from vistune.files import atomic_open, parse_yaml, read_json, write_json
from vistune.model.weights import checkpoint
from vistune.recipe import Recipe, Stage
from vistune.training.provenance import manifest

FREE = frozenset({"micro", "max_tokens", "max_images", "recompute", "workers", "cache", "cache_folder", "evaluate", "keep"})
"""Settings of a stage that change memory and time, not what is learned: they may change while it runs."""


def finished(out: Path, stage: Stage) -> bool:
    """Has the stage left its checkpoint?"""
    return (out / stage.name / checkpoint.CONFIG).exists()


def begun(out: Path, stage: Stage) -> bool:
    """Does the stage have a state to go on from?"""
    folder = out / "state" / stage.name
    return folder.is_dir() and any(folder.iterdir())


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


def record(out: Path, recipe: Recipe, begun_with: Mapping[str, str]) -> None:
    """Write the manifest, or find in it what unfinished stages began with.

    That is their data (a place in other data is another place), the precision, and the weights before the first step. A stage
    that was changed before it began is written anew.
    """
    file = out / "manifest.json"
    if not file.exists():
        write_json(file, {**manifest(recipe), **begun_with})
        return
    kept = read_json(file)
    if not all(finished(out, stage) for stage in recipe.stages):
        for name, held in begun_with.items():
            if kept.get(name) != held:
                hint = f" (--precision {kept.get(name)})" if name == "precision" else ", of which backbones are part,"
                raise InputError(
                    f"the {name}{hint} of the run is not what it was when {out} was begun: put it back, or choose another --out"
                )
    known = {entry["stage"]: entry for entry in kept["stages"]}
    entries = [known[stage.name] if finished(out, stage) else _entry(out, stage, known) for stage in recipe.stages]
    if entries != kept["stages"]:
        write_json(file, {**kept, "stages": entries})


def _entry(out: Path, stage: Stage, known: Mapping[str, Any]) -> dict[str, Any]:
    """What a stage reads now. Raises `InputError` when it has begun and reads something else."""
    before, now = known.get(stage.name), {"stage": stage.name, **data_manifest(stage.data)}
    if before is None:
        return now
    files = [path for path in {**before["files"], **now["files"]} if _hash(before, path) != _hash(now, path)]
    changed = bool(files) or before["samples"] != now["samples"]
    if changed and begun(out, stage):
        raise InputError(
            f"stage {stage.name!r}: {files[0] if files else 'its data'} is not what it was when {out} was begun "
            f"({before['samples']} samples, now {now['samples']}): put it back, or choose another --out"
        )
    return now if changed else dict(before)


def _hash(data: Mapping[str, Any], path: str) -> str | None:
    """That of a file. A folder's listing is no reason to stop: run folders and indexes may lie in it."""
    found: str | None = data["files"].get(path, {}).get("sha256")
    return found
