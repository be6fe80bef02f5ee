"""Numbers recorded from published modules: parameters, inputs and outputs at random weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vistune.model.interchange.formats.keymap import KeyMap, origin, read

FOLDER = Path(__file__).parent.parent / "golden" / "mechanisms"


class Golden:
    """One recorded module. Its parameters are read by their published names, each exactly once."""

    def __init__(self, name: str) -> None:
        self.tensors = load_file(FOLDER / f"{name}.safetensors")

    def __getitem__(self, key: str) -> Tensor:
        return self.tensors[key]

    def load(self, module: nn.Module, names: KeyMap, ignored: Sequence[str] = (), under: str = "") -> None:
        """Every parameter of `module` by the public key map `names`; theirs are recorded with the prefix `under`."""
        prefix = f"param/{under}"
        theirs = {key.removeprefix(prefix): tensor for key, tensor in self.tensors.items() if key.startswith(prefix)}
        state = module.state_dict()
        module.load_state_dict(state | read(theirs, state, names, ignored, "the recording"))

    def gradients(self, module: nn.Module, names: KeyMap, under: str = "") -> None:
        """The gradients of `module` are those recorded, wherever a map that only renames leads to one."""
        found = 0
        for name, parameter in module.named_parameters():
            their = origin(name, names)
            key = "" if their is None or len(their.names) > 1 else f"grad/{under}{their.names[0]}"
            if key in self.tensors:
                assert parameter.grad is not None, name
                close(parameter.grad, self.tensors[key].reshape(parameter.shape), 5e-5, 5e-4)
                found += 1
        assert found, "nothing was compared"

    def fill(self, module: nn.Module, names: dict[str, str], **made: Tensor) -> None:
        """Every parameter of `module`: `names` maps prefixes of ours to theirs (`{}`: a number), `made` gives the rest."""
        state = {}
        rules = [(re.compile(re.escape(prefix).replace(r"\{\}", r"(\d+)")), theirs) for prefix, theirs in names.items()]
        for ours in module.state_dict():
            fits = [(found, theirs) for rule, theirs in rules if (found := rule.match(ours))]
            if fits:
                found, theirs = max(fits, key=lambda fit: fit[0].end())
                state[ours] = self.tensors["param/" + theirs.format(*found.groups()) + ours[found.end() :]]
        state |= {name.replace("__", "."): tensor for name, tensor in made.items()}
        state = {name: tensor.reshape(module.state_dict()[name].shape) for name, tensor in state.items()}
        module.load_state_dict(state)


def close(got: Tensor, expected: Tensor, atol: float = 1e-5, rtol: float = 1e-5) -> None:
    torch.testing.assert_close(got, expected, atol=atol, rtol=rtol)
