"""A native model's processor, with pictures prepared by Pillow and numpy alone.

`transformers` prepares pictures in two ways, with torchvision or with Pillow, and bundles a video processor, which knows only
the first way, into the processors of many families (Qwen-VL, LLaVA-OneVision, InternVL, SmolVLM). Here the second way is always
taken and the video processor is left out. Families that have no second way are prepared by processors of our own (Pixtral and
Mistral 3, Molmo 2) or refused.
"""

from __future__ import annotations

from typing import Any

from transformers import AutoImageProcessor, AutoProcessor, AutoTokenizer, ProcessorMixin
from transformers.image_processing_backends import PilBackend
from transformers.image_processing_utils import ImageProcessingMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING, processor_class_from_name

from vistune.errors import InputError, MissingExtraError, reading
from vistune.model.native.blip import BlipProcessor
from vistune.model.native.molmo2 import Molmo2
from vistune.model.native.molmo2_pictures import Cropping
from vistune.model.native.pixtral import Pixtral


class _WithoutVideo:
    """Lets a processor do without its video processor."""

    def check_argument_for_proper_class(self, argument_name: str, argument: Any) -> Any:
        """What `ProcessorMixin` asks of each of its parts."""
        if argument_name == "video_processor" and argument is None:
            return type(None)
        return super().check_argument_for_proper_class(argument_name, argument)  # type: ignore[misc]


def read_processor(path: str, folder: str, revision: str | None, config: Any) -> Any:
    """The processor of `folder`, which the user called `path`. Raises `InputError` where Pillow cannot prepare its pictures."""
    where = {"revision": revision, "trust_remote_code": False}
    own = _own(path, folder, config, where)
    if own is not None:
        return own
    pictures = _read_pictures(path, folder, config, where)
    try:
        with reading(f"the processor of {path} cannot be read", ImportError):
            kind = _class_of(folder, revision, config)
            if kind is None or "video_processor" not in kind.get_attributes():
                processor = AutoProcessor.from_pretrained(folder, config=config, **where)
                processor.image_processor = pictures
            else:
                processor = _composed(kind, folder, pictures, where)
    except ImportError as error:
        if "num2words" in str(error):
            raise MissingExtraError("num2words", "native", f"the processor of {path}") from error
        raise InputError(_refusal(path, config)) from error
    return _padding(processor)


def _padding(processor: Any) -> Any:
    """The processor, with a token to fill rows with."""
    if processor.tokenizer.pad_token_id is None:
        processor.tokenizer.pad_token = processor.tokenizer.eos_token
    return processor


def _own(path: str, folder: str, config: Any, where: dict[str, Any]) -> Any:
    """A processor of ours, None where `transformers`' serves."""
    if config.model_type == "blip":
        pictures = _read_pictures(path, folder, config, where)
        with reading(f"the tokenizer of {path} cannot be read"):
            return BlipProcessor(pictures, AutoTokenizer.from_pretrained(folder, **where), config)
    with reading(f"the processor of {path} cannot be read"):
        name = _name_of(folder, where["revision"])
        if name not in ("PixtralProcessor", "Molmo2Processor"):
            return None
        record, _ = ProcessorMixin.get_processor_dict(folder, revision=where["revision"])
        tokenizer = AutoTokenizer.from_pretrained(folder, **where)
        template = record.get("chat_template") or tokenizer.chat_template
        if name == "Molmo2Processor":
            pictures, _ = ImageProcessingMixin.get_image_processor_dict(folder, revision=where["revision"])
            return _padding(Molmo2(Cropping.of(pictures, path), tokenizer, record, template))
    return _padding(Pixtral(_read_pictures(path, folder, config, where), tokenizer, record, template))


def _read_pictures(path: str, folder: str, config: Any, where: dict[str, Any]) -> Any:
    try:
        with reading(f"the picture processor of {path} cannot be read", ImportError, ValueError):
            found = AutoImageProcessor.from_pretrained(folder, backend="pil", config=config, **where)
    except InputError:
        raise
    except (ImportError, ValueError) as error:
        raise InputError(_refusal(path, config)) from error
    if not isinstance(found, PilBackend) and type(found).__name__.endswith("Fast"):
        raise InputError(_refusal(path, config))
    return found


def _refusal(path: str, config: Any) -> str:
    return (
        f"{path} is a {config.model_type}, whose pictures transformers prepares with torchvision only: choose a family that has"
        " a Pillow processor (see docs/native.md)"
    )


def _class_of(folder: str, revision: str | None, config: Any) -> Any:
    """The processor's class: as the processor's file says, else the picture processor's, else the family's."""
    name = _name_of(folder, revision)
    if name is not None:
        return processor_class_from_name(name)
    return PROCESSOR_MAPPING.get(type(config), None)


def _name_of(folder: str, revision: str | None) -> str | None:
    """The processor's class by name, as either file of the directory has it."""
    for find in (ProcessorMixin.get_processor_dict, ImageProcessingMixin.get_image_processor_dict):
        record, _ = find(folder, revision=revision)
        if record.get("processor_class") is not None:
            return str(record["processor_class"])
    return None


def _composed(kind: Any, folder: str, pictures: Any, where: dict[str, Any]) -> Any:
    """A processor of class `kind` from its parts, without the video processor."""
    record, _ = kind.get_processor_dict(folder, revision=where["revision"])
    made = {"image_processor": pictures, "tokenizer": AutoTokenizer.from_pretrained(folder, **where), "video_processor": None}
    slim: Any = type(kind.__name__, (_WithoutVideo, kind), {})
    return slim.from_args_and_dict([made[name] for name in kind.get_attributes()], record)
