"""Checkpoints of this package, as strangers hand them over: specs (nested ones too), weights, tokenizers.

What must hold of one that opens: every weight is the file's, the model's spec is the file's, and it answers or says why not.
"""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from safetensors.torch import load_file

import vistune
from tests.fuzz.changes import KINDS, dumps, holds, json_text, raw, tree, weights
from tests.fuzz.oracles import Case, Changed
from vistune.errors import InputError
from vistune.model.part import begun_at_random
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import CONFIG, WEIGHTS, located, save
from vistune.nano import nano
from vistune.recipe import load_recipe, names
from vistune.sample import Media, MediaRef, Sample, Text, Turn
from vistune.spec import kinds

_CLIP = {"kind": "huggingface", "path": "builtin:clip"}
_PLAIN: dict[str, Any] = {"llm": "builtin:language", "vision": _CLIP, "connector": "mlp"}
_SPECS: dict[str, dict[str, Any]] = {
    "plain": _PLAIN | {"adapt": {"llm": {"kind": "lora", "rank": 2, "targets": "attention"}}},
    "tiles": _PLAIN | {"vision": {"kind": "anyres", "inner": _CLIP}, "connector": {"kind": "anyres", "inner": "mlp"}},
    "pair": _PLAIN | {"vision": {"kind": "pair", "first": _CLIP, "second": _CLIP | {"layer": -1}}},
    "parts": _PLAIN
    | {
        "parts": {"ear": {"kind": "whisper", "path": "builtin:whisper"}, "ear_mlp": "mlp", "roi": {"kind": "multi_level_roi"}},
        "modalities": {"audio": ["ear", "ear_mlp"], "box": {"chain": ["roi"], "words": "before"}},
        "heads": {"mask": {"kind": "promptable_mask", "path": "builtin:sam"}},
    },
}
_PICTURE = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)


class Surface:
    """Models of hand-written specs and of every recipe that ships, on the backbones that ship."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recipes = [name for name in names() if name]
        folders = ("encoders", "connectors", "fusion", "regions", "heads")
        parts = [kind for of in folders for kind in kinds(f"vistune.model.{of}")]
        self._known = [*parts, *kinds("vistune.prompt.templates"), *kinds("vistune.prompt.codecs")]

    def make(self, chance: random.Random, room: Path) -> Case:
        """A copy with a damaged spec, damaged weights or a damaged tokenizer."""
        name = chance.choice([*_SPECS, *_SPECS, *self._recipes])
        folder = room / "model"
        shutil.copytree(self._base(name), folder)
        how = chance.choice(("spec", "spec", "spec", "weights", "weights", "file", "tokenizer", "text"))
        if how == "spec":
            record = yaml.safe_load((folder / CONFIG).read_text())
            if chance.random() < 0.7:
                record["model"] = tree(record["model"], chance, (*self._known, *KINDS))
            else:
                record = tree(record, chance, self._known)
            (folder / CONFIG).write_text(_yaml(record))
        elif how == "text":
            (folder / CONFIG).write_bytes(raw((folder / CONFIG).read_bytes(), chance))
        elif how == "weights":
            how = f"weights {weights(folder / WEIGHTS, chance).partition(' ')[0]}"
        elif how == "tokenizer":
            file = chance.choice(sorted(folder.glob("*.json")))
            import json

            file.write_bytes(json_text(json.loads(file.read_bytes()), chance))
        else:
            file = chance.choice(sorted(path for path in folder.iterdir() if path.is_file()))
            file.unlink() if chance.random() < 0.5 else file.write_bytes(file.read_bytes()[: chance.randrange(200)])
        return Case(how, lambda: _check(folder), inside=True)

    def _base(self, name: str) -> Path:
        """A checkpoint of this name, made when it is first wanted."""
        folder = self._folder / name
        if not folder.exists():
            torch.manual_seed(0)
            try:
                made = ModelSpec.from_json(_SPECS[name]) if name in _SPECS else nano(load_recipe(name)).model
                assert isinstance(made, ModelSpec)
                model = VisionLanguageModel(made)
            except InputError:  # it takes a model or a painter that does not ship
                model = VisionLanguageModel(ModelSpec.from_json(_PLAIN))
            save(model, folder, begun_at_random(model) or {"connector"})
        return folder


def _yaml(record: Any) -> str:
    try:
        return str(yaml.safe_dump(record, sort_keys=False, allow_unicode=False))
    except yaml.YAMLError:
        return dumps(record)  # JSON is YAML, but for half characters


def _check(folder: Path) -> None:
    model = vistune.load(folder)
    said = yaml.safe_load((folder / CONFIG).read_text())
    if not holds(model.spec.to_json(), located(said["model"], folder)):
        raise Changed(f"the spec was read as something else: {model.spec.to_json()}"[:1500])
    state, stored = model.state_dict(), load_file(folder / WEIGHTS)
    if wrong := [name for name, tensor in stored.items() if not torch.equal(state[name], tensor.to(state[name].dtype))]:
        raise Changed(f"the weight {wrong[0]} is not the file's")
    answered(model)


def answered(model: Any) -> str:
    """What it says of a small picture, in a few letters."""
    seen = (Media("image", data=_PICTURE),) if model.modalities.get("image") else ()
    parts = (*(MediaRef(0) for _ in seen), Text("What is it?"))
    return str(model.generate([Sample("a", seen, (Turn("user", parts),))], max_new_tokens=2)[0])
