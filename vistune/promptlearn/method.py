"""What a method is: learnt tensors, the edits they make, the losses they are taught with, and how it was published."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vistune.errors import InputError
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.edits import Context, Edits, Per
from vistune.promptlearn.pictures.images import Images
from vistune.promptlearn.towers.encoded import Encoded

if TYPE_CHECKING:
    from vistune.promptlearn.engine import Engine
    from vistune.promptlearn.experiments.shots import Shots


@dataclass(frozen=True, slots=True)
class Call:
    """What a method is given: the candidate classes, a batch and its labels, and the frozen model's answers (`engine`).

    `second` is another view of the same images for methods that ask for one, `plain` those images without a random crop;
    `views` are V views of every image, image by image (`[B * V]`, the plain one first), for methods that adapt at test time.
    `batch` may hold several views of each image, one view after the other.
    """

    engine: Engine
    classes: Classes
    images: Images | None = None
    labels: Tensor | None = None
    second: Images | None = None
    views: Images | None = None
    plain: Images | None = None

    @property
    def backbone(self) -> DualEncoder:
        """The frozen dual encoder."""
        return self.engine.backbone

    @property
    def batch(self) -> Images:
        """The images of a call that has some."""
        if self.images is None:
            raise ValueError("this call has no images")
        return self.images

    @property
    def target(self) -> Tensor:
        """The labels of a call that has some."""
        if self.labels is None:
            raise ValueError("this call has no labels")
        return self.labels

    def frozen_image(self) -> Tensor:
        """Features `[B, E]` of the batch from the frozen image tower, not normalised."""
        return self.engine.image(self.batch).pooled.detach()

    def frozen_text(self, template: str | None = None) -> Tensor:
        """Features `[N, E]` of the classes in a template (their own by default) from the frozen text tower."""
        return self.engine.frozen_text(self.classes.texts(template))


@dataclass(frozen=True, slots=True)
class Output:
    """One forward pass: logits `[B, N]`, what the towers gave, the edits made."""

    logits: Tensor
    image: Encoded
    text: Encoded
    edits: Edits


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """How a method was published to be taught. `warm_up` epochs run at a constant 1e-5, then a cosine by epoch.

    With schedule "step" the rate is set every step: a linear rise over the share `warm_steps` of all steps, then a cosine
    that ends at `floor`. With `iterations_per_shot` the number of epochs follows from that many steps for each training image
    of a class. An epoch shows one of `views` random views of each image, or all of them in each step (`joint_views`):
    crops, whose scale range is `crop` or else the data set's, or `augment` "randaugment".
    """

    optimizer: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: float = 0.002
    batch: int = 32
    epochs: int = 50
    weight_decay: float = 5e-4
    warm_up: int = 1
    schedule: Literal["epoch", "step"] = "epoch"
    betas: tuple[float, float] = (0.9, 0.999)
    epsilon: float = 1e-8
    clip: float | None = None
    views: int = 1
    iterations_per_shot: int = 0
    joint_views: bool = False
    crop: tuple[float, float] | None = None
    augment: Literal["crop", "randaugment"] = "crop"
    floor: float = 1e-6
    warm_steps: float = 0.0


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a fair table must say of a method."""

    unlabelled_novel: bool = False
    larger_teacher: bool = False
    told_split: bool = False
    tuned_on_test: bool = False
    language_model_text: bool = False

    def letters(self) -> str:
        """U(nlabelled novel images), larger T(eacher), told the S(plit), tuned on the t(E)st set, L(anguage-model text)."""
        marks = zip(
            "UTSEL",
            (self.unlabelled_novel, self.larger_teacher, self.told_split, self.tuned_on_test, self.language_model_text),
            strict=True,
        )
        return "".join(letter for letter, on in marks if on)


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the teaching: a share of the epochs and the parameters that learn in it (names by prefix)."""

    name: str
    share: float = 1.0
    learns: tuple[str, ...] = field(default=("",))


class Method(nn.Module, ABC):
    """A way to adapt a frozen dual encoder. Its parameters are all that is learnt, kept in float32.

    A subclass says in `edits` what it changes, in `losses` what it is taught with, and overrides a hook where the paper
    does something between steps. The backbone is used at construction for widths and initial words and is not kept.
    """

    recipe: Hyperparameters = Hyperparameters()
    disclosure: Disclosure = Disclosure()
    needs_causal_text: bool = False
    needs_class_token: bool = False
    needs_vision_blocks: bool = False
    answers_new_classes: bool = True
    second_view: bool = False
    plain_view: bool = False
    test_views: int = 0
    test_augment: Literal["crop", "augmix"] = "crop"
    stages: tuple[Phase, ...] = (Phase("all"),)

    def __init__(self, backbone: DualEncoder) -> None:
        super().__init__()
        name = type(self).__name__
        if self.needs_causal_text and not backbone.text.causal:
            raise InputError(
                f"{name} needs a causal text tower, and that of {backbone.identity} ({backbone.family}) is not causal"
            )
        if self.needs_vision_blocks and not backbone.has_blocks:
            raise InputError(f"{name} changes the blocks of a vision transformer, and {backbone.identity} has a ResNet")
        if self.needs_class_token and not backbone.has_class_token:
            raise InputError(
                f"{name} needs an image tower with a class token, and {backbone.identity} ({backbone.family}) has none"
            )

    @abstractmethod
    def edits(self, call: Call) -> Edits:
        """What changes in the towers for this call."""

    def forward(self, call: Call, text: Encoded | None = None) -> Output:
        """Run the towers under the edits. `text` are class features computed before, where no image changes them."""
        edits = self.edits(call)
        image = call.engine.image(call.batch, edits)
        text = call.engine.text(call.classes, edits) if text is None else text
        return Output(call.engine.logits(image, text, edits), image, text, edits)

    def losses(self, out: Output, call: Call) -> dict[str, Tensor]:
        """Named, weighted terms; their sum is minimised."""
        return {"cross_entropy": F.cross_entropy(out.logits, call.target)}

    def training_losses(self, call: Call) -> dict[str, Tensor]:
        """The terms of one step; a method that is not taught on labelled images computes them its own way."""
        return self.losses(self(call), call)

    def backward(self, losses: Mapping[str, Tensor], learnt: Sequence[nn.Parameter]) -> None:
        """Gradients of one step into the parameters that learn."""
        # Into these parameters alone: gradients of what another stage learns would only cost memory.
        torch.autograd.backward(torch.stack(list(losses.values())).sum(), inputs=list(learnt))

    def predict(self, call: Call, text: Encoded | None = None) -> Tensor:
        """Logits `[B, N]` at test time."""
        out: Output = self(call, text)
        return out.logits

    def prepare(self, shots: Shots) -> None:
        """Before the first step: what is computed once from the training images."""

    def finish(self, shots: Shots) -> None:
        """After the last step: what is chosen on the validation images."""

    def start_epoch(self, epoch: int, epochs: int, shots: Shots) -> None:
        """Before every epoch (from 0)."""

    def end_epoch(self, epoch: int, epochs: int) -> None:
        """After every epoch (from 0)."""

    def batches(self, count: int, size: int) -> list[Tensor]:
        """The images of an epoch's steps, as rows of the training set."""
        return full_batches(count, size)

    def start_stage(self, stage: Phase, shots: Shots) -> None:
        """Before a stage, after `prepare`."""

    def groups(self, lr: float) -> list[dict[str, object]]:
        """Parameter groups of the optimizer; one rate for all unless the paper says otherwise."""
        return [{"params": [p for p in self.parameters() if p.requires_grad], "lr": lr}]

    def trainable(self) -> int:
        """How many numbers are learnt."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def full_batches(count: int, size: int) -> list[Tensor]:
    """A random order of `count` rows in full batches; the rest is dropped, unless it is all there is."""
    order = torch.randperm(count)
    size = max(1, min(size, count))
    # The released trainers drop the last batch that is not full; with fewer images than a batch they would take no step at
    # all.
    return [order[at : at + size] for at in range(0, count - size + 1, size)] if count else []


def normal(*shape: int, std: float = 0.02) -> nn.Parameter:
    """A parameter drawn from a normal distribution around zero."""
    return nn.Parameter(torch.randn(*shape) * std)


def depth_in(backbone: DualEncoder, published: int, given: int | None) -> int:
    """How many blocks get tokens: as given, else the published number, or every block of shallower towers.

    Raises `InputError` for more than there are.
    """
    blocks = _depth(backbone)
    if given is not None and not 1 <= given <= blocks:
        raise InputError(f"depth {given} does not fit towers of {blocks} blocks: use 1 to {blocks}")
    return min(published, blocks) if given is None else given


def _depth(backbone: DualEncoder) -> int:
    """Blocks of the shallower tower; the text tower's beside a ResNet."""
    towers = (backbone.text, backbone.vision) if backbone.has_blocks else (backbone.text,)
    return min(len(tower.blocks) for tower in towers)


def block_in(backbone: DualEncoder, published: int, given: int | None) -> int:
    """A block (0-based): as given, else the published one of twelve, at the same share of other depths.

    Raises `InputError` for one that does not exist.
    """
    blocks = _depth(backbone)
    if given is not None and not 0 <= given < blocks:
        raise InputError(f"block {given} does not exist in towers of {blocks} blocks: use 0 to {blocks - 1}")
    # Papers count on ViT-B/16's twelve blocks; the same share of the depth is the nearest thing in others.
    return published * blocks // 12 if given is None else given


def initial_context(backbone: DualEncoder, words: str | None, count: int) -> nn.Parameter:
    """`[M, d]` context: the embeddings of the first `count` tokens of `words`, or noise where there are no words.

    Raises `InputError` when the words are fewer than `count` tokens.
    """
    if words is None:
        return normal(count, backbone.text.width)
    embedded = backbone.words(words)
    if len(embedded) < count:
        raise InputError(
            f"initial words {words!r} are {len(embedded)} tokens, and the context has {count}: use n_ctx={len(embedded)}"
        )
    return nn.Parameter(embedded[:count].detach().clone())


def prompt(values: Tensor, words: str | None, classes: Classes, *, per: Per = "all") -> Context:
    """A context in front of the name, over the first tokens of `a photo of a NAME.` where there are initial words."""
    ending = classes.ending
    if words is None:
        return Context(values, per, template="{}" + ending)
    return Context(values, per, template=f"{words} {{}}{ending}", overwrite=True)


def sequences(parameters: Iterable[nn.Parameter]) -> nn.ParameterList:
    """A list of parameters."""
    return nn.ParameterList(list(parameters))


def rows(names: Sequence[str], classes: Classes, method: str) -> Tensor:
    """Rows (on the CPU) of per-class parameters for the classes of a call. Raises `InputError` for a class never taught."""
    place = {name: i for i, name in enumerate(names)}
    missing = [name for name in classes.names if name not in place]
    if missing:
        raise InputError(
            f"{method} has parameters per class and was not taught {missing[0]!r}: it cannot answer for new classes"
        )
    return torch.tensor([place[name] for name in classes.names])
