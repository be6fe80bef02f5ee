"""VisualBERT (arXiv 1908.03557) answering questions: one of a list of answers, from words and features of a picture's regions.

Its weights say nothing about how regions are found. The authors read 36 or 100 regions of a Faster R-CNN; their features are
given as one file a picture, or the patches of a vision tower stand in their place:

    native: uclanlp/visualbert-vqa
    answers: answers.txt                  one a line, in the order of the model's labels
    pictures: {features: regions}         regions/photo.npy, float [regions, width], for photo.jpg
    pictures: {encoder: DIR}              a vision tower whose last states are as wide
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoTokenizer, VisualBertForQuestionAnswering

from vistune.errors import InputError, reading
from vistune.model.device import number_format, placed
from vistune.model.encoders.huggingface import Huggingface
from vistune.model.native.answerer import identity_of
from vistune.model.native.spec import NativeSpec
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config, read_model
from vistune.model.weights.quiet import quiet
from vistune.sample import Media, Sample

_UNNAMED = "LABEL_"  # what transformers calls answers whose names a checkpoint does not hold


class VisualBertAnswerer:
    """Keeps to `vistune.evals.run.Answerer`. Raises `InputError` where answers or regions are not given."""

    def __init__(self, spec: NativeSpec, device: str = "auto", dtype: str = "auto") -> None:
        self.spec = spec
        folder = locate(spec.path)
        config = read_config(spec.path, folder, spec.revision)
        if "VisualBertForQuestionAnswering" not in (config.architectures or ()):
            named = (config.architectures or ["VisualBERT without a head"])[0]
            raise InputError(f"{spec.path} is a {named}: only a VisualBertForQuestionAnswering answers questions")
        self.answers = _answers(spec, config)
        self._regions = _regions(spec, int(config.visual_embedding_dim), device)
        with reading(f"the tokenizer of {spec.path} cannot be read"):
            self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, revision=spec.revision, trust_remote_code=False)
        with quiet():
            model = read_model(VisualBertForQuestionAnswering, spec.path, folder, config, spec.revision, True)
        self._model: Any = placed(model.eval(), device, dtype)
        self.identity = identity_of(spec) + number_format(self._model)

    def rendered(self, sample: Sample) -> str:
        """The question; pictures and regions are not of it."""
        return sample.prompt().turns[-1].text.strip()

    @torch.inference_mode()
    def generate(self, samples: Sequence[Sample], **arguments: Any) -> list[str]:
        """The likeliest answer of the list, each; arguments of writing are ignored."""
        return [self.answers[int(self.scores(sample).argmax())] for sample in samples]

    def scores(self, sample: Sample) -> Tensor:
        """Logits `[answers]`."""
        if len(sample.media) != 1 or sample.media[0].kind != "image":
            raise InputError(f"{sample.where}: VisualBERT reads one picture a question, and this has {len(sample.media)} media")
        regions = self._regions(sample.media[0], sample.where)[None].to(self._model.device, self._model.dtype)
        words = self._tokenizer(self.rendered(sample), truncation=True, max_length=self._model.config.max_position_embeddings)
        ids = torch.tensor([words["input_ids"]], device=self._model.device)
        found: Tensor = self._model(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            token_type_ids=torch.zeros_like(ids),
            visual_embeds=regions,
            visual_attention_mask=torch.ones(regions.shape[:2], device=regions.device),
            # The authors give all regions the second segment.
            visual_token_type_ids=torch.ones(regions.shape[:2], dtype=torch.long, device=regions.device),
        ).logits[0]
        return found


def _answers(spec: NativeSpec, config: Any) -> list[str]:
    """The names of the labels, of the file where the checkpoint does not hold them."""
    if spec.answers is None:
        names = [str(config.id2label[label]) for label in sorted(config.id2label)]
        if any(name.startswith(_UNNAMED) for name in names):
            raise InputError(
                f"{spec.path} chooses from {len(names)} answers and does not name them: give the model key 'answers', a file"
                " with one answer a line (`vistune predict native:CONFIG.yaml`)"
            )
        return names
    with reading(f"the answers {spec.answers} cannot be read"):
        lines = Path(spec.answers).read_text(encoding="utf-8").splitlines()
    if len(lines) != config.num_labels:
        raise InputError(f"{spec.answers} has {len(lines)} answers, but {spec.path} chooses from {config.num_labels}")
    return lines


def _regions(spec: NativeSpec, width: int, device: str) -> Any:
    """What gives a picture's features `[regions, width]`."""
    given: Mapping[str, Any] = spec.pictures
    if set(given) == {"features"}:
        return _Files(Path(str(given["features"])), width)
    if set(given) == {"encoder"}:
        return _Tower(str(given["encoder"]), width, device)
    raise InputError(
        f"{spec.path} reads features of regions: give the model key 'pictures' as {{features: FOLDER}} (a .npy a picture) or"
        " {encoder: DIR} (a vision tower)"
    )


class _Files:
    """Features that a detector wrote, one file a picture under the picture's name."""

    def __init__(self, folder: Path, width: int) -> None:
        if not folder.is_dir():
            raise InputError(f"the folder of region features {folder} does not exist")
        self._folder, self._width = folder, width

    def __call__(self, picture: Media, where: str) -> Tensor:
        if picture.path is None:
            raise InputError(f"{where}: the picture has no file name, by which the features of its regions are found")
        file = self._folder / f"{Path(picture.path).stem}.npy"
        with reading(f"{where}: the region features {file} cannot be read"):
            found = np.load(file, allow_pickle=False)
        if found.ndim != 2 or found.shape[1] != self._width or not np.isfinite(found).all():
            raise InputError(f"{where}: {file} is {list(found.shape)}, expected finite numbers [regions, {self._width}]")
        return torch.from_numpy(found.astype(np.float32))


class _Tower:
    """Patches of a vision tower in the place of regions."""

    def __init__(self, path: str, width: int, device: str) -> None:
        self._tower = placed(Huggingface(path, layer=-1).eval(), device, "float32")
        if self._tower.width != width:
            raise InputError(f"{path} gives features of {self._tower.width} numbers, but VisualBERT reads {width}")

    def __call__(self, picture: Media, where: str) -> Tensor:
        inputs = self._tower.read(picture, where).inputs.to(next(self._tower.parameters()).device)
        seen: Tensor = self._tower(inputs).x[0]
        return seen
