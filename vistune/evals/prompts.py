"""The endings of prompts that many benchmarks share, as LLaVA-1.5 (Liu et al., 2023, Table 7) words them.

They are part of a published number: models were tuned on them.
"""

from __future__ import annotations

SHORT_ANSWER = "{question}\nAnswer the question using a single word or phrase."
OPTION_LETTER = "{question}\n{options}\nAnswer with the option's letter from the given choices directly."
CAPTION = "Provide a one-sentence caption for the provided image."
