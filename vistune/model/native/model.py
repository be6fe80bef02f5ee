"""`NativeModel`: any vision-language model of `transformers`, trained and asked like our own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vistune.errors import InputError
from vistune.model.adapters.adapt import adapt
from vistune.model.answering.answers import Answer, regions_of
from vistune.model.answering.asked import Asked, Terms, positions
from vistune.model.heads.base import Loss
from vistune.model.language.finite import watched
from vistune.model.native.batch import NativeBatch, collate, training_batch
from vistune.model.native.blip import blip_network
from vistune.model.native.conversation import ChatTemplate, FixedForm
from vistune.model.native.families import Form, family_of
from vistune.model.native.network import Network
from vistune.model.native.processor import read_processor
from vistune.model.native.render import NativeExample, NativeRenderer
from vistune.model.native.spec import NativeSpec
from vistune.model.trainable import Trainable
from vistune.model.vlm import question_sample
from vistune.model.weights.assets import locate
from vistune.model.weights.pretrained import read_config
from vistune.model.weights.quiet import quiet
from vistune.progress import track
from vistune.prompt.codec import Codec
from vistune.prompt.render import IGNORE
from vistune.sample import Sample
from vistune.spec import Spec, build

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image


class NativeModel(Trainable[NativeRenderer, NativeExample, NativeBatch], Asked):
    """A whole model and its processor. Its one part is `native`; adapters go into the text part (`native.adapter`)."""

    packs = False

    def __init__(self, spec: NativeSpec, load_weights: bool = True) -> None:
        super().__init__()
        if spec.answers is not None:
            raise InputError(f"{spec.path} writes its answers: leave the model key 'answers' away")
        self.spec = spec
        folder = locate(spec.path)
        config = read_config(spec.path, folder, spec.revision)
        self.family = family_of(config)
        with quiet():
            self.processor = read_processor(spec.path, folder, spec.revision, config)
            dtype: torch.dtype = getattr(torch, spec.dtype)
            kind = blip_network(config, spec.path) if config.model_type == "blip" else Network
            self.native = kind(spec.path, folder, spec.revision, config, self.family, dtype, load_weights)
        self.codec: Codec = build("vistune.prompt.codecs", spec.codec or self.family.codec, Codec)
        self._check_codec()
        adapt(dict(self.named_children()), spec.adapt)

    @property
    def max_length(self) -> int:
        """The most tokens of a training sample."""
        return self.spec.max_length

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.native.parameters()).device

    @property
    def tokenizer(self) -> Any:
        """The processor's."""
        return self.processor.tokenizer

    def renderer_of(self, template: Spec | None) -> NativeRenderer:
        """What turns samples into this model's inputs. Raises `InputError` for a template: the model has its own form."""
        if template is not None:
            raise InputError("a native model is asked in its own form: leave the stage's template away, or give model.prompt")
        return self.renderer()

    def renderer(self) -> NativeRenderer:
        """What turns samples into this model's inputs."""
        ends = self.native.ends(self.tokenizer)
        return NativeRenderer(self.processor, self._writer(), self.family, ends, dict(self.spec.pictures))

    def _writer(self) -> ChatTemplate | FixedForm:
        template = getattr(self.processor, "chat_template", None) or self.tokenizer.chat_template
        # Some checkpoints have several, by name: for tools, for retrieval, and the usual one.
        if isinstance(template, dict):
            template = template.get("default")
        if self.spec.prompt is not None:
            base = self.family.form or Form("{}", shown=str(getattr(self.processor, "image_token", "") or ""))
            return FixedForm(Form(self.spec.prompt, base.answer, None, base.shown, base.mixed), self.codec)
        if template is not None:
            return ChatTemplate(self.tokenizer, template, self.codec)
        if self.family.form is None:
            raise InputError(
                f"{self.spec.path} has no chat template, and how a {self.native.model.config.model_type} is asked is not"
                " settled: give the model key 'prompt', with {} in the question's place"
            )
        return FixedForm(self.family.form, self.codec)

    def _check_codec(self) -> None:
        known = self.tokenizer.get_vocab()
        missing = [token for token in self.codec.tokens if token not in known]
        if missing:
            raise InputError(
                f"{self.spec.path} has no token {missing[0]!r}, which the codec writes ({len(missing)} such tokens): choose a"
                " codec that writes text, such as decimals"
            )

    def tokens_of(self, sample: Sample, renderer: NativeRenderer) -> int:
        """How many tokens a sample takes; only its processor knows, so that pictures are decoded."""
        return len(renderer.render(sample).rendered)

    def example(self, sample: Sample, renderer: NativeRenderer, answer_next: bool = False) -> NativeExample:
        """Render a sample and prepare its pictures. Runs on the CPU, touches no weights."""
        return renderer.render(sample, answer_next, self.spec.max_length)

    def pack(self, examples: Sequence[NativeExample]) -> NativeBatch:
        """Examples as one batch for training."""
        return training_batch(examples, self.family, self.tokenizer.pad_token_id, self.native.encoder_decoder)

    def forward(self, batch: NativeBatch) -> dict[str, Loss]:
        """The loss of the text, summed over supervised tokens."""
        inputs = self.placed(batch.inputs)
        labels = batch.labels.to(self.device)
        logits = self.native.logits(inputs, labels)
        if not self.native.encoder_decoder:
            # A decoder's logits at a place are for the next token. An encoder-decoder shifts by itself: `labels` make its
            # inputs.
            logits, labels = logits[:, :-1], labels[:, 1:]
        taught = labels != IGNORE
        # Only taught places are taken to float32: the logits of a padded batch are the largest tensor of the step.
        return {"text": Loss(F.cross_entropy(logits[taught].float(), labels[taught], reduction="sum"))}

    @torch.no_grad()
    def logits(self, samples: Iterable[Sample]) -> list[Tensor]:
        """Logits `[length, vocabulary]` of each sample as rendered for training; of an encoder-decoder those of its answer."""
        renderer = self.renderer()
        batches = (self.pack([self.example(sample, renderer)]) for sample in samples)
        return [self.native.logits(self.placed(batch.inputs), batch.labels.to(self.device))[0] for batch in batches]

    @torch.no_grad()
    def generate(
        self, samples: Sequence[Sample], max_new_tokens: int = 128, batch_size: int = 8, progress: bool = False, **options: Any
    ) -> list[str]:
        """Answer each sample's last question; turns after it are ignored. Greedy unless `options` (sampling) say otherwise."""
        renderer = self.renderer()
        answers: list[str] = []
        starts = range(0, len(samples), batch_size)
        for start in track(starts, "answering", len(starts)) if progress else starts:
            part = [self.example(sample, renderer, True).prompt for sample in samples[start : start + batch_size]]
            for prompts in [[prompt] for prompt in part] if self.family.alone else [part]:
                answers += self._answer(prompts, max_new_tokens, options)
        return answers

    def answer(
        self, samples: Sequence[Sample], max_new_tokens: int = 128, say: Callable[[str], None] | None = None, **options: Any
    ) -> list[Answer]:
        """Texts with the regions that they write; `say` is told a single sample's text as it is written."""
        texts = self.generate(samples, max_new_tokens, **self.spoken(say, options), **options)
        return [Answer(text, tuple(regions_of(self.codec, sample, text))) for sample, text in zip(samples, texts, strict=True)]

    @property
    def terms(self) -> Terms:
        """How the model is asked: it has no stops but its tokens, and reads pictures."""
        config = self.native.model.config
        return Terms(
            tokenizer=self.tokenizer,
            stops=(),
            ends=frozenset(self.native.ends(self.tokenizer)),
            vocabulary=int(config.get_text_config().vocab_size),
            context=positions(config),
            reads=("image",),
        )

    def _answer(self, prompts: Sequence[dict[str, Tensor]], max_new_tokens: int, options: dict[str, Any]) -> list[str]:
        pad = self.tokenizer.pad_token_id
        # On the left: generation goes on at the end of a row, and padding there would stand between prompt and answer.
        inputs = self.placed(collate(prompts, self.family, pad, left=True))
        with watched(self.native.model):
            ids = self.native.written(
                inputs, max_new_tokens=max_new_tokens, pad_token_id=pad, **({"do_sample": False} | options)
            )
        return [self.text_of(row) for row in ids.tolist()]

    def text_of(self, ids: Sequence[int]) -> str:
        """An answer's tokens as text, without special tokens, but with those that coordinates are written with."""
        kept = [token for token in ids if token not in self._unsaid]
        return str(self.tokenizer.decode(kept, skip_special_tokens=False)).strip()

    @cached_property
    def _unsaid(self) -> frozenset[int]:
        """Special tokens that no coordinate is written with."""
        written = set(self.codec.tokens)
        special = {number: str(token) for number, token in self.tokenizer.added_tokens_decoder.items() if token.special}
        said = (self.codec.box, self.codec.point)
        # Some tokenizers call `<box>` and the like special, but an answer without them could not be read as a place.
        return frozenset(n for n, word in special.items() if word not in written and not any(word in each for each in said))

    def chat(
        self, image: str | Image.Image | NDArray[np.uint8] | None, question: str, max_new_tokens: int = 256, **options: Any
    ) -> str:
        """Ask one question about one picture (a path, a PIL picture, an array, or None for none)."""
        return self.generate([question_sample(image, question)], max_new_tokens, **options)[0]

    def prompt_text(self, sample: Sample) -> str:
        """The prompt as the processor reads it: what decides an answer, beside pictures and weights."""
        return self.renderer().text(sample)

    def save_tokenizer(self, folder: Path) -> None:
        """Write the tokenizer's files."""
        self.tokenizer.save_pretrained(folder)

    def placed(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Inputs where the weights are, fractions in the weights' format."""
        weights = next(self.native.parameters())
        return {
            name: tensor.to(weights.device, weights.dtype) if tensor.is_floating_point() else tensor.to(weights.device)
            for name, tensor in inputs.items()
        }
