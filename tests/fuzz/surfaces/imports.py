"""Directories and files of other software that `vistune import` takes.

What must hold of one that is taken: every tensor of the source that the model has is the source's, and what is written opens.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import struct
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

import vistune
from tests.fuzz.changes import CANARY, json_text, raw, weights
from tests.fuzz.oracles import Case, Changed
from tests.fuzz.surfaces.checkpoints import answered
from tests.model.families import blip_tower, decoder, tower
from tests.model.test_export import original
from tests.model.test_export_blip import DECODER, FORMER
from tests.model.test_official_import import official
from vistune.model.interchange.export import export
from vistune.model.interchange.formats.layout import LAYOUTS, import_official
from vistune.model.interchange.import_any import import_any
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel


class _Code:
    """What a pickle can name."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, ("true",)


class Surface:
    """LLaVA of `transformers`, LLaVA-NeXT, BLIP-2, the original LLaVA, and official files of three methods."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "parts").mkdir()
        self._llm = decoder("llama", folder / "parts" / "llm")
        self._clip = tower("clip", folder / "parts" / "clip")
        self._opt = decoder("opt", folder / "parts" / "opt", word_embed_proj_dim=32)
        self._blip = blip_tower(folder / "parts" / "blip")
        self._specs: dict[str, Any] = {}

    def make(self, chance: random.Random, room: Path) -> Case:
        """A copy with one damaged file."""
        name = chance.choice(("llava", "llava", "next", "blip", "original", "original whole", *sorted(LAYOUTS)))
        source = room / "source"
        shutil.copytree(self._base(name), source)
        file = chance.choice(
            sorted(path for path in source.iterdir() if path.suffix in (".json", ".safetensors", ".bin", ".pth"))
        )
        how = file.suffix[1:]
        if file.suffix == ".safetensors":
            how = f"weights {weights(file, chance).partition(' ')[0]}"
        elif file.suffix == ".json":
            file.write_bytes(json_text(json.loads(file.read_bytes()), chance, (1, 2, 32, "llava", "gelu")))
        else:
            _pickled(file, chance)
        out = room / "ours"
        if name in LAYOUTS:
            spec = self._specs[name]
            return Case(f"official {how}", lambda: _official(name, spec, source, out), inside=True)
        llm = self._llm if name == "original" else None
        return Case(f"{name.partition(' ')[0]} {how}", lambda: _check(source, out, llm), inside=True)

    def _base(self, name: str) -> Path:
        place = self._folder / name.replace(" ", "-")
        if place.exists():
            return place
        torch.manual_seed(3)
        if name in LAYOUTS:
            self._specs[name], theirs, _ = official(name)
            place.mkdir()
            torch.save({"model": theirs}, place / "checkpoint.pth")
        elif name.startswith("original"):
            original({"llm": self._llm, "clip": self._clip}, place, whole=name.endswith("whole"))
        else:
            clip: dict[str, Any] = {"kind": "huggingface", "path": self._clip}
            spec = ModelSpec(llm=self._llm, vision=clip, connector="mlp", template={"kind": "vicuna_v1", "system": ""})
            if name == "next":
                tiles = {"kind": "anyres", "inner": clip | {"fit": "resize"}}
                spec = ModelSpec(llm=self._llm, vision=tiles, connector="anyres", template=spec.template)
            elif name == "blip":
                eyes = {"kind": "huggingface", "path": self._blip, "layer": -1, "cls": "keep", "fit": "resize"}
                spec = ModelSpec(llm=self._opt, vision=eyes, connector=FORMER, template=DECODER)
            export(VisionLanguageModel(spec).eval(), place)
        return place


def _pickled(file: Path, chance: random.Random) -> None:
    """Faults in what `torch.save` wrote: its tensors, its bytes, or code in its place."""
    how = chance.choice(("tensor", "tensor", "bytes", "code", "plain", "other"))
    if how == "bytes":
        file.write_bytes(raw(file.read_bytes(), chance))
    elif how == "code":
        torch.save({"model": {"a": _Code()}}, file)
    elif how == "plain":
        file.write_bytes(pickle.dumps(chance.choice((_Code(), {"a": 1}, [1], "x"))))
    elif how == "other":
        torch.save(
            chance.choice((None, [], {"model": None}, {"model": {"a": 1}}, torch.zeros(2), {1: torch.zeros(1)}, CANARY)), file
        )
    else:
        found = torch.load(file, weights_only=True)
        held = found.get("model", found)
        held = {key: value.clone() for key, value in held.items()}
        temporary = file.with_suffix(".safetensors")
        from safetensors.torch import save_file

        save_file(held, temporary)
        weights(temporary, chance)
        try:
            changed = load_file(temporary)
        except Exception:  # noqa: BLE001 - the damage was to the safetensors file itself
            changed = dict(list(held.items())[1:])
        temporary.unlink()
        torch.save({"model": changed} if "model" in found else changed, file)


def _check(source: Path, out: Path, llm: str | None) -> None:
    try:
        import_any(source, out, None, llm)
    finally:
        left = [path.name for path in out.parent.iterdir() if path.name not in ("source", "ours")]
        if left:
            raise Changed(f"{left[0]} is left beside what was asked for")
    model = vistune.load(out)
    _kept(source, model)
    answered(model)


def _official(name: str, spec: Any, source: Path, out: Path) -> None:
    import_official(source, out, name, spec)
    model = vistune.load(out)
    _kept(source, model)


def _kept(source: Path, model: Any) -> None:
    """Does the model hold each tensor of the source? Names differ, so that values are looked for."""
    held = {_print(tensor) for tensor in model.state_dict().values()}
    for file in source.iterdir():
        if file.suffix == ".safetensors":
            theirs = load_file(file)
        elif file.suffix in (".bin", ".pth"):
            found = torch.load(file, weights_only=True)
            theirs = found.get("model", found)
        else:
            continue
        for key, tensor in theirs.items():
            if key.endswith("position_ids") or _print(tensor) in held:
                continue
            raise Changed(f"the tensor {key} is nowhere in the model")


def _print(tensor: torch.Tensor) -> bytes:
    values = tensor.detach().float().flatten().sort().values
    return struct.pack("<q", len(values)) + values.numpy().tobytes()[:64] + values.numpy().tobytes()[-64:]
