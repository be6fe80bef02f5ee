"""How methods were published to be run (protocol, data set, shots), and the base-to-novel accuracies they published.

A class carries the recipe of its paper's leading table, for most methods base-to-novel at 16 shots. `RULES` hold what the
released configurations and scripts set otherwise. Accuracies are averages over 11 data sets, ViT-B/16, 16 shots, 3 seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vistune.promptlearn.templates import IMAGENET_SUBSET

FROM_IMAGENET = ("cross_dataset", "domain_generalisation")
NEW_CLASSES = ("base2novel", *FROM_IMAGENET)
WITHIN = ("few_shot", "label_noise")


@dataclass(frozen=True, slots=True)
class Rule:
    """Arguments of a method, of the method it wraps (`inner`) and fields of its recipe, where the other fields fit.

    No protocols, data sets or shots mean all of them. Later rules win over earlier ones.
    """

    protocols: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    shots: range | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inner: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)

    def fits(self, protocol: str, dataset: str, shots: int) -> bool:
        """Does the rule speak of this run?"""
        return (
            protocol in (self.protocols or (protocol,))
            and dataset in (self.datasets or (dataset,))
            and (self.shots is None or shots in self.shots)
        )


def published(method: str, protocol: str, dataset: str, shots: int) -> Rule:
    """What the published runs of a method set for a protocol, a data set and a number of shots."""
    fitting = [rule for rule in RULES.get(method, ()) if rule.fits(protocol, dataset, shots)]
    arguments: dict[str, Any] = {}
    inner: dict[str, Any] = {}
    recipe: dict[str, Any] = {}
    for rule in fitting:
        arguments |= rule.arguments
        inner |= rule.inner
        recipe |= rule.recipe
    return Rule(arguments=arguments, inner=inner, recipe=recipe)


def by_dataset(columns: tuple[str, ...], rows: str, protocols: tuple[str, ...] = ()) -> tuple[Rule, ...]:
    """One rule a line: a data set, then a value for each column; columns in capitals are fields of the recipe."""
    rules = []
    for line in rows.strip().splitlines():
        name, *values = line.split()
        pairs = [(column, float(value) if "." in value else int(value)) for column, value in zip(columns, values, strict=True)]
        recipe = {column.lower(): value for column, value in pairs if column.isupper()}
        rules.append(Rule(protocols, (name,), None, dict(pair for pair in pairs if not pair[0].isupper()), {}, recipe))
    return tuple(rules)


# CoOp's and ProGrad's epochs follow the shots; ImageNet always has 50
EPOCHS_BY_SHOTS = (
    Rule(shots=range(1, 2), recipe={"epochs": 50}),
    Rule(shots=range(2, 8), recipe={"epochs": 100}),
    Rule(shots=range(8, 1000), recipe={"epochs": 200}),
)
ON_IMAGENET = Rule(datasets=("imagenet",), recipe={"epochs": 50})
PROTEXT = ("LR", "EPOCHS", "n_ctx")

RULES: dict[str, tuple[Rule, ...]] = {
    "coop": (*EPOCHS_BY_SHOTS, ON_IMAGENET, Rule(NEW_CLASSES, arguments={"words": "a photo of a"})),
    "prograd": (*EPOCHS_BY_SHOTS, Rule(NEW_CLASSES, recipe={"epochs": 100}), ON_IMAGENET),
    "maple": (Rule(FROM_IMAGENET, arguments={"depth": 3}, recipe={"lr": 0.0026, "epochs": 2}),),
    "promptsrc": (
        Rule(FROM_IMAGENET, arguments={"depth": 3, "mean": 6.0, "std": 10.0}),
        Rule(WITHIN, arguments={"mean": 30.0, "std": 30.0}, recipe={"epochs": 50}),
    ),
    "tac": (Rule(FROM_IMAGENET, arguments={"n_ctx": 10}, recipe={"epochs": 5, "crop": (0.8, 1.0)}),),
    "hpt": (Rule(FROM_IMAGENET, recipe={"lr": 0.001, "batch": 16, "epochs": 3}),),
    "rpo": (Rule(datasets=("imagenet",), recipe={"lr": 0.005}),),
    "mma": (Rule(datasets=("imagenet",), recipe={"batch": 128}),),
    "mmrl": (
        Rule(("base2novel",), arguments={"weight": 1.0}),
        Rule(datasets=("imagenet",), recipe={"batch": 32, "epochs": 5}),
        Rule(WITHIN, arguments={"weight": 0.5}, recipe={"batch": 32, "epochs": 50}),
        Rule(FROM_IMAGENET, arguments={"weight": 0.2}, recipe={"batch": 32, "epochs": 1, "warm_up": 0}),
    ),
    "promptkd": (
        Rule(datasets=("fgvc_aircraft", "oxford_flowers", "dtd"), arguments={"weight": 200.0}),
        Rule(FROM_IMAGENET, arguments={"depth": 3, "weight": 1000.0}),
    ),
    "protext": (
        *by_dataset(PROTEXT, """
            caltech101 0.0025 30 16
            dtd 0.03 200 4
            eurosat 0.0025 30 16
            fgvc_aircraft 0.03 200 4
            food101 0.0025 50 8
            imagenet 0.03 30 4
            oxford_flowers 0.0025 150 4
            oxford_pets 0.03 50 4
            stanford_cars 0.0025 30 8
            sun397 0.03 30 8
            ucf101 0.03 30 16
            """, ("base2novel",)),
        *by_dataset(PROTEXT, """
            caltech101 0.03 30 16
            dtd 0.03 200 16
            eurosat 0.0025 300 4
            fgvc_aircraft 0.03 200 4
            food101 0.03 30 16
            imagenet 0.0025 200 16
            oxford_flowers 0.0025 300 4
            oxford_pets 0.03 50 4
            stanford_cars 0.03 20 8
            sun397 0.03 150 16
            ucf101 0.0025 100 8
            """, WITHIN),
        Rule(FROM_IMAGENET, recipe={"lr": 0.03, "epochs": 10}, arguments={"n_ctx": 4}),
    ),
    "taskres": (
        Rule(shots=range(8, 1000), recipe={"epochs": 200}),
        Rule(datasets=("imagenet",), recipe={"lr": 0.0002}),
        Rule(datasets=("oxford_flowers",), arguments={"alpha": 1.0}),
    ),
    "tip_adapter": (
        *by_dataset(("alpha", "beta_scale", "alpha_scale", "EPOCHS"), """
            caltech101 3.0 12 5 20
            dtd 2.0 13 13 20
            eurosat 2.0 12 10 100
            fgvc_aircraft 5.0 30 30 20
            food101 1.17 10 10 20
            imagenet 1.17 7 3 20
            oxford_flowers 10.0 50 50 20
            oxford_pets 1.17 7 3 20
            stanford_cars 3.0 20 10 20
            sun397 1.17 12 10 20
            ucf101 3.0 7 3 20
            """),
        Rule(datasets=("imagenet",), arguments={"templates": list(IMAGENET_SUBSET)}),
    ),
    "tpt": (
        Rule(datasets=("caltech101", "oxford_pets", "stanford_cars", "oxford_flowers", "food101", "fgvc_aircraft", "sun397",
                       "dtd", "eurosat", "ucf101"), arguments={"augmix": True}),
    ),
    "textrefiner+coop": (Rule(inner={"words": "a photo of a"}),),
}  # fmt: skip

BASE_TO_NOVEL: dict[str, tuple[float, float, float]] = {
    "zero_shot": (69.34, 74.22, 71.70),
    "coop": (82.69, 63.22, 71.66),
    "cocoop": (80.47, 71.69, 75.83),
    "proda": (81.56, 72.30, 76.65),
    "prograd": (82.48, 70.75, 76.16),
    "kgcoop": (80.73, 73.60, 77.00),
    "lasp": (82.70, 74.90, 78.61),
    "tcp": (84.13, 75.36, 79.51),
    "vpt": (80.24, 73.43, 76.68),
    "ivlp": (82.15, 74.07, 77.90),
    "maple": (82.28, 75.14, 78.55),
    "promptsrc": (84.26, 76.10, 79.97),
    "rpo": (81.13, 75.00, 77.78),
    "dept+coop": (83.80, 72.89, 77.97),
    "dept+promptsrc": (85.19, 76.17, 80.43),
    "mma": (83.20, 76.80, 79.87),
    "hpt": (84.32, 76.86, 80.23),
    "coprompt": (84.00, 77.23, 80.48),
    "caspl+coop": (84.78, 74.49, 79.30),
    "caspl+maple": (84.48, 79.59, 81.96),
    "caspl+promptsrc": (86.11, 79.54, 82.69),
    "promptkd": (86.96, 80.73, 83.73),
    "dpc+coop": (85.15, 68.84, 76.13),
    "dpc+promptkd": (87.55, 80.55, 83.91),
    "twosfs": (85.55, 75.48, 80.20),
    "mmrl": (85.68, 77.16, 81.20),
    "textrefiner+coop": (79.74, 74.32, 76.94),
    "textrefiner+promptkd": (85.22, 79.64, 82.33),
    "protext": (72.95, 76.98, 74.91),
}
