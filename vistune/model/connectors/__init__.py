"""Connectors: `Features` -> tokens of the language model's width, one file each. The kind in a spec is the file's name."""
