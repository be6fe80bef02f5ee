"""Files that belong to no benchmark, read for `vistune measure`. Every fault is an `InputError` that names the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vistune.data.fields.typed import as_list, as_number, as_object
from vistune.data.media.image import load_image
from vistune.errors import InputError
from vistune.evals.metrics.panoptic import Panoptic
from vistune.evals.prediction import read_predictions
from vistune.evals.reading.annotations import list_of, sections, text_of, whole_of
from vistune.evals.reading.label_maps import Labels, labels_at
from vistune.evals.reading.sources import load_json
from vistune.files import kept
from vistune.sample import Media

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def label_map_pairs(predictions: Path, references: Path) -> tuple[list[str], list[Labels | None], list[Labels]]:
    """Names, predicted maps (`None` where one is missing) and true maps, of two folders of PNG files."""
    names = [path.name for path in _folder(references) if path.suffix.lower() == ".png"]
    if not names:
        raise InputError(f"{references} holds no PNG file")
    given = {path.name: path for path in _folder(predictions)}
    if not any(name in given for name in names):
        raise InputError(f"{predictions} holds none of the files of {references}, such as {names[0]}")
    maps = [labels_at(str(given[name]), str(given[name])) if name in given else None for name in names]
    return names, maps, [labels_at(str(references / name), str(references / name)) for name in names]


def panoptic_pairs(
    predictions: Path, references: Path
) -> tuple[list[str], list[Panoptic | None], list[Panoptic], frozenset[int]]:
    """Names, predicted and true panoptic maps, and the categories that are things, of COCO's panoptic JSON files."""
    kinds = [(where, record) for where, record in sections(references, "categories")[0]]
    things = frozenset(whole_of(record, "id", where) for where, record in kinds if record.get("isthing"))
    truths, given = dict(_panoptic(references)), dict(_panoptic(predictions))
    return list(truths), [given.get(name) for name in truths], list(truths.values()), things


def _panoptic(path: Path) -> Iterator[tuple[str, Panoptic]]:
    folder = path.with_suffix("")
    for where, record in sections(path, "annotations")[0]:
        file = kept(folder, folder / text_of(record, "file_name", where))
        colours = np.asarray(load_image(Media.file("image", str(file)))).astype(np.int64)[..., :3] @ np.array([1, 256, 65536])
        segments = [as_object(one, where) for one in list_of(record, "segments_info", where)]
        categories = {whole_of(one, "id", where): whole_of(one, "category_id", where) for one in segments}
        crowds = frozenset(whole_of(one, "id", where) for one in segments if one.get("iscrowd"))
        yield str(whole_of(record, "image_id", where)), Panoptic(colours, categories, crowds)


def features_at(path: Path) -> NDArray[np.floating[Any]]:
    """An array of features `[N, D]` in a `.npy` file."""
    try:
        found = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: is no .npy file of features ({error})") from error
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype.kind not in "fiu":
        raise InputError(f"{path}: expected an array [N, D] of numbers")
    return np.asarray(found, np.float64)


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder, sorted."""
    found = [path for path in _folder(folder) if path.suffix.lower() in PICTURES]
    if not found:
        raise InputError(f"{folder} holds no picture")
    return found


def captions_of(folder: Path, captions: Path) -> tuple[list[Path], list[str]]:
    """Pictures and their captions, from `{file name, or name without its ending: caption}`."""
    told = as_object(load_json(captions), str(captions))
    files = {name: path for path in pictures_in(folder) for name in (path.name, path.stem)}
    paths, texts = [], []
    for name, text in told.items():
        if name not in files:
            raise InputError(f"{captions}: {folder} holds no picture {name!r}")
        paths.append(files[name])
        texts.append(text_of({"caption": text}, "caption", f"{captions}: {name}"))
    if not paths:
        raise InputError(f"{captions}: holds no caption")
    return paths, texts


def scores_by_task(path: Path) -> Mapping[str, list[float]]:
    """`{task: [score, ...]}`."""
    given = as_object(load_json(path), str(path))
    return {
        task: [as_number(value, f"{path}: {task}", "a score") for value in as_list(values, f"{path}: {task}", "the scores")]
        for task, values in given.items()
    }


def trace_pairs(predictions: Path, references: Path) -> tuple[list[str], list[str | None], list[str]]:
    """Names, predicted traces (`None` where one is missing) and true ones, of two files of predictions."""
    truths = {prediction.id: prediction.answer for prediction in read_predictions(references)}
    given = {prediction.id: prediction.answer for prediction in read_predictions(predictions)}
    if given.keys().isdisjoint(truths):
        raise InputError(f"{predictions} answers none of the instructions of {references}")
    return list(truths), [given.get(name) for name in truths], list(truths.values())


def _folder(path: Path) -> list[Path]:
    if not path.is_dir():
        raise InputError(f"{path} is no folder")
    return [kept(path, entry) for entry in sorted(path.iterdir()) if entry.is_file()]
