"""One run: a method, a data set, a protocol, shots and a seed; resumable, with everything expensive shared between runs."""

from __future__ import annotations

import math
import platform
import resource
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from vistune import __version__
from vistune.errors import InputError
from vistune.files import atomic_path, read_json, write_json
from vistune.promptlearn.backbone import DualEncoder
from vistune.promptlearn.build import build
from vistune.promptlearn.classes import Classes
from vistune.promptlearn.datasets.base import Dataset, Item
from vistune.promptlearn.engine import Engine
from vistune.promptlearn.experiments.protocols import Evaluation, Protocol, Task, make_task
from vistune.promptlearn.experiments.published import Rule, published
from vistune.promptlearn.experiments.results import path_of
from vistune.promptlearn.experiments.shots import Shots
from vistune.promptlearn.fit import accuracy, fit
from vistune.promptlearn.method import Hyperparameters, Method
from vistune.promptlearn.pictures.images import Bank, Images
from vistune.promptlearn.pictures.pixels import fixed_bank, view_bank

TEST_CROP = (0.6, 1.0)  # of test-time views where training pictures are not cropped


@dataclass(frozen=True, slots=True)
class Given:
    """What a run is given besides its name.

    `arguments` are the method's, `overrides` replace fields of its published recipe, `most_epochs` caps its epochs. `views` 0
    makes fresh crops every epoch, as published; more make a bank of that many crops of each image, from which everything
    below the first touched site is computed once. `noise` is the share of wrong labels.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, Any] = field(default_factory=dict)
    most_epochs: int | None = None
    views: int = 0
    noise: float = 0.5


class Experiment:
    """Runs on one backbone and data set. Test features are computed once for all runs that leave the image tower alone."""

    def __init__(self, backbone: DualEncoder, dataset: Dataset, protocol: Protocol, *, root: Path | None, out: Path) -> None:
        self.engine = Engine(backbone)
        self.dataset, self.protocol = dataset, protocol
        self.root, self.out = root, out
        self._tests: dict[str, Bank] = {}

    def finished(self, name: str, shots: int, seed: int, given: Given) -> bool:
        """Is there a result of this run already? Raises `InputError` when it was made with other settings."""
        path = path_of(self.out, name, self.dataset.name, self.protocol, shots, seed)
        if not path.exists():
            return False
        before = read_json(path)
        for key, now in (("given", asdict(given)), ("backbone", self.engine.backbone.identity)):
            if before.get(key) != now:
                raise InputError(f"{path} was made with {key} {before.get(key)}, not {now}: remove it or choose another --out")
        return True

    def run(self, name: str, shots: int, seed: int, given: Given) -> dict[str, Any]:
        """Teach and test one method, write its result and its learnt tensors, and return the result."""
        task = make_task(self.protocol, self.dataset, shots, seed, root=self.root, noise=given.noise)
        torch.manual_seed(seed)
        rule = published(name, self.protocol, self.dataset.name, shots)
        arguments, inner = resolved(rule, given.arguments, self.engine.backbone)
        method = build(name, self.engine.backbone, task.taught, arguments_of(name, shots, arguments), inner_arguments=inner)
        method.to(self.engine.backbone.device)
        method.recipe = replace(method.recipe, **rule.recipe)
        recipe = recipe_of(method.recipe, len(task.train), shots, given)
        taught = fit(method, lambda epoch: self._shots(task, epoch, seed, given.views, method), recipe) if task.train else None
        scores = {test.name: self._test(method, test, task) for test in task.tests}
        result = {
            "method": name,
            "dataset": self.dataset.name,
            "protocol": self.protocol,
            "shots": shots,
            "seed": seed,
            "accuracy": scores,
            "trainable": method.trainable(),
            "seconds_per_image": taught.seconds_per_image if taught else 0.0,
            "peak_mb": peak_memory(),
            "flags": method.disclosure.letters(),
            "epochs": taught.epochs if taught else 0,
            "given": asdict(given),
            "arguments": arguments,
            "inner": inner,
            "recipe": asdict(recipe),
            "notes": notes(method, task),
            "losses": taught.losses if taught else {},
            "taught": {"names": list(task.taught.names), "template": task.taught.template},
            "backbone": self.engine.backbone.identity,
            "versions": {"vistune": __version__, "torch": torch.__version__, "python": platform.python_version()},
        }
        path = path_of(self.out, name, self.dataset.name, self.protocol, shots, seed)
        save_learnt(method, path.with_suffix(".safetensors"))
        write_json(path, result)
        return result

    def _shots(self, task: Task, epoch: int, seed: int, views: int, method: Method) -> Shots:
        """The training images of an epoch: the one bank, or this epoch's own."""
        backbone, crop, recipe = self.engine.backbone, task.dataset.crop, method.recipe
        count = 1 if crop is None else views or max(2 if method.second_view else 1, recipe.views)
        own = 0 if crop is None or views else epoch
        key = f"train {seed} {own} {count} {recipe.crop} {recipe.augment} {len(task.train)}"
        if key not in self._tests:
            for stale in [name for name in self._tests if name.startswith(("train", "unlabelled")) and name != key]:
                del self._tests[stale]
            crop = crop and (recipe.crop or crop)
            self._tests[key] = view_bank(
                task.train, backbone, count, seed * 100_003 + own, crop, task.dataset.flip, augment=recipe.augment
            )
        labels = torch.tensor([item.label for item in task.train], device=backbone.device)
        plain = self._bank(f"plain {seed} {len(task.train)}", task.train) if method.plain_view else None
        validation = None
        if task.validation:
            bank = self._bank(f"validation {seed} {len(task.validation)}", task.validation)
            validation = Images(bank=bank, ids=torch.arange(len(task.validation)))
        return Shots(
            self.engine,
            task.taught,
            self._tests[key],
            labels,
            count,
            self._bank("pool", task.unlabelled),
            task.everything,
            plain,
            validation,
            torch.tensor([item.label for item in task.validation], device=backbone.device),
        )

    def _bank(self, name: str, items: tuple[Item, ...]) -> Bank:
        if name not in self._tests:
            self._tests[name] = fixed_bank(items, self.engine.backbone)
        return self._tests[name]

    def _test(self, method: Method, test: Evaluation, task: Task) -> float | None:
        """Accuracy in per cent; none where a method has no answer for classes it was not taught."""
        if test.classes.split == "unseen" and not method.answers_new_classes:
            return None
        labels = torch.tensor([item.label for item in test.items], device=self.engine.backbone.device)
        views = None
        if task.adapt_at_test and method.test_views:
            crop = task.dataset.crop or TEST_CROP
            views = view_bank(test.items, self.engine.backbone, method.test_views, 0, crop, task.dataset.flip, plain_first=True)
        return round(accuracy(method, self.engine, self._bank(test.name, test.items), labels, test.classes, views), 3)


def resolved(rule: Rule, given: Mapping[str, Any], backbone: DualEncoder) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of a method and of the one it wraps: as published, then as given (`inner.KEY` for the latter).

    A published depth is cut to what shallower towers have.
    """
    both: tuple[dict[str, Any], dict[str, Any]] = (dict(rule.arguments), dict(rule.inner))
    for arguments in both:
        if "depth" in arguments:
            arguments["depth"] = min(arguments["depth"], len(backbone.text.blocks), len(backbone.vision.blocks))
    inner = given.get("inner", {})
    if not isinstance(inner, Mapping):
        raise InputError(f"argument 'inner' is {inner!r}: write inner.KEY=VALUE for the method that a plug-in wraps")
    both[0].update({key: value for key, value in given.items() if key != "inner"})
    both[1].update(inner)
    return both


def notes(method: Method, task: Task) -> list[str]:
    """What a reader of the result must know."""
    if method.test_views and not task.adapt_at_test:
        return ["nothing is tuned under this protocol: this is the untouched zero-shot model (use --protocol test_time)"]
    return []


def recipe_of(published: Hyperparameters, images: int, shots: int, given: Given) -> Hyperparameters:
    """The recipe of a run: as published, with what is overridden and the cap on epochs."""
    if not published.epochs:
        return published
    recipe = published
    if recipe.iterations_per_shot:
        steps = max(1, images // recipe.batch)
        recipe = replace(recipe, epochs=math.ceil(recipe.iterations_per_shot * shots / steps))
    recipe = replace(recipe, **given.overrides)
    return recipe if given.most_epochs is None else replace(recipe, epochs=min(recipe.epochs, given.most_epochs))


def restore(path: Path, backbone: DualEncoder) -> Method:
    """The method a run has taught, from its result file and the tensors beside it. Raises `InputError` for another backbone."""
    result = read_json(path)
    if result["backbone"] != backbone.identity:
        raise InputError(f"{path} was taught on {result['backbone']}, not on {backbone.identity}")
    taught = Classes(tuple(result["taught"]["names"]), result["taught"]["template"])
    arguments = arguments_of(result["method"], result["shots"], result["arguments"])
    method = build(result["method"], backbone, taught, arguments, inner_arguments=result["inner"])
    method.load_state_dict(load_file(path.with_suffix(".safetensors")))
    return method.eval()


def arguments_of(name: str, shots: int, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A method's arguments; Tip-Adapter's cache is as large as the number of shots."""
    return {"shots": shots, **arguments} if name == "tip_adapter" else dict(arguments)


def save_learnt(method: Method, path: Path) -> None:
    """Only what was learnt (and its buffers), as safetensors; the result beside it names backbone, method and arguments."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        save_file({name: value.detach().contiguous().clone() for name, value in method.state_dict().items()}, temporary)


def peak_memory() -> float:
    """The most memory this process has held, in MB: the accelerator's where there is one, else resident."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
