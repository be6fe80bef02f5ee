"""The colour statistics a tower was taught with."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from transformers.utils import cached_file

from vistune.errors import InputError
from vistune.files import read_json
from vistune.model.encoders._squares import RGB
from vistune.spec import matches


def statistics(folder: str, revision: str | None) -> tuple[RGB, RGB]:
    """Mean and standard deviation of the pixels, from the image processor's file (either layout)."""
    # Older directories have the first file, those saved with a whole processor the second, where the settings lie one level
    # deeper.
    for name in ("preprocessor_config.json", "processor_config.json"):
        found = cached_file(folder, name, revision=revision, _raise_exceptions_for_missing_entries=False)
        if found is None:
            continue
        settings = read_json(Path(found))
        settings = settings.get("image_processor", settings)
        if "image_mean" in settings:
            mean, std = _three(settings, "image_mean", found), _three(settings, "image_std", found)
            if not min(std) > 0:
                raise InputError(f"{found}: image_std is {list(std)}, expected three numbers above 0")
            return mean, std
    raise InputError(f"{folder} has no preprocessor_config.json with image_mean and image_std, which the tower was taught with")


def _three(settings: dict[str, Any], key: str, file: str) -> RGB:
    found = settings.get(key)
    if not isinstance(found, list) or len(found) != 3 or not all(matches(one, float) and math.isfinite(one) for one in found):
        raise InputError(f"{file}: {key} is {str(found)[:80]}, expected three numbers, of red, green and blue")
    return (found[0], found[1], found[2])
