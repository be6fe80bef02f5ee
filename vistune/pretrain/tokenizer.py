"""Small byte-level BPE tokenizers, trained on world text; any string encodes, since bytes are the alphabet."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast


def train_bpe(
    texts: Iterable[str], size: int, special: list[str], add_end: bool = False, max_length: int = 1024, **named: str
) -> PreTrainedTokenizerFast:
    """A tokenizer of at most `size` learnt entries and the `special` ones after them, in that order.

    `named` gives special tokens their parts (bos_token=..., ...). The beginning token stands before every text, the end token
    behind it when `add_end` (CLIP's convention; the end token should then be the last special one, since published code
    finds it as the largest id). Digits are split one by one, so that coordinates are spelt the same way wherever they stand.
    """
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(vocab_size=size, initial_alphabet=ByteLevel.alphabet(), min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(special)
    begin, end = named["bos_token"], named["eos_token"]
    tokenizer.post_processor = TemplateProcessing(
        single=f"{begin} $A {end}" if add_end else f"{begin} $A",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (begin, end)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, model_max_length=max_length, **named
    )
