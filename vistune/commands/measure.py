"""`vistune measure`: metrics of files that belong to no benchmark."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vistune.commands.evaluate import AsJson, summary

if TYPE_CHECKING:
    from vistune.evals.result import Result

app = typer.Typer(help="Metrics of your own files: mIoU, PQ, FID, CLIPScore, sensitivity, tool use.", no_args_is_help=True)


@app.command()
def miou(
    predictions: Annotated[Path, typer.Argument(help="A folder of label maps (PNG, one value a pixel).")],
    references: Annotated[Path, typer.Argument(help="The folder of the true ones, under the same names.")],
    classes: Annotated[int, typer.Option(min=1, help="How many classes there are; values run from 0.")],
    ignore: Annotated[int, typer.Option(help="The reference's value that does not count.")] = 255,
    as_json: AsJson = False,
) -> None:
    """mIoU of semantic maps, from one confusion matrix."""
    from vistune.evals.files import label_map_pairs
    from vistune.evals.metrics.segmentation import mean_iou

    names, maps, truths = label_map_pairs(predictions, references)
    _tell("miou", mean_iou(maps, truths, classes, ignore), names, as_json)


@app.command()
def pq(
    predictions: Annotated[Path, typer.Argument(help="COCO's panoptic JSON of results, its PNG folder beside it.")],
    references: Annotated[Path, typer.Argument(help="The annotations, panoptic_val2017.json, their folder beside it.")],
    as_json: AsJson = False,
) -> None:
    """Panoptic quality of COCO panoptic files."""
    from vistune.evals.files import panoptic_pairs
    from vistune.evals.metrics.panoptic import panoptic_quality

    names, maps, truths, things = panoptic_pairs(predictions, references)
    _tell("pq", panoptic_quality(maps, truths, things), names, as_json)


@app.command()
def fid(
    first: Annotated[
        Path, typer.Argument(help="Features [N, D] (.npy) of generated pictures, or a folder of them with --model.")
    ],
    second: Annotated[Path, typer.Argument(help="The same of real pictures.")],
    model: Annotated[str | None, typer.Option(help="A dual encoder's folder, for folders of pictures.")] = None,
    as_json: AsJson = False,
) -> None:
    """Frechet distance of two sets of features; published FIDs are of Inception's."""
    from vistune.evals.metrics.generation import frechet_distance

    value = frechet_distance(_features(first, model), _features(second, model))
    print(json.dumps({"FID": value}) if as_json else f"FID  {value:.4f}")


@app.command()
def clip_score(
    pictures: Annotated[Path, typer.Argument(help="Features [N, D] (.npy), or a folder of pictures with --model.")],
    captions: Annotated[Path, typer.Argument(help="Features [N, D] (.npy), or {picture: caption} (JSON) with --model.")],
    model: Annotated[str | None, typer.Option(help="A dual encoder's folder; published numbers are of CLIP ViT-B/32.")] = None,
    as_json: AsJson = False,
) -> None:
    """CLIPScore of pictures and their captions: 2.5 times the cosine, not below 0."""
    import numpy as np

    from vistune.evals.files import captions_of
    from vistune.evals.metrics.generation import clip_score as metric

    if model is None:
        shown, told = _features(pictures, None), _features(captions, None)
        names = [str(number) for number in range(len(shown))]
    else:
        from vistune.model.answering.dual_features import PROMPT, DualEncoder

        paths, texts = captions_of(pictures, captions)
        encoder, names = DualEncoder(model), [path.name for path in paths]
        shown, told = encoder.pictures(paths), encoder.captions([PROMPT + text for text in texts])
    _tell("clip_score", metric(np.asarray(shown), np.asarray(told)), names, as_json)


@app.command()
def sensitivity(
    scores: Annotated[Path, typer.Argument(help="{task: [its score under each wording of the instruction]} (JSON).")],
    as_json: AsJson = False,
) -> None:
    """How much scores move with the wording of the instruction (MultiInstruct); lower is better."""
    from vistune.evals.files import scores_by_task
    from vistune.evals.metrics.sensitivity import sensitivity as metric

    given = scores_by_task(scores)
    _tell("sensitivity", metric(given), list(given), as_json)


@app.command()
def tool_use(
    predictions: Annotated[Path, typer.Argument(help="Traces of a model (JSONL: id, answer), as GPT4Tools writes steps.")],
    references: Annotated[Path, typer.Argument(help="The true ones, in the same form.")],
    as_json: AsJson = False,
) -> None:
    """Success of tool use (GPT4Tools): whether a tool is used, which, with which arguments."""
    from vistune.evals.files import trace_pairs
    from vistune.evals.metrics.tool_use import tool_use as metric

    names, traces, truths = trace_pairs(predictions, references)
    _tell("tool_use", metric(traces, truths), names, as_json)


def _features(path: Path, model: str | None) -> Any:
    if model is None or path.suffix == ".npy":
        from vistune.evals.files import features_at

        return features_at(path)
    from vistune.evals.files import pictures_in
    from vistune.model.answering.dual_features import DualEncoder

    return DualEncoder(model).pictures(pictures_in(path))


def _tell(name: str, result: Result, names: list[str], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"measure": name, **result.to_json()}, ensure_ascii=False, allow_nan=False))
        return
    print("\n".join(summary(name, result)))
