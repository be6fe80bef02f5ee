"""`export`: a directory that `transformers` loads, compared before it is there.

A model made of parts becomes a LLaVA, LLaVA-NeXT, BLIP-2 or InstructBLIP; one that was taken whole stays what it was.
"""

from __future__ import annotations

from pathlib import Path

from vistune.errors import InputError
from vistune.files import atomic_folder
from vistune.model.connectors.q_former import QFormer
from vistune.model.interchange import export_blip, export_llava, export_native
from vistune.model.native.model import NativeModel
from vistune.model.vlm import VisionLanguageModel


def export(model: VisionLanguageModel | NativeModel, folder: str | Path) -> float:
    """Write `folder` and return the largest difference between our logits and those of `transformers` from it.

    Weights are fp32. Raises `InputError`, leaving nothing, for a model that no architecture of `transformers` expresses: naming
    the part where it is known to, else because the written directory reads a prompt in another way or gives other logits.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already: choose another --out, or remove it")
    if isinstance(model, VisionLanguageModel) and model.llm.prompt is not None:
        raise InputError("the language model has a prompt or prefix, which no architecture of transformers holds")
    if model.spec.adapt:
        raise InputError("this model has adapters: `vistune merge` it first")
    if isinstance(model, NativeModel):
        with atomic_folder(folder) as temporary:
            export_native.write(model, temporary)
            return export_native.compare(model, temporary)
    # Asked by name: logits of text about pictures would not differ, and the loss would go unnoticed.
    if lost := _lost(model):
        raise InputError(f"no architecture of transformers that this is exported to holds {' and '.join(lost)}")
    # Only after the comparison: a folder that exists has been loaded by `transformers` and gave our logits.
    with atomic_folder(folder) as temporary:
        if isinstance(model.connector, QFormer):
            export_blip.write(model, temporary)
            difference = export_blip.compare(model, temporary)
        else:
            export_llava.write(model, temporary)
            difference = export_llava.compare(model, temporary, export_llava.architecture_of(model))
    return difference


def _lost(model: VisionLanguageModel) -> list[str]:
    """What the model reads and makes beside text about pictures: none of it would be missed by comparing logits of that."""
    kinds = [kind for kind in model.modalities if kind != "image"]
    image = model.routes.get("image")
    lost = [f"the modality {kind}" for kind in kinds]
    lost += [f"the head {name}" for name in model.heads]
    if image is not None and image.settings:
        lost.append(f"the settings of model.modalities.image ({', '.join(sorted(image.settings))})")
    return lost
