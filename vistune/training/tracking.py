"""A run's numbers in a tracker: TensorBoard, W&B and the others that `accelerate` speaks to. Off unless it is asked for.

train/tune/loss    numbers of each step, as in `logs/tune.jsonl`         eval/tune/count/exact_match    measurements
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from vistune.errors import InputError, MissingExtraError, nearest, reading

Track: TypeAlias = Callable[[str, int, Mapping[str, Any]], None]
"""Takes a name such as `train/tune`, the step, and numbers by their name; what is no number is passed over."""

LIBRARIES = {
    "aim": "aim",
    "clearml": "clearml",
    "comet_ml": "comet_ml",
    "mlflow": "mlflow",
    "swanlab": "swanlab",
    "tensorboard": "tensorboard",
    "trackio": "trackio",
    "wandb": "wandb",
}
EXTRAS = ("tensorboard",)
FOLDER = "track"


def untracked(name: str, step: int, numbers: Mapping[str, Any]) -> None:
    """The tracker of a run that has none."""


def check_trackers(names: Sequence[str]) -> None:
    """Raises `InputError` for a tracker that is unknown, and for one whose library is not installed."""
    for name in names:
        if name not in LIBRARIES:
            raise InputError(f"there is no tracker {name!r}{nearest(name, list(LIBRARIES))}")
        if find_spec(LIBRARIES[name]) is not None:
            continue
        if name in EXTRAS:
            raise MissingExtraError(LIBRARIES[name], name, f"--track {name}")
        raise InputError(
            f"--track {name} needs the library {LIBRARIES[name]!r}: install it with  pip install {LIBRARIES[name]}"
        )


@contextmanager
def tracking(names: Sequence[str], out: Path, recipe: Mapping[str, Any]) -> Iterator[Track]:
    """Trackers of the run in `out`, open until the block ends; files of theirs lie in `out/track`.

    Of several processes the first alone calls it. Raises `InputError` for one that cannot begin, such as a service that is
    not reached.
    """
    if not names:
        yield untracked
        return
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    trackers: list[Any] = []
    with ExitStack() as opened:
        for name in names:
            kind = LOGGER_TYPE_TO_CLASS[name]
            place = {"logging_dir": str(out / FOLDER)} if kind.requires_logging_directory else {}
            with reading(f"--track {name} cannot begin", ImportError):
                tracker = kind(_plain(out.resolve().name), **place)
                tracker.start()
                opened.callback(tracker.finish)
            trackers.append(tracker)
            # TensorBoard's table of settings is one of runs to compare, and needs values that it has a column for.
            if name != "tensorboard":
                tracker.store_init_configuration(dict(recipe))

        def track(name: str, step: int, numbers: Mapping[str, Any]) -> None:
            shown = {f"{name}/{key}": value for key, value in numbers.items() if _is_shown(key, value)}
            for tracker in trackers:
                tracker.log(shown, step=step)

        yield track


def _is_shown(key: str, value: Any) -> bool:
    return key not in ("step", "steps") and isinstance(value, int | float) and not isinstance(value, bool)


def _plain(name: str) -> str:
    """Names of projects are letters, digits and a few signs."""
    return re.sub(r"[^\w.-]+", "-", name) or "run"
