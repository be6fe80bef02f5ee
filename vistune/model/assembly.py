"""From a `ModelSpec` to parts, modalities and heads: who reads what, through which parts, in which widths.

modalities: {image: [vision, connector], audio: [listener, trunk], box: [roi]}

vision, listener      encoders: the first name of a medium's chain
connector, trunk      connectors: the names behind it. The last gives the language model's width, others keep theirs or say
                      `out_width`. A part that two chains name is one part.
roi                   a region encoder: the only name of a region's chain
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from vistune.errors import InputError, nearest
from vistune.model.connectors.base import Connector
from vistune.model.encoders.base import Encoder, ImageEncoder
from vistune.model.heads.base import Head, Heads
from vistune.model.modalities.base import Modality
from vistune.model.modalities.chain import Chain
from vistune.model.modalities.frames import Frames
from vistune.model.modalities.region import Regions
from vistune.model.regions.base import RegionEncoder
from vistune.model.spec import ModelSpec
from vistune.model.weights.quiet import quiet
from vistune.prompt.codec import Codec
from vistune.sample import MEDIA_KINDS
from vistune.spec import Spec, build, check_arguments, resolve, split

REGION_KINDS = ("box", "point", "mask")
TAKEN = ("llm", "fusion", "heads")  # names of a model's children that are no part of a chain
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Route:
    """How things of a kind are read: the `chain` of part names, and the modality's own settings."""

    chain: tuple[str, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


def part_specs(spec: ModelSpec) -> dict[str, Spec]:
    """Specs of all parts by name, `vision` and `connector` among them."""
    named = {name: part for name, part in (("vision", spec.vision), ("connector", spec.connector)) if part is not None}
    for name, part in spec.parts.items():
        # Names are attributes of the module and prefixes in checkpoints: one that shadows `llm` would be loaded into the
        # wrong weights.
        if not _NAME.fullmatch(name) or name in TAKEN or name in named:
            raise InputError(f"model.parts.{name}: a part has a name of its own, small letters, and none of {', '.join(TAKEN)}")
        named[name] = part
    return named


def routes(spec: ModelSpec) -> dict[str, Route]:
    """What reads which kind. Raises `InputError` for kinds and parts that there are not, and for parts that nothing uses."""
    known = part_specs(spec)
    found: dict[str, Route] = {}
    if spec.vision is not None and "image" not in spec.modalities:
        if spec.connector is None:
            raise InputError("model.vision needs model.connector, which brings its features to the language model")
        found["image"] = Route(("vision", "connector"))
    for kind, written in spec.modalities.items():
        if kind not in (*MEDIA_KINDS, *REGION_KINDS):
            raise InputError(f"model.modalities has no kind {kind!r}{nearest(kind, [*MEDIA_KINDS, *REGION_KINDS])}")
        found[kind] = _route(kind, written)
    used = list(dict.fromkeys(name for route in found.values() for name in route.chain))
    for name in used:
        if name not in known:
            raise InputError(f"model.modalities names the part {name!r}, which is not there{nearest(name, list(known))}")
    # An unused part would be built, saved and never trained, which is nearly always a typing error in `modalities`.
    for name in known:
        if name not in used:
            raise InputError(f"model.parts.{name} is used by no modality: name it in model.modalities, or leave it away")
    # Regions look at what was seen of media, so media come first.
    return {kind: found[kind] for kind in sorted(found, key=lambda kind: kind in REGION_KINDS)}


def _route(kind: str, written: Sequence[str] | Mapping[str, Any]) -> Route:
    where = f"model.modalities.{kind}"
    chain = written.get("chain") if isinstance(written, Mapping) else written
    if isinstance(chain, str) or not isinstance(chain, Sequence) or not all(isinstance(name, str) for name in chain):
        raise InputError(f"{where} is {written!r}, expected a list of part names, or a mapping with such a list as 'chain'")
    if not chain or (kind in REGION_KINDS and len(chain) != 1):
        asked = "one part, a region encoder" if kind in REGION_KINDS else "an encoder and the connectors behind it"
        raise InputError(f"{where} names {len(chain)} parts, expected {asked}")
    settings = {key: value for key, value in written.items() if key != "chain"} if isinstance(written, Mapping) else {}
    return Route(tuple(chain), settings)


def build_parts(
    spec: ModelSpec,
    width: int,
    stored: Set[str],
    seen_by: Mapping[str, Route],
    read_width: int,
    vocabulary: Callable[[], Tensor],
) -> dict[str, nn.Module]:
    """Every part by name. Weights of `stored` parts are not read from where they began.

    `width` is the language model's, `read_width` that of the tokens of media which the fusion wants.
    """
    specs = part_specs(spec)
    made: dict[str, nn.Module] = {}
    given: dict[str, int] = {}  # the width of what a part gives
    # Only a chain's last connector meets the language model; earlier connectors hand on to their successor.
    lasts = {route.chain[-1] for kind, route in seen_by.items() if kind in MEDIA_KINDS}
    for kind, route in seen_by.items():
        if kind in REGION_KINDS:
            continue
        first, *rest = route.chain
        # The same name in two chains is one module: a shared trunk, trained by the gradients of both kinds.
        if first not in made:
            with quiet():
                made[first] = build("vistune.model.encoders", specs[first], Encoder, load_weights=first not in stored)
        encoder = made[first]
        if not isinstance(encoder, Encoder):
            raise InputError(f"model.modalities.{kind} begins with {first!r}, which is no encoder")
        now = encoder.width
        for name in rest:
            if name not in made:
                # Connectors in the middle keep the encoder's width unless their spec says otherwise, as poolings and position
                # tables do.
                made[name], given[name] = _connector(name, specs[name], now, read_width if name in lasts else now, vocabulary)
            elif not isinstance(made[name], Connector):
                raise InputError(f"model.modalities.{kind} names {name!r} behind its encoder, which is no connector")
            now = given[name]
        if now != read_width:
            raise InputError(
                f"model.modalities.{kind} ends {now} wide, but {read_width} is read behind it: end it with a connector"
            )
    # Region encoders come last: they are as wide as the features of pictures, which must be known.
    for kind, route in seen_by.items():
        if kind in REGION_KINDS and route.chain[0] not in made:
            seen = seen_width(made, seen_by)
            unread = route.chain[0] in stored
            made[route.chain[0]] = build(
                "vistune.model.regions",
                specs[route.chain[0]],
                RegionEncoder,
                width=seen,
                out_width=width,
                load_weights=not unread,
            )
    return made


def _connector(name: str, spec: Spec, width: int, out_width: int, vocabulary: Callable[[], Tensor]) -> tuple[Connector, int]:
    """A connector, and the width of its tokens; a connector without `out_width` keeps the width."""
    kind, arguments = split(spec)
    # The signature is the schema: connectors that pool or reorder take no `out_width`, so the width they give is the one they
    # got.
    takes = inspect.signature(resolve("vistune.model.connectors", kind, Connector)).parameters
    offered: dict[str, Any] = {"width": width, "out_width": out_width, "vocabulary": vocabulary}
    # The spec's own words win over what the model offers: a Q-Former that hands on to another connector sets its width itself.
    given = {key: value for key, value in offered.items() if key not in arguments}
    made: Connector = build("vistune.model.connectors", spec, Connector, **given)
    return made, int(arguments.get("out_width", out_width)) if "out_width" in takes else width


def seen_width(parts: Mapping[str, nn.Module], seen_by: Mapping[str, Route]) -> int:
    """The width of the features of pictures, or of films where there are no pictures: what regions and heads look at."""
    # Pictures first: with both, regions lie on pictures, and a film's encoder is usually that of pictures anyway.
    for kind in ("image", "video"):
        if kind in seen_by:
            encoder = parts[seen_by[kind].chain[0]]
            assert isinstance(encoder, Encoder)
            return encoder.width
    return 0


def build_heads(spec: ModelSpec, width: int, seen: int, load_weights: bool) -> Heads:
    """Every head by name. Raises `InputError` where two make the same."""
    heads: dict[str, Head] = {}
    makers: dict[str, str] = {}
    for name, head in spec.heads.items():
        if not _NAME.fullmatch(name):
            raise InputError(f"model.heads.{name}: a head's name is small letters")
        with quiet():
            made: Head = build("vistune.model.heads", head, Head, width=width, seen_width=seen, load_weights=load_weights)
        for kind in made.makes:
            if kind in makers:
                raise InputError(f"model.heads.{name} and model.heads.{makers[kind]} both make {kind}: one of them must go")
            makers[kind] = name
        heads[name] = made
    return Heads(heads)


def build_modalities(
    parts: Mapping[str, nn.Module],
    seen_by: Mapping[str, Route],
    codec: Codec,
    places: Callable[[int], int],
    device: Callable[[], torch.device],
) -> dict[str, Modality]:
    """Who reads which kind, media before regions."""
    made: dict[str, Modality] = {}
    for kind, route in seen_by.items():
        first, *rest = (parts[name] for name in route.chain)
        where = f"model.modalities.{kind}"
        if kind in REGION_KINDS:
            assert isinstance(first, RegionEncoder)
            check_arguments(Regions, route.settings, where, {"kind": kind, "encoder": first, "codec": codec})
            made[kind] = Regions(kind, first, codec, **route.settings)
            continue
        assert isinstance(first, Encoder)
        connectors = [part for part in rest if isinstance(part, Connector)]
        given: dict[str, Any] = {
            "kind": kind,
            "encoder": first,
            "connectors": connectors,
            "places": places,
            "device": device,
        }
        # An encoder of pictures reads a film frame by frame; one of films (GMHRA, tubelets) reads it whole, and says so in
        # `reads`.
        cls = Frames if kind == "video" and isinstance(first, ImageEncoder) else Chain
        if cls is Chain and kind not in first.reads:
            raise InputError(f"{where} begins with {route.chain[0]!r}, which reads {' and '.join(first.reads)}")
        check_arguments(cls, route.settings, where, given)
        made[kind] = cls(**given, **route.settings)
    return made
