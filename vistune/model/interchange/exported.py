"""What directories for other software have in common, whichever architecture of `transformers` they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from torch import Tensor

from vistune.errors import InputError
from vistune.files import read_json, write_json
from vistune.model.vlm import VisionLanguageModel
from vistune.model.weights.checkpoint import part_weights
from vistune.model.weights.numbers import check_finite

IMAGE = "<image>"
TOLERANCE = 1e-4  # of logits in fp32; what is wrong with an export changes them by far more
_TABLES = ("embed_tokens.weight", "shared.weight", "lm_head.weight")


@dataclass(frozen=True, slots=True)
class Architecture:
    """The three classes of one architecture of `transformers`."""

    config: type[hf.PreTrainedConfig]
    model: type[hf.PreTrainedModel]
    processor: type[hf.ProcessorMixin]

    def write(self, config: hf.PreTrainedConfig, folder: Path) -> None:
        """The configuration of a model in fp32."""
        config.architectures, config.dtype = [self.model.__name__], "float32"
        config.save_pretrained(folder)


def written_tokenizer(model: VisionLanguageModel, folder: Path, **settings: Any) -> Any:
    """A copy of the model's tokenizer that saves alike however it was loaded."""
    model.llm.tokenizer.save_pretrained(folder)
    written = hf.AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False, **settings)
    return _speaking(written, _words(model, written), folder, settings)


def _words(model: VisionLanguageModel, tokenizer: Any) -> list[str]:
    """The special tokens that are part of an answer: all but named ones (`<s>`, `<pad>`) and those that end one.

    A language model may have learnt places (`<loc_5>`) that no codec of this model names. It writes them all the same, and
    `LanguageModel.words` keeps them.
    """
    silent = {token for token in tokenizer.special_tokens_map.values() if isinstance(token, str)}
    silent |= {tokenizer.convert_ids_to_tokens(end) for end in model.llm.ends(model.template.stops)} | {IMAGE}
    return [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special and str(token) not in silent]


def _speaking(tokenizer: Any, words: Sequence[str], folder: Path, settings: dict[str, Any]) -> Any:
    """The tokenizer with `words` as words: what leaves special tokens out of an answer then leaves them in.

    Ids stay: a token that is special becomes one that is not, in its place.
    """
    held = [token for token in words if token in tokenizer.get_added_vocab()]
    if not held:
        return tokenizer
    file = folder / "tokenizer.json"
    tokenizer.save_pretrained(folder)
    content = read_json(file)
    for entry in content["added_tokens"]:
        if entry["content"] in held:
            entry["special"] = False
    write_json(file, content)
    config = folder / "tokenizer_config.json"
    told = read_json(config)
    for entry in told.get("added_tokens_decoder", {}).values():
        if entry["content"] in held:
            entry["special"] = False
    for key in ("additional_special_tokens", "extra_special_tokens"):
        if isinstance(told.get(key), list):
            told[key] = [token for token in told[key] if token not in held]
    write_json(config, told)
    return hf.AutoTokenizer.from_pretrained(folder, padding_side="left", trust_remote_code=False, **settings)


def written_weights(model: VisionLanguageModel, words: int) -> dict[str, Tensor]:
    """All of the model's tensors by our names, with one row more where the vocabulary of `words` tokens needs it.

    That row, the mean of the others, is the picture's token's, which no picture ever reads.
    """
    weights = part_weights(model, {"llm", "vision", "connector"})
    check_finite(weights, "the model")
    rows = len(model.llm.embeddings)
    if words <= rows:
        return weights
    return {name: _with_row(tensor) if _is_table(name, tensor, rows) else tensor for name, tensor in weights.items()}


def _is_table(name: str, tensor: Tensor, rows: int) -> bool:
    # Input and output table alike: the image token's row must exist in both, though neither is ever read.
    return name.startswith("llm.") and len(tensor) == rows and name.endswith(_TABLES)


def _with_row(table: Tensor) -> Tensor:
    return torch.cat([table, table.mean(dim=0, keepdim=True)])


def backbone_config(part: Any) -> dict[str, Any]:
    """A backbone's configuration without where it was read from."""
    return {key: value for key, value in part.config.to_dict().items() if key != "_name_or_path"}


def text_config(model: VisionLanguageModel, tokenizer: Any) -> dict[str, Any]:
    """The language model's configuration with the tokenizer's numbers."""
    return backbone_config(model.llm.model) | {
        "architectures": [type(model.llm.model).__name__],
        "vocab_size": max(len(model.llm.embeddings), len(tokenizer)),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def write_generation_config(model: VisionLanguageModel, tokenizer: Any, folder: Path) -> None:
    """Where answers end."""
    config = model.llm.model.config
    first = {"decoder_start_token_id": config.decoder_start_token_id} if config.is_encoder_decoder else {}
    hf.GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=model.llm.ends(model.template.stops),
        pad_token_id=tokenizer.pad_token_id,
        **first,
    ).save_pretrained(folder)


def rename_classes(folder: Path) -> None:
    """Class names that older readers know, and the image processor in a file of its own, too, where they look for it."""
    for file in folder.rglob("tokenizer_config.json"):
        settings = read_json(file) | {"tokenizer_class": "PreTrainedTokenizerFast"}
        write_json(file, {key: value for key, value in settings.items() if key not in ("is_local", "local_files_only")})
    file = folder / "processor_config.json"
    settings = read_json(file)
    images = settings["image_processor"]
    # The name without its backend is the one that servers of before and after know.
    images["image_processor_type"] = images["image_processor_type"].removesuffix("Pil")
    write_json(file, settings)
    write_json(folder / "preprocessor_config.json", images)


def read_whole(architecture: Any, folder: Path) -> Any:
    """The model of `transformers` in a directory. Raises `InputError` for tensors that it lacks or does not know."""
    copy, report = architecture.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, trust_remote_code=False)
    if report["missing_keys"] or report["unexpected_keys"]:
        lacks, unknown = sorted(report["missing_keys"]), sorted(report["unexpected_keys"])
        raise InputError(f"{folder} lacks {lacks} and has unknown {unknown}")
    return copy.eval()


_COMPUTED = ", so a part of this model computes what its architecture there does not"


def check_difference(difference: float, because: str = _COMPUTED) -> float:
    """The largest difference of logits, where it is that of fp32 sums. Raises `InputError` where it is more, and says why."""
    if not difference <= TOLERANCE:
        raise InputError(
            f"transformers gives other logits from the exported directory: the largest difference is {difference:.3g}{because}"
        )
    return difference
