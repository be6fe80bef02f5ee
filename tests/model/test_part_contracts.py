"""Every part, by lying in its folder, goes where models go: packed, taught, kept, saved, counted, planned, exported or refused.

A kind that needs arguments to be small has them in a table here; a kind that is missing there is built from its defaults, so
that a new file is tested the moment it is added.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_connectors
import test_fusion
import test_heads
import test_regions
import test_sound_encoders
import torch
import torch.nn.functional as F
from families import blip_tower, tower
from safetensors.torch import save_file
from tiny_heads import write_painter, write_segmenter

from vistune.errors import InputError
from vistune.model.feature_cache import Level
from vistune.model.interchange.export import export
from vistune.model.packing import pack
from vistune.model.part import begun_at_random
from vistune.model.spec import ModelSpec
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights import checkpoint
from vistune.sample import Media, MediaRef, Produce, Region, Sample, Text, Turn
from vistune.spec import kinds
from vistune.training.caching import cache_of, obstacle
from vistune.training.planning.flops import FlopModel, Load

pytestmark = pytest.mark.slow  # four hundred tests; what each kind computes is held by the quick ones beside this file

FOLDERS = ("connectors", "encoders", "regions", "heads", "fusion")
PARTS = [(folder, kind) for folder in FOLDERS for kind in kinds(f"vistune.model.{folder}") if not kind.startswith("_")]
WIDTH = 32  # of the tiny tower and the tiny language model
Spec = dict[str, Any]
"""A model's spec, changed so that it has the part."""


def media_of(number: int) -> dict[str, Media]:
    draw = np.random.default_rng(number)
    points = draw.standard_normal((40, 6)).astype(np.float32)
    points[:, 3:] = draw.random((40, 3))
    return {
        "image": Media("image", data=draw.integers(0, 255, (40, 30, 3), dtype=np.uint8)),
        "video": Media("video", data=draw.integers(0, 255, (3, 20, 24, 3), dtype=np.uint8)),
        "audio": Media("audio", data=(0.1 * draw.standard_normal((4000 + 800 * number, 1))).astype(np.float32)),
        "points": Media("points", data=points),
    }


def sample_of(number: int, kind: str, ask: tuple[Any, ...] = (), say: tuple[Any, ...] = (), made: int = 0) -> Sample:
    media = media_of(number)
    shown = (media[kind], *([media["image"]] * made))
    question = Turn("user", (MediaRef(0), Text("What is it?"), *ask))
    return Sample(f"s{number}", shown, (question, Turn("assistant", (Text("A red bus "), *say, Text(".")))))


def whisper(folder: Path) -> str:
    test_sound_encoders.whisper(folder)
    return str(folder)


def spectrogram(folder: Path) -> str:
    test_sound_encoders.spectrogram_transformer(folder)
    return str(folder)


def clap(folder: Path) -> str:
    test_sound_encoders.clap(folder)
    return str(folder)


BIND: Spec = {
    "size": 16, "patch": 8, "joint": 16, "vision_width": 16, "vision_depth": 1, "vision_heads": 2, "audio_width": 16,
    "audio_depth": 1, "audio_heads": 2, "mels": 32, "frames": 60, "kinds": ["image"],
}  # fmt: skip
ENCODERS: dict[str, Callable[[Path, Spec], Spec]] = {
    "anchors": lambda folder, inner: {"inner": inner},
    "anyres": lambda folder, inner: {"inner": inner, "grids": [[1, 2], [2, 1]]},
    "clap": lambda folder, inner: {"path": clap(folder)},
    "convnext": lambda folder, inner: {"path": tower("convnext", folder), "size": 32},
    "gmhra": lambda folder, inner: {"path": blip_tower(folder), "frames": 2, "layers": 1},
    "huggingface": lambda folder, inner: {"path": inner["path"]},
    "imagebind": lambda folder, inner: BIND,
    "native_patches": lambda folder, inner: {"patch": 10, "height": 40, "width": 40},
    "pair": lambda folder, inner: {"first": inner, "second": inner},
    "point_bert": lambda folder, inner: {"points": 32, "groups": 8, "neighbours": 4, "width": 12, "depth": 1, "heads": 2},
    "qwen_vl": lambda folder, inner: {
        "size": 16, "patch": 8, "width": 16, "layers": 1, "heads": 2, "places": 4,
    },
    "routed": lambda folder, inner: {"inner": inner, "hidden": 2},
    "spectrogram_transformer": lambda folder, inner: {"path": spectrogram(folder)},
    "tubelets": lambda folder, inner: {"path": blip_tower(folder), "frames": 2},
    "whisper": lambda folder, inner: {"path": whisper(folder)},
}  # fmt: skip
CONNECTORS: dict[str, Spec] = {**test_connectors.SMALL, "class_taps": {"taps": [1, -2], "hidden": 8}}


def with_part(spec: Spec, folder: str, kind: str, place: Path) -> tuple[Spec, str, tuple[Any, ...], tuple[Any, ...], int]:
    """The spec with the part, the name it bears there, and what a sample asks and says for it to be used."""
    if folder == "connectors":
        arguments = dict(CONNECTORS.get(kind, {}))
        if kind == "neighbour_cache":
            save_file({"unit": F.normalize(torch.randn(12, WIDTH), dim=1)}, place / "unit.safetensors")
            arguments = {"path": str(place / "unit.safetensors")}
        vision = {**spec["vision"], "keep": [1, -2]}
        return spec | {"vision": vision, "connector": {"kind": kind, **arguments}}, "connector", (), (), 0
    if folder == "encoders":
        arguments = ENCODERS[kind](place, spec["vision"]) if kind in ENCODERS else {}
        parts = {"sense": {"kind": kind, **arguments}, "sense_mlp": "anyres" if kind == "anyres" else "mlp"}
        reads = {"point_bert": "points", "gmhra": "video", "tubelets": "video"}.get(kind)
        reads = reads or ("audio" if kind in ("whisper", "clap", "spectrogram_transformer") else "image")
        plain = {key: value for key, value in spec.items() if key not in ("vision", "connector")}
        return plain | {"parts": parts, "modalities": {reads: ["sense", "sense_mlp"]}}, "sense", (), (), 0
    box = Region(0, box=(0.2, 0.1, 0.7, 0.9), label="a bus")
    if folder == "regions":
        arguments = dict(test_regions.SMALL.get(kind, {}))
        if "layers" in arguments and kind == "multi_level_roi":
            arguments["layers"] = (1, -2)
        vision = {**spec["vision"], "keep": [1, -2]}
        made = {"vision": vision, "parts": {"roi": {"kind": kind, **arguments}}, "modalities": {"box": ["roi"]}}
        return spec | made, "roi", (box,), (), 0
    if folder == "fusion":
        connector = test_fusion.CONNECTORS.get(kind, test_fusion.RESAMPLER)
        fusion = {"kind": kind, **test_fusion.FUSIONS.get(kind, {})}
        return spec | {"connector": connector, "fusion": fusion}, "fusion", (), (), 0
    segmenter, painter, speaking = (place / name for name in ("segmenter", "painter", "speaking"))
    write_segmenter(segmenter)
    write_painter(painter)
    write_painter(speaking, width=128)
    folders = {"segmenter": str(segmenter), "painter": str(painter), "speaking": str(speaking)}
    made = {"heads": {"made": test_heads.spec(kind, folders)}, "max_length": 1024}
    makes = {"promptable_mask": "mask", "box_regression": "box", "set_queries": "box", "alignment_token": "box"}
    mask = np.zeros((40, 30), dtype=bool)
    mask[10:30, 5:20] = True
    says: dict[str, tuple[Any, ...]] = {"mask": (Region(0, mask=mask, label="a bus"),), "box": (box,), "image": (Produce(1),)}
    return spec | made, "heads", (), says[makes.get(kind, "image")], kind not in makes


class Case:
    """A model with one part of a kind, and three samples that use it."""

    def __init__(self, spec: Spec, folder: str, kind: str, place: Path) -> None:
        self.spec, self.name, ask, say, made = with_part(spec, folder, kind, place)
        torch.manual_seed(0)
        self.model = VisionLanguageModel(ModelSpec.from_json(self.spec)).eval()
        self.kind = next(iter(self.model.chains))
        self.samples = [sample_of(number, self.kind, ask, say, made) for number in range(3)]
        renderer = self.model.renderer()
        self.examples = [self.model.example(sample, renderer) for sample in self.samples]


@pytest.fixture(scope="module", params=PARTS, ids=lambda part: "-".join(part))
def case(request: pytest.FixtureRequest, tiny_language: str, tiny_clip: str, tmp_path_factory: pytest.TempPathFactory) -> Case:
    spec: Spec = {"llm": tiny_language, "vision": {"kind": "huggingface", "path": tiny_clip}, "connector": "mlp"}
    spec |= {"template": {"kind": "vicuna_v1", "system": ""}, "codec": {"kind": "location_tokens", "bins": 8}}
    spec["max_length"] = 512
    return Case(spec, *request.param, tmp_path_factory.mktemp("part"))


def sums(model: VisionLanguageModel, examples: list[Any]) -> dict[str, float]:
    torch.manual_seed(5)  # some heads draw what they learn to remove
    with torch.no_grad():
        return {name: float(loss.sum) for name, loss in model(pack(examples)).items()}


def test_counts_are_kept_and_packing_changes_nothing(case: Case) -> None:
    row = pack(case.examples)
    assert sum(row.lengths) == len(row.ids)
    together = sums(case.model, case.examples)
    alone = [sums(case.model, [example]) for example in case.examples]
    text = sum(losses["text"] for losses in alone)
    assert together["text"] == pytest.approx(text, rel=1e-4, abs=1e-4)
    assert all(np.isfinite(value) for value in together.values())


def test_a_gradient_reaches_the_part(case: Case) -> None:
    model = case.model
    model.zero_grad()
    torch.stack([loss.sum for loss in model(pack(case.examples)).values()]).sum().backward()
    learnt = [weight.grad for weight in model.get_submodule(case.name).parameters() if weight.requires_grad]
    assert not learnt or any(gradient is not None for gradient in learnt)
    if learnt:
        parts = [name for name in ("connector", "sense_mlp") if name in dict(model.named_children())]
        assert any(weight.grad is not None for name in parts for weight in model.get_submodule(name).parameters()) or not parts


def test_a_checkpoint_gives_it_back(case: Case, tmp_path: Path) -> None:
    parts = begun_at_random(case.model) | {case.name}
    parts = {name for name in parts if any(True for _ in case.model.get_submodule(name).parameters())}
    checkpoint.save(case.model, tmp_path / "kept", parts)
    again = checkpoint.load(tmp_path / "kept")
    own = case.model.get_submodule(case.name).state_dict()
    assert all(torch.equal(value, own[name]) for name, value in again.get_submodule(case.name).state_dict().items())
    for one, two in zip(again.logits(case.samples), case.model.logits(case.samples), strict=True):
        assert torch.equal(one, two)


def test_kept_features_are_those_that_are_computed(case: Case, tmp_path: Path) -> None:
    model = case.model
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.startswith("llm."))
    chain, computed = next(iter(model.chains.values())), model.logits(case.samples)
    levels: list[Level] = ["encoder", "connector"]
    kept = [level for level in levels if obstacle(model, level, chain.reads) is None]
    for level in kept:
        chain.cache = cache_of(model, chain.reads, level, tmp_path / level, "fp32")
        try:
            for _ in range(2):  # written, then read
                for one, two in zip(model.logits(case.samples), computed, strict=True):
                    torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)
        finally:
            chain.cache = None
        assert list((tmp_path / level).rglob("*.safetensors"))
    model.requires_grad_(True)


def test_its_operations_are_counted_with_and_without_weights(case: Case) -> None:
    counts = FlopModel(case.model).step([Load.of(pack(case.examples), case.model)])
    assert all(np.isfinite(flops.total) and flops.total >= 0 for flops in counts.values()) and counts["llm"].total > 0
    assert case.name in counts or not any(True for _ in case.model.get_submodule(case.name).parameters())
    with torch.device("meta"):
        planned = VisionLanguageModel(ModelSpec.from_json(case.spec), load_weights=False)
    again = FlopModel(planned).step([Load.of(pack(case.examples), case.model)])
    for name, flops in again.items():
        if name != "heads":  # their losses have no values there
            assert flops.forward == pytest.approx(counts[name].forward, rel=1e-6), name


def test_export_writes_all_of_it_or_says_what_it_would_lose(case: Case, tmp_path: Path) -> None:
    try:
        difference = export(case.model, tmp_path / "out")
    except InputError as error:
        assert not list(tmp_path.iterdir()) and "\n" not in str(error)
    else:
        assert difference < 1e-3 and (tmp_path / "out" / "config.json").exists()
