"""The colour statistics a tower was taught with."""

from __future__ import annotations

from pathlib import Path

from transformers.utils import cached_file

from vistune.errors import InputError
from vistune.files import read_json
from vistune.model.encoders._squares import RGB


def statistics(folder: str, revision: str | None) -> tuple[RGB, RGB]:
    """Mean and standard deviation of the pixels, from the image processor's file (either layout)."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        found = cached_file(folder, name, revision=revision, _raise_exceptions_for_missing_entries=False)
        if found is None:
            continue
        settings = read_json(Path(found))
        settings = settings.get("image_processor", settings)
        if "image_mean" in settings:
            mean, std = settings["image_mean"], settings["image_std"]
            return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])
    raise InputError(f"{folder} has no preprocessor_config.json with image_mean and image_std, which the tower was taught with")
