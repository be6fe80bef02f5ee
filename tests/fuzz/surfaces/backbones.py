"""Directories of `transformers`: configurations, weights, tokenizers, settings of pictures and of generation.

What must hold of one that opens: every weight is the file's, and generation settings of others do not change what greedy is.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from tests.fuzz.changes import json_text, tree, weights
from tests.fuzz.oracles import Case, Changed
from tests.fuzz.surfaces.checkpoints import answered
from tests.model.families import DECODERS, TOWERS, decoder, encoder_decoder, tower
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.assets import locate

_CLIP = {"kind": "huggingface", "path": "builtin:clip"}
_GENERATION: dict[str, Any] = {
    **{"do_sample": True, "temperature": 9.0, "top_k": 3, "top_p": 0.5, "num_beams": 3, "repetition_penalty": 9.0},
    **{
        "no_repeat_ngram_size": 1,
        "min_length": 30,
        "min_new_tokens": 3,
        "max_length": 5,
        "max_new_tokens": 1,
    },
    **{"bad_words_ids": [[5], [9]], "suppress_tokens": [4, 5, 6], "forced_bos_token_id": 7, "forced_eos_token_id": 8},
    **{"begin_suppress_tokens": [3, 4], "exponential_decay_length_penalty": [1, 2.0], "encoder_no_repeat_ngram_size": 2},
    **{"diversity_penalty": 1.0, "num_beam_groups": 3, "penalty_alpha": 0.6, "guidance_scale": 3.0, "stop_strings": ["a", "e"]},
    **{"sequence_bias": [[[5], -9.0]], "num_return_sequences": 2, "use_cache": False, "typical_p": 0.2, "min_p": 0.5},
    **{
        "assistant_early_exit": 1,
        "prompt_lookup_num_tokens": 2,
        "max_time": 0.0,
    },
    **{"cache_implementation": "static", "constraints": [], "return_dict_in_generate": True, "output_scores": True},
}


class Surface:
    """Tiny language models and towers of every family, and those that ship."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Callable[[Path], Any]] = {f"llm {name}": lambda at, n=name: decoder(n, at) for name in DECODERS}
        self._made |= {f"vision {name}": lambda at, n=name: tower(n, at) for name in TOWERS}
        self._made |= {f"llm {name}": lambda at, n=name: encoder_decoder(n, at) for name in ("t5", "flan")}
        shipped = {"llm nano": "language", "vision nano": "clip", "audio nano": "whisper", "points nano": "point_bert"}
        self._made |= {
            name: lambda at, n=what: shutil.copytree(locate(f"builtin:{n}"), at, dirs_exist_ok=True)
            for name, what in (shipped | {"mask nano": "sam"}).items()
        }
        self._answers: dict[str, str] = {}

    def make(self, chance: random.Random, room: Path) -> Case:
        """A copy with one damaged file."""
        name = chance.choice(sorted(self._made))
        base = self._folder / name.replace(" ", "-")
        if not base.exists():
            base.mkdir()
            self._made[name](base)
        folder = room / "backbone"
        shutil.copytree(base, folder)
        if name.startswith("llm") and chance.random() < 0.3:
            if name not in self._answers:
                self._answers[name] = answered(_built(name, base))
            chosen = {key: _GENERATION[key] for key in chance.sample(sorted(_GENERATION), chance.choice((1, 1, 2, 4)))}
            (folder / "generation_config.json").write_text(json.dumps(chosen))
            expected = self._answers[name]
            return Case("generation_config", lambda: _same(name, folder, expected))
        file = chance.choice(sorted(path for path in folder.iterdir() if path.suffix in (".json", ".safetensors")))
        if file.suffix == ".safetensors":
            return Case(f"weights {weights(file, chance).partition(' ')[0]}", lambda: _check(name, folder), True)
        held = json.loads(file.read_bytes())
        if file.name == "tokenizer.json" and chance.random() < 0.5:  # all but the thousands of words
            held = (
                tree({key: value for key, value in held.items() if key != "model"}, chance) | {"model": held["model"]}
                if isinstance(held, dict)
                else held
            )
            file.write_text(json.dumps(held))
        else:
            hostile = {"auto_map": {"AutoConfig": "canary_of_the_fuzzer.Touch"}, "trust_remote_code": True}
            held |= hostile if chance.random() < 0.05 else {}
            file.write_bytes(json_text(held, chance, (1, 2, 32, "gelu", "llama", "clip_vision_model")))
        return Case(file.stem, lambda: _check(name, folder), inside=True)


def _built(name: str, folder: Path) -> VisionLanguageModel:
    """The folder in its place in a model."""
    place, path = name.partition(" ")[0], str(folder)
    spec: dict[str, Any] = {"llm": "builtin:language", "vision": _CLIP, "connector": "mlp"}
    if place == "llm":
        spec |= {"llm": path}
    elif place == "vision":
        spec |= {"vision": {"kind": "huggingface", "path": path, "fit": "resize"}}
    elif place == "mask":
        spec |= {"heads": {"mask": {"kind": "promptable_mask", "path": path}}}
    else:
        kind = {"audio": "whisper", "points": "point_bert"}[place]
        spec |= {"parts": {"sense": {"kind": kind, "path": path}, "bridge": "mlp"}, "modalities": {place: ["sense", "bridge"]}}
    torch.manual_seed(0)
    return VisionLanguageModel(ModelSpec.from_json(spec)).eval()


def _check(name: str, folder: Path) -> None:
    model = _built(name, folder)
    state = {key: tensor for key, tensor in model.state_dict().items() if not key.startswith("connector.")}
    for key, tensor in load_file(folder / "model.safetensors").items():
        short = key.split(".", 1)[-1]
        those = [held for ours, held in state.items() if ours.endswith(f".{key}") or ours.endswith(f".{short}")]
        alike = [held for held in those if held.shape == tensor.shape]  # tokens of the codec may have been added to others
        if alike and not any(torch.equal(held, tensor.float()) for held in alike):
            raise Changed(f"the weight {key} is not the file's")
    answered(model)


def _same(name: str, folder: Path, expected: str) -> None:
    if (found := answered(_built(name, folder))) != expected:
        raise Changed(f"generation_config.json changed the greedy answer from {expected!r} to {found!r}")
