"""`vistune promptlearn`: adapt a frozen dual encoder, by every method, under every protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vistune.commands._settings import settings
from vistune.commands._trust import Trust

if TYPE_CHECKING:
    from vistune.promptlearn.backbone import DualEncoder

app = typer.Typer(help="Prompt learning for dual encoders (CLIP, SigLIP).", no_args_is_help=True)

# The methods a comparison runs, plug-ins around the method their paper leads with.
COMPARED = (
    "zero_shot", "coop", "cocoop", "proda", "prograd", "kgcoop", "lasp", "tcp", "vpt", "ivlp", "maple", "promptsrc",
    "taskres", "rpo", "dept+coop", "mma", "hpt", "instruction_vit", "coprompt", "caspl+coop", "promptkd", "dpc+coop",
    "twosfs", "mmrl", "nlprompt+coop", "tac", "textrefiner+coop", "protext", "tpt", "damvp", "clip_adapter",
    "tip_adapter", "clip_lora", "linear_probe",
)  # fmt: skip


@app.command("list")
def list_methods(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Methods, data sets and protocols."""
    from vistune.promptlearn.build import is_plugin, methods
    from vistune.promptlearn.datasets.open import NAMES
    from vistune.promptlearn.experiments.protocols import PROTOCOLS

    plugins = [name for name in methods() if is_plugin(name)]
    listing: dict[str, list[str]] = {
        "methods": [name for name in methods() if name not in plugins],
        "plug-ins": [f"{name}+METHOD" for name in plugins],
        "datasets": list(NAMES),
        "protocols": list(PROTOCOLS),
        "commands of their own": ["segment (DenseCLIP)", "modality (ViPT)"],
    }
    if as_json:
        print(json.dumps(listing, indent=2))
        return
    for title, names in listing.items():
        print(f"{title}:\n  {', '.join(names)}")


@app.command()
def run(
    model: Annotated[str, typer.Option(help="A CLIP directory or hub id, or (with --tokenizer) a file in OpenAI's layout.")],
    dataset: Annotated[str, typer.Option(help="A data set, or several with commas.")] = "world",
    method: Annotated[str, typer.Option(help="A method, or several with commas; plug-ins wrap: dept+maple.")] = "",
    all_methods: Annotated[bool, typer.Option("--all-methods", help="Every method, one after the other.")] = False,
    protocol: Annotated[
        str, typer.Option(help="few_shot, base2novel, cross_dataset, domain_generalisation, ...")
    ] = "base2novel",
    shots: Annotated[int, typer.Option(min=1, help="Training images a class.")] = 16,
    seeds: Annotated[str, typer.Option(help="Seeds with commas.")] = "1,2,3",
    root: Annotated[Path | None, typer.Option(help="The folder that holds the data sets in CoOp's layout.")] = None,
    out: Annotated[Path, typer.Option(help="Where results go; finished runs are not repeated.")] = Path("runs/promptlearn"),
    descriptions: Annotated[Path | None, typer.Option(help="Sentences about each class: JSON {name: [sentence, ...]}.")] = None,
    arguments: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE for the method, for example n_ctx=4.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the published number.")] = None,
    most_epochs: Annotated[int | None, typer.Option("--at-most-epochs", min=1, help="A cap on the published number.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Instead of the published one.")] = None,
    lr: Annotated[float | None, typer.Option(help="Instead of the published rate.")] = None,
    views: Annotated[int, typer.Option(min=0, help="0: fresh crops every epoch; more: that many fixed crops, cached.")] = 0,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Share of wrong labels (label_noise).")] = 0.5,
    tokenizer: Annotated[str | None, typer.Option(help="The tokenizer of a state-dict file: directory or hub id.")] = None,
    activation: Annotated[
        str, typer.Option(help="The MLP's of a state-dict file: quick_gelu (OpenAI) or gelu.")
    ] = "quick_gelu",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes a GPU where there is one.")] = "auto",
    trust: Trust = None,
) -> None:
    """Teach and test methods; a finished run is a JSON file under OUT, and a second call goes on where the first stopped."""
    from vistune.errors import InputError, nearest
    from vistune.promptlearn.build import methods
    from vistune.promptlearn.datasets.open import open_dataset
    from vistune.promptlearn.experiments.experiment import Experiment, Given
    from vistune.promptlearn.experiments.protocols import PROTOCOLS

    if protocol not in PROTOCOLS:
        raise InputError(f"protocol {protocol!r} is unknown{nearest(protocol, list(PROTOCOLS))}")
    if bool(method) == all_methods:
        raise InputError("give either --method NAME or --all-methods")
    names = COMPARED if all_methods else tuple(method.split(","))
    known = methods()
    for part in {part for name in names for part in name.split("+")}:  # before any of them is trained
        if part not in known:
            raise InputError(f"there is no method {part!r}{nearest(part, known)}")
    chosen = numbers(seeds)
    overrides = {key: value for key, value in (("epochs", epochs), ("batch", batch), ("lr", lr)) if value is not None}
    backbone = opened(model, tokenizer, activation, device)
    given = Given(nested(settings(arguments or [])), overrides, most_epochs, views, noise)
    for one in dataset.split(","):
        experiment = Experiment(backbone, open_dataset(one, root, descriptions), protocol, root=root, out=out)
        for name in names:
            for seed in chosen:
                if experiment.finished(name, shots, seed, given):
                    continue
                result = experiment.run(name, shots, seed, given)
                print(f"{one} {protocol} {name} seed {seed}: {json.dumps(result['accuracy'])}", flush=True)
                for note in result["notes"]:
                    print(f"  {note}", flush=True)


@app.command()
def segment(
    model: Annotated[str, typer.Option(help="A CLIP directory or hub id, or (with --tokenizer) a file in OpenAI's layout.")],
    data: Annotated[
        str,
        typer.Option(help="`world`, or a folder with classes.txt and {train,test}/{images,masks}; masks hold class indices."),
    ] = "world",
    steps: Annotated[int, typer.Option(min=1, help="Optimizer steps (published: 80000 on ADE20K).")] = 1000,
    batch: Annotated[int, typer.Option(min=1, help="Pictures a step.")] = 16,
    lr: Annotated[float, typer.Option(min=0, help="Learning rate (published: 1e-4).")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Of the start and of the batches.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the result goes.")] = Path("runs/promptlearn/dense_clip"),
    tokenizer: Annotated[str | None, typer.Option(help="The tokenizer of a state-dict file: directory or hub id.")] = None,
    activation: Annotated[str, typer.Option(help="The MLP's of a state-dict file: quick_gelu or gelu.")] = "quick_gelu",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes a GPU where there is one.")] = "auto",
    trust: Trust = None,
) -> None:
    """DenseCLIP: a class for every pixel from a frozen dual encoder; prints mIoU."""
    from vistune.promptlearn.datasets.masks import folder_masks, world_masks
    from vistune.promptlearn.experiments.segment import segment as run_segment

    known = world_masks() if data == "world" else folder_masks(Path(data))
    backbone = opened(model, tokenizer, activation, device)
    result = run_segment(backbone, known, out, steps=steps, batch=batch, lr=lr, seed=seed)
    print(f"dense_clip on {data}: mIoU {result['mean_iou']:.2f} over {len(known.names)} classes")


@app.command()
def modality(
    model: Annotated[str, typer.Option(help="A CLIP directory or hub id, or (with --tokenizer) a file in OpenAI's layout.")],
    data: Annotated[str, typer.Option(help="`world`, or a folder with {train,test}/{rgb,second}/CLASS.")] = "world",
    channels: Annotated[int, typer.Option(min=1, max=3, help="Of the second modality: 1 (grey) or 3.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Optimizer steps.")] = 500,
    batch: Annotated[int, typer.Option(min=1, help="Pictures a step.")] = 32,
    lr: Annotated[float, typer.Option(min=0, help="Learning rate (published: 4e-4).")] = 4e-4,
    seed: Annotated[int, typer.Option(help="Of the start and of the batches.")] = 1,
    out: Annotated[Path, typer.Option(help="Where the result goes.")] = Path("runs/promptlearn/vipt"),
    tokenizer: Annotated[str | None, typer.Option(help="The tokenizer of a state-dict file: directory or hub id.")] = None,
    activation: Annotated[str, typer.Option(help="The MLP's of a state-dict file: quick_gelu or gelu.")] = "quick_gelu",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes a GPU where there is one.")] = "auto",
    trust: Trust = None,
) -> None:
    """ViPT: depth, heat or events as prompts of a frozen dual encoder; prints accuracy without and with them."""
    from vistune.errors import InputError
    from vistune.promptlearn.datasets.pairs import folder_pairs, world_pairs
    from vistune.promptlearn.experiments.modality import tune_modality

    if channels == 2:
        raise InputError("--channels 2: a second modality is read as 1 channel (grey) or 3 (its colours)")
    known = world_pairs() if data == "world" else folder_pairs(Path(data))
    backbone = opened(model, tokenizer, activation, device)
    result = tune_modality(backbone, known, out, steps=steps, batch=batch, lr=lr, seed=seed, channels=channels)
    alone, both = result["accuracy"]["rgb"], result["accuracy"]["both"]
    print(f"vipt on {data}: {alone:.2f} % from the picture alone, {both:.2f} % with both")


@app.command("meta-start")
def meta_border(
    model: Annotated[str, typer.Option(help="A CLIP directory or hub id, or (with --tokenizer) a file in OpenAI's layout.")],
    dataset: Annotated[str, typer.Option(help="The data sets it learns from, with commas (published: six).")],
    to: Annotated[Path, typer.Option(help="The safetensors file to write.")],
    root: Annotated[Path | None, typer.Option(help="The folder that holds the data sets in CoOp's layout.")] = None,
    border: Annotated[int, typer.Option(min=1, help="Pixels.")] = 30,
    threshold: Annotated[float, typer.Option(min=0, help="Distance up to which images share a border.")] = 16.0,
    epochs: Annotated[int, typer.Option(min=1, help="Rounds over the smallest data set.")] = 200,
    batch: Annotated[int, typer.Option(min=1, help="Images of each data set a round.")] = 128,
    shots: Annotated[int, typer.Option(min=1, help="Training images a class.")] = 16,
    seed: Annotated[int, typer.Option(help="Of the images and the start.")] = 1,
    tokenizer: Annotated[str | None, typer.Option(help="The tokenizer of a state-dict file: directory or hub id.")] = None,
    activation: Annotated[str, typer.Option(help="The MLP's of a state-dict file: quick_gelu or gelu.")] = "quick_gelu",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1, mps; auto takes a GPU where there is one.")] = "auto",
    trust: Trust = None,
) -> None:
    """Meta-learn the border that DAM-VP starts from: `run --method damvp --set start=FILE`."""
    import torch
    from safetensors.torch import save_file

    from vistune.files import atomic_path
    from vistune.promptlearn.datasets.open import open_dataset
    from vistune.promptlearn.engine import Engine
    from vistune.promptlearn.experiments.meta import meta_start
    from vistune.promptlearn.experiments.sampler import sample_shots
    from vistune.promptlearn.experiments.shots import Shots
    from vistune.promptlearn.pictures.pixels import fixed_bank

    backbone = opened(model, tokenizer, activation, device)
    torch.manual_seed(seed)
    tasks = []
    for name in dataset.split(","):
        found = open_dataset(name, root)
        train, _ = sample_shots(found, shots, seed)
        labels = torch.tensor([item.label for item in train], device=backbone.device)
        tasks.append(Shots(Engine(backbone), found.classes(), fixed_bank(train, backbone), labels))
    learnt = meta_start(backbone, tasks, border=border, threshold=threshold, epochs=epochs, batch=batch)
    to.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(to) as temporary:
        save_file(learnt, temporary)
    print(f"{to}: a border of {border} pixels from {len(tasks)} data sets")


@app.command()
def table(
    out: Annotated[Path, typer.Option(help="The folder `run` wrote to.")] = Path("runs/promptlearn"),
    to: Annotated[Path | None, typer.Option(help="A Markdown file to write instead of printing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Mean and standard deviation over seeds, harmonic mean, cost and flags, with the published number beside.

    Flags: U saw unlabelled images of new classes, T had a larger teacher, S is told base or novel at test time, E was tuned on
    the test set, L used text by a language model.
    """
    from vistune.files import atomic_open
    from vistune.promptlearn.experiments.results import load_results, markdown, summarise

    rows = summarise(load_results(out))
    text = json.dumps(rows, indent=2) if as_json else markdown(rows)
    if to is None:
        print(text)
        return
    with atomic_open(to) as file:
        file.write(text)
    print(to)


def opened(model: str, tokenizer: str | None, activation: str, device: str) -> DualEncoder:
    """The dual encoder of a command, on its device. Raises `InputError` for a device that is not there."""
    from vistune.model.device import chosen_device
    from vistune.promptlearn.backbone import load
    from vistune.promptlearn.towers.openai_weights import load_openai

    where = chosen_device(device)
    backbone = load(model) if tokenizer is None else load_openai(Path(model), tokenizer, activation=activation)
    return backbone.to(where)


def nested(found: dict[str, Any]) -> dict[str, Any]:
    """`inner.n_ctx` under `inner`: the arguments of the method that a plug-in wraps."""
    inner = {key.removeprefix("inner."): value for key, value in found.items() if key.startswith("inner.")}
    rest = {key: value for key, value in found.items() if not key.startswith("inner.")}
    return {**rest, "inner": inner} if inner else rest


def numbers(text: str) -> list[int]:
    """`1,2,3` as numbers. Raises `InputError` for anything else."""
    from vistune.errors import InputError

    parts = text.split(",")
    if not all(part.strip().isdigit() for part in parts):
        raise InputError(f"--seeds {text!r} is not a list of whole numbers: write for example 1,2,3")
    return [int(part) for part in parts]
