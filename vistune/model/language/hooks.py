"""The four places where a fusion reaches into a language model: `pre_layer`, `attn_add`, `kv_concat` and `route`.

                   h
    pre_layer ---> |           h <- f(h): gated cross-attention, injection between layers
                 norm <------- route: y <- f(base, x) around any module of a layer: experts, adaptive norms, scale and bias
                   |
              q,   k, v <----- route
              |    | <-------- kv_concat: keys and values in front of everyone's own: prefix tuning
           attention
              | <------------- attn_add: o <- o + f(q): attention with a softmax of its own: zero-initialised gates
             out, norm, mlp <- route

`pre_layer` and `route` wrap modules of this one instance; `attn_add` and `kv_concat` act in `language.attention`, after
rotation and before the output projection, so that they are the same for every family of decoders. What a hook knows of the
tokens it is given stands in `Run`, which lives from one prefill to the next: a token generated later sees what the last token
of its prompt saw.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from vistune.errors import InputError, nearest

Pair: TypeAlias = tuple[Tensor, Tensor]
PreLayer: TypeAlias = Callable[[Tensor, "Run"], Tensor]
Route: TypeAlias = Callable[[Callable[[Tensor], Tensor], Tensor, "Run"], Tensor]
AttnAdd: TypeAlias = Callable[[Tensor, float, "AttentionCall"], Tensor]
KvConcat: TypeAlias = Callable[["Run"], Pair]

_ATTENTION = ("self_attn", "attention", "attn")  # what families call a layer's attention


@dataclass(frozen=True, slots=True)
class Run:
    """What hooks know about the tokens of one forward pass: `Inputs`' fields as `[B, T]` (packed: B is 1), and what they keep.

    `samples` is the number of samples, in a packed row or as rows of a padded batch.
    """

    samples: int
    modality: Tensor | None = None
    context: Tensor | None = None
    sees: Tensor | None = None
    _kept: dict[tuple[str, int], Any] = field(default_factory=dict)

    def visual(self, length: int) -> Tensor | None:
        """`[B, T]` bool, True on visual tokens; None for generated tokens, which are text, and where nobody asked."""
        # During generation the library calls layers with one new token; the kept mask is as long as the prompt, and the
        # lengths tell both apart.
        return self.modality if self.modality is not None and self.modality.shape[1] == length else None

    def visible(self, batch: int, length: int) -> Tensor:
        """`[batch, length, M]` bool: which things of the context each of the last `length` tokens sees.

        Beams of one prompt stand side by side and see the same.
        """
        assert self.context is not None and self.sees is not None
        # Generated tokens come behind the prompt and see what its last token saw, so the last `length` rows are the right
        # ones.
        sees = self.sees[:, -length:].repeat_interleave(batch // len(self.sees), dim=0)
        number = torch.arange(len(self.context), device=sees.device)
        return (number >= sees[..., :1]) & (number < sees[..., 1:])

    def keep(self, name: str, layer: int, compute: Callable[[], Pair]) -> Pair:
        """Compute once a run. With gradients always afresh: a checkpointed layer must compute what it did before."""
        if torch.is_grad_enabled():
            return compute()
        if (name, layer) not in self._kept:
            self._kept[name, layer] = compute()
        pair: Pair = self._kept[name, layer]
        return pair


@dataclass(frozen=True, slots=True)
class AttentionCall:
    """One call of a layer's attention, as the attention function sees it. `still` is the rotation by nothing."""

    module: nn.Module
    run: Run
    add: tuple[AttnAdd, ...]
    concat: tuple[KvConcat, ...]
    still: Pair | None

    def keys_values(self, rows: Tensor) -> Pair:
        """The layer's own keys and values `[M, kv heads, K, d]` of other tokens `[M, K, H]`, not rotated.

        The layer's attention runs on them up to the attention function, which notes what it is given: projections, their norms
        and fused layouts are those of the family.
        """
        noted: list[Pair] = []
        where = {} if self.still is None else {"position_embeddings": self.still}
        self.module.forward(hidden_states=rows, attention_mask=None, note=noted, **where)
        return noted[0]


class Hooks:
    """The hooks of one language model, given its decoder `blocks`. `run` is set by the model before every pass."""

    def __init__(self, blocks: nn.ModuleList) -> None:
        self.blocks = blocks
        self.run = Run(samples=0)
        self._add: dict[int, list[AttnAdd]] = {}
        self._concat: dict[int, list[KvConcat]] = {}

    def pre_layer(self, layer: int, function: PreLayer) -> None:
        """`function(h [B, T, H], run)` gives what decoder layer `layer` reads."""

        def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            # Families differ in whether they pass hidden states by position or by name.
            if args:
                return (function(args[0], self.run), *args[1:]), kwargs
            return args, kwargs | {"hidden_states": function(kwargs["hidden_states"], self.run)}

        self.blocks[layer].register_forward_pre_hook(before, with_kwargs=True)

    def route(self, layer: int, name: str, function: Route) -> None:
        """`function(base, x, run)` gives what module `name` of the layer gives; `base` is the module as it was."""
        module = self.module(layer, name)
        base = module.forward
        # On this instance only: the class of the library stays as it is, and copies made before keep the plain module.
        module.forward = lambda x: function(base, x, self.run)

    def attn_add(self, layer: int, function: AttnAdd) -> None:
        """`function(q [B, heads, T, d], scaling, call)`, shaped as q, is added to what the layer's attention gives."""
        self._attend(layer)
        self._add[layer].append(function)

    def kv_concat(self, layer: int, function: KvConcat) -> None:
        """`function(run)` gives keys and values `[N, kv heads, P, d]` that every token sees: N is 1, or one for each sample."""
        self._attend(layer)
        self._concat[layer].append(function)

    @property
    def concatenates(self) -> bool:
        """Whether any layer sees keys and values beside the row's own."""
        return any(self._concat.values())

    def module(self, layer: int, name: str) -> nn.Module:
        """A module of a layer by its dotted name. Raises `InputError` for an unknown one."""
        named: dict[str, nn.Module] = dict(self.blocks[layer].named_modules())
        if name not in named:
            raise InputError(f"the language model's layers have no module {name!r}{nearest(name, list(named))}")
        return named[name]

    def _attend(self, layer: int) -> None:
        """Let the layer's attention hand its hooks down to the attention function, once."""
        if layer in self._add:
            return
        self._add[layer], self._concat[layer] = [], []
        children = dict(self.blocks[layer].named_children())
        name = next((name for name in _ATTENTION if name in children), None)
        if name is None:
            raise InputError(f"the language model's layers hold no attention by the names {', '.join(_ATTENTION)}")

        def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
            rotation = kwargs.get("position_embeddings")
            still = None
            if rotation is not None:
                # Cosine 1 and sine 0 rotate by nothing: things beside the row have no position in it.
                still = torch.ones_like(rotation[0][:1, :1]), torch.zeros_like(rotation[1][:1, :1])
            call = AttentionCall(module, self.run, tuple(self._add[layer]), tuple(self._concat[layer]), still)
            return args, kwargs | {"call": call}

        children[name].register_forward_pre_hook(before, with_kwargs=True)
