"""X-LLM (github.com/phellonchen/X-LLM): names of the speech interface."""

from __future__ import annotations

from vistune.model.interchange.formats.keymap import KeyMap

SPEECH: KeyMap = {"enter.": "pre_bert_proj.", "leave.": "post_bert_proj.", "model.": "speech_bert_adaptor."}
"""Of `connectors.bert_adapter`."""

IGNORED = ("*position_ids", "*token_type_ids", "*word_embeddings*", "*pooler*")
